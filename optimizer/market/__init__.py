"""One request against one catalog: admissible offers, what fits what, performance rows."""
