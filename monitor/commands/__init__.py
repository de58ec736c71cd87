"""The commands that have a file of their own: options → what each does and prints."""
