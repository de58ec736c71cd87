"""`make bench-drift`: false alarms and delays, ours beside others', written to DRIFT.md.

Seeded; river and nannyml's data sets are left out where they are not installed, which need not be
beside us: `pip install --no-deps --target DIR nannyml river`, then with PYTHONPATH=DIR. Options:
`--trials N` for the single streams, `--families N` for the false alarms over many streams.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import drift_ours as ours
import drift_peers as others
import drift_references as references
import drift_sets as sets
import numpy as np
from drift_streams import KINDS, RULES, put, watch

from monitor.analysis.drift.watch import Watch
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.monitors import analysis_of
from monitor.readable import percent
from monitor.rows import Row
from monitor.types import Observation

OUT = Path(__file__).with_name("DRIFT.md")
MANY = 200 / 0.75
"""A segment's stream among 200: three quarters of the budget belong to segments."""


def main() -> None:
    """Run everything and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--families", type=int, default=100)
    options = parser.parse_args()
    began = time.perf_counter()
    lines: list[str] = []
    for section in (
        intro(),
        false_alarms(options.families),
        single(options.trials),
        small_segments(options.trials // 2),
        in_panes(options.trials),
        sessions(options.trials // 2),
        beside(options.trials),
        documented(),
        cost(),
    ):
        for line in section:
            print(line, flush=True)
            lines.append(line)
    lines.append(f"\nThis run took {(time.perf_counter() - began) / 60:.0f} minutes.")
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


def intro() -> Iterator[str]:
    """What was set."""
    yield "# Drift: false alarms, delays, cost"
    yield ""
    yield "Written by `make bench-drift`, seeded. Events are values of one stream; `m` is the size"
    yield f"of its reference. Error budget {RULES.alpha}, tolerance PSI {RULES.tolerance}."


def false_alarms(trials: int) -> Iterator[str]:
    """Ever alarming over many streams in which nothing changes."""
    yield "\n## Nothing changes\n"
    yield f"{ours.FEATURES} features ({', '.join(KINDS)}) x {ours.SEGMENTS} segments and the whole,"
    yield f"{ours.EVENTS:,} events watched, a look every {ours.PANE:,}. To stay within: 5 %.\n"
    yield "| m | runs | ever drift | ever believed changed |"
    yield "|---|---|---|---|"
    for m in (1000, 5000):
        drifted, changed = ours.false_alarms(m, trials, seed=5)
        yield (
            f"| {m:,} | {trials} | {drifted} ({percent(drifted / trials)}, at most "
            f"{percent(_upper(drifted, trials))}) | {changed} ({percent(changed / trials)}) |"
        )
    yield "\n`at most` is the upper end of a 95 % interval."


def single(trials: int) -> Iterator[str]:
    """Delays."""
    yield "\n## Something changes\n"
    yield f"Median events until drift is said, of {trials} runs, a look every {ours.LOOK} events.\n"
    yield "| change | m | one stream | one of 200 streams | target |"
    yield "|---|---|---|---|---|"
    for m in (5000, 1000):
        for deviations, events, target in ((0.2, 4000, "600 / 1,000"), (0.5, 1000, "200 / -")):
            alone = ours.shifted(m, deviations, trials=trials, events=events)
            many = ours.shifted(m, deviations, trials=trials, events=events, streams=MANY)
            text = target if m == 5000 else ""
            yield f"| mean + {deviations} sd | {m:,} | {_told(alone)} | {_told(many)} | {text} |"
        unseen = [ours.new_category(m, 0.02, trials, streams) for streams in (1, MANY)]
        yield f"| new category, 2 % | {m:,} | {_told(unseen[0])} | {_told(unseen[1])} | 1,000 |"
        missing = [ours.missing(m, 0.05, trials, streams) for streams in (1, MANY)]
        yield f"| missing, 0 to 5 % | {m:,} | {_told(missing[0])} | {_told(missing[1])} | 1,000 |"
    small = ours.shifted(5000, 0.1, trials=trials, events=5000, tolerance=0.0)
    yield f"| mean + 0.1 sd, tolerance 0 | 5,000 | {_told(small)} | | 80 % in 5,000 |"
    for deviations in (0.2, 0.5):
        late = ours.shifted(5000, deviations, trials=trials, events=4000, quiet=2000)
        yield f"| mean + {deviations} sd after 2,000 quiet events | 5,000 | {_told(late)} | | |"


def small_segments(trials: int) -> Iterator[str]:
    """What the whole lends to small segments."""
    yield "\n## Small segments\n"
    yield "Segments with few reference values, of a whole with 5,000, on their own and shrunk to the"
    yield "whole. `apart` is how many sd the means of the segments are apart. Share of segments that"
    yield f"ever drift within 3,000 values, one of 200 streams, of {trials} runs (median delay).\n"
    yield "| m | apart | way | no change, one stream | no change | 0.2 sd | 0.5 sd |"
    yield "|---|---|---|---|---|---|---|"
    for m in (50, 100, 300):
        for apart in (0.0, 0.2, 0.5):
            for shrunk in (False, True):
                cells = []
                for moved, streams in ((0.0, 1.0), (0.0, MANY), (0.2, MANY), (0.5, MANY)):
                    found = ours.small_segments(
                        m, apart, moved, shrunk=shrunk, trials=trials, streams=streams
                    )
                    cells.append(percent(_share(found)) if not moved else _told(found))
                way = "shrunk" if shrunk else "own"
                yield f"| {m} | {apart} | {way} | {' | '.join(cells)} |"


def in_panes(trials: int) -> Iterator[str]:
    """References that come in as well."""
    yield "\n## References that come in panes\n"
    yield "One stream. *Variant*: panes of 100 values and as many, or ten times as many, of the"
    yield "champion; all wander together from pane to pane. *Hour of the week*: a value a minute with"
    yield "a daily swing of three sd; the first week only teaches.\n"
    yield "| reference | ever drift without change | 0.2 sd | 0.5 sd |"
    yield "|---|---|---|---|"
    for ratio in (1, 10):
        cells = [
            references.arms(moved, ratio=ratio, trials=trials, panes=panes)
            for moved, panes in ((0.0, 200), (0.2, 40), (0.5, 40))
        ]
        name = f"another variant, 1 : {ratio}, 20,000 values of it"
        yield f"| {name} | {percent(_share(cells[0]))} | {_told(cells[1])} | {_told(cells[2])} |"
    runs = max(trials // 8, 5)
    quiet = references.hours(0.0, trials=runs, weeks=6)
    found = [references.hours(moved, trials=runs, weeks=3) for moved in (0.2, 0.5)]
    name = f"the same hour of the week, six weeks, {runs} runs"
    yield f"| {name} | {percent(_share(quiet))} | {_told(found[0])} | {_told(found[1])} |"


def sessions(trials: int) -> Iterator[str]:
    """What autocorrelated values cost."""
    yield "\n## Autocorrelated values\n"
    yield "One stream, m = 5,000, 10,000 values in sessions of five; the guarantee is for independent"
    yield "values. `design_effect` is the setting `drift.design_effect`.\n"
    yield "| values of a session | design_effect | ever drift without change | 0.2 sd | 0.5 sd |"
    yield "|---|---|---|---|---|"
    for alike, what in ((0.0, "independent"), (0.5, "correlated by 0.5"), (1.0, "the same")):
        for design_effect in (1, 5):
            cells = [
                references.sessions(
                    moved, size=5, alike=alike, design_effect=design_effect, trials=trials
                )
                for moved in (0.0, 0.2, 0.5)
            ]
            told = f"{percent(_share(cells[0]))} | {_told(cells[1])} | {_told(cells[2])}"
            yield f"| {what} | {design_effect} | {told} |"


def beside(trials: int) -> Iterator[str]:
    """Peers on the same streams."""
    yield "\n## Beside others\n"
    yield "One stream of a standard normal, m = 5,000, each at its defaults; batch methods look at"
    yield f"the newest {others.WINDOW} events every {others.WINDOW}. Share of runs that ever alarm"
    yield "within 5,000 events while nothing changes, and median delay after a shift.\n"
    yield "| detector | alarms with no drift | 0.2 sd | 0.5 sd |"
    yield "|---|---|---|---|"
    quiet = ours.shifted(5000, 0.0, trials=trials, events=5000)
    found = [ours.shifted(5000, d, trials=trials, events=4000) for d in (0.2, 0.5)]
    yield f"| **monitor** | {percent(_share(quiet))} | {_told(found[0])} | {_told(found[1])} |"
    runs = max(trials // 4, 10)
    for name, peer in others.peers():
        cells = []
        for deviations in (0.0, 0.2, 0.5):
            rng = np.random.default_rng([11, int(deviations * 10)])
            delays = [
                peer(rng.standard_normal(5000), rng.standard_normal(5000) + deviations)
                for _ in range(runs)
            ]
            cells.append(percent(_share(delays)) if deviations == 0.0 else _told(delays))
        yield f"| {name} | {' | '.join(cells)} |"
    rng = np.random.default_rng(12)
    draw = KINDS["100 categories"]
    categorical = [
        others.evidently_jensen_shannon(draw(rng, 5000), draw(rng, 5000)) for _ in range(runs)
    ]
    yield f"| Evidently 0.7 default (JS ≥ 0.1), 100 categories | {percent(_share(categorical))} | | |"
    yield f"\nPeers: {runs} runs each."


def documented() -> Iterator[str]:
    """Data sets with a known story."""
    yield "\n## Published data\n"
    data = sets.folder()
    if data is None:
        yield "nannyml is not installed, and its data sets with it."
        return
    yield "Synthetic car loans (nannyml), ten chunks; the documented change begins with chunk 6:\n"
    for index, findings in enumerate(sets.car_loan(data), start=1):
        names = [found.feature for found in findings if found.status == "drift"]
        yield f"- chunk {index}: {', '.join(names) or 'no drift'}"
    yield "\nEmployment in Massachusetts (US census by way of nannyml) against 2015:\n"
    for year, findings in sets.census(data):
        drifted = [found.feature for found in findings if found.status == "drift"]
        harmless = [
            f"{found.feature} ({found.scores['psi']:.4f})"
            for found in findings
            if found.changed and found.status != "drift"
        ]
        yield (
            f"- {year}: drift: {', '.join(drifted) or 'none'}; changed, harmless (PSI): "
            f"{', '.join(harmless) or 'none'}"
        )


def cost() -> Iterator[str]:
    """Time and memory."""
    yield "\n## Cost\n"
    rng = np.random.default_rng(3)
    fold = analysis_of((), RULES, Baseline(learn=1000))
    names = [f"feature {index}" for index in range(20)]
    rows = [
        Row(
            number * 0.1,
            {"population": str(number % 10)},
            [Observation(name, "numeric", value) for name, value in zip(names, drawn, strict=True)],
        )
        for number, drawn in enumerate(rng.standard_normal((30000, 20)).tolist())
    ]
    for row in rows[:20000]:
        fold.add_row(row)
    start = time.process_time()
    for row in rows[20000:]:
        fold.add_row(row)
    micros = (time.process_time() - start) / 10000 * 1e6
    start = time.process_time()
    findings = fold.findings()
    said = (time.process_time() - start) * 1e3
    saved = fold.saved()
    size = sum(map(len, saved.values())) / len(saved)
    yield f"- a Record with 20 numeric features in 2 segments: {micros:.0f} µs, change_points and judgement"
    yield f"  included ({micros / 40:.2f} µs a value and segment)"
    each = said / len(findings)
    yield f"- all {len(findings)} findings from counts: {said:.0f} ms ({each:.2f} ms each)"
    yield f"- one feature in one segment, reference and all: {size:.0f} bytes at rest,"
    watched = watch(("x", "all", "all"), rng.standard_normal(1000), categories=False)
    yield f"  {_held(watched)} bytes of counts in memory"
    assert watched.reference is not None
    for more, options in (
        ("another variant", {"peer": watched}), ("the same hour of the week", {"pane": 60.0}),
    ):  # fmt: skip
        one = Watch(("x", "variant", "b"), None, **options)
        one.stand_on(watched.reference, 0.0)
        yield f"- compared with {more}: {_held(one):,} bytes in memory"


def _held(one: Watch) -> int:
    """Bytes of counts, with as many change_points as there may be."""
    week = 7 * 24 * 60
    assert one.reference is not None
    each = np.full(one.reference.bins.size, 40)
    for pane in range(0, 40 * week, week):  # always the same hour, so that it is judged
        put(one, pane, each)
        one.close(pane, float(pane), 100)
    slots = one.seasonal.slots.nbytes if one.seasonal else 0
    return one.history.change_points.nbytes + one.history.total.nbytes + slots


def _told(delays: list[float]) -> str:
    return ours.told(delays)


def _share(delays: list[float]) -> float:
    return sum(map(math.isfinite, delays)) / len(delays)


def _upper(hits: int, trials: int) -> float:
    """Clopper and Pearson's upper limit."""
    from scipy import stats

    return 1.0 if hits == trials else float(stats.beta.ppf(0.975, hits + 1, trials - hits))


if __name__ == "__main__":
    sys.exit(main())
