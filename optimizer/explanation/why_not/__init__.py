"""Why not this part, these GPUs, that build."""
