"""Record → Observations: one file for each thing we look at."""

from monitor.features import (
    confidence,
    language,
    latency,
    ngrams,
    outcome,
    output_kind,
    tensors,
    text_length,
    tokens,
    variety,
    words,
)
from monitor.interfaces import Feature

FEATURES: tuple[Feature, ...] = (
    tensors.FEATURE,
    confidence.FEATURE,
    text_length.FEATURE,
    tokens.FEATURE,
    latency.FEATURE,
    outcome.FEATURE,
    output_kind.FEATURE,
    language.FEATURE,
    words.FEATURE,
)
"""What is looked at unless configured otherwise."""

MORE: tuple[Feature, ...] = (variety.FEATURE, ngrams.FEATURE)
"""What costs more, or needs thousands of records before it can say anything."""
