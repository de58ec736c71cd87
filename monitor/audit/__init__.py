"""Leaves → proof: Merkle trees, signed checkpoints, and the keys that sign them."""
