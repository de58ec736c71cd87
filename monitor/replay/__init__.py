"""The same questions, asked of what is at rest."""
