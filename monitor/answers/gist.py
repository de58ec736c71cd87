"""An answer → what it comes down to, where two answers to one question can be held together."""

from __future__ import annotations

import re
from hashlib import blake2b

import msgspec

from monitor.answers.quotes import folded

_LONGEST, _MEMBERS = 48, 12
"""Characters of a word that can be compared, and members of an object."""
_WORDS = 4
"""A text of so many words is itself what it comes down to."""
_FINAL = re.compile(
    r"(?:\\boxed\{(?P<boxed>[^{}\n]{1,48})\}"
    r"|^[ \t>#*_-]{0,6}(?:the )?(?:final |correct )?"
    r"(?:answer|verdict|label|category|class|decision|antwort|result)"
    r"(?: is)?[*_]{0,2}[ \t]?[:=][ \t*_]{0,4}(?P<said>[^\n]{1,48}?)[*_. \t]{0,4}$)",
    re.IGNORECASE | re.MULTILINE,
)
_TAIL = 2000


def gist(answer: str) -> str:
    """Return 16 hex digits that equal ones share: of a flat JSON object, of what stands behind
    `Answer:` or in a box at the end, or of a few words. Empty where it is prose.

    >>> gist("Yes.") == gist("**yes**"), gist("So it is.\\nAnswer: 12") == gist("Answer: 12.")
    (True, True)
    >>> gist('{"a": 1, "b": "x"}') == gist('{"b": "x", "a": 1}'), gist("It may be so, or not so.")
    (True, '')
    """
    text = answer.strip()
    said = _members(text) if text[:1] == "{" else ""
    if not said:
        finals = _FINAL.findall(text[-_TAIL:])
        if finals:
            said = folded(finals[-1][0] or finals[-1][1])
        elif text[:1] not in "{[" and len(text) <= _LONGEST and len(text.split()) <= _WORDS:
            said = folded(text)
    return (
        blake2b(said.encode("utf-8", "replace"), digest_size=8).hexdigest() if said.strip() else ""
    )


def _members(text: str) -> str:
    """A flat object of words and numbers in one order; empty where it is another thing."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return ""
    if not isinstance(found, dict) or not 0 < len(found) <= _MEMBERS:
        return ""
    for value in found.values():
        if isinstance(value, dict | list) or (isinstance(value, str) and len(value) > _LONGEST):
            return ""
    return repr(sorted(found.items()))
