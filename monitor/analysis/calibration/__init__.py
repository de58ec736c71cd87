"""Outcome rows → calibration: are scores the probabilities that they claim to be?"""
