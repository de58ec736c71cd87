"""The guided end-to-end run: real models, real clients, one shift, and what is found of it."""
