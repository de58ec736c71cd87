"""Pseudonyms → spool, store and archive of an endpoint without what names them."""
