"""The HTTP pages of the admin port."""
