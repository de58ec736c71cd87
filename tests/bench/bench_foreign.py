"""`make bench`: what a line of somebody's log costs `monitor replay`, by format and length; writes FOREIGN.md.

`--rounds N` (3), `--lines N` (3,000), `--large N` (20,000). CPU time of one core unless said otherwise; formats take turns.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.compute  # noqa: F401  loaded before anything is measured

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.assembly.log_recording import LogRecording
from monitor.assembly.sanitizer import Sanitizer
from monitor.damage import Damage
from monitor.features import FEATURES
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.replay import files
from monitor.replay.files import ReadOptions
from monitor.replay.recording import TOGETHER
from monitor.settings.schema import Settings
from monitor.tables.blocks import Block
from monitor.types import Inference, Part
from tests.bench import foreign_logs
from tests.bench.tables import other_work, spread, table

OUT = Path(__file__).with_name("FOREIGN.md")
KEYS = Keyring((Key("k1", bytes(32)),))
CLEAN = Sanitizer(Settings())
ACCESS = "access logs"
COMMAND = ("openai_jsonl", "litellm", "otel_genai")
"""Formats of which the whole command is timed, on one core and on all."""

Cells = dict[tuple[str, str], list[float]]
"""µs a line by length of texts and format, a round each."""


@contextmanager
def one_core() -> Iterator[None]:
    """Work on one core alone, without collections of garbage in between, as the helpers of replay do."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def cost(work: Callable[[], int]) -> float:
    """CPU µs for each of what work counts."""
    began = time.process_time()
    count = work()
    return (time.process_time() - began) / count * 1e6


def looked_at(path: Path) -> int:
    """Read a log, make records of it and look at these, as a replay does; returns the number of its rows."""
    make = LogRecording(Settings(), lambda: KEYS, CLEAN.scanner)
    options = ReadOptions(features=FEATURES, sanitizer=CLEAN, recording=make, damage=Damage())
    found = files.read_records(files.find([str(path)]), options)
    return sum(len(one) if isinstance(one, Block) else 1 for one in found)


def was_read(path: Path) -> int:
    """Read a log, once; returns the number of its exchanges."""
    found = files.find([str(path)])
    exchanges = found[0][1].exchanges
    assert exchanges is not None
    return sum(1 for _ in exchanges([one for one, _ in found], Damage()))


def was_scrubbed(said: Sequence[foreign_logs.Chat]) -> int:
    """Find the personal data in all texts of chats, as many at once as in a replay, and each new
    text once; returns the number of chats."""
    privacy = LogRecording(Settings(), lambda: KEYS, CLEAN.scanner)().privacy
    for start in range(0, len(said), TOGETHER):
        some = [_read(one) for one in said[start : start + TOGETHER]]
        privacy.foresee(some)
        for one in some:
            scrub = privacy.again()
            for part in (*one.inputs, *one.outputs):
                privacy._known_part(scrub, "inputs", part)
    return len(said)


def _read(one: foreign_logs.Chat) -> Inference:
    asked = [Part(role=each["role"], text=each["content"]) for each in one.messages]
    return Inference(
        protocol="openai_chat", operation="chat", model=foreign_logs.MODEL, inputs=asked,
        outputs=[Part(role="assistant", text=one.answer)],
    )  # fmt: skip


def command(path: Path, cores: set[int]) -> float:
    """Seconds that `monitor replay` of a log takes on some cores, its start included."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "monitor", "replay", str(path), "--json", str(path / "out.report")],
        check=True, capture_output=True, timeout=600, preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )  # fmt: skip
    return time.monotonic() - began


def measured(
    here: Path, lines: int, rounds: int
) -> tuple[Cells, Cells, dict[str, list[float]], dict[str, float]]:
    """(all of it, reading alone) by length and format; finding personal data, and bytes of a line, by length."""
    said = {length: foreign_logs.chats(length, lines) for length in foreign_logs.LENGTHS}
    logs = {
        (length, form): foreign_logs.write(here / f"{number}" / form, form, chats)
        for number, (length, chats) in enumerate(said.items())
        for form in foreign_logs.CHATS
    }
    short = next(iter(said.values()))
    logs |= {
        (ACCESS, form): foreign_logs.write(here / "access" / form, form, short)
        for form in foreign_logs.ACCESS
    }
    whole: Cells = {cell: [] for cell in logs}
    reading: Cells = {cell: [] for cell in logs}
    finding: dict[str, list[float]] = {length: [] for length in said}
    with one_core():
        for _ in range(rounds):
            for cell, path in logs.items():
                whole[cell].append(cost(lambda path=path: looked_at(path)))
                reading[cell].append(cost(lambda path=path: was_read(path)))
            for length, chats in said.items():
                finding[length].append(cost(lambda chats=chats: was_scrubbed(chats)))
    sizes = {
        length: sum(one.stat().st_size for one in logs[length, "openai_jsonl"].iterdir()) / lines
        for length in said
    }
    return whole, reading, finding, sizes


def commands(here: Path, sizes: Sequence[int], rounds: int) -> Iterator[tuple[str, ...]]:
    """Rows of a table: seconds of the whole command on one core and on all."""
    everything = os.sched_getaffinity(0)
    for size in sizes:
        said = foreign_logs.chats("1,400 characters, all new", size)
        for form in COMMAND:
            path = foreign_logs.write(here / f"command{size}" / form, form, said)
            pairs = [
                (command(path, {min(everything)}), command(path, everything)) for _ in range(rounds)
            ]
            alone, together = zip(*pairs, strict=True)
            yield (form, f"{size:,}", spread(alone, ".1f"), spread(together, ".1f"))


def page(lines: int, large: int, rounds: int) -> Iterator[str]:
    """Lines of FOREIGN.md."""
    busy = other_work()
    with tempfile.TemporaryDirectory() as directory:
        whole, reading, finding, sizes = measured(Path(directory), lines, rounds)
        timed = list(commands(Path(directory), (1000, 3000, large), rounds))
    yield "# Replay of other people's logs"
    yield ""
    yield f"Written by `tests/bench/bench_foreign.py` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, Python"
    yield f"{platform.python_version()}; {os.cpu_count()} cores {platform.machine()}, of which other work took {busy:.1f} at the beginning."
    yield f"{rounds} rounds of {lines:,} lines, the formats taking turns; the median, with smallest and largest. CPU time of one core."
    yield ""
    yield "Texts are made up, a quarter of them with personal data. In *conversations* each line has a system prompt of 2 KB and"
    yield "the earlier turns; the others have one question and one answer that never come again."
    yield ""
    yield "## A line: reading, personal data, features"
    yield ""
    for length, size in sizes.items():
        yield f"**{length}** ({size:,.0f} bytes a line of `openai_jsonl`). To find personal data in the new texts takes"
        yield f"{spread(finding[length])} µs of this, whatever the format."
        yield ""
        yield from _table(length, foreign_logs.CHATS, whole, reading)
    yield "**Rows without texts**"
    yield ""
    yield from _table(ACCESS, foreign_logs.ACCESS, whole, reading)
    yield "## The whole command"
    yield ""
    yield "Seconds of `monitor replay LOG`, its start included, of texts of 1,400 characters; on one core, and on all."
    yield ""
    yield from table(("", "lines", "one core", f"{len(os.sched_getaffinity(0))} cores"), timed)


def _table(
    length: str, forms: Sequence[str] | dict[str, object], whole: Cells, reading: Cells
) -> Iterator[str]:
    rows = []
    for form in forms:
        each = whole[length, form]
        rows.append((
            form, spread(each), f"{1e6 / statistics.median(each):,.0f}", spread(reading[length, form]),
        ))  # fmt: skip
    yield from table(("", "CPU µs a line", "lines/s on a core", "reading once, µs"), rows)


def main() -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=int, default=3000)
    parser.add_argument("--large", type=int, default=20_000)
    options = parser.parse_args()
    OUT.write_text("\n".join(page(options.lines, options.large, options.rounds)).rstrip() + "\n")
    print(OUT.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
