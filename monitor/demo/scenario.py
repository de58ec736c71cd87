"""What a scenario is: a morning's requests, answers and feedback as pure functions of a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

SPAN = 90.0
"""Seconds of traffic."""
CHANGE = 0.4
"""The part of it before what is planted begins."""
WAIT = 15.0
"""Seconds that an outcome is waited for."""

USUAL: dict[str, Any] = {
    "windows": {"pane": 1, "lateness": 0.5, "samples": 200},
    "reference": {"learn": 90},
    "outcomes": {"wait": WAIT},
    "drain": {"timeout": 10},
}
"""The settings that make minutes of what is weeks elsewhere."""


class Turn(NamedTuple):
    """A request, what the endpoint answers after so many seconds, and what is `said` of it later:
    items of feedback without the name of the exchange. `at` is in seconds of the scenario."""

    at: float
    path: str
    headers: Mapping[str, str]
    request: Mapping[str, Any]
    answer: Mapping[str, Any]
    seconds: float
    said: Sequence[Mapping[str, Any]] = ()


class Signal(NamedTuple):
    """What finds the planted problem: a measure in a segment; and what that means in words."""

    measure: str
    dimension: str
    value: str
    words: str


@dataclass(frozen=True)
class Scenario:
    """The scenario of a domain.

    `story` says what is planted, `models` what stands behind the sidecar: what is real in it, and
    what is scripted. `settings` are those of the sidecar besides `USUAL`. `turns` gives the traffic
    of a seed, with the problem or without. All `signals` find it; `accuracy` is the measure of all
    traffic that hides it.
    """

    name: str
    story: str
    models: str
    settings: Mapping[str, Any]
    turns: Callable[[int, bool], list[Turn]]
    signals: tuple[Signal, ...]
    accuracy: str


def configuration(scenario: Scenario) -> dict[str, Any]:
    """The settings of a scenario's sidecar, as a tree that a configuration file may hold."""
    tree: dict[str, Any] = {"endpoint": scenario.name, "preset": scenario.name}
    for settings in (USUAL, scenario.settings):
        for name, value in settings.items():
            section = tree.get(name, {})
            tree[name] = {**section, **value} if isinstance(value, Mapping) else value
    return tree


def moments(count: int, chance: random.Random) -> Iterator[tuple[float, bool]]:
    """`count` moments in order, about evenly over `SPAN`; and whether each is after the change."""
    for number in range(count):
        at = SPAN * (number + chance.random()) / count
        yield at, at >= CHANGE * SPAN


def trace_id(seed: int, number: int) -> str:
    """The trace id of a turn, by which feedback names it.

    >>> trace_id(1, 0)
    '00000000000000020000000000000001'
    """
    return f"{seed + 1:016x}{number + 1:016x}"


CHAT = "/v1/chat/completions"


def asked(model: str, system: str, question: str) -> dict[str, Any]:
    """A request of OpenAI's chat completions."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    return {"model": model, "messages": messages}


def chat(
    at: float,
    headers: Mapping[str, str],
    request: Mapping[str, Any],
    text: str,
    seconds: float,
    *,
    said: Sequence[Mapping[str, Any]] = (),
) -> Turn:
    """The turn of a request that `asked` made, which is answered by a text."""
    return Turn(at, CHAT, headers, request, _answered(request, text), seconds, said)


def _answered(request: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The answer to a request; tokens are counted as words."""
    read = sum(len(one["content"].split()) for one in request["messages"])
    wrote = len(text.split())
    return {
        "id": "chatcmpl-demo",
        "object": "chat.completion",
        "created": 0,
        "model": request["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote},
    }


def inferred(columns: Mapping[str, str | float]) -> list[dict[str, Any]]:
    """A row as tensors of the V2 protocol, the inputs of a request or the outputs of an answer."""
    return [
        {
            "name": name,
            "datatype": "BYTES" if isinstance(value, str) else "FP64",
            "shape": [1],
            "data": [value],
        }
        for name, value in columns.items()
    ]
