"""What rules see of an exchange."""

from __future__ import annotations

import json
from typing import Any

from monitor.interfaces import EdgeCase
from monitor.types import Outcome, Part, Tokens
from monitor.view import MOST_ANSWERS, MOST_CELLS, Usual, View
from tests.recorder.test_capture import chat, exchange, reader_of


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
