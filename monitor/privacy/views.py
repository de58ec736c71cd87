"""str → another spelling of the same str, with the way back: what hides a value from a recognizer.

A recognizer reads a `View`; what it finds is taken out of the text the view was made from, so that
everything else in that text stays exactly as it was written.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from html.entities import html5
from urllib.parse import unquote_to_bytes


@dataclass(frozen=True, slots=True)
class View:
    """A text made from another by replacing pieces of it.

    Piece `i` stands at `at[i]:to[i]` here and stood at `start[i]:end[i]` there. Pieces of equal
    length need no entry.
    """

    text: str
    at: list[int]
    to: list[int]
    start: list[int]
    end: list[int]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]`, not empty, came from; a piece comes back whole.

        >>> unescape("x%40y").origin(1, 2)
        (1, 4)
        """
        return self._first(start), self._last(end - 1)

    def _first(self, position: int) -> int:
        i = bisect_right(self.at, position) - 1
        if i < 0:
            return position
        if position < self.to[i]:
            return self.start[i]
        return self.end[i] + position - self.to[i]

    def _last(self, position: int) -> int:
        i = bisect_right(self.at, position) - 1
        if i < 0:
            return position + 1
        if position < self.to[i]:
            return self.end[i]
        return self.end[i] + position - self.to[i] + 1


def rewrite(
    text: str,
    pattern: re.Pattern[str],
    spell: Callable[[re.Match[str]], str],
    begin: re.Pattern[str] | None = None,
) -> View | None:
    """`text` with every match of `pattern` spelled anew; None when there is none. A match begins
    where `begin` matches, which is quicker to search for."""
    match = _search(pattern, begin, text, 0)
    if match is None:
        return None
    out: list[str] = []
    view = View("", [], [], [], [])
    done = length = 0
    while match is not None:
        start, end = match.span()
        piece = spell(match)
        out += (text[done:start], piece)
        length += start - done
        if len(piece) != end - start:
            view.at.append(length)
            view.to.append(length + len(piece))
            view.start.append(start)
            view.end.append(end)
        length += len(piece)
        done = end
        match = _search(pattern, begin, text, end)
    out.append(text[done:])
    return View("".join(out), view.at, view.to, view.start, view.end)


def _search(
    pattern: re.Pattern[str], begin: re.Pattern[str] | None, text: str, position: int
) -> re.Match[str] | None:
    if begin is None:
        return pattern.search(text, position)
    for place in begin.finditer(text, position):
        if match := pattern.match(text, place.start()):
            return match
    return None


# --- characters ------------------------------------------------------------------------------

# Drawn as nothing, or around or upon what is before: soft hyphen, accents, joiners, fillers, bidi
# controls, enclosing marks (as of keycaps), variation selectors, tags.
_INVISIBLE = (
    "\u00ad\u0300-\u036f\u0488\u0489\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u20d0-\u20f0\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef"
)
_DASHES = "\u058a\u05be\u1806\u2010-\u2015\u2043\u207b\u208b\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
_STOPS = "\u3002\uff0e\uff61"
"""Full stops that domain names may be written with (UTS 46)."""
_SPACES = "\u1680\u00b7\u2022\u2027\u2219\u22c5"
"""A space, and points that stand between groups of digits."""

_invisible = re.compile(f"[{_INVISIBLE}]")
_dash = re.compile(f"[{_DASHES}]")


def _spell_character(character: str) -> str:
    if _invisible.match(character):
        return ""
    if _dash.match(character):
        return "-"
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    if character in _STOPS:
        return "."
    if character in _SPACES:
        return " "
    plain = _invisible.sub("", unicodedata.normalize("NFKC", character))
    is_composed = len(plain) > 1 and any(
        map(str.isdigit, plain)
    )  # a fraction is no digit of a card
    return character if is_composed else plain


_PLANES = (range(0x80, 0x3400), range(0xF900, 0x20000), range(0xE0000, 0xE01F0))
"""Where characters may be spelled another way; ideographs and Hangul never are."""


def _odd_characters() -> dict[str, str]:
    """Every character that is spelled another way."""
    text = "".join(chr(code) for plane in _PLANES for code in plane)
    is_plain, decimal = unicodedata.is_normalized, unicodedata.decimal
    # Most of 80,000 need no closer look, which takes 30 ms at every start.
    few = [each for each in text if not is_plain("NFKC", each) or decimal(each, None) is not None]
    few += re.findall(f"[{_INVISIBLE}{_DASHES}{_STOPS}{_SPACES}]", text)
    spelled = ((each, _spell_character(each)) for each in few)
    return {character: spelling for character, spelling in spelled if spelling != character}


def _odd_class(odd: dict[str, str]) -> str:
    """A character class of all that is *not* plain.

    Written as the complement of a class within the first plane, which `re` looks up in constant
    time; one that reaches beyond it is searched range by range, forty times slower.
    """
    ranges, first = [], 0
    for code in [*sorted(ord(character) for character in odd if character < "\U00010000"), 0x10000]:
        if code > first:
            ranges.append(f"\\u{first:04x}-\\u{code - 1:04x}")
        first = code + 1
    return f"[^{''.join(ranges)}]"


@functools.lru_cache(maxsize=1)
def _odd() -> tuple[dict[str, str], re.Pattern[str]]:
    """What is spelled another way, and how it is found; made for the first text beyond ASCII."""
    odd = _odd_characters()
    return odd, re.compile(_odd_class(odd))


def normalise(text: str) -> View | None:
    """`text` in plain characters: NFKC, nothing invisible, ASCII digits, `-` for every dash.

    Each character by itself, so that the way back is exact. None when nothing would change.

    >>> normalise("４\u200b1 – x").text
    '41 - x'
    """
    if text.isascii():
        return None
    odd, pattern = _odd()
    return rewrite(text, pattern, lambda match: odd.get(match[0], match[0]))


# --- escapes ---------------------------------------------------------------------------------

# Each escape may itself be escaped any number of times in its own way (`%2540`, `&amp;#64;`,
# `\\\\u0040`): one pass undoes all of that.
_escape = re.compile(
    r"%(?:25)*(?P<percent>[2-7][0-9A-Fa-f]|0[9AaDd])"
    r"|(?P<utf8>(?:%(?:25)*[89A-Fa-f][0-9A-Fa-f])+)"
    r"|\\+(?:u(?P<high>[dD][89abAB][0-9A-Fa-f]{2})\\+u(?P<low>[dD][c-fC-F][0-9A-Fa-f]{2})"
    r"|u(?P<u>[0-9A-Fa-f]{4})|x(?P<x>[0-9A-Fa-f]{2})|U(?P<U>000[0-9A-Fa-f]{5})"
    r"|u\{(?P<braces>[0-9A-Fa-f]{1,6})\}|(?P<plain>[bfnrt!-/:-@\[-`{-~]))"
    r"|&(?:amp;)*(?:#(?P<decimal>\d{1,7});?|#[xX](?P<hex>[0-9A-Fa-f]{1,6});?"
    r"|(?P<name>[A-Za-z][A-Za-z0-9]{1,31});)"
)
_begin = re.compile(r"%[0-9A-Fa-f]|\\|&[#A-Za-z]")
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _character(code: int) -> str:
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"


def _undo(match: re.Match[str]) -> str:
    kind = match.lastgroup
    value = match[kind] if kind else ""
    match kind:
        case "utf8":
            return unquote_to_bytes(value.replace("%25", "%")).decode("utf-8", "replace")
        case "plain":
            return _CONTROL.get(value, value)
        case "decimal":
            return _character(int(value))
        case "name":
            return html5.get(value + ";", match[0])
        case "low":
            high = int(match["high"], 16) - 0xD800
            return chr(0x10000 + (high << 10) + int(value, 16) - 0xDC00)
        case _:
            return _character(int(value, 16))


_form = re.compile(r"[^\s=&]*=[^\s]*\+[^\s]*")
_plus = re.compile(r"\+")


def unescape(text: str) -> View | None:
    """`text` with percent, JSON, JavaScript and HTML escapes undone once; None without any.

    >>> unescape(r"a%40b &#64; \\u0040 &commat;").text
    'a@b @ @ @'
    """
    if "%" not in text and "&" not in text and "\\" not in text:
        return None
    view = rewrite(text, _escape, _undo, _begin)
    return None if view is None or view.text == text else view


_printable = re.compile(
    r"=\?[\w-]{1,40}\?[Qq]\?(?P<word>[^?\s]{1,200})\?="
    r"|=(?P<soft>[ \t]*\r?\n)|=(?P<ascii>[2-7][0-9A-Fa-f]|0[9AaDd])"
    r"|(?P<utf8>(?:=[89A-Fa-f][0-9A-Fa-f])+)"
)
_IN_A_WORD = re.compile(r"_|(?:=[0-9A-Fa-f]{2})+")


def unprint(text: str) -> View | None:
    """`text` of a mail with quoted-printable (RFC 2045) and words of a head (RFC 2047) undone; None
    where nothing says that it is one: a stop or a sign of addresses that is escaped, or a line that
    goes on.

    >>> unprint("to a=40b.example").text, unprint("x=4567")
    ('to a@b.example', None)
    """
    if "=" not in text or not any(sign in text for sign in _MAILED):
        return None
    view = rewrite(text, _printable, _unprinted)
    return None if view is None or view.text == text else view


_MAILED = ("=40", "=3D", "=3d", "=2E", "=2e", "=2D", "=2d", "=\n", "=\r\n", "?Q?", "?q?")


def _unprinted(match: re.Match[str]) -> str:
    if match["soft"]:
        return ""
    if word := match["word"]:
        return _IN_A_WORD.sub(lambda one: " " if one[0] == "_" else _octets(one[0]), word)
    return _octets(match[0])


def _octets(escaped: str) -> str:
    return bytes.fromhex(escaped.replace("=", "")).decode("utf-8", "replace")


def unplus(text: str) -> View | None:
    """A form or query string with `+` read as a space; None when it is not one.

    >>> unplus("card=4111+1111").text
    'card=4111 1111'
    """
    if "+" not in text or "=" not in text or not _form.fullmatch(text):
        return None
    return rewrite(text, _plus, lambda _match: " ")
