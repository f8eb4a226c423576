"""Formulas that several rules share: links, memory of training, experts in host memory, circuits."""
