"""Record → item → verdicts: which exchanges people are asked about, and what they say."""
