"""Values that the edges of pieces cut, in streams of no dialect that is known."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence

import pytest

from monitor.columns import Piece
from monitor.privacy import pieces
from monitor.privacy.scrub import Bounds
from monitor.types import Part, Record
from tests.privacy.test_records import EVENTS, TEXT, TRACES, Recorder, chat, exchange, plain
from tests.privacy.test_scrub import scrub

RECORDER = Recorder()
CUT = ("Mail can", "ary.bi", "rd@example", ".org or call +1 212", "-555-0187", " now, thanks")


def lines(events: Sequence[str], form: str = "{}\n") -> str:
    return "".join(form.format(one) for one in events)


def said(record: Record) -> str:
    """What stands in a Record, without names of JSON and marks of ours, as somebody would read it on."""
    found = [
        part.text if part.data is None else "".join(part.data)
        for part in (*record.inputs, *record.outputs)
    ]
    return plain(
        re.sub(r'<[^>]*>|"(?:id|7|delta|tok)":?|\b0:', "", "\n".join(one or "" for one in found))
    )


def frames(events: Sequence[str]) -> str:
    return lines([json.dumps({"type": "text", "data": one, "at": 0.1}) for one in events])


LINES = {"content-type": "application/x-ndjson"}
STREAMS = {
    "events of JSON": lambda cut: exchange(
        chat("hi"), lines([json.dumps({"id": "7", "delta": {"tok": one}}) for one in cut], "data: {}\n\n"),
        target="/any", said=EVENTS),
    "events of JSON where a dialect was expected": lambda cut: exchange(
        chat("hi"), lines([json.dumps({"tok": one}) for one in cut], "data: {}\n\n"), said=EVENTS),
    "events of text": lambda cut: exchange(chat("hi"), lines(cut, "data: {}\n\n"), target="/any", said=EVENTS),
    "lines of JSON": lambda cut: exchange("{}", lines([json.dumps({"tok": one}) for one in cut]), target="/any", said=LINES),
    "lines of JSON that are said to be text": lambda cut: exchange(
        "{}", lines([f"0:{json.dumps(one)}" for one in cut]), target="/any", said=TEXT),
    "messages of a WebSocket": lambda cut: exchange(frames(cut), frames(cut), target="/ws", upgraded="websocket"),
    "JSON in messages of a WebSocket": lambda cut: exchange(
        "", frames([json.dumps({"tok": one}) for one in cut]), target="/ws", upgraded="websocket"),
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("cut", [CUT, tuple("".join(CUT))], ids=["tokens", "characters"])
def test_no_value_is_left_in_pieces(name: str, cut: Sequence[str]) -> None:
    """Whatever carries them, and however small they are; what stands around it stays."""
    record = RECORDER.read(STREAMS[name](cut))
    left = said(record)
    assert not any(TRACES[one] in left for one in ("EMAIL_ADDRESS", "PHONE_NUMBER"))
    assert {"EMAIL_ADDRESS", "PHONE_NUMBER"} <= record.pseudonyms.keys()
    assert "mailorcallnowthanks" in left


def test_rows_are_no_pieces() -> None:
    """A value that is all of a piece ends with it: a stream of rows keeps its rows."""
    rows = [{"mail": "ada@example.org", "n": "x"}, {"mail": "bob@example.org", "n": "y"}]
    body = lines([json.dumps(row) for row in rows])
    record = RECORDER.read(exchange("{}", body, target="/any", said=LINES))
    (mails, names) = (part.data or [] for part in record.outputs)
    assert [str(one)[:15] for one in mails] == ["<EMAIL_ADDRESS:"] * 2
    assert mails[0] != mails[1]
    assert names == ["x", "y"]


def test_decimal_numbers_are_no_pieces() -> None:
    """Rows of prices and coordinates stay, though their digits may make a card."""
    rows = [Piece(one) for one in ("378.28", "2.24", "6.31", "0.005")]
    part = Part(name="at", datatype="BYTES", data=[*rows])
    assert scrub().found("".join(rows)) != []
    assert pieces.joined(scrub(), [part])[0].data == rows
    for cut in (("378.28", "2.24", "6.310", ".005"), ("4111.1111", ".1111.1111")):
        done = pieces.joined(scrub(), [Part(name="at", datatype="BYTES", data=[*map(Piece, cut)])])
        assert (done[0].data or [])[1:] != [*cut[1:]]


def test_a_message_that_ends_with_an_address_is_whole() -> None:
    """The next one keeps its first word, and whose address it is has one pseudonym."""
    told = frames(["write to me@example.org", "in two parts", "or to me@example.org"])
    record = RECORDER.read(exchange(told, "", target="/ws", upgraded="websocket"))
    first, second, third = (part.text or "" for part in record.inputs)
    assert second == "in two parts"
    assert first.removeprefix("write to ") == third.removeprefix("or to ") != "me@example.org"


def test_pieces_of_different_names_are_not_put_together() -> None:
    """What is said under two names is two texts."""
    parts = [
        Part(
            role="a", text=Piece('{"one": "ada@exam", "two": "x"}\n{"one": "x", "two": "ple.org"}')
        )
    ]
    assert pieces.joined(scrub(), parts) == [Part(role="a", text=str(parts[0].text))]


def test_a_number_among_pieces_ends_nothing() -> None:
    """Wherever it comes: a stream may begin with one."""
    for data in ([1, "ada@exam", "ple.org"], ["ada@exam", None, 1, "ple.org"]):
        body = lines([json.dumps({"a": one}) for one in data])
        record = RECORDER.read(exchange("{}", body, target="/any", said=LINES))
        assert record.pseudonyms == {"EMAIL_ADDRESS": 1}
        assert "ple.org" not in (record.outputs[0].data or [])


def test_what_comes_in_no_pieces_is_not_touched() -> None:
    """Other texts and columns are the very same parts."""
    parts = [
        Part(role="user", text="ada@exam\nple.org"),
        Part(name="n", datatype="BYTES", data=["ada@exam", "ple.org"]),
    ]
    assert pieces.joined(scrub(), parts) is parts


@pytest.mark.parametrize("number", [2, 900])
def test_pieces_that_cannot_be_scanned_are_replaced_whole(number: int) -> None:
    """One mark stands for all of them."""
    one = scrub(bounds=Bounds(record=7))
    first, *rest = pieces.across(one, ["ada@", "example.org"] * number)
    assert first.startswith("<REDACTED:record_too_large:")
    assert set(rest) == {""}
    assert first in one.own


def test_halves_of_characters_and_ends_of_strings() -> None:
    """Any pieces are read: nothing raises."""
    for text in (
        '{"a": "\ud83d"}\n{"a": "\ude00 x"}',
        '{"a": "b\n{"a',
        '"',
        "\\",
        '{"a": "b\\',
        "",
        "\n\n",
        "[[[[",
    ):
        found = pieces.joined(scrub(), [Part(role="a", text=Piece(text))])
        assert found[0].text == text


MANY: dict[str, Callable[[int], str]] = {
    "lines": lambda n: '{"a": "x"}\n{"a": "y"}\n' * n,
    "names": lambda n: "".join(f'{{"k{i}": "x", "l{i}": "y"}}\n' for i in range(2 * n)),
    "an endless string": lambda n: '{"a": "' + "x" * 20 * n,
}


@pytest.mark.parametrize("what", MANY)
def test_the_time_is_linear(what: str) -> None:
    """Of strings, of names and of texts without an end."""
    text = MANY[what](5000)
    found = pieces.joined(scrub(), [Part(role="a", text=Piece(text))])
    assert found[0].text == text


def test_a_long_column_is_copied_once() -> None:
    """80,000 short lines are a column of as many values: each was a copy of all of them."""

    def spent(count: int) -> float:
        column = Part(name="a", datatype="BYTES", data=[Piece("x")] * count)
        begin = time.thread_time()
        (done,) = pieces.joined(scrub(), [column])
        assert done.data == ["x"] * count
        assert type((done.data or [None])[-1]) is str
        return time.thread_time() - begin

    assert min(spent(32_000) for _ in range(2)) < 12 * min(spent(8_000) for _ in range(2)) + 0.05


def test_many_changes_of_a_line_copy_it_once() -> None:
    """One event may be a list of half a megabyte, with a value cut at each comma."""
    count = 20_000
    begin = time.thread_time()
    changes = [(20 * at, 20 * at + 19, "y") for at in range(count)]
    assert pieces.edited(f"{'x' * 19}," * count, changes) == "y," * count
    assert time.thread_time() - begin < 2
