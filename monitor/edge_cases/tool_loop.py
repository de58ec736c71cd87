"""An agent goes round in circles: its last turns call the same tools with the same arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec

from monitor.interfaces import EdgeCase
from monitor.types import Part
from monitor.view import View

Turns = Annotated[int, msgspec.Meta(ge=2, le=100)]

_CALL = '{"name":'
_SPEAKERS = frozenset(("assistant", "model", "tool_call"))
_POLLING = ("wait", "poll", "status", "sleep")
"""What the names of tools contain that are meant to be called again and again."""
_MOST = 64
"""Calls of one turn that are compared whatever the order of their arguments; of more, as they
are written."""


class Thresholds(msgspec.Struct, frozen=True):
    """`turns` of equal calls are a loop; of tools that poll, `polling_turns`."""

    turns: Turns = 3
    polling_turns: Turns = 10


def holds(view: View, thresholds: Thresholds) -> bool:
    """Whether the last turns of the request that call tools call the same."""
    turns = _turns(reversed(view.inputs))
    last = next(turns, None)
    if last is None:
        return False
    wanted = thresholds.turns
    if all(any(word in _name(call) for word in _POLLING) for call in last):
        wanted = thresholds.polling_turns
    for _ in range(wanted - 1):
        turn = next(turns, None)
        if turn is None or not _are_equal(turn, last):
            return False
    return True


def _turns(parts: Iterable[Part]) -> Iterator[list[str]]:
    """The calls of each turn, the last turn first; `parts` are in that order, too.

    A message may hold its calls as lines of its text; calls that follow each other are one turn.
    """
    together: list[str] = []
    for part in parts:
        text = part.text or ""
        calls = []
        if part.role in _SPEAKERS and _CALL in text:
            calls = [line for line in text.split("\n") if line.startswith(_CALL)]
        if part.role == "tool_call":
            together += calls
            continue
        if together and part.role != "reasoning":
            yield together
            together = []
        if calls:
            yield calls
    if together:
        yield together


def _are_equal(one: list[str], other: list[str]) -> bool:
    if len(one) != len(other):
        return False
    if one == other:
        return True
    return len(one) <= _MOST and sorted(map(_canonical, one)) == sorted(map(_canonical, other))


def _canonical(call: str) -> bytes:
    """A call with its arguments in one order; as it is where it holds a pseudonym for a number."""
    try:
        return msgspec.json.encode(msgspec.json.decode(call), order="sorted")
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return call.encode("utf-8", "replace")


def _name(call: str) -> str:
    """The name of a tool, in lower case, as it is written first in its call."""
    return call[len(_CALL) : len(_CALL) + 100].partition(",")[0].lower()


def _loop(*calls: str, role: str = "assistant") -> View:
    parts = [Part(role="user", text="Where is my order?")]
    for call in calls:
        parts += [Part(role=role, text=call), Part(role="tool", text="none found")]
    return View(inputs=parts)


_FIND = '{"name":"find","arguments":{"order":1,"city":"Ulm"}}'
_TURNED = '{"name":"find","arguments":{"city":"Ulm","order":1}}'
_OTHER = '{"name":"find","arguments":{"order":2,"city":"Ulm"}}'
_POLL = '{"name":"get_status","arguments":{"order":1}}'

EDGE_CASE = EdgeCase(
    "tool_loop",
    lambda given: f"the same calls of tools, with equal arguments, in {given.turns} turns in a row",
    holds,
    Thresholds(),
    examples=(
        _loop(_FIND, _FIND, _FIND),
        _loop(_OTHER, _FIND, _TURNED, "Let me look again.\n" + _FIND),
        _loop(_FIND, _FIND, _FIND, role="tool_call"),
        _loop(f"{_FIND}\n{_OTHER}", f"{_OTHER}\n{_FIND}", f"{_FIND}\n{_OTHER}"),
        _loop(*[_POLL] * 10),
    ),
    near_misses=(
        _loop(_FIND, _FIND),
        _loop(_FIND, _FIND, _OTHER),
        _loop(_FIND, _OTHER, _FIND),
        _loop(_FIND, _FIND, f"{_FIND}\n{_FIND}"),
        _loop(*[_POLL] * 9),
        View(inputs=[Part(role="tool_call", text=_FIND)] * 3),
        View(inputs=[Part(role="user", text=_FIND)] * 3),
    ),
)
