"""Shares and scores → small pictures as SVG, in few bytes: a page may have thousands of them.

Text beside a picture says the same; it has no style of its own, `style.css` gives colours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from monitor.findings import BinShift
from monitor.replay.document import Chunk, Course, Stretch
from monitor.replay.headline import when

HEIGHT = 30
MOST = 40
"""Bins of a small picture, at most."""

HALVED = 4
"""Chunks from which on the middle has a date, too."""

DAY, YEAR, ROW = len("2026-01-31 "), len("2026-"), len("row ")
"""How far dates and rows may begin alike."""

ROOM = 30
"""Per cent of an axis that a text in its middle needs on either side."""

STATUSES = ("ok", "drift", "insufficient")


def histogram(bins: Sequence[BinShift]) -> Markup:
    """Shares before as a grey mountain, shares now as a line over it."""
    shown = [one for one in bins if one.before or one.after][:MOST]
    top = max((max(one.before, one.after) for one in shown), default=0.0) or 1.0
    before, now = ([_level(share, top) for share in side] for side in _sides(shown))
    mountain = f'<path class="b" d="M0 {HEIGHT}{_steps(before)}V{HEIGHT}z"/>'
    return _svg(len(shown) or 1, HEIGHT, f'{mountain}<path class="n" d="{_line(now)}"/>')


def bars(before: float, now: float, top: float) -> Markup:
    """Two bars below each other, of a share before and now, beside the largest."""
    first, second = (round(100 * share / top, 1) for share in (before, now))
    return _svg(
        100,
        2,
        f'<rect class="b" width="{first:g}" height="1"/>'
        f'<rect class="n" y="1" width="{second:g}" height="1"/>',
    )


def strip(status: Sequence[str]) -> Markup:
    """A cell for each chunk, in the colour of what was found of it."""
    cells = [
        f'<path class="{name}" d="{path}"/>'
        for name in STATUSES
        if (path := "".join(f"M{n} 0h.9v1h-.9z" for n, one in enumerate(status) if one == name))
    ]
    return _svg(len(status) or 1, 1, "".join(cells))


def course(one: Course) -> Markup:
    """The score of each chunk as a line, what is tolerated as a band below the threshold, and where
    the drift began. Before it, on grey, the parts of the reference against all of it. The height is
    the root of the score, so that small ones can be seen."""
    scores = [*one.usual_scores, *one.scores]
    top = math.sqrt(max([*(s for s in scores if s is not None), one.threshold * 2, 1e-9]))
    width = max(len(scores), 1)
    bar = _height(one.threshold, top)
    body = [f'<rect class="band" y="{bar}" width="{width}" height="{60 - bar}"/>']
    body += [_reference(one, 60), _onset(one)]
    body.append(f'<path class="bar" d="M0 {bar}H{width}"/>')
    body += _parted(one, [None if s is None else _height(max(s, 0.0), top) for s in scores])
    return _svg(width, 60, "".join(body))


def evidence(one: Course) -> Markup:
    """The log evidence of each chunk as a line; the dashed line is odds of one to one. Before it,
    on grey, that of the parts of the reference."""
    logs = [*one.usual_log_evidence, *one.log_evidence]
    top = max([*(log for log in logs if log is not None), 10.0])
    width = max(len(logs), 1)
    body = [_reference(one, 40), _onset(one), f'<path class="bar" d="M0 37H{width}"/>']
    points = [None if log is None else round(37 - 36 * max(-0.08, log / top), 1) for log in logs]
    return _svg(width, 40, "".join([*body, *_parted(one, points)]))


def track(
    values: Sequence[tuple[float | None, float | None, float | None]], low: float, high: float
) -> Markup:
    """A number of each chunk as a line within `low` and `high`, its interval as a band."""
    reach = (high - low) or 1.0

    def height(value: float) -> float:
        return round(58 - 56 * (value - low) / reach, 1)

    body = []
    for place, (_, lower, upper) in enumerate(values):
        if lower is not None and upper is not None:
            body.append(f"M{place} {height(upper)}h1V{height(lower)}h-1z")
    curves = _curves([None if number is None else height(number) for number, _, _ in values])
    return _svg(
        max(len(values), 1), 60, f'<path class="band" d="{"".join(body)}"/>' + "".join(curves)
    )


def records(chunks: Sequence[Chunk]) -> Markup:
    """How many rows each chunk has."""
    top = max((one.records for one in chunks), default=0) or 1
    levels = [round(HEIGHT * (1 - one.records / top), 1) for one in chunks]
    return _svg(
        len(chunks) or 1, HEIGHT, f'<path class="b" d="M0 {HEIGHT}{_steps(levels)}V{HEIGHT}z"/>'
    )


def axis(chunks: Sequence[Chunk], usual: Sequence[Stretch] = ()) -> Markup:
    """When chunks begin and end: text below what is drawn of them, not stretched as that is; and
    when the parts of the reference do, where these are drawn before."""
    marks = "".join(
        f'<line class="{side}" x1="{place:g}%" x2="{place:g}%" y2="3"/>'
        f'<text class="{side}" x="{place:g}%" y="15">{said}</text>'
        for place, side, said in (_parts(chunks, usual) if usual else _ticks(chunks))
    )
    return Markup(f'<svg class="axis" aria-hidden="true">{marks}</svg>')  # noqa: S704  our words


def _ticks(chunks: Sequence[Chunk]) -> list[tuple[float, str, str]]:
    """(place in per cent, which end of the text stands there, date or row) of the begin, the middle
    and the end. What all begin with is said once: the year, or the day."""
    if not chunks:
        return []
    half = -(-len(chunks) // 2)  # the first text is the longest
    marks = [(0.0, "start", chunks[0].start)]
    if len(chunks) >= HALVED:
        marks.append((round(100 * half / len(chunks), 1), "middle", chunks[half].start))
    marks.append((100.0, "end", chunks[-1].end))
    first, *others = (when(time).removesuffix(" UTC") for _, _, time in marks)
    said_once = next((size for size in (DAY, YEAR, ROW) if _begin_alike(first, others, size)), 0)
    told = [first, *(one[said_once:] for one in others)]
    return [(place, end, said) for (place, end, _), said in zip(marks, told, strict=True)]


def _parts(chunks: Sequence[Chunk], usual: Sequence[Stretch]) -> list[tuple[float, str, str]]:
    """The same of what is drawn behind the reference: where both begin, and the end, as far as
    there is room."""
    split = round(100 * len(usual) / (len(usual) + len(chunks)), 1)
    first, then, last = (
        when(time).removesuffix(" UTC")
        for time in (usual[0].start, chunks[0].start, chunks[-1].end)
    )
    if split < ROOM:
        return [(split, "start", then), (100.0, "end", last)]
    middle = [(split, "middle", then)] if split <= 100 - ROOM else []
    return [(0.0, "start", first), *middle, (100.0, "end", last)]


def _begin_alike(first: str, others: Sequence[str], size: int) -> bool:
    begin = first[:size]
    return begin[-1:] in (" ", "-") and all(one[:size] == begin for one in others)


def _sides(shown: Iterable[BinShift]) -> tuple[list[float], list[float]]:
    pairs = [(one.before, one.after) for one in shown]
    return [one for one, _ in pairs], [one for _, one in pairs]


def _level(share: float, top: float) -> int:
    return HEIGHT - round((HEIGHT - 1) * share / top)


def _steps(levels: Sequence[float]) -> str:
    return "".join(f"V{level:g}h1" for level in levels)


def _line(levels: Sequence[float]) -> str:
    if not levels:
        return ""
    return f"M0 {levels[0]:g}h1" + _steps(levels[1:])


def _height(score: float, top: float) -> float:
    return round(58 - 56 * math.sqrt(score) / top, 1)


def _onset(one: Course) -> str:
    if one.onset is None:
        return ""
    return f'<path class="onset" d="M{len(one.usual_scores) + one.onset} 0V60"/>'


def _reference(one: Course, height: int) -> str:
    """The ground of what is drawn of the reference."""
    size = len(one.usual_scores)
    return f'<rect class="usual" width="{size}" height="{height}"/>' if size else ""


def _parted(one: Course, points: Sequence[float | None]) -> list[str]:
    """Lines of the parts of the reference and of the chunks behind it."""
    size = len(one.usual_scores)
    return [*_curves(points[:size], name="u"), *_curves(points[size:], size)]


def _curves(points: Sequence[float | None], begin: int = 0, name: str = "n") -> list[str]:
    """A level stretch for each chunk that has one, joined where they follow each other."""
    path, before = [], False
    for place, point in enumerate(points, begin):
        if point is not None:
            path.append(f"V{point:g}h1" if before else f"M{place} {point:g}h1")
        before = point is not None
    return [f'<path class="{name}" d="{"".join(path)}"/>'] if path else []


def _svg(width: float, height: float, body: str) -> Markup:
    """A picture that is stretched to where it stands; `body` has numbers and our words alone."""
    return Markup(  # noqa: S704
        f'<svg viewBox="0 0 {width:g} {height:g}" preserveAspectRatio="none" aria-hidden="true">'
        f"{body}</svg>"
    )
