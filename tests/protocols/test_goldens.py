"""Bytes that real clients sent and read: what they mean, however the wire bends them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from dashboards.reference import OPERATIONS
from monitor.bodies import Body, Document, document
from monitor.errors import ParseError
from monitor.framings import ndjson, sse
from monitor.protocols import PROTOCOLS
from monitor.types import Call, Inference, Message, Part
from tests.privacy.test_records import CANARIES, TRACES, Recorder, is_traced
from tests.protocols.goldens.files import Golden, goldens, plain, read

GOLDENS = list(goldens())
ALL = pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.name)
STREAMED = [one for one in GOLDENS if one.about["inference"].get("streamed")]
OTHERS = {"websocket", "grpc", "generic_json"}
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
def test_a_body_reads_as_the_value_that_it_was_written_from(golden: Golden) -> None:
    """What rules have done something to is read from its bytes where these tell all of it, else from
    its value, which takes longer."""
    call = golden.call()
    found = []
    for kind in (Body, Document):
        written = call
        for side in ("request_body", "response_body"):
            with contextlib.suppress(ParseError):
                body = kind.of(document(getattr(call, side)))
                written = msgspec.structs.replace(written, **{side: body})
        found.append(plain(read(written)))
    assert found[0] == found[1]


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
    if body:  # else all of it is in the trailers
        assert read(golden.call(body=b"")).outputs == []


def kept(body: bytes) -> list[int]:
    """Some numbers of bytes that are kept of a body."""
    return sorted({*range(1, len(body), max(1, len(body) // 24)), len(body) - 1} - {0})


@ALL
def test_an_answer_beyond_what_is_kept_is_no_error_of_the_models(golden: Golden) -> None:
    """It is an answer as far as it goes: it did not fail, its stream did not break off, and the name
    of its model is no half of one."""
    whole = read(golden.call())
    _, body = golden.response
    for end in kept(body) if body else ():
        part = read(golden.call(told_up_to=end))
        assert (part.protocol, part.failed and not whole.failed) == (whole.protocol, False)
        assert not part.incomplete
        had = any(one.role == "error" for one in whole.outputs)
        assert had or not [one for one in part.outputs if one.role == "error"], end
        assert part.model in (whole.model, whole.requested_model, ""), end
        assert part.tokens is None or whole.tokens is not None
        assert part.inputs == whole.inputs or golden.about.get("upgraded")  # both sides ask


@ALL
def test_a_request_beyond_what_is_kept_is_read_as_far_as_it_goes(golden: Golden) -> None:
    """What it says of its model is so, and nothing of it is an error."""
    whole = read(golden.call())
    _, body = golden.request
    for end in kept(body) if body and not golden.about.get("upgraded") else ():
        part = read(golden.call(asked_up_to=end))
        if part.protocol != whole.protocol:
            assert end < 200, end  # half a name tells no dialect
            continue
        assert part.failed == whole.failed
        assert {part.model, part.requested_model} <= {whole.model, whole.requested_model, ""}
        assert not [one for one in part.inputs if one.role == "error"]


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


ODD: list[Any] = [None, 7, -0.5, "odd", True, [], {}, 2**70]


def scalars(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all scalars in a document."""
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, one in pairs:
        yield from scalars(one, (*path, key))
    if not isinstance(value, dict | list) and path:
        yield path


def bent(document: Any, path: tuple[Any, ...], odd: Any) -> bytes:
    """The document with another value at a path."""
    copied = json.loads(json.dumps(document))
    at = copied
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = odd
    return json.dumps(copied).encode()


def lost(whole: list[Part], part: list[Part]) -> int:
    """How many parts there are no more."""
    return len([one for one in whole if one not in part])


@ALL
def test_an_odd_scalar_of_an_answer_costs_itself_alone(golden: Golden) -> None:
    """Whichever it is, in a body or in an event: at most the part that it is of. An event that has
    another place may cost the part there, too."""
    whole = read(golden.call())
    _, body = golden.response
    kind = golden.call().response_headers.get("content-type", "")
    events = [(0, len(body), body)] if kind == "application/json" else located(body, kind)
    for start, end, data in events if not golden.about.get("upgraded") else ():
        document = json.loads(data)
        for number, path in enumerate(scalars(document)):
            odd = ODD[number % len(ODD)]
            changed = (
                body[:start] + body[start:end].replace(data, bent(document, path, odd)) + body[end:]
            )
            found = read(golden.call(body=changed))
            assert lost(whole.outputs, found.outputs) <= (2 if whole.streamed else 1), (path, odd)
            assert found.inputs == whole.inputs


def located(body: bytes, kind: str) -> list[tuple[int, int, bytes]]:
    """(start, end, JSON) of each event."""
    if kind.startswith("text/event-stream"):
        found = [(one.end, one.data) for one in sse.events(body) if one.data != b"[DONE]"]
    elif "ndjson" in kind:
        found = [(one.end, one.data) for one in ndjson.lines(body)]
    else:
        return []
    starts = [0, *(end for end, _ in found)]
    return [(start, end, data) for start, (end, data) in zip(starts, found, strict=False)]


@ALL
def test_an_odd_scalar_of_a_request_costs_itself_alone(golden: Golden) -> None:
    """At most the part that it is of, and nothing of the answer."""
    whole = read(golden.call())
    head, body = golden.request
    has_more = b"inference-header-content-length" in head.lower()  # tensors behind the JSON
    if body[:1] != b"{" or has_more or golden.about.get("upgraded"):
        return
    document = json.loads(body)
    for number, path in enumerate(scalars(document)):
        odd = ODD[number % len(ODD)]
        call = msgspec.structs.replace(golden.call(), request_body=Body(bent(document, path, odd)))
        claiming = next(each for each in PROTOCOLS if each.claims(call))
        found = claiming.read(call)
        assert claiming.name == golden.protocol
        assert lost(whole.inputs, found.inputs) <= 1, (path, odd)
        says_type = path == ("audio", "format")  # of the sound that is answered
        assert lost(whole.outputs, found.outputs) == says_type, (path, odd)


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
        "anthropic_messages", "bedrock", "gemini", "ollama", "openai_chat", "openai_realtime", "openai_responses",
        "cohere", "llama_cpp", "sagemaker", "tgi", "triton_generate", "kserve_v2",
    }  # fmt: skip


@pytest.mark.parametrize("side", ["request", "response"])
@ALL
def test_no_canary_gets_out_of_any_member_of_what_clients_send(golden: Golden, side: str) -> None:
    """In the place of each text or number that real messages have, whatever a dialect reads it for:
    a text that is an address, a number that is a card's."""
    recorder, given = Recorder(), golden.call().exchange
    message: Message = getattr(given, side)
    for body in with_each_leaf(message.body, (CANARIES["EMAIL_ADDRESS"], 4012888888881881)):
        changed = msgspec.structs.replace(message, body=body, size=len(body))
        output = recorder.output(msgspec.structs.replace(given, **{side: changed}))
        traces = TRACES["EMAIL_ADDRESS"], TRACES["CREDIT_CARD"]
        assert not is_traced(output, *traces), (body, output)


def with_each_leaf(body: bytes, values: tuple[str, int]) -> Iterator[bytes]:
    """A body of JSON, or of lines with JSON, with one text or number of it after the other in turn
    replaced by the value of its kind; those of lists that are alike once."""
    lines = [body] if is_json(body) else body.split(b"\n")
    seen: set[tuple[Any, ...]] = set()
    for place, line in enumerate(lines):
        begin, document = line[: line.find(b"{")], line[max(0, line.find(b"{")) :]
        if not is_json(document):
            continue
        for path, leaf in leaves(json.loads(document)):
            kind = str if isinstance(leaf, str) else int
            shape = (kind, *(step if isinstance(step, str) else 0 for step in path))
            if not path or shape in seen or isinstance(leaf, bool | None):
                continue
            seen.add(shape)
            whole = json.loads(document)
            inner = whole
            for step in path[:-1]:
                inner = inner[step]
            inner[path[-1]] = values[kind is int]
            yield b"\n".join(
                [*lines[:place], begin + json.dumps(whole).encode(), *lines[place + 1 :]]
            )


def is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for step, one in inner:
        yield from leaves(one, (*path, step))
    if not isinstance(value, dict | list):
        yield path, value
