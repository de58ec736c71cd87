"""`python tests/bench/bench_domains.py`: the scenarios of `monitor demo --domain`, over many seeds, to
DOMAINS.md.

Each seed's traffic goes through the recorder's and the analyzer's own code, without a clock, with the
problem and without it. `--real N` also runs `monitor demo --domain` with N seeds of each, which takes
two minutes a run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from monitor.assembly import build
from monitor.demo.alarms import missing
from monitor.demo.scenario import Scenario
from monitor.demo.scenarios import SCENARIOS
from tests.demo import offline

OUT = Path(__file__).with_name("DOMAINS.md")
INTRO = """# Domains: what is planted is found, and nothing else

Written by `tests/bench/bench_domains.py`, from seeds {first} to {last} of each scenario of `monitor demo --domain`. Each seed's
traffic goes through the recorder's and the analyzer's own code with the settings of a real run (`preset: D`, and what the
scenario sets). A run finds a problem where every signal of the scenario alarms in its segment; a run without the problem is
silent where nothing alarms at all, in any monitor. To reach: found in every seed, silent in 19 of 20. How much traffic a
scenario has and how large its problem is were chosen on others, of 1 to 120.

| domain | found | silent | overall accuracy, with the problem and without | requests | CPU s a run |
|---|---|---|---|---|---|"""


def row(scenario: Scenario, seeds: range) -> str:
    """A line of the table; what went wrong is printed."""
    with tempfile.TemporaryDirectory() as directory:
        settings = offline.settings_of(scenario, Path(directory))
    scanner = build.scanner(settings)
    found, silent, began = 0, 0, time.process_time()
    accuracy: dict[bool, list[float]] = {True: [], False: []}
    wrong: Counter[str] = Counter()
    for seed in seeds:
        for problem in (True, False):
            alarms, outcomes = offline.found(
                scenario, settings, seed, problem=problem, scanner=scanner
            )
            lost = missing(scenario.signals, alarms)
            found += problem and not lost
            silent += not problem and not alarms
            wrong.update(
                f"lost {one.measure} in {one.dimension}={one.value}" for one in lost if problem
            )
            wrong.update(f"false {' '.join(one.place)}" for one in alarms if not problem)
            accuracy[problem] += [
                one.number for one in outcomes.quality
                if (one.measure, one.dimension) == (scenario.accuracy, "all") and one.number is not None
            ]  # fmt: skip
    spent = (time.process_time() - began) / (2 * len(seeds))
    for what, count in wrong.items():
        print(f"{scenario.name}: {what}: {count}", flush=True)
    means = ", ".join(f"{sum(accuracy[one]) / len(accuracy[one]):.3f}" for one in (True, False))
    count = len(scenario.turns(1, True))
    of = f"of {len(seeds)}"
    return f"| {scenario.name} | {found} {of} | {silent} {of} | {means} | {count:,} | {spent:.1f} |"


def real(scenario: Scenario, seeds: range) -> Iterator[str]:
    """A line for each run of `monitor demo --domain`."""
    for seed in seeds:
        for more in ([], ["--no-problem"]):
            began = time.perf_counter()
            command = ["demo", "--domain", scenario.name, "--seed", str(seed), *more]
            done = subprocess.run(
                [sys.executable, "-m", "monitor", *command],
                capture_output=True,
                text=True,
                check=False,
            )
            result = "as it should be" if done.returncode == 0 else f"exit code {done.returncode}"
            what = "without the problem" if more else "with the problem"
            seconds = time.perf_counter() - began
            yield f"| {scenario.name} | {seed} | {what} | {result} | {seconds:.0f} |"


def main() -> None:
    """Run everything and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=201)
    parser.add_argument("--real", type=int, default=0, metavar="N")
    parser.add_argument("--domain", action="append", choices=SCENARIOS)
    options = parser.parse_args()
    chosen = [SCENARIOS[name] for name in options.domain or SCENARIOS]
    seeds = range(options.first, options.first + options.seeds)
    lines = INTRO.format(first=seeds[0], last=seeds[-1]).splitlines()
    for scenario in chosen:
        lines.append(row(scenario, seeds))
        print(lines[-1], flush=True)
    if options.real:
        lines += ["", "Runs of the command itself:", "", "| domain | seed | traffic | result | s |", "|---|---|---|---|---|"]  # fmt: skip
        for scenario in chosen:
            for line in real(scenario, seeds[: options.real]):
                lines.append(line)
                print(line, flush=True)
    if not options.domain:
        OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
