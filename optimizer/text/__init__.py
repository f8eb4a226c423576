"""What people write: amounts and the words that go with them."""
