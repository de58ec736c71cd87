"""Keeps the processes of a command alive, and what must outlive each of them."""
