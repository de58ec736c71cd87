"""Somebody's files → Records or Tables: one format a file, the most specific first."""

from monitor.interfaces import Source
from monitor.sources import (
    archive,
    arrow,
    csv,
    excel,
    helicone,
    jsonl,
    langfuse,
    litellm,
    mlflow_traces,
    openai_batch,
    openai_jsonl,
    otel_genai,
    parquet,
    records,
)

SOURCES: tuple[Source, ...] = (
    archive.SOURCE,
    parquet.SOURCE,
    arrow.SOURCE,
    excel.SOURCE,
    otel_genai.SOURCE,
    mlflow_traces.SOURCE,
    litellm.SOURCE,
    langfuse.SOURCE,
    helicone.SOURCE,
    openai_batch.SOURCE,
    openai_jsonl.SOURCE,
    records.SOURCE,
    jsonl.SOURCE,
    csv.SOURCE,
)
"""What a file is taken for: the first of these that claims it."""
