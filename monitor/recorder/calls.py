"""Exchange → Call: heads parsed, content coding and foreign charsets removed, within bounds."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol as Interface

import brotli

from monitor import zstd
from monitor.bodies import Body, Cut
from monitor.recorder import charsets
from monitor.types import Call, Exchange, Message

MAX_FIELDS = 500
MAX_DECODED_BYTES = 8 << 20
MAX_RATIO = 256
"""A body decodes to at most MAX_DECODED_BYTES, and to MAX_RATIO times its size beyond 64 KiB; so
does each of its codings."""

_AS_LATIN_1 = "monitor-latin-1"
"""Names of populations come as UTF-8 in real headers; any other byte is a character of Latin-1, as
RFC 9110 §5.5 has it. Byte by byte: one bad byte must not hide how the rest is spelled."""


def _latin_1(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_AS_LATIN_1, _latin_1)

_TEXTUAL = ("text/", "application/json", "application/x-ndjson", "application/x-www-form")


def read(exchange: Exchange, max_decoded: int = MAX_DECODED_BYTES) -> Call:
    """Return an exchange as a Call; never raises, whatever its bytes.

    A body that cannot be decoded to its end (cut, corrupt, or beyond `max_decoded` bytes) keeps the
    part before that and is marked truncated.
    """
    request, response = exchange.request, exchange.response
    start, headers = head(request.head)
    method, _, rest = start.partition(" ")
    path, _, query = _target(rest.rpartition(" ")[0] or rest).partition("?")
    body, is_whole, _ = _decode(request, headers, [], max_decoded)
    status: int | None = None
    response_headers: dict[str, str] = {}
    response_body, is_response_whole = Body(), True
    arrivals: list[tuple[float, int]] = []
    trailers: dict[str, str] = {}
    if response is not None:
        start, response_headers = head(response.head)
        code = start.split(" ", 2)[1:2]
        status = int(code[0]) if code and code[0].isascii() and code[0].isdigit() else None
        response_body, is_response_whole, arrivals = _decode(
            response, response_headers, exchange.chunks, max_decoded
        )
        trailers = fields(response.trailers)
    return Call(
        exchange=exchange,
        method=method,
        path=path,
        query=query,
        request_headers=headers,
        request_body=body,
        request_truncated=not is_whole,
        status=status,
        response_headers=response_headers,
        response_body=response_body,
        response_truncated=not is_response_whole,
        arrivals=arrivals,
        trailers=trailers,
    )


def head(raw: bytes) -> tuple[str, dict[str, str]]:
    """Return the start line and fields of a message head.

    >>> head(b"GET / HTTP/1.1\\r\\nA: 1\\r\\na: 2\\r\\n\\r\\n")
    ('GET / HTTP/1.1', {'a': '1, 2'})
    """
    start, _, rest = raw.lstrip(b"\r\n").partition(b"\n")
    return start.decode("utf-8", _AS_LATIN_1).rstrip("\r"), fields(rest)


def fields(raw: bytes) -> dict[str, str]:
    """Return fields by lower-case name; repeated ones joined with `, `, folded ones by a space."""
    found: dict[str, str] = {}
    if not raw:
        return found
    last = ""
    for line in raw.decode("utf-8", _AS_LATIN_1).split("\n", MAX_FIELDS)[:MAX_FIELDS]:
        if last and line.startswith((" ", "\t")):
            found[last] = f"{found[last]} {line.strip()}".strip()
            continue
        name, colon, value = line.partition(":")
        if colon:
            last = name.strip().lower()
            value = value.strip()
            found[last] = f"{found[last]}, {value}" if last in found else value
    return found


def _target(target: str) -> str:
    """Return the path and query of a request target, which may be a URL (RFC 9112 §3.2.2)."""
    scheme, found, rest = target.partition("://")
    if found and scheme.lower() in ("http", "https"):
        slash = min((i for i in (rest.find("/"), rest.find("?")) if i >= 0), default=len(rest))
        target = rest[slash:]
        return target if target.startswith("/") else "/" + target
    return target.partition("#")[0]


# --- bodies ------------------------------------------------------------------------------------

_STEP = 65536
"""Bytes that a stage decodes at a time; bytes beyond the bound are never decoded."""


class _BrokenError(Exception):
    """The body is not in the coding that it claims; what was decoded before is good."""


class _EnoughError(Exception):
    """The body, or what lies between two of its codings, is beyond the bound."""


class _Stage(Interface):
    """Decodes one coding piece by piece."""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` decodes to, about _STEP bytes at a time; raises _BrokenError."""

    def is_complete(self) -> bool:
        """Return True if the coded body ended where a body may end."""


class _Zlib:
    """gzip (RFC 1952, any number of members) and deflate (RFC 9110 §8.4.1.2, with or without the
    zlib wrapper that senders forget)."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._object = zlib.decompressobj(wbits)
        self._has_begun = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        is_full = False
        while data or is_full:
            if self._object.eof:
                if self._wbits != 31 or not data.lstrip(b"\0"):
                    return  # padding or garbage behind the end
                self._object = zlib.decompressobj(self._wbits)
            try:
                piece = self._object.decompress(data, _STEP)
            except zlib.error:
                if self._has_begun or self._wbits != 15:
                    raise _BrokenError from None
                self._wbits, self._has_begun = -15, True
                self._object = zlib.decompressobj(-15)
                continue
            self._has_begun = True
            data = self._object.unused_data if self._object.eof else self._object.unconsumed_tail
            is_full = len(piece) == _STEP and not self._object.eof  # zlib may hold more
            yield piece

    def is_complete(self) -> bool:
        return self._object.eof


class _Brotli:
    def __init__(self) -> None:
        self._object = brotli.Decompressor()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while not self._object.is_finished():
            try:
                piece: bytes = self._object.process(data, output_buffer_limit=_STEP)
            except brotli.error:
                raise _BrokenError from None
            data = b""
            if not piece and self._object.can_accept_more_data():
                return
            yield piece

    def is_complete(self) -> bool:
        return bool(self._object.is_finished())


class _Zstd:
    """Zstandard: any number of frames."""

    def __init__(self) -> None:
        self._frame: zstd.ZstdDecompressor | None = None

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while data or (self._frame and not self._frame.needs_input):
            self._frame = frame = self._frame or zstd.decompressor()
            try:
                piece = frame.decompress(data, _STEP)
            except zstd.ZstdError:
                raise _BrokenError from None
            data = b""
            if frame.eof:
                data, self._frame = frame.unused_data, None
            yield piece

    def is_complete(self) -> bool:
        return self._frame is None


class _Charset:
    """A text in another charset → UTF-8."""

    def __init__(self, codec: str) -> None:
        self._object = codecs.getincrementaldecoder(codec)("replace")

    def pieces(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _STEP):
            try:
                text = self._object.decode(data[start : start + _STEP])
            except UnicodeError:  # as UTF-16 without a mark of its byte order
                raise _BrokenError from None
            yield text.encode("utf-8", "replace")

    def is_complete(self) -> bool:
        return True


_CODINGS: dict[str, Callable[[], _Stage]] = {
    "gzip": lambda: _Zlib(31),
    "x-gzip": lambda: _Zlib(31),
    "deflate": lambda: _Zlib(15),
    "br": _Brotli,
    "zstd": _Zstd,
}


def _stages(headers: dict[str, str]) -> list[_Stage]:
    stages: list[_Stage] = []
    if said := headers.get("content-encoding"):
        names = said.lower().replace(" ", "").split(",")
        codings = [name for name in names if name and name != "identity"]
        if len(codings) <= 4 and all(name in _CODINGS for name in codings):
            stages = [_CODINGS[name]() for name in reversed(codings)]
    kind, _, parameters = headers.get("content-type", "").lower().partition(";")
    if "charset" in parameters and (kind.startswith(_TEXTUAL) or kind.strip().endswith("json")):
        charset = parameters.partition("charset=")[2].partition(";")[0].strip(" \"'")
        if codec := charsets.codec(charset):
            stages.append(_Charset(codec))
    return stages


def _decode(
    message: Message, headers: dict[str, str], chunks: list[tuple[float, int]], max_decoded: int
) -> tuple[Body, bool, list[tuple[float, int]]]:
    """Return the body, whether it is whole, and the arrivals in its offsets."""
    body = message.body
    is_whole = message.size <= len(body)
    stages = _stages(headers) if body else []
    if not stages:
        return _kept(body, is_whole=is_whole), is_whole, chunks
    limit = min(max_decoded, max(len(body) * MAX_RATIO, 65536))
    decoding = _Decoding(stages, limit)
    arrivals = []
    start = 0
    ends = [(at, min(end, len(body))) for at, end in chunks]
    if not ends or ends[-1][1] < len(body):
        ends.append((ends[-1][0] if ends else 0.0, len(body)))
    for at, end in ends:
        is_sound = decoding.feed(body[start:end])
        start = end
        arrivals.append((at, len(decoding.body)))
        if not is_sound:
            is_whole = False
            break
    else:
        is_whole = is_whole and all(stage.is_complete() for stage in stages)
    return _kept(decoding.body, is_whole=is_whole), is_whole, arrivals if chunks else []


def _kept(body: bytes | bytearray, *, is_whole: bool) -> Body:
    return Body(body) if is_whole else Cut(body)


class _Decoding:
    """Removes all codings of a body; no stage decodes more than `limit` bytes."""

    def __init__(self, stages: list[_Stage], limit: int) -> None:
        self.body = bytearray()
        self._stages = stages
        self._left = [limit] * len(stages)

    def feed(self, data: bytes) -> bool:
        """Decode more; return False if the body is broken or beyond the bound: it ends there."""
        try:
            self._pass(0, data)
        except (_BrokenError, _EnoughError):
            return False
        return True

    def _pass(self, place: int, data: bytes) -> None:
        if place == len(self._stages):
            self.body += data
            return
        for piece in self._stages[place].pieces(data):
            left = self._left[place]
            self._pass(place + 1, piece[:left])
            self._left[place] = left - len(piece)
            if len(piece) > left:
                raise _EnoughError
