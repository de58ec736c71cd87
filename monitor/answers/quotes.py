"""Text → what it quotes word for word, and whether another text holds that.

Words are compared without case, punctuation, marks of Markdown and kinds of spaces, after NFKC
(Unicode Standard Annex 15): what is quoted is what was said, not how it was set.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

from monitor.words import cues

MOST = 100
"""Of more quotes the first are looked at."""
LONGEST = 2000
"""A longer run between marks is no quote: one of them is missing."""

_QUOTED = re.compile(
    r"“(?P<curly>[^“”]{1,2000})”|„(?P<german>[^„“”]{1,2000})[“”]|«(?P<french>[^«»]{1,2000})»"
    r"|»(?P<turned>[^«»]{1,2000})«|「(?P<corner>[^「」]{1,2000})」"
    r"|(?<![\w\"=])\"(?P<straight>[^\"\n]{1,2000})\"(?![\w\"])"
)
_GAP = re.compile(r"\[[^\]\n]{0,80}\]|\(?(?:\.\.\.|…|\. \. \.)\)?")
_LETTER = re.compile(r"\w+")
_FOLDED = bytes(
    ord(chr(code).lower()) if chr(code).isalnum() else 32 for code in range(128)
) + bytes(128)


def folded(text: str) -> str:
    """The words of a text, a space around each, in one form.

    >>> folded("The “tenant” may—at any time— leave.")
    ' the tenant may at any time leave '
    """
    if text.isascii():  # as bytes; to look for words would take ten times as long
        text = text.encode().translate(_FOLDED).decode()
        return f" {' '.join(text.split())} "
    text = unicodedata.normalize("NFKC", text.replace("\u00ad", ""))
    return f" {' '.join(_LETTER.findall(text.lower().replace('_', ' ')))} "


def _may_have_gap(said: str) -> bool:
    """Whether one of the signs is there that whatever `_GAP` matches has."""
    return "[" in said or "…" in said or "..." in said or ". . ." in said


def quotes(text: str, words: int) -> Iterator[list[str]]:
    """Yield each quote of at least so many words as its runs, folded: what is left out parts them.

    What an answer offers as a wording of its own is no quote.

    >>> list(quotes('It says “no pets … without the written consent of the owner”.', 6))
    [[' without the written consent of the owner ']]
    >>> list(quotes('You could write: "Dear Sir, I would like to have my money back."', 6))
    []
    """
    for match in islice(_QUOTED.finditer(text), MOST):
        start = match.start()
        said = match[match.lastgroup or 0]
        if said.count(" ") + 1 < words or cues.OWN_WORDING.search(
            text[max(start - 110, 0) : start]
        ):
            continue
        runs = [folded(run) for run in (_GAP.split(said) if _may_have_gap(said) else (said,))]
        if sum(run.count(" ") - 1 for run in runs) < words:
            continue
        kept = [run for run in runs if run.count(" ") > 3]
        if kept:
            yield kept
