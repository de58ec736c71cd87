"""`make bench`: how often each verdict of `monitor redrive` comes, of endpoints whose change is known; writes REDRIVE.md.

Seeded. `--runs N` (100) sets how many simulations there are of each case. A run is looked at after 30, 60, 200 and
1,000 records, as somebody does who sends more when there were too few.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from monitor.redrive.compare import Traits
from monitor.redrive.document import Found
from monitor.redrive.judge import Answers, Judge, verdict
from tests.bench.tables import table

OUT = Path(__file__).with_name("REDRIVE.md")
PAIRS = (30, 60, 200, 1000)
WORDS = [
    f"{first}{last}" for first in ("ka", "lo", "mi", "nu", "pe", "ri") for last in "bdfgklmnprst"
]
INTRO = """# Re-driving: how often each verdict comes

Written by `tests/bench/bench_redrive.py`, seeded, from {runs} simulations of a case. Each run is looked at after 30, 60, 200 and
1,000 records. A cell has `same` / `different` / `insufficient` in percent. Answers have 10 to 40 words, latencies a log-normal
spread of 0.3. *Nondeterministic*: a third of the words are others each time, and the length is another by up to a fifth. *Now
and then*: one answer of 20 has another word. Margins are the defaults. *Effect* is the largest there is by the mean of all runs, in
margins: beyond 1 `same` is wrong, below 1 `different` is. It is of what can be judged: without a baseline that is not what texts say.
"""


class Kind(NamedTuple):
    """An endpoint: the share of answers that vary, of words that do then, and what it is held against."""

    name: str
    varying: float
    words: float
    baseline: bool


class Case(NamedTuple):
    """What has changed: the share of answers, and the factor of latency."""

    name: str
    changed: float
    slower: float


KINDS = (
    Kind("always the same answers, `--baseline`", 0.0, 0.0, True),
    Kind("always the same answers, recorded ones", 0.0, 0.0, False),
    Kind("another word now and then, `--baseline`", 0.05, 0.05, True),
    Kind("nondeterministic, `--baseline`", 1.0, 0.3, True),
    Kind("nondeterministic, recorded answers", 1.0, 0.3, False),
)
CASES = (
    Case("equal", 0.0, 1.0),
    Case("1 % of answers are others", 0.01, 1.0),
    Case("2 %", 0.02, 1.0),
    Case("5 %", 0.05, 1.0),
    Case("20 %", 0.2, 1.0),
    Case("latency +5 %", 0.0, 1.05),
    Case("latency +20 %", 0.0, 1.2),
)


def answer(chance: random.Random, kind: Kind, words: list[str], slower: float = 1.0) -> Traits:
    """What an endpoint of a kind says where its usual answer is so."""
    if chance.random() < kind.varying:
        said = [chance.choice(WORDS) if chance.random() < kind.words else one for one in words]
        if kind.words > 0.1:
            said = said[: max(3, round(len(said) * chance.uniform(0.8, 1.2)))]
        else:
            said[chance.randrange(len(said))] = chance.choice(WORDS)
        words = said
    text = " ".join(words)
    return Traits(
        ok=True, status=200, outcome="ok", duration=slower * chance.lognormvariate(-1, 0.3), length=len(text),
        tokens=len(words), kind="text", finish=("stop",), text=text, words=Counter(words), language="en",
    )  # fmt: skip


def looks(kind: Kind, case: Case, seed: int) -> Iterator[tuple[str, list[Found]]]:
    """The verdict at each look at one run, and what it is made of."""
    chance = random.Random(f"{kind.name} {case.name} {seed}")
    judge = Judge((), 0.05, baseline=kind.baseline)
    for number in range(1, max(PAIRS) + 1):
        words = [chance.choice(WORDS) for _ in range(chance.randint(10, 40))]
        other = [chance.choice(WORDS) for _ in words] if chance.random() < case.changed else words
        candidate = answer(chance, kind, other, case.slower)
        others = tuple(answer(chance, kind, words) for _ in range(2 if kind.baseline else 1))
        judge.add(Answers(candidate, others, chance.randrange(3) if kind.baseline else 0), {})
        if number in PAIRS:
            found = judge.found()
            yield verdict(found, judge.paired), found


def in_margins(one: Found) -> float:
    """How large the difference of a feature is, in its margins."""
    if one.unit == "ratio":
        return math.log(one.difference) / math.log(one.margin)
    return one.difference / one.margin


def section(kind: Kind, runs: int, look: Callable[[str], None]) -> Iterator[str]:
    """A table of a kind of endpoint: a row a case."""
    rows = []
    for case in CASES:
        if case.slower != 1 and not kind.baseline:
            continue  # is not judged
        found = [Counter[str]() for _ in PAIRS]
        effects = Counter[str]()
        for seed in range(runs):
            seen = list(looks(kind, case, seed))
            for counts, (said, _) in zip(found, seen, strict=True):
                counts[said] += 1
            judged = (one for one in seen[-1][1] if one.status != "not judged")
            effects.update({one.feature: in_margins(one) / runs for one in judged})
        name, size = max(effects.items(), key=lambda one: abs(one[1]))
        effect = f"{abs(size):.1f} ({name})" if abs(size) >= 0.05 else "0"
        cells = [
            " / ".join(
                f"{100 * counts[said] / runs:.0f}" for said in ("same", "different", "insufficient")
            )
            for counts in found
        ]
        look(f"{kind.name}: {case.name}: {effect} {cells}")
        rows.append([case.name, effect, *cells])
    yield from table(["case", "effect", *(f"{one:,} records" for one in PAIRS)], rows)


def main() -> None:
    """Run everything and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    options = parser.parse_args()
    lines = INTRO.format(runs=options.runs).splitlines()
    for kind in KINDS:
        lines += [*([""] if lines[-1] else []), f"## {kind.name[0].upper()}{kind.name[1:]}", ""]
        lines += section(kind, options.runs, lambda said: print(said, flush=True))
    lines.append(f"This run took {sum(os.times()[:2]) / 60:.0f} minutes of CPU time.")
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
