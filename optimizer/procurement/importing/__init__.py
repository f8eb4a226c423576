"""Price lists become a catalog: offers of known parts, a template for unknown ones, a review list, history."""
