"""What can be bought, and which models exist: parts, offers, units, model architectures."""
