"""Why no build exists: the conflict, the ways out, and what became of each GPU."""
