"""JSON was asked for, and the answer is none."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from monitor.interfaces import EdgeCase
from monitor.marks import PSEUDONYM
from monitor.types import Part
from monitor.view import NO_ANSWERS, View

_FENCE = re.compile(r"\A```[A-Za-z0-9]{0,16}[ \t]{0,8}\r?\n(.*?)\r?\n?```\Z", re.DOTALL)


def holds(view: View, _: Any) -> bool:
    """Whether an answer is not one JSON value, after a code fence around it is removed.

    A call of a tool is an answer in another way. What was replaced whole cannot be judged.
    """
    if not (view.wants_json and view.is_accepted) or view.outputs_hidden or view.redactions:
        return False
    if view.calls_tools:
        return False
    texts = [part.text for part in view.outputs if part.text and part.role not in NO_ANSWERS]
    if not any(text.strip() for text in texts) or all(map(_is_json, texts)):
        return False
    return len(texts) == 1 or not _is_json("".join(texts))  # one text may come in several blocks


def bare(text: str) -> str:
    """An answer without white space and without a code fence around it."""
    text = text.strip()
    if text.startswith("```") and (fenced := _FENCE.match(text)):
        return fenced[1].strip()
    return text


def _is_json(text: str) -> bool:
    text = bare(text)
    if "<" in text:
        text = PSEUDONYM.sub("0", text)  # it may stand for a number, which has no quotes
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True


def _answer(*texts: str, **more: Any) -> View:
    outputs = [Part(role="assistant", text=text) for text in texts]
    return msgspec.structs.replace(View(outputs=outputs, wants_json=True), **more)


_CALL = Part(role="tool_call", text='{"name":"find","arguments":{}}')
_TOKEN = "<CREDIT_CARD:k1:oeoicfmkhghdcaepkjnhepda>"  # noqa: S105  a pseudonym

EDGE_CASE = EdgeCase(
    "invalid_json",
    lambda _: "an answer that is not the JSON that was asked for",
    holds,
    examples=(
        _answer("The total is 42."),
        _answer('{"total": 42'),
        _answer('Here it is: {"total": 42}'),
        _answer('{"total": NaN}'),
        _answer('{"total": 42} I hope that this helps.'),
        _answer('{"total": ', finish=["length"]),
    ),
    near_misses=(
        _answer('{"total": 42}'),
        _answer('```json\n{"total": 42}\n```'),
        _answer("42"),
        _answer('{"total": 42', "}"),
        _answer(f'{{"card": {_TOKEN}, "said": "my card {_TOKEN}"}}'),
        _answer("The total is 42.", wants_json=False),
        _answer('{"total": 42', outputs_cut=True),
        _answer("<REDACTED:too_long>", redactions={"too_long": 1}),
        _answer("The rest is not here.", outputs_withheld=["assistant"]),
        _answer(""),
        View(wants_json=True, outputs=[_CALL], finish=["tool"]),
        View(wants_json=True, outputs=[Part(role="refusal", text="I cannot help.")]),
    ),
)
