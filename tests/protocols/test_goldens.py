"""Bytes that real clients sent and read: what they mean, however the wire bends them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dashboards.reference import OPERATIONS
from monitor.bodies import Body
from monitor.protocols import PROTOCOLS
from monitor.types import Call, Inference
from tests.protocols.goldens.files import Golden, goldens, plain, read

GOLDENS = list(goldens())
ALL = pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.name)
STREAMED = [one for one in GOLDENS if one.about["inference"].get("streamed")]
OTHERS = {"websocket", "generic_json"}
"""They claim whatever is left."""
HANGS_UP = "openai_realtime"
"""Its connections end when the client has had enough."""


@ALL
def test_a_golden_is_read_exactly(golden: Golden) -> None:
    """Every member of the Inference; the client gave its caller the same texts."""
    found = read(golden.call())
    assert plain(found) == golden.about["inference"]
    outputs = [part.text or "" for part in found.outputs]
    for text in golden.about["texts"]:
        pieces = text.partition("{") if found.finish_reasons == ["tool_calls"] else (text,)
        assert any(all(piece in one for piece in pieces) for one in outputs), text


@ALL
def test_one_dialect_claims_a_golden(golden: Golden) -> None:
    """Its own, and no other but those that claim everything."""
    claiming = [each.name for each in PROTOCOLS if each.claims(golden.call())]
    assert claiming[0] == golden.protocol
    assert set(claiming[1:]) <= OTHERS


@ALL
def test_a_prefix_of_the_path_changes_nothing(golden: Golden) -> None:
    """Gateways mount dialects under paths of their own."""
    assert read(golden.call(prefix="/gateway/v9")) == read(golden.call())


@ALL
def test_a_coding_changes_nothing(golden: Golden) -> None:
    """Not even the times."""
    if not golden.about.get("upgraded"):
        assert read(golden.gzipped()) == read(golden.call())


@ALL
def test_chunks_of_one_byte_change_nothing(golden: Golden) -> None:
    """An event has come when its last byte has."""
    assert read(golden.by_bytes()) == read(golden.call())


@ALL
def test_a_body_that_ends_at_any_event_is_read_that_far(golden: Golden) -> None:
    """And a byte before and behind it: what had come is there, and nothing else; a stream without
    its end is no success."""
    whole = read(golden.call())
    _, body = golden.response
    for end in golden.ends():
        for cut in (end - 1, end, end + 1):
            if 0 <= cut < len(body):
                part = read(golden.call(body=body[:cut]))
                came(part, whole)
                has_ended = part.finish_reasons == whole.finish_reasons
                assert part.incomplete or part.failed or has_ended or part.protocol == HANGS_UP
    assert read(golden.call(body=b"")).outputs == []


def came(part: Inference, whole: Inference) -> None:
    """What was read of a beginning is the beginning of what is read of the whole."""
    assert part.protocol == whole.protocol
    assert [one for one in part.inputs if one not in whole.inputs] == []
    assert part.model in (whole.model, whole.requested_model)
    if whole.streamed:
        said = {"".join(words(one)) for one in whole.outputs}
        for one in part.outputs:
            if one.role != "error" and one.text is not None:
                assert any(text.startswith("".join(words(one))) for text in said), one
    if part.first_token is not None:
        assert part.first_token == whole.first_token


def words(part: Any) -> list[str]:
    """A text; of a call of a tool the name alone, since half of its arguments are no JSON."""
    text = str(part.text or "")
    if part.role == "tool_call":
        return [text.partition('","arguments"')[0]]
    return (
        [text.removeprefix("[audio").partition(" bytes")[0][:1]] if text.startswith("[") else [text]
    )


class Untouchable(Body):
    """A body that says when somebody looks at it."""

    def __contains__(self, _: object) -> bool:
        raise AssertionError("a claim looked at a body of another path")

    @property
    def value(self) -> Any:
        raise AssertionError("a claim parsed a body of another path")


@pytest.mark.parametrize(
    "path", ["/", "/chat", "/v1/completions/x", "/invocations-x", "/predict", "/" + "a" * 4000]
)
def test_a_claim_looks_at_the_path_first(path: str) -> None:
    """Nobody reads the body of a path that is none of theirs."""
    golden = GOLDENS[0].call()
    body = Untouchable(b'{"model": "m", "messages": []}')
    call: Call = msgspec.structs.replace(golden, path=path, request_body=body, response_body=body)
    assert [each.name for each in PROTOCOLS if each.claims(call)] == ["generic_json"]


@ALL
def test_an_operation_is_one_of_those_that_are_documented(golden: Golden) -> None:
    """It is a label, so the list is closed."""
    assert golden.about["inference"]["operation"] in {*OPERATIONS, "unload"}


def test_there_are_goldens_of_every_dialect_here() -> None:
    """Streams too, where the dialect has them."""
    assert {one.protocol for one in STREAMED} >= {
        "anthropic_messages", "gemini", "ollama", "openai_chat", "openai_realtime", "openai_responses",
    }  # fmt: skip
