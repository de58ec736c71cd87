"""Records and what is said of them, for tests of the join."""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.analysis.join.items import Item, item_of
from monitor.feedback import Feedback
from monitor.types import Outcome, Part, Record, RequestSummary, ResponseSummary

BEGIN = 1_700_000_000.0


def record(name: str, ended: float = 0.0, **more: Any) -> Record:
    """A Record of that id, which ended so many seconds after BEGIN."""
    bare = Record(
        id=name, endpoint="test", protocol="generic_json", operation="predict", model="",
        started=BEGIN + ended - 0.25, duration=0.25, time_to_first_token=None,
        time_per_output_token=None, status=200, outcome=Outcome.OK, streamed=False,
        segments={"population": "a"}, request=RequestSummary("POST", "/", {}, 0, False),
        response=ResponseSummary({}, 0, False), inputs=[],
        outputs=[Part(name="label", datatype="BYTES", shape=[1], data=["1"])],
        tokens=None, finish_reasons=[], pseudonyms={}, key="k", trace_id=None,
    )  # fmt: skip
    return msgspec.structs.replace(bare, **more)


def item(came: float | None = 0.0, entry: str = "e", **said: Any) -> Item:
    """What is said, and came so many seconds after BEGIN."""
    came = None if came is None else BEGIN + came
    if "at" in said:
        said["at"] += BEGIN
    return item_of(msgspec.convert({"pseudonymized": "k", **said}, Feedback), came, entry)
