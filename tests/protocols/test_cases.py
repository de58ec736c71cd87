"""What people reported of other products' readers, and what holds for every dialect alike."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.meters import Meters
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.recognizers import select
from monitor.recorder.capture import Capture
from monitor.types import Call, Inference, Outcome, Tokens, encode_record
from tests.protocols.dialects import DIALECTS, Dialect, below, events, framed, lines, named
from tests.protocols.replayed import CASES, exchange, load, seen

Make = Callable[..., Call]

PRIVACY = Privacy(
    scanner=Scanner(select()), keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0
)


def read(call: Call) -> Inference:
    """As the first protocol that claims it reads it."""
    return next(each for each in PROTOCOLS if each.claims(call)).read(call)


@pytest.fixture(scope="session")
def asked(call: Make) -> Callable[..., Inference]:
    """What a dialect's request and some answer to it mean."""

    def make(dialect: Dialect, answer: bytes, kind: str, **more: Any) -> Inference:
        body = json.dumps(dialect.request).encode()
        return read(call(dialect.path, body, answer, answer_type=kind, **more))

    return make


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_is_recorded_right(path: Path) -> None:
    """Protocol, model, outcome, tokens, finish reasons, inputs, outputs, time to the first token."""
    case = load(path)
    capture = Capture("e", PROTOCOLS, [], PRIVACY, Meters("recorder", "e"))
    record, _ = capture.read(exchange(case))
    assert seen(json.loads(encode_record(record))) == case["record"], case["right"]
    if "first_token" in case:
        assert record.time_to_first_token == pytest.approx(case["first_token"])


ALL = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)


@ALL
def test_a_stream_means_what_the_plain_answer_means(dialect: Dialect, asked: Any) -> None:
    """The same model, text, tokens and end, whichever way they come."""
    plain = asked(dialect, json.dumps(dialect.answer).encode(), "application/json")
    streamed = asked(dialect, dialect.stream, dialect.kind)
    for inference in (plain, streamed):
        assert [(part.role, part.text) for part in inference.outputs] == [("assistant", "Ulm.")]
        assert [part.text for part in inference.inputs] == ["Where?"]
        assert (inference.model, inference.tokens) == ("m", Tokens(9, 4))
        assert (inference.failed, inference.incomplete) == (False, False)
    assert plain.finish_reasons == streamed.finish_reasons != []
    assert streamed.streamed
    assert streamed.first_token == 0.5


@ALL
def test_a_stream_that_ends_before_its_end_is_incomplete(dialect: Dialect, asked: Any) -> None:
    """Even where HTTP saw it end well; not where we kept the beginning alone, nor after an error."""
    cut = asked(dialect, dialect.cut, dialect.kind)
    assert cut.incomplete
    assert cut.finish_reasons == ["incomplete"]
    assert [part.text for part in cut.outputs] == ["Ulm."]
    assert asked(dialect, b"", dialect.kind).incomplete
    assert asked(dialect, dialect.cut[: len(dialect.cut) // 9], dialect.kind).incomplete
    assert not asked(dialect, dialect.cut, dialect.kind, size=10_000).incomplete
    assert not asked(dialect, dialect.cut, dialect.kind, status="503 Busy").incomplete


@ALL
def test_who_leaves_a_stream_that_has_ended_is_not_gone(dialect: Dialect, asked: Any) -> None:
    """Some clients close at its last event, before the end of the body. Who leaves before is gone,
    and so is who may have been, where we kept the beginning alone."""
    gone = Outcome.CLIENT_GONE
    whole = asked(dialect, dialect.stream, dialect.kind)
    assert whole.ended(gone, 200) is Outcome.OK
    assert whole.ended(Outcome.UPSTREAM_BROKEN, 200) is Outcome.UPSTREAM_BROKEN
    for answer, more in (
        (dialect.cut, {}),
        (b"", {}),
        (dialect.cut, {"size": 10_000}),
        (dialect.stream, {"size": 10_000}),
        (dialect.stream, {"status": "503 Busy"}),
    ):
        assert asked(dialect, answer, dialect.kind, **more).ended(gone, 200) is gone


@ALL
def test_a_plain_answer_that_was_cut_is_incomplete(dialect: Dialect, asked: Any) -> None:
    """JSON without its end is no answer; what is not JSON at all is a matter of the server's."""
    whole = json.dumps(dialect.answer).encode()
    assert asked(dialect, whole[:-9], "application/json").incomplete
    if "stream" not in dialect.path:
        assert not asked(dialect, b"Good day.", "text/plain").incomplete


@ALL
def test_an_answer_of_another_dialect_is_kept(dialect: Dialect, asked: Any) -> None:
    """As any reader sees it: it is neither empty nor cut, and no number of it is misread. Only a
    stream of AWS in its own framing is lost: it is no text."""
    for other in DIALECTS.values():
        for body, kind in (
            (json.dumps(other.answer).encode(), "application/json"),
            (other.stream, other.kind),
        ):
            found = asked(dialect, body, kind)
            assert (found.failed, found.incomplete) == (False, False) or "amazon" in kind
            assert any(part.text or part.data for part in found.outputs) or "amazon" in kind
            assert found.tokens in (None, Tokens(9, 4), Tokens(9, None), Tokens(None, 4))


@ALL
@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "overloaded", "code": 503}}, {"error": "overloaded"},
        {"error": {"message": "overloaded"}, "choices": [], "content": [], "output": [], "done": True},
    ],
    ids=["object", "text", "beside nothing"],
)  # fmt: skip
def test_an_error_inside_an_answer_is_a_failure(
    dialect: Dialect, error: dict[str, Any], asked: Any
) -> None:
    """Whole, or in the middle of a stream that began well; what it says is on record."""
    plain = asked(dialect, json.dumps(error).encode(), "application/json")
    cut = dialect.cut
    if dialect.kind == "application/json":
        cut += b"," + json.dumps(error).encode() + b"]"
    elif "amazon" in dialect.kind:
        cut += framed("internalServerException", error, kind="exception")
    else:
        cut += (lines if "json" in dialect.kind else events)(error)
    streamed = asked(dialect, cut, dialect.kind)
    for inference in (plain, streamed):
        assert inference.failed
        assert not inference.incomplete
        assert ["overloaded" in (part.text or "") for part in inference.outputs][-1]
        assert inference.outputs[-1].role == "error"
    assert streamed.outputs[0].text == "Ulm."


@pytest.mark.parametrize(
    ("name", "answer", "kind"),
    [
        ("openai_chat", b'{"object": "error", "message": "too long", "code": 40303}', "application/json"),
        ("openai_chat", b'{"choices": [{"error": {"message": "gone"}, "message": {"content": "U"}}]}',
         "application/json"),
        ("openai_chat", events({"choices": [{"delta": {"content": "U"}, "finish_reason": "error"}]}),
         "text/event-stream"),
        ("openai_chat", b"event: error\ndata: overloaded\n\n", "text/event-stream"),
        ("anthropic_messages", named({"type": "error", "error": {"type": "overloaded_error"}}),
         "text/event-stream"),
        ("openai_responses", b'{"status": "failed", "error": {"message": "gone"}}', "application/json"),
        ("openai_responses", named({"type": "error", "message": "gone"}), "text/event-stream"),
        ("gemini as an array", b'[{"error": {"code": 503, "message": "busy"}}]', "application/json"),
    ],
)  # fmt: skip
def test_errors_have_many_names(name: str, answer: bytes, kind: str, asked: Any) -> None:
    """Whatever a dialect, or one of the servers that speak it, calls them."""
    assert asked(DIALECTS[name], answer, kind).failed


@pytest.mark.parametrize(
    ("name", "answer", "kind"),
    [
        ("openai_chat", events({"error": {"type": "tokens", "code": "rate_limit_exceeded"}}), "text/event-stream"),
        ("openai_chat", b'{"object": "error", "message": "slow down", "code": 429}', "application/json"),
        ("anthropic_messages", named({"type": "error", "error": {"type": "rate_limit_error"}}), "text/event-stream"),
        ("openai_responses", named({"type": "response.failed", "response": {"status": "failed", "error": {"code": "rate_limit_exceeded"}}}),
         "text/event-stream"),
        ("gemini as an array", b'[{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}]', "application/json"),
    ],
)  # fmt: skip
def test_a_throttle_inside_an_answer_is_told_from_other_failures(
    name: str, answer: bytes, kind: str, asked: Any
) -> None:
    """It is the client's rate, not the server, that is at fault; what the answer says is not asked."""
    found = asked(DIALECTS[name], answer, kind)
    assert (found.failed, found.throttled) == (True, True)
    other = answer.replace(b"429", b"500").replace(b"rate_limit_exceeded", b"server_error")
    other = other.replace(b"RESOURCE_EXHAUSTED", b"rate").replace(b"rate_limit_error", b"api_error")
    found = asked(DIALECTS[name], other, kind)
    assert (found.failed, found.throttled) == (True, False)


ODD = [-5, 2**64, 10**30, 1e300, 1.5, "1e3", "many", True, None, [1], {"a": 1}]


@ALL
@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_odd_count_is_not_known_and_costs_nothing_else(
    dialect: Dialect, odd: Any, asked: Any
) -> None:
    """The other count, the text and the reason stay."""
    for place, (above, name) in enumerate(dialect.counts):
        answer = copy.deepcopy(dialect.answer)
        below(answer, above)[name] = odd
        inference = asked(dialect, json.dumps(answer).encode(), "application/json")
        wanted = Tokens(9, 4)
        assert inference.tokens == msgspec.structs.replace(
            wanted, **{("input", "output")[place]: None}
        )
        assert inference.outputs[0].text == "Ulm."
        assert inference.finish_reasons != []


@ALL
@pytest.mark.parametrize("said", [9.0, "9"])
def test_a_count_may_be_a_float_or_a_string(dialect: Dialect, said: Any, asked: Any) -> None:
    """As proxies on the way write them."""
    answer = copy.deepcopy(dialect.answer)
    above, name = dialect.counts[0]
    below(answer, above)[name] = said
    inference = asked(dialect, json.dumps(answer).encode(), "application/json")
    assert inference.tokens == Tokens(9, 4)


def scalars(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all scalars in a document."""
    if isinstance(value, dict):
        return [found for key, one in value.items() for found in scalars(one, (*path, key))]
    if isinstance(value, list):
        return [found for key, one in enumerate(value) for found in scalars(one, (*path, key))]
    return [path]


@ALL
@settings(max_examples=40)
@given(data=st.data())
def test_one_odd_scalar_never_costs_the_text(dialect: Dialect, asked: Any, data: Any) -> None:
    """Whichever member of an answer has another type than the dialect says."""
    answer = copy.deepcopy(dialect.answer)
    path = data.draw(
        st.sampled_from([one for one in scalars(answer) if one[-1] not in ("text", "content")])
    )
    at = answer
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = data.draw(st.sampled_from([None, 0, 26.0, "56", True, [], {}, 2**70]))
    inference = asked(dialect, json.dumps(answer).encode(), "application/json")
    assert "Ulm." in [part.text for part in inference.outputs]
