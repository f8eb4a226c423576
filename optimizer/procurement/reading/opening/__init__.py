"""A vendor's file, opened safely: what it really is, its sheets and their plain cells."""
