"""Vocabulary of the recognizers: the words and forms that tell a person's name or a telephone number from other text."""
