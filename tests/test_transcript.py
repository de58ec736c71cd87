"""Answers put together from fragments, above all the calls of tools."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.framings import sse
from monitor.recorder import calls
from monitor.transcript import Documents, Transcript
from monitor.types import Call, Exchange, Message, Outcome
from tests.pace import is_within

ANSWER = Message(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n", b"x" * 10, 10)
CALL: Call = calls.read(
    Exchange(
        "id",
        0.0,
        1.0,
        Message(b"POST / HTTP/1.1\r\n\r\n"),
        ANSWER,
        [(0.2, 4), (0.4, 10)],
        Outcome.OK,
    )
)


def tools(*fragments: dict[str, Any]) -> list[tuple[str, Any]]:
    """(name, arguments) of the calls that fragments make."""
    transcript = Transcript(CALL, streamed=True)
    for one in fragments:
        given_ = {"name": "", "arguments": None, **one}
        transcript.add_tool(
            0, **{"id_" if key == "id" else key: value for key, value in given_.items()}
        )
    found = [json.loads(part.text or "") for part in transcript.by_choice().get(0, [])]
    return [(one["name"], one["arguments"]) for one in found]


A, B = '{"a":1}', '{"b":2}'


@pytest.mark.parametrize(
    ("fragments", "right"),
    [
        ([{"name": "f", "arguments": A, "index": 0, "id": "1"}, {"name": "g", "arguments": B, "index": 0, "id": "2"}],
         [("f", {"a": 1}), ("g", {"b": 2})]),
        ([{"name": "f", "arguments": A, "id": "1"}, {"name": "f", "arguments": B, "id": "2"}],
         [("f", {"a": 1}), ("f", {"b": 2})]),
        ([{"name": "f", "arguments": A, "index": 0}, {"name": "g", "arguments": B, "index": 0}],
         [("f", {"a": 1}), ("g", {"b": 2})]),
        ([{"name": "f", "arguments": A, "index": 0}, {"name": "f", "arguments": B, "index": 0}],
         [("f", {"a": 1}), ("f", {"b": 2})]),
        ([{"name": "f", "arguments": A}, {"name": "f", "arguments": B}], [("f", {"a": 1}), ("f", {"b": 2})]),
        ([{"name": "f", "arguments": {"a": 1}}, {"name": "f", "arguments": {"b": 2}}],
         [("f", {"a": 1}), ("f", {"b": 2})]),
        ([{"name": "f", "index": 0, "id": "1"}, {"name": "g", "index": 0, "id": "2"},
          {"arguments": B, "index": 0, "id": "2"}, {"arguments": A, "index": 0, "id": "1"}],
         [("f", {"a": 1}), ("g", {"b": 2})]),
        ([{"name": "f", "index": 0, "id": "1"}, {"name": "g", "index": 1, "id": "2"},
          {"arguments": '{"a"', "index": 0}, {"arguments": B, "index": 1}, {"arguments": ":1}", "index": 0}],
         [("f", {"a": 1}), ("g", {"b": 2})]),
        ([{"name": "f", "arguments": A, "index": 0, "id": "x"}, {"name": "f", "arguments": B, "index": 0, "id": "x"}],
         [("f", {"a": 1}), ("f", {"b": 2})]),
        ([{"name": "f", "arguments": {"a": 1}, "id": "x"}, {"name": "f", "arguments": {"b": 2}, "id": "x"}],
         [("f", {"a": 1}), ("f", {"b": 2})]),
        ([{"name": "f", "index": 0, "id": "x"}, {"name": "f", "index": 1, "id": "x"},
          {"arguments": A, "index": 0}, {"arguments": B, "index": 1}], [("f", {"a": 1}), ("f", {"b": 2})]),
    ],
    ids=["ids at one index", "ids without index", "names at one index", "one name at one index",
         "no index", "objects", "ids tell", "indices tell", "one id", "one id and objects", "one id at two indices"],
)  # fmt: skip
def test_these_are_two_calls(fragments: list[dict[str, Any]], right: list[tuple[str, Any]]) -> None:
    """However little the fragments say of which call they are."""
    assert tools(*fragments) == right


@pytest.mark.parametrize(
    "fragments",
    [
        [{"name": "f", "arguments": '{"a"', "index": 0, "id": "1"}, {"name": "f", "arguments": ":1}", "index": 0, "id": "1"}],
        [{"name": "f", "arguments": '{"a"', "id": "1"}, {"arguments": ":1}", "id": "1"}, {"name": "f", "arguments": A, "id": "1"}],
        [{"name": "f", "arguments": '{"a"', "index": 0}, {"name": "f", "arguments": ":1}", "index": 0}],
        [{"name": "f", "index": 0, "id": "1"}, {"arguments": A, "index": 3, "id": "1"}],
        [{"name": "f", "index": 0, "id": "1"}, {"arguments": '{"a"', "index": 0, "id": "x"}, {"arguments": ":1}", "index": 0, "id": "y"}],
        [{"name": "f", "arguments": "", "index": 0, "id": "1"}, {"name": "f", "arguments": {"a": 1}, "index": 0, "id": "1"}],
        [{"name": "f", "arguments": {"a": 1}, "index": 0, "id": "1"}, {"name": "f", "arguments": {"a": 1}, "index": 0, "id": "1"}],
        [{"id": "1", "index": 0}, {"name": "f", "index": 0}, {"arguments": A, "index": 0}],
        [{"name": "f"}, {"arguments": '{"a"'}, {"arguments": ":1}"}],
    ],
    ids=["name again", "all of it again", "name again without id", "another index", "ids of fragments", "an object later",
         "an object again", "the name later", "nothing to tell by"],
)  # fmt: skip
def test_these_are_one_call(fragments: list[dict[str, Any]]) -> None:
    """A name that comes again with its id is no piece of the name, nor another call."""
    assert tools(*fragments) == [("f", {"a": 1})]


def test_a_name_may_come_in_pieces_and_arguments_not_at_all() -> None:
    """No arguments are an empty object."""
    assert tools({"name": "get_", "index": 0}, {"name": "time", "index": 0}) == [("get_time", {})]
    assert tools({"name": "today", "arguments": "", "index": 0}) == [("today", {})]


@given(st.lists(st.sampled_from(["f", "g"]), min_size=1, max_size=5), st.data())
def test_calls_with_ids_come_out_as_they_went_in(names: list[str], data: Any) -> None:
    """Cut anywhere, interleaved, under one index or none."""
    right, queues = [], []
    for number, name in enumerate(names):
        arguments = json.dumps({"n": number, "text": "}{"})
        cut = data.draw(st.integers(0, len(arguments)))
        first = {
            "name": name,
            "arguments": arguments[:cut],
            "id": str(number),
            "index": data.draw(st.sampled_from([0, None])),
        }
        queues.append(
            [
                {
                    **first,
                    "arguments": arguments[cut:],
                    "name": data.draw(st.sampled_from(["", name])),
                }
            ]
        )
        right.append((first, (name, {"n": number, "text": "}{"})))
    fragments = [first for first, _ in right] + [
        queues[n][0] for n in data.draw(st.permutations(range(len(names))))
    ]
    assert tools(*fragments) == [call for _, call in right]


def test_a_call_that_is_met_again_and_again_takes_linear_time() -> None:
    """Whatever its fragments end and begin with."""
    pieces = ["{", *['"a": {}', "{"] * 20_000]
    begun = time.process_time()
    tools(*({"name": "f", "arguments": one, "id": "1"} for one in pieces))
    tools(*({"name": "f", "arguments": one, "index": 0} for one in pieces))
    assert is_within(time.process_time() - begun, 5)


def test_many_pieces_of_a_name_take_linear_time() -> None:
    """A name is no place to keep a megabyte."""
    assert (
        len(tools(*({"name": f"n{number}", "index": 0} for number in range(30_000)))[0][0]) < 2000
    )


def test_counts_replace_themselves_alone() -> None:
    """Sums are made of what was said last; the first name must have been said."""
    transcript = Transcript(CALL)
    transcript.count("cached", 7)
    assert transcript.counted("input", "cached") is None
    for name, value in (("input", 3), ("cached", 9), ("input", None), ("input", "x")):
        transcript.count(name, value)
    assert transcript.counted("input", "cached") == 12


def finished(make: Callable[[Transcript], None]) -> bool:
    transcript = Transcript(CALL, streamed=True)
    make(transcript)
    return transcript.has_finished


def test_every_answer_that_began_must_have_ended() -> None:
    """One of two is not enough; none at all is not either."""

    def both(transcript: Transcript) -> None:
        transcript.add(0, "assistant", "a")
        transcript.add(1, "assistant", "b")
        transcript.finish(0, "stop")

    assert not finished(both)
    assert not finished(lambda transcript: None)
    assert finished(lambda transcript: transcript.finish(0, "stop"))


def test_times_are_of_what_was_heard() -> None:
    """From the offsets of the first and the last event with content."""
    transcript = Transcript(CALL, streamed=True)
    transcript.heard(3)
    transcript.heard(9)
    inference = transcript.inference("p", "chat", model="m", inputs=[])
    assert (inference.first_token, inference.last_token) == (0.2, 0.4)


class Item(msgspec.Struct):
    text: str | None = None


ITEMS = msgspec.json.Decoder(Item)


@pytest.mark.parametrize(
    ("body", "texts", "errors", "foreign"),
    [
        (b'data: {"text": "a"}\n\ndata: [DONE]\n\ndata: {"text": "b"}\n\n', ["a", "b"], [], True),
        (b'data: {"text": 3}\n\n', [None], [], True),  # one odd scalar is as good as absent
        (b"data: words\n\n", [], ["words"], True),
        (b'data: {"text": "cu', [], ['{"text": "cu'], False),
        (b"event: ours.wrong\ndata: words\n\n", [], ["words"], False),
        (b"data: [DONE]\n\n", [], [], True),
        (b"", [], [], False),
    ],
)
def test_the_documents_of_a_stream_are_read_or_told(
    body: bytes, texts: list[str | None], errors: list[str], foreign: bool
) -> None:
    """What cannot be read is an error, and says by its end or its type whose it is."""
    transcript = Transcript(CALL, streamed=True)
    documents = Documents(transcript, sse.events(body), ITEMS, ("ours.",))
    assert [item.text for _, item in documents] == texts
    told = transcript.inference("p", "chat", model="", inputs=[]).outputs
    assert [part.text for part in told] == errors
    assert documents.are_foreign is foreign
    assert documents.is_done is (b"[DONE]" in body)
    documents.is_ours = True
    assert not documents.are_foreign
