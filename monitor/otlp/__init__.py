"""How OTLP reaches a collector: one interface, a file for each protocol."""
