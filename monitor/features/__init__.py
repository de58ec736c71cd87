"""Record → Observations: one file for each thing we look at."""

from monitor.features import (
    checks,
    columns,
    confidence,
    embedding,
    language,
    latency,
    ngrams,
    outcome,
    output_kind,
    tensors,
    text_length,
    tokens,
    unknown_words,
    variety,
    words,
)
from monitor.interfaces import Feature

FEATURES: tuple[Feature, ...] = (
    tensors.FEATURE,
    columns.FEATURE,
    confidence.FEATURE,
    embedding.FEATURE,
    text_length.FEATURE,
    tokens.FEATURE,
    outcome.FEATURE,
    output_kind.FEATURE,
    language.FEATURE,
    words.FEATURE,
    unknown_words.FEATURE,
    checks.FEATURE,
)
"""What is looked at unless configured otherwise."""

MORE: tuple[Feature, ...] = (latency.FEATURE, variety.FEATURE, ngrams.FEATURE)
"""What costs more, needs thousands of records before it can say anything, or (latency) changes with
the load of the machine from minute to minute: that has histograms and objectives of its own, and a
test that takes values for independent would cry wolf over it."""
