"""Outcome rows → the slices of the traffic in which something is worse than elsewhere."""
