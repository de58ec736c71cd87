"""A sidecar that watches a model endpoint: traffic, tails, drift; private and harmless."""

__version__ = "0.1.0"
