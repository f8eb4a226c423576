"""The JSON contract: what stands in a result, and how it is made of a front."""
