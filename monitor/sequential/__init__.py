"""Counts → evidence and estimates that hold at every moment one looks.

docs/sequential-tests.md says which to take, and proves that they are fair.
"""
