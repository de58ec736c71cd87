"""Records → findings: windows, references, evidence and judgement, one fold for live and replay."""
