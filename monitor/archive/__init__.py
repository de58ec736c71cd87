"""Records of a stream ↔ Parquet files that a chain of manifests lists."""
