"""Entries of the streams → what the analysis counts, by one analyzer or several, whatever ends."""
