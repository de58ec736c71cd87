"""Text → its sums, done again: totals of tables and lists, shares of a whole, equations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from monitor.answers.citations import prose
from monitor.answers.quantities import Quantity, quantities
from monitor.words import cues

_NUMBERS = 400
"""Numbers of a text that are looked at."""
_LINES = 400
_SUBTOTAL = re.compile(r"\b(?:sub-?total|zwischensumme|sous-total)\b", re.IGNORECASE)
_EACH = re.compile(r"\b(?:price|unit|each|preis|rate|prix|dose)\b", re.IGNORECASE)
_TIMES = re.compile(
    r"\b(?:qty|quantity|count|units|pieces|hours|menge|anzahl|stück|number)\b", re.IGNORECASE
)
_SUM = r"[$€£¥]?\d[\d,.]{0,14}%?"
_EQUATION = re.compile(
    rf"(?<![\w.,)^/*×·+=−-])(?<![)^*/×·+=−] )(?<![\w)] [-–] )"
    rf"(?P<left>{_SUM}(?: ?[-+−–×x*·/÷] ?{_SUM}){{1,12}}) ?(?P<sign>[=≈]) ?"
    rf"(?P<right>{_SUM})(?![\w(^]|[\d.,]*\d| ?[×*/+÷·=−-] ?[\w($€£])"
)
_OPERATOR = re.compile(r" ?([-+−–×x*·/÷]) ?")
_ROUNDED = re.compile(r"\b(?:m|mn|mm|bn|k|[mb]illions?|thousands?|000s?|mio|mrd|tsd|approx)\b",
                      re.IGNORECASE)  # fmt: skip
_RULE = re.compile(r"\A[\s|:+-]+\Z")


def sums(text: str) -> Iterator[bool]:
    """Yield of each sum in a text that can be done again, whether it is right.

    >>> list(sums("2 + 3 = 5 and 12 × 12 = 140")), list(sums("call x = 5 or 3 - 1"))
    ([True, False], [])
    >>> list(sums("| a | 2 |\\n| b | 3 |\\n| **Total** | 6 |"))
    [False]
    >>> list(sums("The split:\\n- rent 50%\\n- food 30%\\n- savings 25%"))
    [False]
    """
    text = prose(text)
    yield from equations(text)
    for head, rows, before in _blocks(text):
        yield from _totals(head, rows)
        yield from _wholes(rows, f"{before} {head}")


def equations(text: str) -> Iterator[bool]:
    """Yield of each equation between numbers whether it is right, by the digits that it shows."""
    if "=" not in text and "≈" not in text:
        return
    for match in islice(_EQUATION.finditer(text), _NUMBERS):
        right = _number(match["right"])
        pieces = _OPERATOR.split(match["left"])
        numbers = [_number(one) for one in pieces[::2]]
        if right is None or any(one is None for one in numbers):
            continue
        value = _evaluated([one for one in numbers if one is not None], pieces[1::2], match["left"])
        if value is None:
            continue
        step = right.step
        if match["sign"] == "≈":
            digits = f"{right.written:.0f}"
            zeros = 10.0 ** (len(digits) - len(digits.rstrip("0"))) if right.written >= 10 else 1.0
            step = max(step, zeros, right.value * 0.02)
        yield _equal(value, right, step)


def _equal(value: float, right: Quantity, step: float) -> bool:
    """Whether a result is what is said; a share may be said in percent."""
    slack = step * 0.55 + abs(right.value) * 1e-9
    scales = (1.0, 100.0) if right.unit == "%" else (1.0,)
    return any(abs(abs(value) * scale - right.value) <= slack or
               (abs(abs(value) * scale - right.value) < step * 1.0001 and value % 1)
               for scale in scales)  # fmt: skip


def _number(said: str) -> Quantity | None:
    found = quantities(f" {said.rstrip('.,')}", 2)
    return found[0] if found and found[0].end >= len(said.rstrip(".,")) else None


def _evaluated(numbers: list[Quantity], signs: Sequence[str], left: str) -> float | None:
    """The value of a chain of sums and products; None where a share is meant of something."""
    units = [one.unit for one in numbers]
    if "%" in units and set(units) != {"%"}:
        if not set(signs) <= set("×x*·"):
            return None
        numbers = [
            one._replace(value=one.value / 100) if one.unit == "%" else one for one in numbers
        ]
    terms: list[float] = [numbers[0].value]
    for sign, one in zip(signs, numbers[1:], strict=True):
        if sign in "×x*·":
            terms[-1] *= one.value
        elif sign in "/÷":
            if not one.value:
                return None
            terms[-1] /= one.value
        else:
            terms.append(one.value if sign == "+" else -one.value)
    return sum(terms)


def _blocks(text: str) -> Iterator[tuple[str, list[str], str]]:
    """(the head, the rows, the line before them) of each table or list; a list has no head."""
    rows: list[str] = []
    head = before = last = ""
    has_bars = "|" in text
    for line in (*islice(text.splitlines(), _LINES), "\0"):
        stripped = line.strip()[:400]
        first = stripped[:1]
        if (
            first in _MARKS
            or (first.isdigit() and _is_item(stripped))
            or (has_bars and stripped.count("|") > 1)
        ):
            if not (rows or head):
                before = last
            if not _RULE.match(stripped):
                rows.append(stripped)
            elif len(rows) == 1:
                head = rows.pop()
        elif rows and cues.TOTAL.match(stripped):
            rows.append(stripped)
        elif stripped:
            if len(rows) > 1:
                yield head, rows, before
            rows, head, last = [], "", stripped


_MARKS = ("|", "-", "*", "•", "+")


def _is_item(line: str) -> bool:
    head = line[:4].partition(".")
    return bool(head[1]) and head[0].isdigit()


def _totals(first: str, rows: Sequence[str]) -> Iterator[bool]:
    """Whether the row of totals is the sum of the rows above it, column by column."""
    place = next((at for at, row in enumerate(rows) if at > 1 and cues.TOTAL.match(row)), 0)
    if not place or (place < len(rows) - 1 and not cues.TOTAL.match(rows[place])):
        return
    above = [row for row in rows[:place] if not _SUBTOTAL.search(row)]
    if "|" in rows[place]:
        said = _cells(rows[place])
        head = _cells(first) if first else [""] * len(said)
        columns = zip(*map(_cells, above), strict=False)
        if len({len(head), *(len(_cells(row)) for row in [*above, rows[place]])}) > 1:
            return
        has_times = any(map(_TIMES.search, head))
        for name, column, total in zip(head, columns, said, strict=False):
            if not (cues.NO_SUM.search(name) or (has_times and _EACH.search(name))):
                yield from _summed(
                    [_single(cell) for cell in column],
                    _single(total),
                    is_rounded=bool(_ROUNDED.search(name)),
                )
    else:
        yield from _summed(
            [_single(_said(row)) for row in above], _single(_said(rows[place])), is_rounded=False
        )


def _summed(
    column: Sequence[Quantity | None], total: Quantity | None, *, is_rounded: bool
) -> Iterator[bool]:
    """Whether the numbers of a column make its total; nothing where one cannot tell."""
    numbers = [one for one in column if one is not None]
    if total is None or len(numbers) < 2 or None in column:
        return
    if {one.unit for one in numbers} != {total.unit}:
        return
    is_exact = (
        not is_rounded
        and total.unit != "%"
        and {(one.step, one.scale) for one in [*numbers, total]} <= {(1.0, 1.0), (0.01, 1.0)}
    )
    slack = 0.0 if is_exact else sum(one.step for one in numbers) / 2 + total.step / 2
    yield (
        abs(sum(one.value for one in numbers) - total.value)
        <= slack * 1.000001 + total.value * 1e-9
    )


def _said(row: str) -> str:
    """What stands behind the name of a line in a list."""
    return row.partition(":")[2] or row.lstrip("-*+• ")


def _wholes(rows: Sequence[str], said: str) -> Iterator[bool]:
    """Whether percentages that are parts of a whole make 100."""
    if not cues.SHARES.search(said) or cues.INCOMPLETE.search(said) or cues.NO_SUM.search(said):
        return
    if any(cues.TOTAL.match(row) for row in rows):
        return
    found = [[one for one in quantities(row, 8) if one.unit == "%"] for row in rows]
    parts = [one[0] for one in found if len(one) == 1]
    if len(parts) < 3 or len(parts) < len(rows) or any(len(one) > 1 for one in found):
        return
    total = sum(one.value for one in parts)
    if 80 <= total <= 125:
        yield abs(total - 100) <= sum(one.step for one in parts) / 2 + 1e-6


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")][:20]


def _single(cell: str) -> Quantity | None:
    """The one amount of a cell; None where there is none, or several, or a negative one."""
    if cell.lstrip("*_ ")[:1] in "-−(":
        return None
    found = quantities(cell, 4)
    starts = {one.start for one in found}
    return found[0] if len(starts) == 1 else None
