"""What is found in the texts of answers, and held against what they were given."""
