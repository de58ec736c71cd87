"""Bytes in, the same bytes out; copies of them become Exchanges."""
