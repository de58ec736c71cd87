"""What looking at a Record costs: µs a record and feature, a chat of 2 KB and a row of 30 columns.

.venv/bin/python tests/bench/bench_features.py
"""

from __future__ import annotations

import timeit
from collections.abc import Callable

from monitor.features import FEATURES, MORE
from monitor.types import Outcome, Part, Record, RequestSummary, ResponseSummary, Tokens

REPEATS = 7
LOOPS = 2000

SENTENCE = "Please tell me where the order that I placed last Tuesday is and when it will arrive. "


def _record(inputs: list[Part], outputs: list[Part], tokens: Tokens | None) -> Record:
    return Record(
        id="0190a8f0-0000-7000-8000-000000000001", endpoint="bench", protocol="", operation="",
        model="m", started=1.7e9, duration=0.5, time_to_first_token=0.1, time_per_output_token=0.02,
        status=200, outcome=Outcome.OK, streamed=True, segments={"population": "a"},
        request=RequestSummary("POST", "/", {}, 2048, False),
        response=ResponseSummary({}, 2048, False), inputs=inputs, outputs=outputs, tokens=tokens,
        finish_reasons=["stop"] if tokens else [], pseudonyms={}, key="k1", trace_id=None,
    )  # fmt: skip


def chat() -> Record:
    """2 KB of text in three messages and an answer, with a pseudonym."""
    mail = "<EMAIL_ADDRESS:k1:abcdefghijklmnopqrstuv>"
    return _record(
        [
            Part(role="system", text=SENTENCE * 8),
            Part(role="user", text=SENTENCE * 8 + mail),
        ],
        [Part(role="assistant", text=SENTENCE * 8)],
        Tokens(400, 200),
    )


def row() -> Record:
    """30 numeric columns in, one label and two probabilities out."""
    inputs = [Part(name=f"x{i}", datatype="FP64", shape=[1, 1], data=[i / 7]) for i in range(30)]
    outputs = [
        Part(name="label", datatype="INT64", shape=[1], data=[1]),
        Part(name="proba", datatype="FP64", shape=[1, 2], data=[0.25, 0.75]),
    ]
    return _record(inputs, outputs, None)


def cost(work: Callable[[], object]) -> float:
    """Best of several runs, µs a call."""
    return min(timeit.repeat(work, repeat=REPEATS, number=LOOPS)) / LOOPS * 1e6


def main() -> None:
    for title, record in (("chat record of 2 KB", chat()), ("row of 30 columns", row())):
        print(title)
        for feature in (*FEATURES, *MORE):
            found = len(list(feature.observe(record)))
            micros = cost(lambda feature=feature, record=record: list(feature.observe(record)))
            print(f"  {feature.name:<14}{micros:8.1f} µs {found:4} observations")
        whole = cost(lambda record=record: [list(one.observe(record)) for one in FEATURES])
        print(f"  {'all default':<14}{whole:8.1f} µs")


if __name__ == "__main__":
    main()
