"""Findings and measurements → alerts → what each receiver is told, and when."""
