"""Exchange → Record → rest: what the recorder's process does with what the proxy hands over."""
