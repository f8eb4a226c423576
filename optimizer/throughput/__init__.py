"""How fast a model runs on hardware: plan enumeration and a roofline with few constants."""
