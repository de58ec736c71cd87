"""A replay's document → a table on the screen, a page of HTML."""

from __future__ import annotations

import html as markup
from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from monitor.findings import moment
from monitor.types import Finding, Performance, Replay

SHOWN = 40
"""Findings in a table on the screen; drift is always shown."""

STYLES = {"drift": "bold red", "insufficient": "dim", "ok": "green"}
MEASURES = ("psi", "jensen_shannon", "wasserstein")


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Drift first, then what changed, then by size."""
    return sorted(
        findings,
        key=lambda one: (
            one.status != "drift", not one.changed, -one.scores.get("psi", 0.0),
            one.feature, one.dimension, one.value,
        ),
    )  # fmt: skip


def tables(found: Replay, title: str) -> Iterator[Table | Text]:
    """What to print: the findings, the chunks, the verdict."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("feature", "segment", "status"):
        table.add_column(name)
    for name in ("psi", "js", "w1/sd", "ln E", "values"):
        table.add_column(name, justify="right")
    table.add_column("what moved", overflow="fold")
    findings = ranked(found.features)
    drifted = sum(one.status == "drift" for one in findings)
    shown = findings[: max(SHOWN, drifted)]
    for one in shown:
        scores = [f"{one.scores[name]:.3f}" if name in one.scores else "" for name in MEASURES]
        segment = "all" if one.dimension == "all" else f"{one.dimension}={one.value}"
        table.add_row(
            Text(one.feature), Text(segment), Text(one.status, STYLES[one.status]), *scores,
            f"{one.log_evidence:.1f}", f"{one.samples:,}", Text(_what(one)),
        )  # fmt: skip
    yield table
    if len(shown) < len(findings):
        yield Text(f"and {len(findings) - len(shown)} more, none of them drift", "dim")
    if found.chunks is not None:
        yield _chunks(found)
    if found.performance is not None:
        yield Text(f"\n{_performance(found.performance)}")
    yield Text.assemble(
        f"\n{found.records:,} records: ",
        (found.verdict, STYLES[found.verdict]),
        f", {drifted} of {len(findings)} features and segments drifted" if drifted else "",
    )


def _chunks(found: Replay) -> Table:
    table = Table(title="\nchunks", title_justify="left", box=None, pad_edge=False)
    for name in ("chunk", "from", "to", "records", "verdict", "drifted"):
        table.add_column(name, justify="right" if name == "records" else "left")
    if found.performance is not None:
        table.add_column("performance")
    for one in found.chunks or ():
        drifted = [f for f in ranked(one.features) if f.status == "drift"]
        names = list(dict.fromkeys(finding.feature for finding in drifted))
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        table.add_row(
            str(one.index), _at(one.start), _at(one.end), f"{one.records:,}",
            Text(one.verdict, STYLES[one.verdict]), Text(", ".join(names[:5]) + more),
            *([_performance(one.performance).rpartition("; ")[0]] if one.performance else []),
        )  # fmt: skip
    return table


def _performance(known: Performance) -> str:
    """One sentence about estimated, realized and usual performance."""
    parts = [("estimated", known.estimated), ("realized", known.realized)]
    told = [
        f"{name} accuracy {_share(one.accuracy)}, AUC {_share(one.auc)}"
        for name, one in [*parts, ("of the reference", known.reference)]
        if one is not None
    ]
    return "; ".join(told)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _what(one: Finding) -> str:
    """The end of the sentence that says what moved; why nothing can be said, if so."""
    if one.status == "insufficient":
        return "" if one.samples else "no values"
    return one.words.partition(" values")[2].lstrip(" ,;") if one.changed else ""


def _at(time: float) -> str:
    """A time, or the number of a row."""
    return moment(time) if abs(time) > 1e8 else f"row {time:.0f}"


# --- a page that needs nothing else --------------------------------------------------------------

_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884 }
td { vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
.drift { color: #c22; font-weight: 600 } .ok { color: #283 } .insufficient { color: #888 }
.cell { display: grid; grid-template-columns: 12rem 1fr; gap: .5rem; font-size: 13px }
.bars i { display: block; height: .5rem; background: #8888; min-width: 1px }
.bars i + i { background: #36c }
small { color: #888 }
"""


def html(found: Replay, title: str) -> str:
    """The findings as one page: no script, nothing from elsewhere."""
    page = markup.escape(title)
    rows = "\n".join(map(_finding_row, ranked(found.features)))
    chunks = ""
    if found.chunks is not None:
        lines = "\n".join(
            f"<tr><td>{one.index}<td>{_at(one.start)}<td>{_at(one.end)}<td class=n>{one.records}"
            f"<td class={one.verdict}>{one.verdict}<td>"
            + markup.escape(
                ", ".join(sorted({f.feature for f in one.features if f.status == "drift"}))
            )
            for one in found.chunks
        )
        chunks = (
            "<h2>Chunks</h2><table><tr><th>chunk<th>from<th>to<th class=n>records<th>verdict"
            f"<th>drifted</tr>\n{lines}</table>"
        )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Drift: {page}</title>'
        f"<style>{_STYLE}</style><h1>Drift: {page}</h1><p>{found.records:,} records: "
        f"<strong class={found.verdict}>{found.verdict}</strong>."
        + (f"<p>Performance: {_performance(found.performance)}." if found.performance else "")
        + "\n"
        "<p><small>Scores are corrected for what chance alone would show. ln E is the evidence "
        "that anything changed. Drift is a change that is believed and not negligible. Bars: share "
        "of the values before (grey) and now (blue).</small>\n"
        "<table><tr><th>feature<th>segment<th>status<th class=n>PSI<th class=n>JS<th class=n>W1/sd"
        f"<th class=n>ln E<th class=n>values<th>what moved</tr>\n{rows}</table>\n{chunks}</html>\n"
    )


def _finding_row(one: Finding) -> str:
    segment = "all" if one.dimension == "all" else f"{one.dimension} = {one.value}"
    scores = "".join(
        f"<td class=n>{one.scores[name]:.3f}" if name in one.scores else "<td>" for name in MEASURES
    )
    cells = "".join(
        f"<div class=cell><span>{markup.escape(cell.cell)}</span><span class=bars>"
        f'<i style="width:{100 * cell.before:.1f}%"></i>'
        f'<i style="width:{100 * cell.after:.1f}%"></i>'
        "</span></div>"
        for cell in one.moved
    )
    said = f"{markup.escape(one.words)}{cells}" if one.changed else ""
    return (
        f"<tr><td>{markup.escape(one.feature)}<td>{markup.escape(segment)}"
        f"<td class={one.status}>{one.status}{scores}<td class=n>{one.log_evidence:.1f}"
        f"<td class=n>{one.samples}<td>{said}</tr>"
    )
