"""Texts → the prompt templates that they were made of, found while they pass."""
