"""Record ↔ Redis Streams: the one kind of store that Records are appended to and read from."""
