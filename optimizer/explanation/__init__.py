"""Answers in money: why no build exists, what binds, why not that part, how far prices may move."""
