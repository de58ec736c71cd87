"""Bytes of `multipart/form-data` → its parts, each with the offset behind it (RFC 7578, RFC 2046).

Read as tolerantly as servers read it: lines may end with a line feed alone, quotes may be escaped
as browsers do it (`%22`) or as curl does (`\\"`). What the end of the bytes cut off is given too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

MAX_HEADER_BYTES = 8192
"""A part whose headers are longer has none."""
_MAX_BOUNDARY = 200  # RFC 2046 allows 70
_MAX_PADDING = 128


class Part(NamedTuple):
    """A field of a form; `filename` is None where it is no file, `type` as the part says it.

    `end` is the offset behind the part and what divides it from the next, in bytes of the body. One
    that is not whole was cut off.
    """

    name: str
    filename: str | None
    type: str
    data: bytes
    end: int
    is_whole: bool = True


class _Divider(NamedTuple):
    start: int
    end: int
    is_last: bool = False
    is_certain: bool = True


_PARAMETER = re.compile(
    r";[ \t]*([\w!#$&+^`|~.*-]{1,64})[ \t]*=[ \t]*"
    r'(?:"(?>([^"\\]*(?:\\.[^"\\]*)*))(?:"|\\?\Z)|([^;"]*))',
    re.DOTALL,
)
_ESCAPED = re.compile(r'\\(["\\])')
_QUOTED = {"%22": '"', "%0D": "\r", "%0A": "\n"}


def parts(body: bytes, content_type: str) -> Iterator[Part]:
    """Parts of a whole body, in order; none where `content_type` names no boundary.

    >>> body = b'--b\\r\\nContent-Disposition: form-data; name="model"\\r\\n\\r\\nm-1\\r\\n--b--'
    >>> list(parts(body, "multipart/form-data; boundary=b"))
    [Part(name='model', filename=None, type='text/plain', data=b'm-1', end=63, is_whole=True)]
    """
    boundary = _parameters(content_type).get("boundary", "").encode("utf-8", "replace")
    if not 0 < len(boundary) <= _MAX_BOUNDARY:
        return
    begin: int | None = None
    for divider in _dividers(body, b"--" + boundary):
        if begin is not None:
            part = _part(body[begin : divider.start], divider.end, is_whole=divider.is_certain)
            if part is not None:
                yield part
        if divider.is_last:
            return
        begin = divider.end


def _dividers(body: bytes, mark: bytes) -> Iterator[_Divider]:
    """What divides the parts, in order; the last is the end of the bytes if there is no other."""
    place = 0
    while (found := body.find(mark, place)) >= 0:
        place = found + 1
        if found and body[found - 1] != 10:
            continue
        start = max(found - (2 if body[found - 2 : found] == b"\r\n" else 1), 0)
        after = found + len(mark)
        if body[after : after + 2] == b"--":
            yield _Divider(start, after + 2, is_last=True)
            return
        rest = body[after : after + _MAX_PADDING]
        line, is_ended, _ = rest.partition(b"\n")
        if is_ended and not line.strip(b" \t\r"):
            yield _Divider(start, after + len(line) + 1)
            place = after + len(line)  # whose line feed may begin the next one
        elif after + len(rest) == len(body) and (rest == b"-" or not rest.strip(b" \t\r")):
            yield _Divider(start, len(body), is_last=True, is_certain=False)
            return
    yield _Divider(len(body) - _overlap(body, mark), len(body), is_last=True, is_certain=False)


def _overlap(body: bytes, mark: bytes) -> int:
    """How many bytes at the end of a body may begin what divides two parts."""
    dividers = (b"\r\n" + mark, b"\n" + mark)
    sizes = range(len(mark) + 2, 0, -1)
    return next((n for n in sizes if body.endswith(tuple(one[:n] for one in dividers))), 0)


def _part(block: bytes, end: int, *, is_whole: bool) -> Part | None:
    """A part's headers and data; None where the end of the bytes cut off its headers."""
    if block.startswith((b"\r\n", b"\n")):
        head, data = b"", block[block.index(b"\n") + 1 :]
    else:
        start = block[:MAX_HEADER_BYTES]
        ends = [(start.find(one), len(one)) for one in (b"\n\r\n", b"\n\n")]
        stop, size = min((one for one in ends if one[0] >= 0), default=(-1, 0))
        if stop >= 0:
            head, data = block[:stop], block[stop + size :]
        elif len(block) > MAX_HEADER_BYTES:
            head, data = b"", block
        elif is_whole:
            head, data = block, b""
        else:
            return None
    fields = _fields(head)
    said = _parameters(fields.get("content-disposition", ""))
    return Part(
        name=said.get("name", ""),
        filename=said.get("filename*", said.get("filename")),
        type=fields.get("content-type", "text/plain"),
        data=data,
        end=end,
        is_whole=is_whole,
    )


def _fields(head: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def _parameters(value: str) -> dict[str, str]:
    """The parameters of a header's value, by lower-case name; of several the first."""
    found: dict[str, str] = {}
    for said, quoted, plain in _PARAMETER.findall(value):
        name = said.lower()
        if name.endswith("*"):  # RFC 8187
            text = unquote(plain.strip().rpartition("'")[2])
        elif quoted:
            text = _ESCAPED.sub(r"\1", quoted)
            for code, character in _QUOTED.items():
                text = text.replace(code, character)
        else:
            text = plain.strip()
        found.setdefault(name, text)
    return found


def is_form(headers: dict[str, str]) -> bool:
    """Whether a message's headers announce a form in parts."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "multipart/form-data"
