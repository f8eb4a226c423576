"""What physics and procurement demand. One rule, one file: `encode` into CP-SAT, `check` on a finished build."""
