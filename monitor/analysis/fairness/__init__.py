"""Outcome rows → how groups of people fare beside all others of their dimension."""
