"""Outcome rows → coverage: do prediction sets and intervals hold the truth as often as promised?"""
