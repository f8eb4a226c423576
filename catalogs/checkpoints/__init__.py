"""What a published checkpoint says of its own weights: which files are read, and how they are understood.

`schemes.py` reads a quantization object, `published.py` finds it and gives each module its format, `names.py` matches
modules with the lists of such objects."""
