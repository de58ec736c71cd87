"""Somebody's files → Records or Tables: one format a file, the most specific first."""

from monitor.interfaces import Source
from monitor.sources import archive, arrow, csv, excel, jsonl, openai_jsonl, parquet, records

SOURCES: tuple[Source, ...] = (
    archive.SOURCE,
    parquet.SOURCE,
    arrow.SOURCE,
    excel.SOURCE,
    openai_jsonl.SOURCE,
    records.SOURCE,
    jsonl.SOURCE,
    csv.SOURCE,
)
"""What a file is taken for: the first of these that claims it."""
