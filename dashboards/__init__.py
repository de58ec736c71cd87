"""The dashboard as code: one file per row, in the order of an on-call engineer's questions."""
