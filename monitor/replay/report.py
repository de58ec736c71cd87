"""A replay's document → tables on the screen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from textwrap import fill

from rich.table import Table
from rich.text import Text

from monitor.findings import (
    ExperimentEffect,
    Finding,
    Performance,
    Quality,
    Slice,
)
from monitor.replay.document import Chunk, Replay
from monitor.replay.headline import courses, headline, segment, since, when, words_of, worst_outcome
from monitor.replay.mirrored import once
from monitor.replay.wording import (
    CALIBRATION,
    COVERAGE,
    EXPERIMENTS,
    FAIRNESS,
    MEASURES,
    SHOWN,
    SLICES,
    WORDS,
    Judged,
    calibrated,
    change,
    changed,
    compared,
    counted,
    covered,
    expected,
    interval,
    judged,
    of_arm,
    of_segment,
    of_slice,
    performance,
    ranked,
    schema,
    share,
    so_far,
    told,
    what,
)
from monitor.texts import printable

CHUNKS = 100
"""Chunks that a screen is told of, at most."""

STYLES = {
    "worse": "bold red",
    "invalid": "bold red",
    "better": "green",
    "drift": "bold red",
    "alarm": "bold red",
    "insufficient": "dim",
    "ok": "green",
}
WIDE = 110
"""Columns of a screen from which on a row says what moved."""

BLOCKS = "▁▂▃▄▅▆▇█"
POINTS, FEW = 30, 12
"""Blocks of a line of scores, at most, on a wide screen and on a narrow one."""


def tables(found: Replay, title: str, width: int = 140) -> Iterator[Table | Text]:
    """What to print on a screen of so many columns: the verdict, the findings, chunks, outcomes."""
    findings = ranked(found.features)
    drifted = sum(one.status == "drift" for one in findings)
    yield _text(headline(found), STYLES["alarm" if worst_outcome(found) else found.verdict])
    shown = findings[: max(SHOWN, drifted)]
    yield _findings(found, shown, f"\n{printable(title)}", width)
    if len(shown) < len(findings):
        yield Text(f"and {len(findings) - len(shown)} more, none of them drift", "dim")
    if width < WIDE:
        yield from _moves(found, shown)
    if found.chunks is not None:
        listed = _told(found.chunks)
        yield from _fitted(_chunks(found, listed), width)
        if more := len(found.chunks) - len(listed):
            drifted = sum(one.verdict == "drift" for one in found.chunks)
            yield Text(f"and {more:,} more; of all {drifted:,} drift; --json FILE has each", "dim")
    if found.performance is not None:
        yield Text(f"\n{performance(found.performance)}")
    for table in _of_outcomes(found):
        yield from _fitted(table, width)
    for one in found.what_if or ():
        said = f"with alpha {one.alpha:g}, tolerance {one.tolerance:g}, {one.bins} bins: "
        yield Text.assemble(said, (one.verdict, STYLES[one.verdict]), f", {one.drifted:,} drifted")
    yield from _schema(found)
    yield Text.assemble(
        f"\n{counted(found)}: ",
        (found.verdict, STYLES[found.verdict]),
        f", {drifted} of {len(findings)} features and segments drifted" if drifted else "",
        printable(f": {judged(found)}"),
    )


def _findings(found: Replay, shown: Sequence[Finding], title: str, width: int) -> Table:
    """A row for each finding; on a narrow screen without what stands elsewhere."""
    is_wide, known = width >= WIDE, courses(found)
    measures = MEASURES if is_wide else ("psi", "wasserstein")
    names = {"psi": "psi", "jensen_shannon": "js", "wasserstein": "w1/sd"}
    table = _table(title, ("feature", "segment"))
    table.add_column("status", no_wrap=True)
    for name in (*map(names.__getitem__, measures), "ln E", "values"):
        table.add_column(name, justify="right", no_wrap=True)
    if known:
        table.add_column("over time", no_wrap=True)
    if is_wide:
        table.add_column("what moved", overflow="fold")
    for one in shown:
        scores = [f"{one.scores[name]:.3f}" if name in one.scores else "" for name in measures]
        cells = [f"{one.log_evidence:.1f}", f"{one.samples:,}"]
        if known:
            course = known.get(one.key)
            cells.append(sparkline(course.scores, POINTS if is_wide else FEW) if course else "")
        if is_wide:
            cells.append(what(one, since(one, known), words_of(found, one.feature)))
        table.add_row(
            _text(one.feature), _text(of_segment(one)), Text(one.status, STYLES[one.status]),
            *scores, *map(_text, cells),
        )  # fmt: skip
    return table


def _moves(found: Replay, shown: Iterable[Finding]) -> Iterator[Text]:
    """A line for what moved of each finding, where the table has no room for it."""
    for place, one in enumerate(each for each in shown if what(each)):
        head = "\n" if place == 0 else ""
        said = what(one, words=words_of(found, one.feature))
        yield Text.assemble(
            head, (printable(segment(one)), STYLES[one.status]), printable(f": {said}")
        )


def sparkline(scores: Sequence[float | None], most: int = 30) -> str:
    """Scores as a line of blocks, at most so many: the largest of those that share one, on a root
    scale; a dot where there is none.

    >>> sparkline([0.0, None, 0.01, 0.25, 1.0]), sparkline([0.0, 4.0, 0.0, 1.0], 2), sparkline([])
    ('▁·▂▅█', '█▅', '')
    """
    count = min(len(scores), most)
    parts = [
        scores[n * len(scores) // count : (n + 1) * len(scores) // count] for n in range(count)
    ]
    known = [[one for one in part if one is not None] for part in parts]
    top = max((max(part) for part in known if part), default=0.0) or 1.0
    return "".join(
        BLOCKS[round(7 * (max(*part, 0.0) / top) ** 0.5)] if part else "·" for part in known
    )


def _table(title: str, words: Iterable[str], numbers: Iterable[str] = ()) -> Table:
    """An empty table that folds what does not fit: nothing is cut off."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in words:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", overflow="fold")
    return table


NAMES = ("chunk", "measure", "segment", "experiment", "arm", "metric")
"""Columns that say what a row is about."""

SO_FAR = "quality so far"
PROSE = ("performance", SO_FAR, "what changed", "why")
"""Columns of whole sentences."""

CROWDED = 6
"""More columns than these stand closer on a narrow screen."""

FOLDED = ("segment", "experiment", "arm", "metric", "slice", "from", "to", "drifted")
"""Columns that share the room which the others leave on a narrow screen."""


def _fitted(table: Table, width: int) -> Iterator[Table | Text]:
    """The table; on a narrow screen without empty columns, no word parted, and with its sentences
    below."""
    if width >= WIDE:
        yield table
        return
    columns = {str(one.header): one for one in table.columns}
    cells = {name: list(one.cells) for name, one in columns.items()}
    fitted = _table(str(table.title), ())
    kept = [
        name for name in columns
        if name not in PROSE and (name in NAMES or any(map(str, cells[name])) or not table.rows)
    ]  # fmt: skip
    fitted.collapse_padding = len(kept) > CROWDED
    for name in kept:
        room = max(map(len, (*map(str, cells[name]), *name.split())))
        fitted.add_column(
            name if name in FOLDED else fill(name, room),
            justify=columns[name].justify, overflow="fold", no_wrap=name not in FOLDED,
        )  # fmt: skip
    for place in range(len(table.rows)):
        fitted.add_row(*(cells[name][place] for name in kept))
    yield fitted
    for place in range(len(table.rows)):
        said = [
            f"{name} {cells[name][place]}" if name == SO_FAR and str(cells[name][place])
            else str(cells[name][place])
            for name in PROSE if name in cells
        ]  # fmt: skip
        if any(said):
            about = [str(cells[name][place]) for name in NAMES if name in cells]
            about = [f"chunk {about[0]}"] if "chunk" in cells else about
            yield Text(f"{', '.join(about)}: {'; '.join(filter(None, said))}")


def _text(text: str, style: str = "") -> Text:
    """What somebody may have named: no markup, and nothing that moves a cursor."""
    return Text(printable(text), style)


def _of_outcomes(found: Replay) -> Iterator[Table]:
    """What monitors of outcomes say."""
    if found.quality:
        yield _quality(found.quality)
    if found.calibration:
        yield _judged("calibration", CALIBRATION, found.calibration, calibrated)
    if found.coverage:
        yield _judged("coverage", COVERAGE, found.coverage, covered)
    if found.fairness:
        yield _judged("fairness", FAIRNESS, once(found.fairness), compared)
    if found.experiments:
        yield experiments(found.experiments)
    if found.slices is not None:
        yield slices(found.slices)


def _schema(found: Replay) -> Iterator[Text]:
    """How columns were read, and what is otherwise than in the reference."""
    if found.columns:
        yield Text.assemble("\n", (printable(f"read as {schema(found)}"), "dim"))
    for one in found.schema:
        yield _text(f"column {changed(one)}")


def _told(chunks: Sequence[Chunk]) -> list[Chunk]:
    """The chunks that a screen has room for, in order: first those that drift."""
    first = sorted(chunks, key=lambda one: one.verdict != "drift")[:CHUNKS]
    return sorted(first, key=lambda one: one.index)


def _chunks(found: Replay, shown: Sequence[Chunk]) -> Table:
    table = _table("\nchunks", ("chunk", "from", "to"), ("records",))
    for name in ("verdict", "drifted"):
        table.add_column(name, overflow="fold")
    if found.performance is not None:
        table.add_column("performance", overflow="fold")
    if found.quality:
        table.add_column(SO_FAR, overflow="fold")
    for one in shown:
        drifted = [f for f in ranked(one.features) if f.status == "drift"]
        names = list(dict.fromkeys(finding.feature for finding in drifted))
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        table.add_row(
            str(one.index), when(one.start), when(one.end), f"{one.records:,}",
            Text(one.verdict, STYLES[one.verdict]), _text(", ".join(names[:5]) + more),
            *([_performance(one.performance)] if found.performance else []),
            *([so_far(one.quality or [])] if found.quality else []),
        )  # fmt: skip
    return table


def _performance(known: Performance | None) -> str:
    return "" if known is None else performance(known).rpartition("; ")[0]


def _quality(entries: list[Quality]) -> Table:
    """How good predictions were; the whole first, an alarm always."""
    numbers = ("number", "95 % interval", "expected", "labels")
    table = _table("\nquality", ("measure", "segment", "status"), numbers)
    table.add_column("what changed", overflow="fold")
    for one in told(entries):
        status = one.status or ""
        table.add_row(
            _text(one.measure), _text(of_segment(one)), Text(status, STYLES.get(status, "")),
            share(one.number), interval(one), expected(one), f"{one.labels:,}", _text(change(one)),
        )  # fmt: skip
    return table


def _judged(
    title: str,
    names: Iterable[str],
    entries: Iterable[Judged],
    told: Callable[[Judged], list[str]],
) -> Table:
    """What was judged in each segment; an alarm always."""
    table = _table(f"\n{title}", ("segment", "status"))
    for name in names:
        table.add_column(name, justify="left" if name in WORDS else "right", overflow="fold")
    for number, one in enumerate(sorted(entries, key=lambda one: one.status != "alarm")):
        if number < SHOWN or one.status == "alarm":
            status = Text(one.status, STYLES[one.status])
            table.add_row(_text(of_segment(one)), status, *map(_text, told(one)))
    return table


def experiments(entries: Iterable[ExperimentEffect]) -> Table:
    """What arms do, beside their control."""
    rows = ((of_arm(one), one.verdict) for one in entries)
    return _listed("experiments", EXPERIMENTS, {"effect", "interval", "samples"}, "verdict", rows)


def slices(entries: Iterable[Slice]) -> Table:
    """A row for each slice, what is believed first."""
    numbers = set(SLICES) - {"measure", "slice", "status"}
    rows = ((of_slice(one), one.status) for one in entries)
    return _listed("worst slices", SLICES, numbers, "status", rows)


def _listed(
    title: str,
    names: Sequence[str],
    numbers: Collection[str],
    judged: str,
    rows: Iterable[tuple[list[str], str]],
) -> Table:
    """A table of rows, each with its verdict, which colours the cell of the column `judged`."""
    table = _table(f"\n{title}", ())
    for name in names:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for words, verdict in rows:
        cells = [_text(cell) for cell in words]
        cells[names.index(judged)].stylize(STYLES.get(verdict, ""))
        table.add_row(*cells)
    return table
