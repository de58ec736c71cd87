"""The beginning of a JSON text, whose end is missing → JSON of what of it is certain.

What was open at the cut is closed. A text keeps its whole words. A number, a literal, a name or a
word that might go on is left out, and so is a list of numbers that does, because it would be of
another length, and an object of which nothing is known.
"""

from __future__ import annotations

import re
import string

from monitor.errors import ParseError
from monitor.framings.json_array import TOKENS

UNKNOWN = "data:"
"""What stands for base64 that was cut: an address of data without the data. Its size is unknown."""

_DEEPEST, _MOST = 512, 1 << 18
"""So deep it goes, and so many strings and brackets are looked at, a fraction of a second."""
_BLANKS = b" \t\r\n"
_QUOTE, _LIST = ord('"'), ord("[")
_SCALAR = b"+-." + string.digits.encode() + string.ascii_letters.encode()
_WORD = re.compile(rb"(?<=\s)\S{1,64}\Z")
_BASE64 = re.compile(rb"[\w+/=\\-]{256}")
_STRING = re.compile(rb'(?<!\\)"(?:[^"\\]|\\.)*"\Z', re.DOTALL)
_LONGEST = 1024
_NAME = 256
"""A text without blanks that is no longer may be a name, and half a name is another one."""
_SIGNS = 16
"""So many different signs has any stretch of base64; a text of few may be a word that repeats."""


def closed(body: bytes) -> bytes:
    """Return JSON of the beginning of a JSON text.

    Raises ParseError where brackets do not match, are nested too deep or are too many, or a name is
    very long.

    >>> closed(b'{"model": "m", "messages": [{"role": "user", "content": "Where is my ord')
    b'{"model": "m", "messages": [{"role": "user", "content": "Where is my "}]}'
    >>> closed(b'{"a": [[1, 2], [3, 4'), closed(b'{"a": true, "b": 1'), closed(b'{"a": 1, "b')
    (b'{"a": [[1, 2]]}', b'{"a": true}', b'{"a": 1}')
    """
    if _backslashes(body) % 2:
        body = body[:-1]
    opened: list[int] = []
    start, end = 0, 0
    for count, match in enumerate(TOKENS.finditer(body)):
        if count > _MOST:
            raise ParseError("the body has too many strings and brackets")
        sign = body[match.start()]
        if sign == _QUOTE:
            start, end = match.span()
        elif sign in b"{[":
            opened.append(match.start())
            if len(opened) > _DEEPEST:
                raise ParseError("the body is nested too deep")
        elif not opened or sign - body[opened.pop()] != 2:  # as in ASCII
            raise ParseError("the body is not JSON")
    is_open = 0 < end == len(body) and not _ends(body[start:])
    is_last = is_open or 0 < end == len(body.rstrip(_BLANKS))
    is_name = is_last and not _is_value(body[:start], opened)
    said = _words(body[start + 1 :]) if is_open and not is_name else b""
    if said:
        found = body[:start] + b'"' + said + b'"'
    else:
        found = _trimmed(body[:start] if is_open or is_name else body, opened)
    return found + bytes(body[one] + 2 for one in reversed(opened))


def _backslashes(data: bytes) -> int:
    """How many are at the end."""
    return len(data) - len(data.rstrip(b"\\"))


def _ends(token: bytes) -> bool:
    """Whether a string has a quotation mark of its own at its end."""
    return len(token) > 1 and token[-1] == _QUOTE and not _backslashes(token[:-1]) % 2


def _is_value(before: bytes, opened: list[int]) -> bool:
    """Whether a string behind these bytes is a value, and no name of a member."""
    return not opened or before[opened[-1]] == _LIST or before.rstrip(_BLANKS).endswith(b":")


def _trimmed(body: bytes, opened: list[int]) -> bytes:
    """Without what may go on, and the name of what is left out, which is taken from `opened`."""
    found = body.rstrip(_SCALAR)
    is_scalar = len(found) < len(body)
    while True:
        found = found.rstrip(_BLANKS)
        if found.endswith(b":"):
            found = _without_string(found[:-1].rstrip(_BLANKS)).rstrip(_BLANKS)
        has_more = found.endswith(b",")
        found = found.removesuffix(b",").rstrip(_BLANKS)
        is_scalar = is_scalar or (has_more and found[-1:] not in (b"}", b"]", b'"'))
        is_empty = len(opened) > 1 and found.endswith(b"{")
        is_list = is_scalar and bool(opened) and body[opened[-1]] == _LIST
        if not is_empty and (not is_list or found[-1:] in (b"}", b"]", b'"')):
            return found
        found, is_scalar = found[: opened.pop()], False


def _without_string(data: bytes) -> bytes:
    """Without the name of a member at its end; raises ParseError where it is too long for one."""
    found = _STRING.search(data[-_LONGEST:])
    if found is None:
        raise ParseError("the body is not JSON")
    return data[: -len(found[0])]


def _words(said: bytes) -> bytes:
    """What there is of a string, as far as nothing of it depends on what is missing; half a word
    alone is nothing."""
    if said.startswith(b"data:") and b"," in said[:256]:
        return said.partition(b",")[0]
    tail = said[-256:]
    if _BASE64.match(said) and _BASE64.match(tail) and len(set(tail)) >= _SIGNS:
        return UNKNOWN.encode()
    escape = said.rfind(b"\\u", max(len(said) - 6, 0))
    if escape >= 0 and not _backslashes(said[:escape]) % 2:
        is_whole = len(said) == escape + 6 and said[escape + 2 : escape + 4].lower() not in _HALVES
        said = said if is_whole else said[:escape]
    said = said[: len(said) - _cut_character(said[-3:])]
    word = _WORD.search(said[-65:])
    if word is None and len(said) <= _NAME and said.isascii():
        return b""
    return said[: -len(word[0])] if word else said


def _cut_character(tail: bytes) -> int:
    """Bytes at the end that begin a character of UTF-8 (RFC 3629) which they do not end."""
    for place, byte in enumerate(reversed(tail), 1):
        if byte >= 0xC0:
            return place if byte >= (0xC0, 0xE0, 0xF0)[place - 1] else 0
        if byte < 0x80:
            return 0
    return 0


_HALVES = (b"d8", b"d9", b"da", b"db")
"""How the first half of a pair of surrogates begins."""
