"""A file's own sums held against its lines."""
