"""What a user may set: the schema, and how a file, variables and options become one struct."""
