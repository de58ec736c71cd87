"""A replay's document → one sentence: what became worse, what drifted most, by how much, and since
when."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from monitor.analysis.drift.findings import moment, shifted
from monitor.findings import (
    BinShift,
    Calibration,
    Coverage,
    Fairness,
    Finding,
    Outcome,
    Quality,
    Slice,
)
from monitor.readable import rounded
from monitor.replay.document import Course, Replay
from monitor.replay.mirrored import once
from monitor.types import WatchKey

DAY = 86400

DOUBT = 10
"""Copies and neighbours show less than there is: rows of a user may stand apart."""

UNKNOWN = ".unknown_words"
"""How the feature ends that says how many words of a column's texts are new."""

RECORDS = {"input": "what is asked", "output": "answers"}
"""Texts of Records, for a person."""


def headline(found: Replay) -> str:
    """The sentence for somebody who reads nothing else.

    >>> from monitor.replay import document
    >>> headline(Replay("ok", 900, [Finding("age", "all", "all", 9, 9, {}, 0.0, "ok")]))
    'No drift: 1 feature and segment is as before'
    >>> bad = Quality("city", "Bonn", "accuracy", 0.406, 0.3, 0.5, 90, "alarm")
    >>> headline(Replay("insufficient", 90, [], quality=[bad]))
    'Alarm: accuracy in city = Bonn is 0.406; nothing could be judged; 1 alarm of quality'
    >>> headline(Replay("insufficient", 3, []))
    'Nothing could be judged'
    >>> headline(Replay("insufficient", 3, [], unread=[document.Unread("current", 9, 12)]))
    'Nothing could be judged; 9 of 12 rows could not be read'
    >>> headline(Replay("insufficient", 3, [], unread=[document.Unread("current", 0, 3, ["a: b"])]))
    'Only a part could be read: a: b. Nothing could be judged'
    >>> wrong = document.Unread("both", 0, 3, ["a: b"], may_be_wrong=True)
    >>> headline(Replay("insufficient", 3, [], unread=[wrong]))
    'Not to be trusted: a: b. Nothing could be judged'
    >>> fine = Finding("age", "all", "all", 9, 9, {}, 0.0, "ok")
    >>> beyond = [document.LeftOut("slices", 1, "conditions", 9)]
    >>> headline(Replay("insufficient", 9, [fine], left_out=beyond))
    'Not judged as a whole: slices: only 1 conditions have a place, and 9 values of others were \
not looked at (leave columns out with --ignore); in the rest 1 feature and segment is as before'
    """
    unread = sorted(found.unread, key=lambda one: not one.may_be_wrong)
    ends = [end for one in unread for end in one.ends]
    said = _said(found)
    if alarm := worst_outcome(found):
        said = f"Alarm: {alarm}; {said[0].lower()}{said[1:]}"
    if not ends:
        return said
    begin = "Not to be trusted" if unread[0].may_be_wrong else "Only a part could be read"
    others = f" (and {len(ends) - 1:,} more)" if len(ends) > 1 else ""
    return f"{begin}: {ends[0]}{others}. {said}"


def _said(found: Replay) -> str:
    """The same without what nobody knows of."""
    said = [one.words for one in found.unread] + [one.words for one in found.left_out]
    lost = ", ".join(filter(None, said))
    more = _unjudged(found) + _alarms(found)
    quiet = sum(one.status == "ok" for one in found.features)
    how = "feature and segment is" if quiet == 1 else "features and segments are"
    if (found.unread or found.left_out) and quiet and found.verdict == "insufficient":
        rest = f"{lost}; in the rest" if lost else "in what was read"
        return f"Not judged as a whole: {rest} {quiet:,} {how} as before{more}"
    more = (f"; {lost}" if lost else "") + more
    if found.verdict == "drift":
        return _drift(found) + _doubt(found) + more
    if found.verdict == "insufficient":
        return "Nothing could be judged" + more
    return f"No drift: {quiet:,} {how} as before{more}"


def worst(findings: Iterable[Finding]) -> Finding | None:
    """What drifted most: of the whole, or of segments where the whole does not drift."""
    drifted = [one for one in findings if one.status == "drift"]
    whole = [one for one in drifted if one.dimension == "all"]
    return max(whole or drifted, key=lambda one: one.scores.get("psi", 0.0), default=None)


def courses(found: Replay) -> Mapping[WatchKey, Course]:
    """The courses of the timeline by feature and segment; none without one."""
    return {one.key: one for one in found.timeline or ()}


def since(one: Finding, known: Mapping[WatchKey, Course]) -> str:
    """Since when something drifts, by the evidence or the timeline, in words; empty where nobody
    knows."""
    course = known.get(one.key)
    if one.since is not None:
        return f"since {when(one.since)}"
    if course is None or course.since is None:
        return ""
    if course.until is not None:
        return f"from {when(course.since)} to {when(course.until)}"
    return f"since {when(course.since)}"


def when(time: float) -> str:
    """A time, a date where it is midnight UTC, or the number of a row.

    >>> when(1704067200), when(1704070800), when(12)
    ('2024-01-01', '2024-01-01 01:00 UTC', 'row 12')
    """
    if abs(time) <= 1e8:
        return f"row {time:.0f}"
    said = moment(time)
    return said.partition(" ")[0] if time % DAY == 0 else said


def segment(one: Finding) -> str:
    """A feature and its segment in words.

    >>> segment(Finding("age", "region", "north", 1, 1, {}, 0.0, "ok"))
    'age in region = north'
    """
    return (
        one.feature if one.dimension == "all" else f"{one.feature} in {one.dimension} = {one.value}"
    )


def words_of(found: Replay, feature: str) -> list[BinShift]:
    """The words that moved in the column that a feature is of, or in what Records ask or answer,
    where the feature is a word of a text or says how many are new."""
    for said in found.words:
        if feature in (f"{said.feature}_words", f"{said.feature}_unknown_words"):
            return said.words
    for one in found.data_quality or ():
        if one.words and feature in (one.feature.removesuffix(UNKNOWN), one.feature):
            return one.words
    return []


def text_of(feature: str) -> str:
    """What a feature of texts is about, for a person.

    >>> text_of("note.unknown_words"), text_of("input_words"), text_of("output_unknown_words")
    ('the words of ‘note’', 'the words of what is asked', 'the words of answers')
    """
    for said, whose in RECORDS.items():
        if feature in (f"{said}_words", f"{said}_unknown_words"):
            return f"the words of {whose}"
    return f"the words of ‘{feature.removesuffix(UNKNOWN)}’"


def by_how_much(one: Finding, words: Sequence[BinShift] = ()) -> str:
    """How far something moved, in words; of a text in the `words` that moved."""
    said = [f"PSI {one.scores['psi']:.2g}"] if "psi" in one.scores else []
    if abs(one.mean_shift) >= 0.05 and "mean" in one.words:
        said.append(shifted(one.mean_shift))
    for most in [*words, *one.moved][:1]:
        what = f"texts with “{most.bin}”" if words else f"“{most.bin}”"
        said.append(f"{what} from {rounded(most.before)} to {rounded(most.after)}")
    return ", ".join(said)


def _drift(found: Replay) -> str:
    first = worst(found.features)
    if first is None:
        return "Drift"
    drifted = sum(one.status == "drift" for one in found.features)
    date = since(first, courses(found))
    words = words_of(found, first.feature)
    name = text_of(first.feature) if words else first.feature
    text = f"Drift: {segment(msgspec.structs.replace(first, feature=name))} moved most"
    if how := by_how_much(first, words):
        text += f" ({how})"
    text += f", {date}" if date else ""
    if drifted > 1:
        text += f"; {drifted:,} of {len(found.features):,} features and segments drifted"
    return text


def _doubt(found: Replay) -> str:
    """That rows are not independent of each other, as what is promised of chance takes them to be;
    nothing where the evidence would do even if `DOUBT` times as many told what one would.

    >>> _doubt(Replay("drift", 9, [], alike=3))
    '; this may be chance, for rows resemble each other, about 3 tell what one would'
    >>> _doubt(Replay("drift", 9, [Finding("x", "all", "all", 9, 9, {}, 900.0, "drift")], alike=3))
    ''
    """
    alpha = found.compared.alpha if found.compared is not None else 0.05
    needed = math.log(max(1, len(found.features)) / alpha)
    most = max((one.log_evidence for one in found.features if one.status == "drift"), default=0.0)
    if not found.alike or most >= DOUBT * found.alike * needed:
        return ""
    return (
        f"; this may be chance, for rows resemble each other, about {found.alike} tell what one "
        "would"
    )


def _unjudged(found: Replay) -> str:
    """How much was not judged."""
    few = sum(one.status == "insufficient" for one in found.features)
    return f"; {few:,} not judged" if few else ""


def worst_outcome(found: Replay) -> str:
    """What an alarm says of outcomes, the worst thing first: answers that are wrong in all, or in a
    segment, by what is surest; empty where there is none."""
    for entries in (
        found.quality, found.calibration, found.coverage, found.fairness, found.slices,
    ):  # fmt: skip
        alarms = [one for one in entries or () if one.status == "alarm"]
        whole = [one for one in alarms if not isinstance(one, Slice) and one.dimension == "all"]
        if alarms:
            return _bad(max(whole or alarms, key=lambda one: one.log_evidence or 0.0), alarms)
    for arm in found.experiments or ():
        if arm.verdict in ("worse", "invalid"):
            return f"{arm.variant} is {arm.verdict} by {arm.metric} in experiment {arm.name}"
    return ""


def _bad(one: Outcome, alarms: Sequence[Outcome]) -> str:
    """What one of the alarms says, in words."""
    match one:
        case Quality():
            # Of several measures of a segment the first is the one that people know best.
            first = next(a for a in alarms if isinstance(a, Quality) and _place(a) == _place(one))
            return f"{_inside(first.measure, one)} is {_figure(first.number)}"
        case Calibration():
            return f"{_inside('scores', one)} are off by {_figure(one.ece)}"
        case Coverage():
            return f"{_inside('coverage', one)} is {_figure(one.coverage)}, not {one.target:.3g}"
        case Fairness():
            gap = one.gap or 0.0
            way = "below" if gap < 0 else "above"
            return f"{_inside(one.measure, one)} is {abs(gap):.3g} {way} the rest"
        case Slice():
            return one.words
        case _:
            return ""


def _place(one: Quality) -> tuple[str, str]:
    return one.dimension, one.value


def _figure(number: float | None) -> str:
    return "unknown" if number is None else f"{number:.3g}"


def _inside(what: str, one: Quality | Calibration | Coverage | Fairness) -> str:
    return what if one.dimension == "all" else f"{what} in {one.dimension} = {one.value}"


def _alarms(found: Replay) -> str:
    """What else is wrong: outcomes, experiments, columns."""
    said = []
    for key in ("quality", "calibration", "coverage", "fairness", "slices"):
        entries = getattr(found, key) or ()
        told = once(entries) if key == "fairness" else entries
        alarms = sum(one.status == "alarm" for one in told)
        if alarms:
            said.append(f"{alarms} {'alarm' if alarms == 1 else 'alarms'} of {key}")
    bad = sum(one.verdict in ("worse", "invalid") for one in found.experiments or ())
    if bad:
        said.append(f"{bad} bad {'arm' if bad == 1 else 'arms'} of experiments")
    gone = [one.column for one in found.schema if one.change == "gone"]
    if gone:
        said.append(f"{len(gone)} {'column is' if len(gone) == 1 else 'columns are'} gone")
    return "; " + ", ".join(said) if said else ""
