"""A model that cannot stop: its answer ends in a block that comes again and again, or says little
that is new.

The test of the tail is that of inference servers (a block of tokens that comes several times in a
row); the distinct n-grams are those of Li et al. 2016 ("distinct-n"); the ratio of compression is
Whisper's, with a higher bound, because tables compress well.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Annotated

import msgspec

from monitor.interfaces import EdgeCase
from monitor.types import Part
from monitor.view import View

_LOOK = 8000
"""Characters at the end of an answer that are looked at: loops do not end before it does."""
_PERIOD, _TIMES, _COVERED = 60, 4, 48
"""The longest block that is looked for, how often it comes, and how many words that covers."""
_DISTINCT, _RATIO = 0.35, 4.5
_SIGNS = 4
_DENSE, _A_WORD = 40, 5
"""A text with more characters for each word has none; then so many characters count as a word."""
_SAMPLE, _SAMPLES, _AGAIN = 12, 12, 3
"""Characters of a sample, samples of a text, and how many of them come again where 65 % of all
n-grams do: fewer by chance in one text of a thousand."""
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_TABLE = re.compile(r"^[ \t]{0,8}\|.*$", re.MULTILINE)


class Thresholds(msgspec.Struct, frozen=True):
    """Answers of fewer `words` are not looked at."""

    words: Annotated[int, msgspec.Meta(ge=48)] = 60


def holds(view: View, thresholds: Thresholds) -> bool:
    """Whether an answer repeats itself, outside code and tables."""
    note = "repetition", thresholds.words
    found = view.notes.get(note)
    if found is None:
        found = any(_repeats(text, thresholds.words) for text in view.answers)
        view.notes[note] = found
    return bool(found)


def is_long(answer: str, least: int) -> bool:
    """Whether an answer has so many words outside code and tables that it is looked at."""
    text = _prose(answer)
    words = len(text.split(None, least))
    return words >= least or len(text) >= max(_A_WORD * least, words * _DENSE + 1)


def _repeats(answer: str, least: int) -> bool:
    text = _prose(answer)
    if not _seems_to(text):
        return False
    words = text.split()
    if len(words) * _DENSE < len(text):  # there are no words between spaces
        return len(text) >= _A_WORD * least and _loops(text, _A_WORD * _COVERED)
    if len(words) < least:
        return False
    count = len(words) - 3
    if _loops(words, _COVERED) or _loops(words[:-1], _COVERED):  # the last may be cut
        return True
    if len(set(words)) > _DISTINCT * count + 3:
        return False  # nor can what follows be
    distinct = len(set(zip(words, words[1:], words[2:], words[3:], strict=False)))
    return distinct < _DISTINCT * count or (distinct < 0.6 * count and _ratio(text) > _RATIO)


def _seems_to(text: str) -> bool:
    """Whether the end comes earlier, too, or some of a few samples come again. What repeats itself
    does so; most texts do not, and need not be taken apart."""
    if text.find(text[-_SAMPLE:], 0, -_SAMPLE) >= 0:
        return True
    again = 0
    for place in range(0, len(text) - _SAMPLE, max(len(text) // _SAMPLES, 1)):
        again += text.find(text[place : place + _SAMPLE], place + 1) >= 0
        if again >= _AGAIN:
            return True
    return False


def _ratio(text: str) -> float:
    """How many times smaller the text is when it is compressed."""
    data = text.encode("utf-8", "replace")
    return len(data) / len(zlib.compress(data, 1))


def _loops(words: Sequence[str], covered: int) -> bool:
    """Whether the words end in a block that comes `_TIMES` times and fills so many words; of signs
    alone, as in a ruler, `_SIGNS` times as many."""
    last = words[-1]
    longest = min(_PERIOD, len(words) // _TIMES)
    before = words[-2 : -2 - longest : -1]
    period = 0
    for _ in range(before.count(last)):
        period = before.index(last, period) + 1
        length = max(_TIMES * period, covered)
        if length > len(words) or words[-length:-period] != words[period - length :]:
            continue
        if any(map(str.isalnum, "".join(words[-period:]))):
            return True
        length *= _SIGNS
        if length <= len(words) and words[-length:-period] == words[period - length :]:
            return True
    return False


def _prose(answer: str) -> str:
    """The end of an answer without code between fences and rows of tables."""
    text = answer[-_LOOK:]
    if "```" in answer:
        if answer.count("```", 0, max(len(answer) - _LOOK, 0)) % 2:
            text = "```" + text
        text = _FENCED.sub(" ", text)
    return _TABLE.sub("", text) if "|" in text else text


def _answer(text: str) -> View:
    return View(outputs=[Part(role="assistant", text=text)])


_TALE = (
    "The parcel left our store in Ulm on Monday morning. It was weighed, labelled and put on the "
    "first train to Berlin, where a driver took it over. Since then nobody has scanned it, which "
    "may mean that the label is damaged or that it waits in a depot. We have asked the carrier "
    "to look for it, and you will hear from us by Thursday at the latest. Should it be lost, we "
    "send another one at once, free of charge, and you need not do anything for that."
)
_ROWS = "\n".join(f"| {day} | Ulm | on its way | on its way |" for day in range(60))

EDGE_CASE = EdgeCase(
    "repetition",
    lambda given: f"an answer of {given.words} words or more that repeats itself",
    holds,
    Thresholds(),
    examples=(
        _answer(_TALE + " very" * 60),
        _answer(_TALE + " It is on its way to you." * 12),
        _answer((_TALE + "\n\n") * 4),
        _answer("a" * 5000),
        _answer("お待ちください。" * 60),
        _answer("!" * 5000),
        _answer(_TALE + " very" * 60 + " ver"),
        _answer("I think that it is late. I think that it is lost. " * 20 + "Good night."),
    ),
    near_misses=(
        _answer(_TALE),
        _answer("very " * 59),
        _answer(_TALE + "\n```\n" + "x = x + 1\n" * 60 + "```"),
        _answer(_TALE + "\n```\n" + "x = x + 1\n" * 2000),
        _answer(_ROWS),
        _answer(_TALE + "\n" + "* " * 60 + "\n" + "-" * 120),
        _answer("\n".join(f"https://example.org/parcels/of/{day}/label.pdf" for day in range(90))),
        _answer(
            "\n".join(f"{day}. Day {day}: {day * 7} parcels, {day * 3} late" for day in range(40))
        ),
    ),
)
