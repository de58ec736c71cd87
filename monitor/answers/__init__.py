"""What is found in answers, and held against what they were given or the schema they must fit."""
