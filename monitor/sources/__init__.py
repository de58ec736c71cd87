"""Somebody's files → Records or Tables: one format a file, the most specific first."""

from monitor.interfaces import Source
from monitor.sources import (
    archive,
    arrow,
    csv,
    envoy,
    excel,
    har,
    helicone,
    jsonl,
    kserve_cloudevents,
    langfuse,
    litellm,
    mlflow_traces,
    nginx,
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
    har.SOURCE,
    kserve_cloudevents.SOURCE,
    otel_genai.SOURCE,
    mlflow_traces.SOURCE,
    litellm.SOURCE,
    langfuse.SOURCE,
    helicone.SOURCE,
    openai_batch.SOURCE,
    openai_jsonl.SOURCE,
    envoy.SOURCE,
    nginx.SOURCE,
    records.SOURCE,
    jsonl.SOURCE,
    csv.SOURCE,
)
"""What a file is taken for: the first of these that claims it."""
