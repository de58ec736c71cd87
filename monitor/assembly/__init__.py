"""Settings → the parts that they describe, what they mean on this machine, and what is wrong."""
