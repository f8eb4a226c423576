"""The nearest build that passes every rule."""
