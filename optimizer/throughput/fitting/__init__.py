"""Makes the constants of throughput out of measured runs, and says how far off they are."""
