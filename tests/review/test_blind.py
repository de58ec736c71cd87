"""What a reviewer sees."""

from __future__ import annotations

import msgspec

from monitor.review.blind import blind
from monitor.types import Part
from tests.streams.test_redis import record


def test_a_reviewer_sees_the_exchange_and_nothing_that_tells_how_to_judge_it() -> None:
    """No confidence, no edge case, no arm, no model; every text is there."""
    full = msgspec.structs.replace(
        record("x"),
        inputs=[Part(role="user", text="Is it late?")],
        outputs=[Part(role="assistant", text="Yes.")],
        segments={"population": "north", "variant": "b"},
        edge_cases=["refusal"],
        confidence=0.3,
        model="secret-arm",
    )
    shown = blind(full, ("variant",))
    assert shown["inputs"] == [{"role": "user", "text": "Is it late?"}]
    assert shown["outputs"] == [{"role": "assistant", "text": "Yes."}]
    assert shown["segments"] == {"population": "north"}
    written = msgspec.json.encode(shown)
    for told in (b"secret-arm", b"refusal", b"0.3", b"variant"):
        assert told not in written
