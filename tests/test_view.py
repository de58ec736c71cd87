"""What rules see of an exchange."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from monitor.checks import CHECKS
from monitor.edge_cases import EDGE_CASES
from monitor.interfaces import EdgeCase
from monitor.recorder.repeats import Repeats
from monitor.types import Exchange, Outcome, Part, Tokens
from monitor.view import MOST_ANSWERS, MOST_CELLS, Usual, View
from tests.recorder.test_capture import chat, counted, exchange, reader_of


def seen(body: bytes, answer: Any, **more: Any) -> View:
    """The View of a whole exchange, as a rule gets it."""
    views: list[View] = []
    spy = EdgeCase("spy", lambda _: "", lambda view, _: bool(views.append(view)))
    reader, _ = reader_of(edge_cases=[spy])
    reader.read(exchange(body, json.dumps(answer).encode(), **more))
    return views[0]


def answered(*texts: str, **choice: Any) -> dict[str, Any]:
    return {
        "model": "m",
        "choices": [
            {"index": n, "message": {"role": "assistant", "content": text}, **choice}
            for n, text in enumerate(texts)
        ],
    }


def test_it_has_what_is_on_record_and_what_was_asked_for() -> None:
    """Texts are pseudonymized; schema and tools are in memory only."""
    schema = {"type": "object"}
    body = chat(
        "Write to jo@example.org",
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}},
        tools=[{"type": "function", "function": {"name": "find", "parameters": {}}}],
    )
    view = seen(body, answered("I wrote to jo@example.org", finish_reason="length"))
    assert view.question == "Write to <EMAIL_ADDRESS>"
    assert view.answers == ["I wrote to <EMAIL_ADDRESS>"]
    assert "jo@example.org" not in str(view)
    assert (view.wants_json, view.schema, view.tools) == (True, schema, {"find": {}})
    assert (view.finish, view.outcome, view.is_accepted) == (["length"], Outcome.OK, True)
    assert view.pseudonyms == {"EMAIL_ADDRESS": 2}


def test_what_was_refused_has_no_answers() -> None:
    """An error's text is none."""
    view = seen(chat("hi"), {"error": {"message": "no"}}, status="429 Too Many Requests")
    assert not view.is_accepted
    assert view.answers == []


def test_of_very_many_answers_the_first_are_looked_at() -> None:
    """A client may ask for a thousand."""
    assert len(seen(chat("hi"), answered(*["x"] * 100)).answers) == MOST_ANSWERS


def test_tokens_are_those_reported_else_a_quarter_of_the_characters() -> None:
    """Null is not said, 0 is a count."""
    text = [Part(role="user", text="a" * 400), Part(role="system", text="b" * 40)]
    assert View(inputs=text).input_tokens == 110
    assert View(inputs=text, tokens=Tokens(None, 3)).input_tokens == 110
    assert View(inputs=text, tokens=Tokens(0, 3)).input_tokens == 0


def test_cells_are_those_of_columns_that_are_known() -> None:
    """A batch row by row, a column of several values by place, one that is called like a feature of
    ours under its other name; of very many the first."""
    age, plan = Usual(0, 1), Usual(categories=frozenset("a"))
    usual = {"age": age, "x[1]": plan, "input.duration": plan}
    inputs = [
        Part(name="age", shape=[3], data=[1, 2, 3]),
        Part(name="x", shape=[2, 2], data=["p", "q", "r", "s"]),
        Part(name="duration", shape=[1], data=["d"]),
        Part(name="unknown", shape=[1], data=["u"]),
        Part(name="age", shape=[1, 1000], data=list(range(1000))),
        Part(role="user", text="age"),
    ]
    cells = View(inputs=inputs, usual=usual).cells
    assert cells == [(age, 1), (age, 2), (age, 3), (plan, "q"), (plan, "s"), (plan, "d")]
    assert View(inputs=inputs).cells == []
    many = [Part(name="age", shape=[9000], data=list(range(9000)))] * 2
    assert len(View(inputs=many, usual=usual).cells) == MOST_CELLS


def cut(exchange_: Exchange, *, request: int = 0, response: int = 0) -> Exchange:
    """The same without so many bytes at the ends of its bodies, as a bound leaves it."""
    asked, told = exchange_.request, exchange_.response
    assert told is not None
    return msgspec.structs.replace(
        exchange_,
        request=msgspec.structs.replace(asked, body=asked.body[: len(asked.body) - request]),
        response=msgspec.structs.replace(told, body=told.body[: len(told.body) - response]),
    )


def test_an_answer_beyond_what_is_kept_is_an_answer_whose_last_word_nobody_judges() -> None:
    """It did not fail, is of no edge case, and fails no check; both messages are counted."""
    reader, meters = reader_of(edge_cases=EDGE_CASES, checks=CHECKS)
    said = answered("The parts are:\n- rent: 50%\n- food: 30%\n- travel: 12.5% and more")
    body = chat("What are the parts? " * 9, response_format={"type": "json_object"})
    whole = exchange(body, json.dumps(said).encode())
    record, _ = reader.read(cut(whole, request=90, response=20))
    assert (record.outcome, record.response.truncated) == (Outcome.OK, True)
    (part,) = record.outputs
    assert (part.role, part.text) == ("assistant", "The parts are:\n- rent: 50%\n- food: 30%\n- ")
    assert (record.finish_reasons, record.edge_cases, record.model) == ([], [], "m")
    assert all(one.passed for one in record.checks.values())
    assert counted(meters, "monitor_cut_bodies_total") == {("request",): 1, ("response",): 1}


def test_of_a_request_that_was_cut_there_are_no_tools_and_it_repeats_none() -> None:
    """Half a list of tools would make the others unknown; two that begin alike may differ."""
    tools = [{"type": "function", "function": {"name": one}} for one in ("find", "book")]
    called = {"name": "book", "arguments": "{}"}
    message = {"role": "assistant", "tool_calls": [{"id": "c", "function": called}]}
    answer = json.dumps({"choices": [{"index": 0, "message": message}]}).encode()
    views: list[View] = []
    spy = EdgeCase("spy", lambda _: "", lambda view, _: bool(views.append(view)))
    reader, _ = reader_of(edge_cases=[spy], repeats=Repeats(b"k"))
    whole = exchange(chat("Book it.", tools=tools), answer)
    for one in (cut(whole, request=30), cut(whole, request=30), whole):
        reader.read(one)
    assert [sorted(view.tools) for view in views] == [[], [], ["book", "find"]]
    assert [view.repeated_after for view in views] == [None, None, None]
