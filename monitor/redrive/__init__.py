"""Recorded requests, sent again to another endpoint, and their answers held against each other."""
