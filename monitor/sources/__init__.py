"""Files → Rows, one format a file."""
