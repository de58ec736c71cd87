"""Outcome rows → whether another arm of an experiment is better than its control."""
