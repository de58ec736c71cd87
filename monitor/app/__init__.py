"""The processes of a running monitor, one file for each; what they are made of stands in rooms."""
