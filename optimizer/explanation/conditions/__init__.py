"""What a buyer asks for, condition by condition, and how each is loosened by the least that helps."""
