"""How long the page of a large replay takes to write, and how large it is: 300 features by 10
segments, all of them with bins, half of them with drift, 30 chunks. Prints one line."""

from __future__ import annotations

import random
import time

from monitor.findings import BinShift, Finding, Status
from monitor.replay.document import Chunk, Course, DataQuality, Replay
from monitor.reports.page import page
from monitor.tables.facts import Facts

FEATURES, SEGMENTS, CHUNKS, BINS = 300, 10, 30, 16
JANUARY = 1704067200.0


def finding(chance: random.Random, feature: str, segment: int | None, *, bins: bool) -> Finding:
    drifts = chance.random() < 0.5
    status: Status = "drift" if drifts else "ok"
    shares = [(chance.random() / BINS, chance.random() / BINS) for _ in range(BINS)]
    shown = [BinShift(f"{n * 12.5} to {n * 12.5 + 12.5}", *one) for n, one in enumerate(shares)]
    where = ("all", "all") if segment is None else ("region", f"region {segment}")
    words = f"{feature} drifted: PSI 0.31 over 5000 values, mean up 0.3 sd" if drifts else ""
    scores = {"psi": chance.random(), "jensen_shannon": 0.012, "wasserstein": 0.345}
    return Finding(
        feature, *where, 5000, 5000, scores, chance.gauss(5, 3), status, drifts, None,
        shown[:3], words, bins=shown if bins else [],
    )  # fmt: skip


def document() -> Replay:
    """A replay of `FEATURES` x (`SEGMENTS` + 1) findings over `CHUNKS` chunks."""
    chance = random.Random(1)
    names = [f"a_feature_of_usual_length_{n}" for n in range(FEATURES)]
    parts = [None, *range(SEGMENTS)]
    found = [finding(chance, name, part, bins=True) for name in names for part in parts]
    chunks = [
        Chunk(
            n, JANUARY + n * 86400, JANUARY + (n + 1) * 86400, 5000, "drift",
            [finding(chance, name, None, bins=False) for name in names],
        )
        for n in range(CHUNKS)
    ]  # fmt: skip
    courses = [
        Course(
            one.feature, one.dimension, one.value, 0.02,
            [chance.random() for _ in range(CHUNKS)], [chance.gauss(0, 5) for _ in range(CHUNKS)],
            ["ok"] * CHUNKS, [5000] * CHUNKS, 12, 29, JANUARY + 12 * 86400,
        )
        for one in found
    ]  # fmt: skip
    facts = Facts(150000, 12, {"number": 149988}, 12345, -12.3, 45.6)
    return Replay(
        "drift", 150000, found, chunks, timeline=courses,
        data_quality=[DataQuality(name, facts, facts) for name in names],
        columns=dict.fromkeys(names, "numeric"),
    )  # fmt: skip


def main() -> None:
    """Write the page once, and say what it took."""
    found = document()
    begun = time.process_time()
    written = page(found, "today.parquet", [("reference", "last-month.parquet")]).encode()
    taken = time.process_time() - begun
    print(
        f"{FEATURES} features x {SEGMENTS} segments, {CHUNKS} chunks: {taken:.2f} s of CPU time, "
        f"{len(written) / 1e6:.2f} MB"
    )


if __name__ == "__main__":
    main()
