"""Vendors' quotes and price lists: read, matched against the catalog, checked for sums; nothing is guessed silently."""
