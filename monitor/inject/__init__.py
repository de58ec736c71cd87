"""A Pod as its owner wrote it → the same Pod with the sidecar in it."""
