"""What real clients sent and read is of the edge cases that its finish reasons say, and of no other that its texts could
make it."""

from __future__ import annotations

import pytest

from monitor.edge_cases import EDGE_CASES
from monitor.finish_reasons import normal
from monitor.types import Outcome, Record
from tests.protocols.goldens.files import Golden, goldens
from tests.recorder.test_capture import reader_of

READER, _ = reader_of(edge_cases=EDGE_CASES)
OF_TEXTS = {
    "empty_output", "truncated", "refusal", "invalid_json", "tool_loop", "long_input",
    "near_context_limit", "other_language", "repetition", "many_pseudonyms",
}  # fmt: skip


def recorded(golden: Golden) -> Record:
    found = READER.taken([golden.call()])[0]
    assert isinstance(found, tuple)
    return found[0]


@pytest.mark.parametrize("golden", list(goldens()), ids=lambda golden: golden.name)
def test_a_golden_is_of_the_edge_cases_that_its_dialect_says(golden: Golden) -> None:
    """A reason in a dialect's own word is enough; an ordinary answer is ordinary in every dialect."""
    record = recorded(golden)
    reasons = {normal(reason) for reason in record.finish_reasons}
    said = {
        name
        for name, words in (
            ("truncated", {"length", "incomplete"}), ("refusal", {"filter", "refusal"}),
        )
        if words & reasons
    }  # fmt: skip
    if any(part.role == "refusal" for part in record.outputs):
        said.add("refusal")
    if record.outcome is Outcome.CLIENT_GONE:
        said.discard("truncated")
    if golden.name == "tgi/generate":
        said.add("invalid_json")  # it was asked for JSON and answers in words
    assert OF_TEXTS & set(record.edge_cases) == said
