"""Records and Feedback → Rows with Truth: each Record's outcome once, when it is due."""
