"""A replay's document → a page of HTML that needs nothing else."""

from __future__ import annotations

import html as markup
from collections.abc import Callable, Iterable, Iterator, Sequence

from monitor.analysis.drift.findings import percent
from monitor.findings import Finding
from monitor.replay.document import Replay
from monitor.replay.report import (
    CALIBRATION,
    COVERAGE,
    EXPERIMENTS,
    FAIRNESS,
    MEASURES,
    SLICES,
    WORDS,
    Judged,
    at,
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
    share,
    so_far,
    where,
)

BINS = 24
"""Bins of a finding that are drawn, those that changed most."""

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
.drift, .alarm { color: var(--drift); font-weight: 600 } .ok { color: var(--ok) }
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
what chance alone shows with so many values and bins: PSI 0.1 is a moderate, 0.25 a large
change; JS is the Jensen-Shannon divergence; W1/sd how far values moved, in standard deviations
of the reference. No value of a single record stands on this page.</p>"""


def page(found: Replay, title: str, facts: Iterable[tuple[str, str]] = ()) -> str:
    """The findings as one page: no script, nothing from elsewhere; `facts` are its head."""
    findings = ranked(found.features)
    drifted = [one for one in findings if one.status == "drift"]
    harmless = [one for one in findings if one.changed and one.status != "drift"]
    page = markup.escape(title)
    badge = f"<span class='badge {found.verdict}'>{found.verdict}</span>"
    sections = [
        f"<h1>Drift: {page}</h1><p>{counted(found)}: {badge} {markup.escape(judged(found))}.</p>",
        _facts(facts),
        _remarks(found),
        _counts(findings, len(drifted), len(harmless)),
        _together(found),
        _performances(found),
        _qualities(found),
        _judged("Calibration", CALIBRATION, found.calibration or (), calibrated),
        _judged("Coverage", COVERAGE, found.coverage or (), covered),
        _judged("Fairness", FAIRNESS, found.fairness or (), compared),
        _experiments(found),
        _slices(found),
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
    """A finding with its bins before and now."""
    kind = "card" if one.status == "drift" else "card harmless"
    drawn = sorted(
        range(len(one.bins)), key=lambda i: -abs(one.bins[i].after - one.bins[i].before)
    )[:BINS]
    shown = [one.bins[index] for index in sorted(drawn)] or one.moved
    shown = [shift for shift in shown if shift.before or shift.after]
    largest = max((max(shift.before, shift.after) for shift in shown), default=1.0) or 1.0
    bars = "".join(
        f"<div class=bin><span title='{markup.escape(shift.bin)}'>{markup.escape(shift.bin)}</span>"
        f'<span class=bars><i style="width:{100 * shift.before / largest:.1f}%"></i>'
        f'<i style="width:{100 * shift.after / largest:.1f}%"></i></span>'
        f"<span>{percent(shift.before)} → {percent(shift.after)}</span></div>"
        for shift in shown
    )
    rest = len(one.bins) - len(drawn)
    more = f"<p class=note>and {rest} more bins that changed less</p>" if rest > 0 else ""
    drivers = "".join(
        f"<tr><td>{markup.escape(f'{d.dimension} = {d.value}')}<td class=n>{percent(d.share)}"
        for d in one.drivers
    )
    drivers += "".join(
        f"<tr><td>{markup.escape(m.bin)} came more or less often<td class=n>"
        f"{percent(m.before)} → {percent(m.after)}"
        for m in one.mix
    )
    whence = f"<table><tr><th>came from<th class=n>share</tr>{drivers}</table>" if drivers else ""
    name = markup.escape(f"{one.feature}, {where(one)}")
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
        + (f"<td>{'' if g.since is None else at(g.since)}" if dated else "")
        + f"<td>{markup.escape(', '.join(g.features))}"
        for g in groups
    )
    since = "<th>since" if dated else ""
    head = f"<h2>What moved together</h2><table><tr><th>segment{since}<th>features</tr>"
    return f"{head}{rows}</table>" if rows else ""


def _performances(found: Replay) -> str:
    if found.performance is None:
        return ""
    return f"<h2>Performance</h2><p>{markup.escape(performance(found.performance))}.</p>"


def _qualities(found: Replay) -> str:
    rows = "".join(
        f"<tr><td>{markup.escape(one.measure)}<td>{markup.escape(of_segment(one))}"
        f"<td class={one.status or ''}>{one.status or ''}<td class=n>{share(one.number)}"
        f"<td class=n>{interval(one)}<td class=n>{expected(one)}"
        f"<td class=n>{one.labels:,}<td>{markup.escape(change(one))}"
        for one in found.quality or ()
    )
    head = (
        "<h2>Quality</h2><p class=note>By the labels of all rows. The intervals hold however often "
        "one looks. Status says whether it changed.</p><table><tr><th>measure<th>segment<th>status"
        "<th class=n>number<th class=n>95 % interval<th class=n>expected<th class=n>labels"
        "<th>what changed</tr>"
    )
    return f"{head}{rows}</table>" if rows else ""


def _experiments(found: Replay) -> str:
    """A table of what arms do, beside their control; empty without experiments."""
    rows = "".join(
        "<tr>" + "".join(f"<td>{markup.escape(cell)}" for cell in of_arm(one))
        for one in found.experiments or ()
    )
    head = "".join(f"<th>{name}" for name in EXPERIMENTS)
    return f"<h2>Experiments</h2><table><tr>{head}</tr>{rows}</table>" if rows else ""


def _slices(found: Replay) -> str:
    """A table of the worst slices; empty where they were not searched for."""
    if found.slices is None:
        return ""
    rows = "".join(
        "<tr>" + "".join(f"<td class={one.status}>{markup.escape(cell)}" if cell == one.status
                         else f"<td>{markup.escape(cell)}" for cell in of_slice(one))
        for one in found.slices
    )  # fmt: skip
    head = "".join(f"<th>{name}" for name in SLICES)
    table = f"<h2>Worst slices</h2><table><tr>{head}</tr>{rows}</table>"
    alarms = "".join(f"<li>{markup.escape(one.words)}" for one in found.slices
                     if one.status == "alarm")  # fmt: skip
    return f"{table}<ul>{alarms}</ul>" if alarms else table


def _judged(
    title: str, names: Sequence[str], found: Iterable[Judged], told: Callable[[Judged], list[str]]
) -> str:
    """A table of what was judged in each segment; empty where nothing was."""
    rows = "".join(
        f"<tr><td>{markup.escape(of_segment(one))}<td class={one.status}>{one.status}"
        + "".join(
            f"<td{'' if name in WORDS else ' class=n'}>{markup.escape(cell)}"
            for name, cell in zip(names, told(one), strict=True)
        )
        for one in found
    )
    head = "".join(f"<th{'' if name in WORDS else ' class=n'}>{name}" for name in names)
    table = f"<h2>{title}</h2><table><tr><th>segment<th>status{head}</tr>"
    return f"{table}{rows}</table>" if rows else ""


def _chunk_table(found: Replay) -> str:
    if found.chunks is None:
        return ""
    rows = "".join(
        f"<tr><td>{one.index}<td>{at(one.start)}<td>{at(one.end)}<td class=n>{one.records:,}"
        f"<td class={one.verdict}>{one.verdict}<td>"
        + markup.escape(", ".join(sorted({f.feature for f in one.features if f.status == "drift"})))
        + (f"<td>{performance(one.performance).rpartition('; ')[0]}" if one.performance else "")
        + (f"<td>{markup.escape(so_far(one.quality or []))}" if found.quality else "")
        for one in found.chunks
    )
    strip = "".join(
        f"<i class={one.verdict} title='chunk {one.index}'></i>" for one in found.chunks
    )
    more = "<th>performance" if found.performance is not None else ""
    more += "<th>quality so far" if found.quality else ""
    return (
        f"<h2>Chunks</h2><div class=strip>{strip}</div><table><tr><th>chunk<th>from<th>to"
        f"<th class=n>records<th>verdict<th>drifted{more}</tr>{rows}</table>"
    )


def _finding_table(findings: list[Finding]) -> str:
    rows = "\n".join(
        f"<tr><td>{markup.escape(one.feature)}<td>{markup.escape(where(one))}"
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
    head = "<h2>How columns were read</h2>"
    if found.schema:
        told = "".join(f"<li>{markup.escape(changed(one))}" for one in found.schema)
        head += f"<p>Otherwise than in the reference:</p><ul>{told}</ul>"
    return f"{head}<table><tr><th>column<th>read as</tr>{rows}</table>" if rows else ""
