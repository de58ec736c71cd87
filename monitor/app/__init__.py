"""The processes of a running monitor: one file for each, and what one of them alone is made of."""
