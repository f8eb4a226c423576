"""Proposes builds, closes families by bound or by CP-SAT, and holds the front."""
