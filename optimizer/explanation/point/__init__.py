"""A point of a front explained: what binds, what a step costs, what its neighbours change."""
