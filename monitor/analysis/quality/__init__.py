"""Outcome rows → how good predictions were, by segment and measure, and whether that changed."""
