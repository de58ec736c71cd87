"""One table has every name, by version; no name stands for two things."""

from __future__ import annotations

import re

import pytest

from monitor import conventions
from monitor.conventions import VERSIONS, Conventions
from monitor.metrics import BY_NAME
from monitor.metrics.metric import Metric


@pytest.mark.parametrize("version", VERSIONS)
def test_no_name_stands_for_two_things(version: str) -> None:
    """Attributes among each other, and metrics; each is a name as OpenTelemetry wants them."""
    names = Conventions(version)
    attributes = [name for word in conventions.words() if (name := names.attribute(word))]
    metrics = [named.name for ours in BY_NAME if (named := names.metric(ours))]
    for found in (attributes, metrics):
        assert len(set(found)) == len(found)
        assert all(re.fullmatch(r"[a-z_]+(\.[a-z][a-z0-9_]*)+", name) for name in found)
    assert len(metrics) == 3


@pytest.mark.parametrize("version", VERSIONS)
def test_boundaries_are_those_that_we_count_by(version: str) -> None:
    """So none of the conventions' has to be made up; the other metrics have their own names."""
    for ours, metric in BY_NAME.items():
        named = Conventions(version).metric(ours)
        assert isinstance(metric, Metric)
        if named is not None:
            assert set(named.bounds) <= set(metric.buckets)


def test_versions_differ_where_the_conventions_do() -> None:
    """The renames that people notice, and what older versions did not have."""
    told = {
        word: [Conventions(version).attribute(word) for version in VERSIONS]
        for word in ("provider", "cache_write_tokens", "reasoning_tokens", "prompt")
    }
    assert told == {
        "provider": ["gen_ai.system", "gen_ai.provider.name", "gen_ai.provider.name"],
        "cache_write_tokens": [
            "",
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_write.input_tokens",
        ],
        "reasoning_tokens": ["", *["gen_ai.usage.reasoning.output_tokens"] * 2],
        "prompt": ["monitor.template", "monitor.template", "gen_ai.prompt.name"],
    }


def test_labels_become_attributes() -> None:
    """Of metrics that the conventions know; others keep theirs."""
    names = Conventions()
    assert [names.label(one) for one in ("operation", "model", "endpoint")] == [
        "gen_ai.operation.name",
        "gen_ai.request.model",
        "endpoint",
    ]
