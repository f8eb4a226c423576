"""What one line says: its part, its quantity, its price."""
