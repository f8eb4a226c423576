"""What a purchaser hands on: quotes."""
