"""The X-ray of a vendor's quote: its prices, sums, parts and what its money would buy instead."""
