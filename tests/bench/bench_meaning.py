"""`make bench`: what it costs the recorder to see what an exchange means; written to MEANING.md.

Each part runs alone on the same exchanges, all different, so that no cache knows them; but for conversations, of which
every request has the texts of the last one. The parts take turns, round after round; a number is the median of the rounds.
"""

from __future__ import annotations

import datetime
import gc
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import conversations

import monitor
from monitor.assembly import build
from monitor.checks import CHECKS
from monitor.dimensions import dimension
from monitor.edge_cases import EDGE_CASES
from monitor.interfaces import Check
from monitor.meters import Meters
from monitor.prices.pricing import Pricing
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.protocols import PROTOCOLS
from monitor.recorder import calls
from monitor.recorder.capture import Capture
from monitor.recorder.repeats import Repeats
from monitor.settings.schema import Settings
from monitor.templates import prompt
from monitor.templates.miner import Miner
from monitor.types import Exchange, Message, Outcome
from monitor.view import Usual, View, view

OUT = Path(__file__).with_name("MEANING.md")
COUNT, ROUNDS = 1000, 7
GROUP = 16
"""The recorder asks a rule about so many exchanges at once, then the next rule."""
BUDGET = 150
"""µs for protocol, dimensions, template, edge cases and checks of a chat of 2.5 KB."""
SYSTEM = "You are the clerk of a shop. Never speak of other shops, and answer in JSON alone. " * 8
ASKED, ANSWERED = 1100, 1100
"""Characters of the texts: 2.5 KB on the wire."""


def chat(chance: random.Random, number: int) -> tuple[bytes, bytes]:
    """Bodies of an OpenAI chat: 1.2 KB asked, 1.3 KB answered."""
    question = {"role": "user", "content": f"{number} {conversations._text(chance, ASKED)}"}
    answer = {"role": "assistant", "content": conversations._text(chance, ANSWERED)}
    request = {"model": "gpt-4o", "messages": [question]}
    response = {
        "id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o",
        "choices": [{"index": 0, "message": answer, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 300, "completion_tokens": 250, "total_tokens": 550},
    }  # fmt: skip
    return json.dumps(request).encode(), json.dumps(response).encode()


def agent(chance: random.Random, number: int) -> tuple[bytes, bytes]:
    """Bodies of a chat with instructions and tools: eight turns that call them, JSON of a schema
    asked for."""
    request, response = map(json.loads, chat(chance, number))
    for turn in range(8):
        function = {"name": "find", "arguments": json.dumps({"order": number, "page": turn})}
        call = {"id": f"c{turn}", "type": "function", "function": function}
        found = {
            "role": "tool",
            "tool_call_id": f"c{turn}",
            "content": conversations._text(chance, 300),
        }
        request["messages"] += [{"role": "assistant", "content": None, "tool_calls": [call]}, found]
    tool = {"name": "find", "parameters": {"type": "object"}}
    form = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
    request["messages"].insert(0, {"role": "system", "content": SYSTEM})
    request |= {
        "tools": [{"type": "function", "function": tool}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": form}},
    }
    said = json.dumps({"answer": response["choices"][0]["message"]["content"]})
    response["choices"][0]["message"]["content"] = said
    return json.dumps(request).encode(), json.dumps(response).encode()


def row(chance: random.Random, number: int) -> tuple[bytes, bytes]:
    """Bodies of a KServe V2 request with twenty columns."""
    inputs = [
        {"name": f"c{n}", "datatype": "FP64", "shape": [1], "data": [chance.gauss(number, 1)]}
        for n in range(20)
    ]
    score = {"name": "score", "datatype": "FP64", "shape": [1], "data": [chance.random()]}
    return json.dumps({"inputs": inputs}).encode(), json.dumps(
        {"model_name": "m", "outputs": [score]}
    ).encode()


def turns(count: int) -> Iterator[tuple[bytes, bytes]]:
    """Bodies of so many chats, turn by turn of conversations."""
    return islice(conversations.exchanges(count, 7), count)


TALKS = "conversations"
KINDS: dict[str, tuple[str, Callable[[random.Random, int], tuple[bytes, bytes]]]] = {
    "chat, 2.5 KB": ("/v1/chat/completions", chat),
    "agent, 5 KB": ("/v1/chat/completions", agent),
    "20 columns": ("/v2/models/m/infer", row),
    TALKS: ("/v1/chat/completions", lambda *_: next(turns(1))),
}
BOTH, ALL = "edge cases, and then the checks of form", "edge cases, and then all checks"
PARTS = ("protocol", "dimensions", "template")
CONTENT = ("unsupported_number", "citation", "quote", "consistency")
"""Checks that hold an answer against what it was given."""
FORM = [one for one in CHECKS if one.name not in CONTENT]
USUAL = {f"c{n}": Usual(0.0, 1000.0, 300.0) for n in range(20)}


def exchanges(kind: str, count: int) -> list[Exchange]:
    """So many of a kind, all different."""
    path, make = KINDS[kind]
    chance = random.Random(kind)
    head = f"POST {path} HTTP/1.1\r\nHost: m\r\nContent-Type: application/json\r\nx-population: p\r\n\r\n".encode()
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    found = []
    one_by_one = (make(chance, number) for number in range(count))
    for number, (asked, answered) in enumerate(turns(count) if kind == TALKS else one_by_one):
        request, response = (
            Message(head, asked, len(asked)),
            Message(reply, answered, len(answered)),
        )
        found.append(
            Exchange(
                f"{number}",
                1e9 + number,
                0.1,
                request,
                response,
                [(0.1, len(answered))],
                Outcome.OK,
            )
        )
    return found


def size(kind: str) -> float:
    """KB of an exchange of a kind, in the mean."""
    found = exchanges(kind, COUNT)
    return sum(one.request.size + one.response.size for one in found) / len(found) / 1000


def parts(kind: str, count: int) -> dict[str, Callable[[], list[Any]]]:
    """What is measured: by name what a round does before, which is not counted, and returns the work."""
    dimensions = [
        dimension(name, "header", [f"x-{name}"]) for name in ("population", "template", "variant")
    ]
    privacy = build.privacy(Settings(), Keyring((Key("k1", bytes(range(32))),)))
    capture = Capture("default", PROTOCOLS, dimensions, privacy, Meters("recorder", "default"))
    read = [calls.read(one) for one in exchanges(kind, count)]
    inferred = [capture._reading.read(one, {}) for one in read]
    records = [
        privacy.record(*pair, endpoint="e", segments={})
        for pair in zip(read, inferred, strict=True)
    ]
    pairs = list(zip(records, inferred, strict=True))
    pricing = Pricing("https://api.openai.com")
    miner = Miner(1)
    for one in records:
        miner.name(prompt.texts(one.inputs))

    def views() -> list[View]:
        return [view(*pair, usual=USUAL) for pair in pairs]

    def rule(one: Any) -> Callable[[], list[Any]]:
        return lambda: [lambda seen=seen: one.holds(seen, one.thresholds) for seen in views()]

    def all_rules(group: Sequence[Any], repeats: Repeats, checks: Sequence[Check] = ()) -> None:
        every = []
        for record, inference in group:
            context, after = pricing.context(inference), repeats.after(record)
            every.append(
                view(record, inference, context=context, usual=USUAL, repeated_after=after)
            )
        for one in EDGE_CASES:
            for seen in every:
                one.holds(seen, one.thresholds)
        for check in checks:
            thresholds = check.tried or check.thresholds
            for seen in every:
                check.look(seen, thresholds)

    def every(checks: Sequence[Check] = ()) -> list[Any]:
        repeats = Repeats(b"key")
        groups = [pairs[start : start + GROUP] for start in range(0, count, GROUP)]
        return [lambda group=group: all_rules(group, repeats, checks) for group in groups]

    def remembered() -> list[Any]:
        repeats = Repeats(b"key")
        return [lambda one=one: repeats.after(one) for one in records]

    return {
        "protocol": lambda: [lambda one=one: capture._reading.read(one, {}) for one in read],
        "dimensions": lambda: [lambda pair=pair: capture._values_of(*pair) for pair in zip(read, inferred, strict=True)],
        "cost": lambda: [lambda one=one: pricing.cost(one, 1e9) for one in inferred],
        "template": lambda: [lambda one=one: miner.name(prompt.texts(one.inputs)) for one in records],
        "edge cases": every,
        **{f"· {one.name}": rule(one) for one in EDGE_CASES},
        BOTH: lambda: every(FORM),
        ALL: lambda: every(CHECKS),
        **{f"· {one.name} (check)": checking([one], views) for one in CHECKS},
        "· the View": lambda: [lambda pair=pair: view(*pair, usual=USUAL) for pair in pairs],
        "· the memory of requests": remembered,
        "· counting": lambda: [lambda one=one: capture._count(one, [], "m") for one in records],
        "· counting, under an edge case too": lambda: [
            lambda one=one: capture._count(one, [("edge_case", "none")], "m") for one in records
        ],
    }  # fmt: skip


def checking(checks: Sequence[Check], views: Callable[[], list[View]]) -> Callable[[], list[Any]]:
    """The work of checks on Views."""
    given = [(one, one.tried or one.thresholds) for one in checks]
    return lambda: [
        lambda seen=seen: [one.look(seen, thresholds) for one, thresholds in given]
        for seen in views()
    ]


def measured(kind: str, count: int = COUNT, rounds: int = ROUNDS) -> dict[str, list[float]]:
    """CPU µs of each part for one exchange, by round."""
    work = parts(kind, count)
    gc.freeze()  # what stands by now need not be looked through before each
    found: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, prepare in work.items():
            todo = prepare()
            found[name].append((timed(todo) - timed([int] * len(todo))) / count * 1e6)
    return found


def timed(todo: list[Any]) -> float:
    """CPU seconds of this process; garbage is collected between, as a recorder seldom does."""
    gc.collect()
    gc.disable()
    before = time.process_time()
    for one in todo:
        one()
    spent = time.process_time() - before
    gc.enable()
    return spent


def main() -> int:
    """Measure and write."""
    rows: dict[str, list[str]] = {}
    of_kind: dict[str, dict[str, float]] = {}
    for kind in KINDS:
        for name, costs in measured(kind).items():
            middle = statistics.median(costs)
            of_kind.setdefault(kind, {})[name] = middle
            rows.setdefault(name, []).append(f"{middle:.1f} ({min(costs):.1f}-{max(costs):.1f})")
    totals = {
        kind: {last: sum(costs[name] for name in (*PARTS, last)) for last in (BOTH, ALL)}
        for kind, costs in of_kind.items()
    }
    chats, talks = totals[next(iter(KINDS))], totals[TALKS]
    lines = [
        "# Meaning",
        "",
        f"Written by `tests/bench/bench_meaning.py` on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}: monitor "
        f"{monitor.__version__}, Python {platform.python_version()}, {os.cpu_count()} cores.",
        "",
        f"CPU µs for one exchange, the median of {ROUNDS} rounds of {COUNT:,} exchanges (the least to the most). No two are",
        "alike, so that no cache knows their texts. The rules of edge cases run together on one View, and then the checks on the",
        f"same, rule by rule over {GROUP} exchanges, as the recorder asks them; each alone (·) has to make for itself what others",
        "would share with it. `cost` is what pricing costs.",
        f"Of `{TALKS}`, {size(TALKS):.1f} KB an exchange, each request has all that was said before: one of {conversations.PROMPTS} instructions of 2 KB and up to",
        f"{conversations.MOST_TURNS} turns, so that caches know what a recorder's would.",
        "",
        "| | " + " | ".join(KINDS) + " |",
        "|---" * (len(KINDS) + 1) + "|",
        *(f"| {name} | {' | '.join(row)} |" for name, row in rows.items()),
        "",
        f"Protocol, dimensions, template, edge cases and the checks of form of a chat of 2.5 KB: {chats[BOTH]:.0f} µs "
        f"of the {BUDGET} that they may take; with {', '.join(CONTENT)} {chats[ALL]:.0f} µs. "
        f"Of a turn of a conversation: {talks[BOTH]:.0f} and {talks[ALL]:.0f} µs.",
    ]
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
