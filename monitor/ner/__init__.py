"""Names that a model finds in a Record: who asks for them, and the process of the model."""
