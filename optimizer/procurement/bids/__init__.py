"""Bids for one tender side by side: one basis, one scope, what each build does, and a score."""
