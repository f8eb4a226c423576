"""From offers to the price of a quantity, and to the cheapest orders of a whole build."""
