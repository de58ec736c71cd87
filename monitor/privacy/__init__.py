"""Inference → Record: where to look, what to find, what to put in its place."""
