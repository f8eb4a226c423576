"""A saved result judged again: `consistent` by plain arithmetic without a solver, `complete` by a second proof."""
