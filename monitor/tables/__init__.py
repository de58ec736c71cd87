"""Somebody's table → Observations: how each column is read, decided once for all of it."""
