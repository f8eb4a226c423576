"""placeholder"""

from optimizer.certify import Family


class Undecided(Exception):
    """x"""


class HighsFamily(Family):
    """x"""
