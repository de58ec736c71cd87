"""Samples → what a collector reads, one format a file."""
