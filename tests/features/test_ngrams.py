"""Character trigrams, one a record."""

from __future__ import annotations

from monitor.features.ngrams import FEATURE
from monitor.types import Part


def test_one_trigram_a_record(record, seen) -> None:
    """Texts of fewer than three characters have none."""
    one = record(inputs=[Part(role="user", text="abc")], outputs=[Part(role="a", text="ab")])
    assert list(seen(FEATURE, one)) == ["input_ngrams"]
