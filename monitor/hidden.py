"""Record → what of it cannot be looked at: bounds and rules of privacy have left it out.

What nobody can see is neither well nor ill. A rule leaves an empty Part, a mark in the place of a
text, or neither of them: then `Record.withheld` names the role or the column.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence

import msgspec

from monitor import marks
from monitor.marks import GONE
from monitor.types import Inference, Part

ALL = "body"
"""What is named where a rule left so much out that the rest is read as something else."""
MOST = 16
"""Roles and columns of a side that are named."""

_WHOLE = re.compile(rf"\s*<(?:{marks.REDACTED}|{marks.ENTITY}:{marks.TOKEN})>\s*", re.ASCII)
_CUT_OFF = re.compile(rf"<REDACTED:too_long:{marks.DIGEST}:\d+>\Z", re.ASCII)


def is_empty(part: Part) -> bool:
    """Whether a rule has left out all of a part."""
    return part.text is None and part.data is None


def is_hidden(part: Part) -> bool:
    """Whether nothing of a part is left.

    >>> mark = "<CUSTOMER_ID:k1:oeoicfmkhghdcaep>"
    >>> [is_hidden(Part(text=one)) for one in (None, "<REDACTED:error>", mark, f"Dear {mark}", "")]
    [True, True, True, False, False]
    """
    text = part.text
    return part.data is None if text is None else is_mark(text)


def is_mark(text: str) -> bool:
    """Whether a text is nothing but what stands in the place of another."""
    return "<" in text[:8] and _WHOLE.fullmatch(text) is not None


def is_gone(text: str) -> bool:
    """Whether there is nothing but a digest in the place of a text."""
    return text[:10] == GONE and is_mark(text)


def hides(part: Part) -> bool:
    """Whether something of a part is not there; what a pseudonym stands for is."""
    text = part.text
    if text is None:
        return part.data is None
    return "<" in text and (GONE in text or is_mark(text))


def kept(text: str) -> str:
    """A text without the mark of its rest, where it was longer than texts of Records may be."""
    return _CUT_OFF.sub("", text) if text[-1:] == ">" else text


def compared(whole: Inference, ruled: Inference) -> tuple[Inference, dict[str, set[str]]]:
    """What an exchange means after rules about its bodies, and by side the roles and columns of
    which these left something out; `whole` is what it meant before. Tools and a schema that they
    changed are not those that were asked for."""
    sides = {
        "inputs": _missing(whole.inputs, ruled.inputs),
        "outputs": _missing(whole.outputs, ruled.outputs),
    }
    if ruled.tools != whole.tools or ruled.schema != whole.schema:
        ruled = msgspec.structs.replace(ruled, tools={}, schema=None)
    return ruled, {side: names for side, names in sides.items() if names}


def _missing(whole: Sequence[Part], ruled: Sequence[Part]) -> set[str]:
    """Roles and columns with fewer parts than before, or with other values and no mark of that;
    `ALL` where others are there now, because the body can be read no more as what it was."""
    if whole == ruled:
        return set()
    if not {name(part) for part in ruled}.issubset(name(part) for part in whole):
        return {ALL}
    had: dict[str, list[Part]] = defaultdict(list)
    left: dict[str, list[Part]] = defaultdict(list)
    for parts, found in ((whole, had), (ruled, left)):
        for part in parts:
            found[name(part)].append(part)
    return {
        one
        for one, parts in had.items()
        if len(left[one]) < len(parts) or any(map(_differs, parts, left[one]))
    }


def _differs(before: Part, now: Part) -> bool:
    """Whether a part says something else than before, and neither that it is empty nor a mark in
    the place of a value tells."""
    if now.text is not None and now.text != before.text:
        return not _is_marked(now.text)
    if now.data is None or now.data == before.data:
        return False
    was = before.data or []
    return len(now.data) != len(was) or any(
        one != other and not _is_marked(one) and (one == one or other == other)  # noqa: PLR0124  NaN
        for one, other in zip(now.data, was, strict=True)
    )


def _is_marked(value: object) -> bool:
    return isinstance(value, str) and (is_mark(value) or GONE in value)


def named(names: Collection[str]) -> list[str]:
    """Which of these roles and columns a Record names: `ALL` too where they are more than `MOST`.

    >>> named({"user", "system"}), len(named([f"x{n}" for n in range(40)]))
    (['system', 'user'], 16)
    """
    found = sorted(names)
    return found if len(found) <= MOST else [ALL, *found[: MOST - 1]]


def name(part: Part) -> str:
    """The column or the role of a part."""
    return part.name or part.role or ""
