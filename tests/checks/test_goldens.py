"""What real clients sent and read passes the checks, but for what is wrong in it."""

from __future__ import annotations

import dataclasses

import pytest

from monitor.checks import CHECKS
from tests.edge_cases.test_goldens import goldens
from tests.protocols.goldens.files import Golden
from tests.recorder.test_capture import counted, reader_of

ALL = [dataclasses.replace(one, thresholds=one.tried or one.thresholds) for one in CHECKS]
READER, METERS = reader_of(checks=ALL)
OF_EDGE_CASES = {"truncated", "refusal"}  # they are looked at where edge cases are
WRONG = {
    "ollama/chat-stream": {"tool_call"},  # it calls a tool that was not offered
    "openai_responses/stream": {"tool_call"},  # a required argument is missing
    "tgi/generate": {"schema"},  # it was asked for JSON and answers in words
}


@pytest.mark.parametrize("golden", list(goldens()), ids=lambda golden: golden.name)
def test_a_golden_fails_where_it_is_wrong(golden: Golden) -> None:
    """In every dialect that has schemas and tools; no check stumbles."""
    found = READER.taken([golden.call()])[0]
    assert isinstance(found, tuple)
    record = found[0]
    failed = {name for name, verdict in record.checks.items() if not verdict.passed}
    assert failed - OF_EDGE_CASES - {"sections"} == WRONG.get(golden.name, set())
    assert counted(METERS, "monitor_part_failures_total") == {}
