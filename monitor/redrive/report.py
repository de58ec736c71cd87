"""What was found → lines for a terminal of 80 columns: the verdict first, then what differs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from monitor.logs import plain
from monitor.redrive.compare import FEATURES
from monitor.redrive.document import Found, Pair, Redrive
from monitor.redrive.estimate import Estimate
from monitor.redrive.judge import MINIMUM
from monitor.redrive.requests import REASONS, Selection
from monitor.redrive.run import apart
from monitor.types import WHOLE

WIDTH = 80
MOST_ROWS, MOST_PAIRS, MOST_NAMES = 20, 5, 4
"""So many features of segments, pairs, and names in a sentence are shown; the document has all."""


def lines(found: Redrive) -> Iterator[str]:
    """Yield the report, from the verdict to the pairs that differ most."""
    yield from _wrapped(sentence(found))
    for remark in found.remarks:
        yield from _wrapped(f"- {remark}", "  ")
    differing = [one for one in found.features if one.status == "different"]
    if differing:
        yield ""
        yield from _table("WHAT DIFFERS", differing)
    whole = [one for one in found.features if one.dimension == WHOLE.dimension]
    for title, status, among in (
        ("TOO FEW PAIRS TO TELL", "insufficient", whole),
        ("NOT JUDGED: NO --baseline", "not judged", found.features),
        ("NO DIFFERENCE THAT MATTERS", "same", whole),
    ):
        rest = [one for one in among if one.status == status]
        if rest:
            yield ""
            yield from _table(title, rest)
    if found.errors:
        yield ""
        yield "WHY ANSWERS ARE MISSING"
        for error, count in found.errors.items():
            yield from _wrapped(f"{count:>6}  {plain(error)}", " " * 8)
    worst = sorted((one for one in found.pairs if _has_text(one)), key=apart, reverse=True)
    if worst:
        yield ""
        yield "PAIRS THAT DIFFER MOST"
        for pair in worst[:MOST_PAIRS]:
            yield from _pair(pair)


def sentence(found: Redrive) -> str:
    """The verdict, and what it rests on."""
    other = found.baseline or "what was recorded"
    counts = (
        f"Of {found.sent} records that were sent {found.paired} are paired, {found.failed} failed, "
        f"{found.unmatched} have no answer on record."
        if found.judged == "recorded"
        else f"Of {found.sent} records that were sent {found.paired} are paired, {found.failed} "
        "failed."
    )
    if found.verdict == "different":
        names = ", ".join(
            dict.fromkeys(one.feature for one in found.features if one.status == "different")
        )
        said = f"different: {found.against} does not answer as {other} does ({names})."
    elif found.verdict == "same":
        said = (
            f"same: {found.against} answers as {other} does: of {found.paired} pairs every "
            "feature lies within its margin."
        )
    else:
        said = f"insufficient: {_why_insufficient(found)}"
    return f"{said} {counts}"


def _why_insufficient(found: Redrive) -> str:
    """Why there is no verdict, and what would bring one."""
    if found.paired < MINIMUM:
        why = f"{found.paired} pairs are too few for a verdict (at least {MINIMUM})."
    else:
        whole = [one for one in found.features if one.dimension == WHOLE.dimension]
        unknown = [one.feature for one in whole if one.status == "not judged"]
        few = [one.feature for one in whole if one.status == "insufficient"]
        why = "nothing is known to differ"
        if few:
            shown = (
                few
                if len(few) <= MOST_NAMES
                else [*few[: MOST_NAMES - 1], f"{len(few) - MOST_NAMES + 1} more"]
            )
            names = ", ".join(shown)
            why += f", but {found.paired} pairs are too few to rule out what matters ({names})"
        why += "."
        if unknown:
            names = ", ".join(unknown)
            return f"{why} Without --baseline what differs ({names}) cannot be told from noise."
    if found.more is not None:
        records = "record" if found.more == 1 else "records"
        return (
            f"{why} About {found.more:,} more {records} would tell, if they are like these; "
            "a wider --margin takes fewer."
        )
    return f"{why} A wider or narrower --margin may tell." if found.paired else why


def selection_lines(selection: Selection, estimate: Estimate, sides: int) -> Iterator[str]:
    """What can be sent again, what cannot and why, and what sending takes."""
    chosen = len(selection.chosen)
    yield from _wrapped(
        f"Of {selection.read} records {chosen} can be sent again"
        + (f", {selection.left_out.total()} cannot:" if selection.left_out else ".")
    )
    for reason, count in selection.left_out.most_common():
        yield from _wrapped(f"{count:>6}  {reason}: {REASONS[reason]}", " " * 8)
    cost = ", ".join(f"{amount:.2f} {name}" for name, amount in estimate.cost.items())
    unpriced = f" ({estimate.unpriced} requests have no price)" if estimate.unpriced else ""
    yield from _wrapped(
        f"That is {estimate.requests} requests ({sides} for each record) and about "
        f"{estimate.tokens:,} tokens" + (f", {cost}{unpriced}." if cost else "; no price is known.")
    )


def warnings(selection: Selection) -> Iterator[str]:
    """What the reader must know before anything is sent."""
    if selection.read and 2 * len(selection.chosen) < selection.read:
        yield (
            f"only {len(selection.chosen)} of {selection.read} records can be sent again, so the "
            "verdict is of a part that is not a fair sample"
        )
    if selection.untold:
        yield (
            f"{selection.untold} records have no parameters (temperature, limits), so the "
            "endpoint's defaults are used"
        )
    if selection.over_http:
        yield (
            f"{selection.over_http} records came over gRPC and are sent as JSON over HTTP; give a "
            "--baseline to compare latencies"
        )


def _table(title: str, found: Sequence[Found]) -> Iterator[str]:
    yield f"{title:<28}{'BY':>7}  {'INTERVAL':<16}{'MARGIN':>6}{'PAIRS':>8}{'NOISE':>6}{'MORE':>7}"
    for one in found[:MOST_ROWS]:
        where = "" if one.dimension == WHOLE.dimension else f" {one.dimension}={one.value}"
        name = plain(f"{one.feature}{where}")
        if len(name) > 27:
            yield name[:WIDTH]
            name = ""
        ends = f"{_shown(one, one.lower)} to {_shown(one, one.upper)}"
        margin = f"x{one.margin:.2f}" if one.unit == "ratio" else f"{one.margin:.2f}"
        noise = "" if one.noise is None else f"{one.noise:.2f}"
        more = "" if one.more is None else str(one.more)
        yield (
            f"{name:<28}{_shown(one, one.difference):>7}  {ends:<16}{margin:>6}{one.pairs:>8}"
            f"{noise:>6}{more:>7}"
        )
        if one.status == "different":
            yield f"  {FEATURES[one.feature].words}{_reach(one)}"
    if len(found) > MOST_ROWS:
        yield f"… and {len(found) - MOST_ROWS} more: --json has all"


def _shown(one: Found, number: float) -> str:
    """A share as a difference, a ratio as a factor.

    >>> share = Found("exact", "all", "all", "share", 9, 0.25, 0.1, 0.4, 1.0, 5.0, "same")
    >>> _shown(share, share.difference)
    '+0.25'
    """
    return f"x{number:.2f}" if one.unit == "ratio" else f"{number:+.2f}"


def _reach(one: Found) -> str:
    """That a factor may be larger than is shown, where it is the largest that counts.

    >>> slow = Found("latency", "all", "all", "ratio", 9, 4.0, 3.1, 4.0, 1.1, 5.0, "different")
    >>> _reach(slow)
    '; at least 4 times as much: one pair counts for no more'
    """
    most = FEATURES[one.feature].scale
    if not most or 1 / (most - 0.005) < one.difference < most - 0.005:
        return ""
    size = f"{most:g} times as much" if one.difference > 1 else f"{most:g} times less"
    return f"; at least {size}: one pair counts for no more"


def _has_text(pair: Pair) -> bool:
    return bool(pair.candidate.text) and apart(pair) > 0


def _pair(pair: Pair) -> Iterator[str]:
    yield plain(pair.id)[:WIDTH]
    recorded = pair.recorded
    others = [("recorded", recorded)] if recorded else [("baseline", one) for one in pair.baseline]
    for name, side in (("candidate", pair.candidate), *others):
        said = " ".join(plain(side.text).split())
        room = WIDTH - 12
        yield f"  {name:<10}{said if len(said) <= room else said[: room - 2] + ' …'}"


def _wrapped(text: str, indent: str = "") -> Iterable[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)
