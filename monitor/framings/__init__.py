"""Bodies → events, each with the offset where it ends: one file per framing."""
