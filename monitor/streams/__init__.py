"""Where Records are appended and read from, one kind of store a file."""
