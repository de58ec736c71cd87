"""The processes of a running monitor, and how they are put together."""
