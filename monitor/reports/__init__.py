"""Reports on a replay: what the document says, drawn and told on one page."""
