"""A replay's document → a table on the screen, a page of HTML."""

from __future__ import annotations

import html as markup
from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from monitor.analysis.drift.findings import moment, percent
from monitor.types import Finding, Performance, Replay

SHOWN = 40
"""Findings in a table on the screen; drift is always shown."""

NAMED = 5
"""So many of what was not judged are named in the verdict."""

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
        table.add_row(
            Text(one.feature), Text(_where(one)), Text(one.status, STYLES[one.status]), *scores,
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
        f"\n{_records(found)}: ",
        (found.verdict, STYLES[found.verdict]),
        f", {drifted} of {len(findings)} features and segments drifted" if drifted else "",
        f": {judged(found)}",
    )


def judged(found: Replay) -> str:
    """How much of what there is was judged, why the rest was not, and what could not be read.

    >>> judged(Replay("insufficient", 0, []))
    '0 of 0 features judged'
    """
    reasons: dict[str, str] = {}
    whole = [one for one in found.features if one.dimension == "all"] or found.features
    for one in sorted(whole, key=lambda one: (one.feature, one.status == "insufficient")):
        name = _column(one.feature, found)
        if one.status != "insufficient":
            reasons[name] = ""
        else:
            reasons.setdefault(name, one.reason or "too few values")
    missing = {name: reason for name, reason in reasons.items() if reason}
    what = "columns" if found.columns else "features"
    text = f"{len(reasons) - len(missing)} of {len(reasons)} {what} judged"
    if missing:
        named = [f"{name}: {reason}" for name, reason in sorted(missing.items())]
        more = f", and {len(named) - NAMED} more" if len(named) > NAMED else ""
        text += f"; {len(missing)} not judged ({', '.join(named[:NAMED])}{more})"
    lost = sum(one.count for one in found.unreadable)
    what = "row or cell" if lost == 1 else "rows or cells"
    return f"{text}; {lost:,} {what} could not be read" if lost else text


def _column(feature: str, found: Replay) -> str:
    """The column that a feature was seen in: `note` of `note.length`."""
    name = feature
    while name not in found.columns:
        name, dot, _ = name.rpartition(".")
        if not dot:
            return feature
    return name


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
        return f"not judged: {one.reason}" if one.reason else "no values" * (not one.samples)
    return one.words.partition(" values")[2].lstrip(" ,;") if one.changed else ""


def _at(time: float) -> str:
    """A time, or the number of a row."""
    return moment(time) if abs(time) > 1e8 else f"row {time:.0f}"


# --- a page that needs nothing else --------------------------------------------------------------

BINS = 24
"""Cells of a finding that are drawn, those that changed most."""

_STYLE = """
:root { color-scheme: light dark; --line: #8883; --soft: #8881; --now: #2f6fd6; --then: #9aa3ad;
  --drift: #c62828; --ok: #2e7d32; --few: #757575 }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin: 0 0 .2rem } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem }
h3 { font-size: 1rem; margin: 0 0 .3rem }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; font-size: 14px }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line) }
th { font-weight: 600; white-space: nowrap } td { vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.drift { color: var(--drift); font-weight: 600 } .ok { color: var(--ok) }
.insufficient { color: var(--few) }
.badge { display: inline-block; padding: .1rem .7rem; border-radius: 1rem; color: #fff }
.badge.drift { background: var(--drift) } .badge.ok { background: var(--ok) }
.badge.insufficient { background: var(--few) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .8rem 0 }
dt { color: var(--few) } dd { margin: 0; overflow-wrap: anywhere }
.counts { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1rem 0 }
.counts div { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem 1rem }
.counts b { display: block; font-size: 1.5rem; line-height: 1.2 }
.card { border: 1px solid var(--line); border-left: 4px solid var(--drift); border-radius: .4rem;
  padding: .8rem 1rem; margin: .8rem 0; break-inside: avoid }
.card.harmless { border-left-color: var(--ok) } .card p { margin: .2rem 0 .5rem }
.bin { display: grid; grid-template-columns: 13rem 1fr 8rem; gap: .6rem; font-size: 13px;
  align-items: center }
.bin span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.bin span:last-child { text-align: right; font-variant-numeric: tabular-nums }
.bars { background: var(--soft) } .bars i { display: block; height: .4rem; min-width: 1px }
.bars i:first-child { background: var(--then) } .bars i:last-child { background: var(--now) }
.key i { display: inline-block; width: .8rem; height: .6rem; margin: 0 .3rem 0 .8rem }
.strip { display: flex; gap: 2px } .strip i { flex: 1; height: 1.4rem; border-radius: 2px }
.strip i.drift { background: var(--drift) } .strip i.ok { background: var(--ok) }
.strip i.insufficient { background: var(--few) }
small, .note { color: var(--few); font-size: 13px }
"""

_WORDS = """<h2>How to read this</h2>
<p class=note>A feature in a segment has <b>drifted</b> when a change is believed and not
negligible. It is <b>believed</b> when the evidence (ln E) that values no longer come from where
the reference came from is past its part of one error budget for all features and segments
together; it holds however often one looks. It is <b>not negligible</b> from a corrected
population stability index (PSI) of the tolerance on. Changed, harmless: believed and smaller.
Insufficient: not judged, because too few values came to say that a change would have shown, or
because nearly all differ, as ids do. All scores are corrected for
what chance alone shows with so many values and cells: PSI 0.1 is a moderate, 0.25 a large
change; JS is the Jensen-Shannon divergence; W1/sd how far values moved, in standard deviations
of the reference. No value of a single record stands on this page.</p>"""


def html(found: Replay, title: str, facts: Iterable[tuple[str, str]] = ()) -> str:
    """The findings as one page: no script, nothing from elsewhere; `facts` are its head."""
    findings = ranked(found.features)
    drifted = [one for one in findings if one.status == "drift"]
    harmless = [one for one in findings if one.changed and one.status != "drift"]
    page = markup.escape(title)
    badge = f"<span class='badge {found.verdict}'>{found.verdict}</span>"
    sections = [
        f"<h1>Drift: {page}</h1><p>{_records(found)}: {badge} {markup.escape(judged(found))}.</p>",
        _facts(facts),
        _remarks(found),
        _counts(findings, len(drifted), len(harmless)),
        _together(found),
        _performances(found),
        _chunk_table(found),
        *_section("What drifted", map(_card, _by_feature(drifted))),
        *_section("Changed, harmless", map(_card, _by_feature(harmless))),
        _finding_table(findings),
        _columns(found),
        _WORDS,
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Drift: {page}</title><style>{_STYLE}</style>\n"
        + "\n".join(filter(None, sections))
        + "</html>\n"
    )


def _section(title: str, parts: Iterable[str]) -> Iterator[str]:
    inside = list(parts)
    if inside:
        key = "<p class='key note'>Share of the values<i style='background:var(--then)'></i>before"
        yield f"<h2>{title}</h2>{key}<i style='background:var(--now)'></i>now</p>"
        yield from inside


def _by_feature(findings: list[Finding]) -> list[Finding]:
    """The feature that changed most first; of each the whole, then its segments."""
    first = {one.feature: place for place, one in reversed(list(enumerate(findings)))}
    return sorted(findings, key=lambda one: (first[one.feature], one.dimension != "all"))


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    told = "".join(f"<dt>{markup.escape(a)}<dd>{markup.escape(b)}" for a, b in facts)
    return f"<dl>{told}</dl>" if told else ""


def _counts(findings: list[Finding], drifted: int, harmless: int) -> str:
    few = sum(one.status == "insufficient" for one in findings)
    told = (
        ("drifted", drifted), ("changed, harmless", harmless),
        ("as before", len(findings) - drifted - harmless - few), ("not judged", few),
    )  # fmt: skip
    cells = "".join(f"<div><b>{count:,}</b>{name}</div>" for name, count in told)
    return f"<p class=note>Features and segments:</p><div class=counts>{cells}</div>"


def _card(one: Finding) -> str:
    """A finding with its cells before and now."""
    kind = "card" if one.status == "drift" else "card harmless"
    drawn = sorted(
        range(len(one.bins)), key=lambda i: -abs(one.bins[i].after - one.bins[i].before)
    )[:BINS]
    shown = [one.bins[index] for index in sorted(drawn)] or one.moved
    shown = [cell for cell in shown if cell.before or cell.after]
    largest = max((max(cell.before, cell.after) for cell in shown), default=1.0) or 1.0
    bars = "".join(
        f"<div class=bin><span title='{markup.escape(cell.cell)}'>{markup.escape(cell.cell)}</span>"
        f'<span class=bars><i style="width:{100 * cell.before / largest:.1f}%"></i>'
        f'<i style="width:{100 * cell.after / largest:.1f}%"></i></span>'
        f"<span>{percent(cell.before)} → {percent(cell.after)}</span></div>"
        for cell in shown
    )
    rest = len(one.bins) - len(drawn)
    more = f"<p class=note>and {rest} more cells that changed less</p>" if rest > 0 else ""
    drivers = "".join(
        f"<tr><td>{markup.escape(f'{d.dimension} = {d.value}')}<td class=n>{percent(d.share)}"
        for d in one.drivers
    )
    drivers += "".join(
        f"<tr><td>{markup.escape(m.cell)} came more or less often<td class=n>"
        f"{percent(m.before)} → {percent(m.after)}"
        for m in one.mix
    )
    whence = f"<table><tr><th>came from<th class=n>share</tr>{drivers}</table>" if drivers else ""
    name = markup.escape(f"{one.feature}, {_where(one)}")
    scores = ", ".join(f"{name} {score:.3g}" for name, score in one.scores.items())
    return (
        f"<div class='{kind}'><h3>{name}</h3><p>{markup.escape(one.words)}</p>{bars}{more}{whence}"
        f"<p class=note>{one.samples:,} values against {one.reference_samples:,}; ln E "
        f"{one.log_evidence:.1f}; {scores}</p></div>"
    )


def _together(found: Replay) -> str:
    groups = [group for group in found.together if len(group.features) > 1]
    dated = any(group.since is not None for group in groups)
    rows = "".join(
        f"<tr><td>{markup.escape('all' if g.dimension == 'all' else f'{g.dimension} = {g.value}')}"
        + (f"<td>{'' if g.since is None else _at(g.since)}" if dated else "")
        + f"<td>{markup.escape(', '.join(g.features))}"
        for g in groups
    )
    since = "<th>since" if dated else ""
    head = f"<h2>What moved together</h2><table><tr><th>segment{since}<th>features</tr>"
    return f"{head}{rows}</table>" if rows else ""


def _performances(found: Replay) -> str:
    if found.performance is None:
        return ""
    return f"<h2>Performance</h2><p>{markup.escape(_performance(found.performance))}.</p>"


def _chunk_table(found: Replay) -> str:
    if found.chunks is None:
        return ""
    rows = "".join(
        f"<tr><td>{one.index}<td>{_at(one.start)}<td>{_at(one.end)}<td class=n>{one.records:,}"
        f"<td class={one.verdict}>{one.verdict}<td>"
        + markup.escape(", ".join(sorted({f.feature for f in one.features if f.status == "drift"})))
        + (f"<td>{_performance(one.performance).rpartition('; ')[0]}" if one.performance else "")
        for one in found.chunks
    )
    strip = "".join(
        f"<i class={one.verdict} title='chunk {one.index}'></i>" for one in found.chunks
    )
    more = "<th>performance" if found.performance is not None else ""
    return (
        f"<h2>Chunks</h2><div class=strip>{strip}</div><table><tr><th>chunk<th>from<th>to"
        f"<th class=n>records<th>verdict<th>drifted{more}</tr>{rows}</table>"
    )


def _finding_table(findings: list[Finding]) -> str:
    rows = "\n".join(
        f"<tr><td>{markup.escape(one.feature)}<td>{markup.escape(_where(one))}"
        f"<td class={one.status}>{one.status}{', changed' if one.changed else ''}"
        f"{markup.escape(f': {one.reason}' if one.reason else '')}"
        + "".join(
            f"<td class=n>{one.scores[name]:.3f}" if name in one.scores else "<td>"
            for name in MEASURES
        )
        + f"<td class=n>{one.log_evidence:.1f}<td class=n>{one.samples:,}"
        f"<td class=n>{one.reference_samples:,}"
        for one in findings
    )
    return (
        "<h2>Everything that was looked at</h2><table><tr><th>feature<th>segment<th>status"
        "<th class=n>PSI<th class=n>JS<th class=n>W1/sd<th class=n>ln E<th class=n>values"
        f"<th class=n>reference</tr>\n{rows}</table>"
    )


def _remarks(found: Replay) -> str:
    told = "".join(f"<li>{markup.escape(one)}" for one in found.remarks)
    return f"<h2>Remarks</h2><ul>{told}</ul>" if told else ""


def _columns(found: Replay) -> str:
    rows = "".join(
        f"<tr><td>{markup.escape(name)}<td>{markup.escape(how)}"
        for name, how in found.columns.items()
    )
    head = "<h2>How columns were read</h2><table><tr><th>column<th>read as</tr>"
    return f"{head}{rows}</table>" if rows else ""


def _records(found: Replay) -> str:
    return f"{found.records:,} record" + ("s" if found.records != 1 else "")


def _where(one: Finding) -> str:
    return "all" if one.dimension == "all" else f"{one.dimension} = {one.value}"
