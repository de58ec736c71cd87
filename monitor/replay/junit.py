"""Findings → JUnit's XML, as servers of continuous integration read it: a test case each."""

from __future__ import annotations

import html as markup
import re
from collections.abc import Iterator
from typing import NamedTuple

from monitor.findings import Calibration, Coverage, Fairness, Finding, Quality
from monitor.replay.document import Replay
from monitor.replay.headline import segment, words_of
from monitor.replay.wording import changed, of_segment, of_slice, ranked, share, what

_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to say."""

JUDGED = ("quality", "calibration", "coverage", "fairness")
"""Keys of the document that hold what monitors of outcomes found."""

Judged = Quality | Calibration | Coverage | Fairness


class Case(NamedTuple):
    """What was looked at in a segment; of `failure` and `skipped` one at most says something."""

    group: str
    name: str
    segment: str
    failure: str = ""
    skipped: str = ""


def page(found: Replay, title: str) -> str:
    """The findings as one XML document: drift, an alarm and a change of columns are failures; what
    could not be judged is skipped, with the reason. Rows that could not be read are a failure,
    and so are files that break off, and what had no place. Remarks are the output of the suite."""
    cases = list(_cases(found))
    failed, skipped = (
        sum(bool(one.failure) for one in cases),
        sum(bool(one.skipped) for one in cases),
    )
    counts = f'tests="{len(cases)}" failures="{failed}" errors="0" skipped="{skipped}"'
    remarks = markup.escape(_UNSPEAKABLE.sub(" ", "\n".join(found.remarks)), quote=False)
    output = [f"<system-out>{remarks}</system-out>"] if remarks else []
    inside = "\n".join([*map(_written, cases), *output])
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="monitor replay" {counts}>\n'
        f"<testsuite name={_quoted(title)} {counts}>\n{inside}\n</testsuite>\n</testsuites>\n"
    )


def _cases(found: Replay) -> Iterator[Case]:
    for side in found.unread:
        if side.ends:
            yield Case("unreadable", "files", side.side, "; ".join(side.ends))
        if side.rows:
            yield Case("unreadable", "rows", side.side, side.words)
    for beyond in found.left_out:
        yield Case("left out", beyond.of, beyond.by, beyond.words)
    for one in ranked(found.features):
        reason = (one.reason or "too few values") if one.status == "insufficient" else ""
        failure = _drift(found, one) if one.status == "drift" else ""
        yield Case("drift", one.feature, of_segment(one), failure, reason)
    for key in JUDGED:
        for entry in getattr(found, key) or ():
            name = getattr(entry, "measure", key)
            failure = _alarm(name, entry) if entry.status == "alarm" else ""
            yield Case(key, name, of_segment(entry), failure, _unjudged(entry))
    for arm in found.experiments or ():
        failure = f"{arm.metric} of {arm.variant} is {arm.verdict}"
        is_bad = arm.verdict in ("worse", "invalid")
        name = f"{arm.name} {arm.metric}"
        yield Case("experiment", name, arm.variant, failure if is_bad else "")
    for worst in found.slices or ():
        measure, conditions, *_ = of_slice(worst)
        failure = worst.words if worst.status == "alarm" else ""
        reason = "too few rows" if worst.status == "insufficient" else ""
        yield Case("slices", measure, conditions, failure, reason)
    for change in found.schema:
        yield Case("schema", change.column, "all", f"column {changed(change)}")


def _alarm(name: str, entry: Judged) -> str:
    """What alarms, where, and the number that does."""
    match entry:
        case Quality():
            told = f"{share(entry.number)} of {entry.labels:,} labels"
        case Calibration():
            told = f"ECE {share(entry.ece)} of {entry.labels:,} labels"
        case Coverage():
            told = f"{share(entry.coverage)}, not {share(entry.target)}, of {entry.labels:,} labels"
        case Fairness():
            told = f"gap {share(entry.gap)}"
    words = f"; {entry.words}" if isinstance(entry, Quality) and entry.words else ""
    return f"alarm: {name} of {of_segment(entry)}: {told}{words}"


def _unjudged(entry: Judged) -> str:
    """Why there is no verdict; nothing where there is one."""
    if entry.status is None:
        return "early: records whose outcome is not due" if entry.early else "is not watched"
    reason = getattr(entry, "reason", "") or "too few labels"
    return reason if entry.status == "insufficient" else ""


def _drift(found: Replay, one: Finding) -> str:
    """What moved, in words: of a text those that moved, and no hashed cells."""
    words = words_of(found, one.feature)
    return f"{segment(one)}: {what(one, words=words)}" if words else one.words or "drift"


def _written(one: Case) -> str:
    head = f"<testcase classname={_quoted(f'{one.group}.{one.segment}')} name={_quoted(one.name)}"
    if one.failure:
        return f"{head}><failure message={_quoted(one.failure)}/></testcase>"
    if one.skipped:
        return f"{head}><skipped message={_quoted(one.skipped)}/></testcase>"
    return f"{head}/>"


def _quoted(text: str) -> str:
    return f'"{markup.escape(_UNSPEAKABLE.sub(" ", text))}"'
