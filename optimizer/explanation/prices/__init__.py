"""How far prices may move before another build is the better one, and what is at risk."""
