"""What is left out before anything is planned, and why that loses no build (docs/proof.md)."""
