"""Numbers → pictures as SVG, drawn here; a table beside each says the same in text.

Texts in a picture are escaped, and it has no style of its own: the sheet of the page gives colours,
for light and for dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from monitor.findings import BinShift, ExperimentLook, ReliabilityBin
from monitor.readable import decimal, moment, percent

MAX_BARS = 60
LABEL = 28
"""Characters of a label; the table has all of it."""


def _short(text: str) -> Markup:
    return escape(text if len(text) <= LABEL else text[: LABEL - 1] + "…")


def _svg(width: int, height: int, title: str, body: Iterable[str]) -> Markup:
    inside = "".join(body)
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(width, height, title, Markup(inside))  # noqa: S704  each part of `body` was escaped


def histograms(bins: Sequence[BinShift], title: str) -> Markup:
    """Two histograms side by side, a pair of bars for each bin: the reference, and now."""
    shown = bins[:MAX_BARS]
    most = max((max(one.before, one.after) for one in shown), default=0.0) or 1.0
    body: list[str] = []
    for place, one in enumerate(shown):
        top = 4 + 34 * place
        body.append(f'<text class="label" x="196" y="{top + 18}">{_short(one.bin)}</text>')
        for name, share, y in (("before", one.before, top + 2), ("after", one.after, top + 15)):
            width = 340 * share / most
            body.append(f'<rect class="{name}" x="204" y="{y}" width="{width:.1f}" height="11"/>')
            body.append(
                f'<text class="number" x="{208 + width:.1f}" y="{y + 9}">{percent(share)}</text>'
            )
    return _svg(600, 10 + 34 * len(shown), title, body)


def reliability(bins: Sequence[ReliabilityBin], title: str) -> Markup:
    """What scores claimed (across) against what came true (up); on the line they are right. The
    area of a circle is the number of labels."""
    most = max((one.labels for one in bins), default=0) or 1
    body = [
        '<rect class="frame" x="44" y="10" width="300" height="300"/>',
        '<line class="right" x1="44" y1="310" x2="344" y2="10"/>',
    ]
    for tenth in (0.0, 0.5, 1.0):
        body.append(
            f'<text class="tick" x="{44 + 300 * tenth:.0f}" y="326">{percent(tenth)}</text>'
        )
        body.append(
            f'<text class="label" x="40" y="{314 - 300 * tenth:.0f}">{percent(tenth)}</text>'
        )
    points = [
        (44 + 300 * one.score, 310 - 300 * one.share, one)
        for one in bins
        if one.score is not None and one.share is not None
    ]
    if len(points) > 1:
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
        body.append(f'<polyline class="line" points="{line}"/>')
    for x, y, one in points:
        radius = 3 + 9 * (one.labels / most) ** 0.5
        body.append(f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>')
    body.append('<text class="tick" x="194" y="344">what scores claimed</text>')
    return _svg(372, 350, title, body)


class Interval(NamedTuple):
    """A number with its interval, and how to draw it."""

    name: str
    number: float | None
    lower: float | None
    upper: float | None
    kind: str


def intervals(several: Sequence[Interval], title: str, *, is_share: bool = True) -> Markup:
    """Numbers with their intervals beside 0, a row each; what has no number has none."""
    shown = several[:MAX_BARS]
    reach = max(
        (abs(one) for each in shown for one in each[1:4] if isinstance(one, float)), default=0.0
    ) or 1.0  # fmt: skip
    height = 26 * len(shown) + 26
    say = percent if is_share else decimal
    body = [f'<line class="zero" x1="390" y1="4" x2="390" y2="{height - 20}"/>']
    body += [
        f'<text class="tick" x="{x}" y="{height - 4}">{say(edge)}</text>'
        for x, edge in ((220, -reach), (390, 0.0), (560, reach))
    ]
    for place, one in enumerate(shown):
        y = 18 + 26 * place
        body.append(f'<text class="label" x="200" y="{y + 4}">{_short(one.name)}</text>')
        if one.lower is not None and one.upper is not None:
            ends = [390 + 170 * max(-1.0, min(1.0, end / reach)) for end in (one.lower, one.upper)]
            body.append(
                f'<line class="interval {one.kind}" x1="{ends[0]:.1f}" y1="{y}" x2="{ends[1]:.1f}" '
                f'y2="{y}"/>'
            )
        if one.number is not None:
            x = 390 + 170 * one.number / reach
            body.append(f'<circle class="point {one.kind}" cx="{x:.1f}" cy="{y}" r="5"/>')
    return _svg(600, height, title, body)


def timeline(looks: Sequence[ExperimentLook], title: str) -> Markup:
    """An effect from the beginning on, as a line in the band of its intervals; the dashed line is
    no effect. What of a band is far beyond where it ends is cut off."""
    known = [one for one in looks if one.effect is not None]
    if not known:
        return Markup("")
    last = known[-1]
    ends = [3 * abs(one) for one in (last.lower, last.upper) if one is not None]
    reach = max([*ends, *(abs(one.effect or 0.0) for one in known)]) or 1.0
    begin, width = looks[0].at, (looks[-1].at - looks[0].at) or 1.0

    def at(one: ExperimentLook, number: float) -> str:
        x = 64 + 500 * (one.at - begin) / width
        return f"{x:.1f},{100 - 86 * max(-1.0, min(1.0, number / reach)):.1f}"

    banded = [one for one in known if one.lower is not None and one.upper is not None]
    line = " ".join(at(one, one.effect or 0.0) for one in known)
    upper = [at(one, one.upper or 0.0) for one in banded]
    lower = [at(one, one.lower or 0.0) for one in reversed(banded)]
    body = [
        '<rect class="frame" x="64" y="14" width="500" height="172"/>',
        f'<polygon class="band" points="{" ".join([*upper, *lower])}"/>',
        '<line class="zero" x1="64" y1="100" x2="564" y2="100"/>',
        f'<polyline class="line" points="{line}"/>',
    ]
    for y, edge in ((18, reach), (104, 0.0), (190, -reach)):
        body.append(f'<text class="label" x="58" y="{y}">{decimal(edge)}</text>')
    for x, anchor, moment_ in ((64, "first", looks[0].at), (564, "label", looks[-1].at)):
        body.append(f'<text class="{anchor}" x="{x}" y="206">{moment(moment_)}</text>')
    before = "keep_going"
    for one in known:
        if one.verdict != before:
            cx, cy = at(one, one.effect or 0.0).split(",")
            body.append(f'<circle class="point {one.verdict}" cx="{cx}" cy="{cy}" r="5"/>')
        before = one.verdict
    return _svg(600, 212, title, body)


def bar(part: float | None, most: float | None, kind: str = "after") -> Markup:
    """A bar for a cell of a table: how large a number is beside the largest one."""
    width = 100 * max(0.0, min(1.0, (part or 0.0) / most)) if most else 0.0
    return Markup(
        '<svg class="bar" viewBox="0 0 100 6" aria-hidden="true" preserveAspectRatio="none">'
        '<rect class="rail" width="100" height="6"/>'
        '<rect class="{}" width="{}" height="6"/></svg>'
    ).format(kind, f"{width:.1f}")


DRAWN = {
    "histograms": histograms, "reliability": reliability, "intervals": intervals, "bar": bar,
    "timeline": timeline,
}  # fmt: skip
"""Functions of the templates, by name."""
