"""A file of somebody's log → its rows, each a JSON text with its line; in constant memory.

Rows are JSON objects, one a line, or in a list or one behind the other in whatever form, or lines
of CSV. What cannot be read is told to the Damage, and reading goes on behind it.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from monitor import packing
from monitor.damage import Damage
from monitor.errors import ParseError, SourceError
from monitor.logged import Logged

LONGEST = 32 << 20
"""Bytes of a row, at most; a longer one is passed over."""
READ = 1 << 18
"""Bytes that are read at once where rows do not end with lines."""
COLUMNS = 1000
"""Columns of CSV that are looked at."""

CUT = "is cut off"
"""What is said of a list, or an object, that the end of a file breaks off."""

UNREADABLE = (ParseError, msgspec.DecodeError, UnicodeError, RecursionError, ValueError)
"""What reading a row raises that is none."""

Numbered = Iterator[tuple[int, bytes]]
_Cut = Callable[[io.BufferedReader, bytes, Path, Damage], Numbered]
Read = Callable[[bytes], Iterable[Logged]]
"""A row → what it says of each exchange in it; raises one of UNREADABLE."""

_MARK = b"\xef\xbb\xbf"
_BETWEEN = re.compile(r"[\s,\[\]]*")
_OPENING = re.compile(r'\{\s*"[^"\\]*"')
_NEARLY = 16
"""So near to the end of what was read a mistake may be that there is more to come."""
_scan: Any = json.scanner.make_scanner(json.JSONDecoder(strict=False))  # type: ignore[attr-defined]


def each(
    read: Read, cut: Callable[[Path, Damage], Numbered] | None = None
) -> Callable[[Sequence[Path], Damage], Iterator[Logged]]:
    """What reads all rows of files, one by one; `cut` gives them, `rows` unless said otherwise."""

    def exchanges(paths: Sequence[Path], damage: Damage) -> Iterator[Logged]:
        for path in paths:
            damage.begin(path)
            for line, row in (cut or rows)(path, damage):
                try:
                    found = read(row)
                except UNREADABLE as error:
                    damage.rows(path, f"{path}:{line}", reason(error))
                else:
                    yield from found

    return exchanges


def reason(error: Exception) -> str:
    """What is wrong with a row, in words that hold nothing of it."""
    if isinstance(error, ParseError | msgspec.ValidationError):
        return str(error)[:200]
    return "nested too deeply" if isinstance(error, RecursionError) else "not JSON"


def rows(path: Path, damage: Damage) -> Iterator[tuple[int, bytes]]:
    """(line where it begins, JSON text) of each row of a file, packed or not.

    Raises SourceError when the file cannot be opened.
    """
    yield from _opened(path, damage, None)


def lines(path: Path, damage: Damage) -> Numbered:
    """The same of each line, whatever is on it."""
    yield from _opened(path, damage, _lines)


def within(member: bytes) -> Callable[[Path, Damage], Numbered]:
    """What gives the same of each object in a list that the object in a file has as a member,
    however large both are. The list is looked for in the first `LONGEST` bytes. Files that were put
    one behind the other have a list each."""
    opening = re.compile(rb'"' + re.escape(member) + rb'"\s*:\s*\[')
    another = re.compile(opening.pattern.decode())

    def inside(stream: io.BufferedReader, first: bytes, path: Path, damage: Damage) -> Numbered:
        text = first
        while (match := opening.search(text)) is None:
            more = stream.read(READ)
            if not more or len(text) > LONGEST:
                damage.rows(path, f"{path}:1", f"has no list of {member.decode()}")
                return
            text += more
        before = text.count(b"\n", 0, match.end())
        yield from _stream(
            stream, text[match.end() :], path, damage, before=before, another=another
        )

    return partial(_opened, how=inside)


def _opened(path: Path, damage: Damage, how: _Cut | None) -> Numbered:
    line = 0
    try:
        stream = packing.opened(path)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {packing.why(error)}") from None
    try:
        with stream:
            first = _first_line(stream)
            begin = first.removeprefix(_MARK).strip()
            if how is None and begin and begin[:1] not in (b"{", b"["):
                second = stream.readline(LONGEST)
                if b"," in begin and not second.lstrip().startswith(b'{"'):
                    first, how = first + second, _csv
                else:  # the first is what a cut has left of an object, or a remark
                    line = first.rstrip().count(b"\n") + 1
                    yield line, first.lstrip()
                    first, how = b"\n" * line + second, _lines
            found = (how or _how(begin))(stream, first, path, damage)
            for line, row in found:
                yield line, row
    except OSError as error:
        damage.ends(path, f"{path}:{line + 1}", packing.why(error))


def _first_line(stream: io.BufferedReader) -> bytes:
    """Empty lines, and the first that is not."""
    found = line = stream.readline(LONGEST)
    while line and not line.strip() and len(found) < LONGEST:
        line = stream.readline(LONGEST)
        found += line
    return found


def _how(begin: bytes) -> _Cut:
    """How rows are cut out of a text of objects."""
    is_open = begin.startswith(b"[") or begin.endswith((b"{", b"[", b","))
    return _stream if is_open else _lines


def _lines(stream: io.BufferedReader, first: bytes, path: Path, damage: Damage) -> Numbered:
    line = first.count(b"\n", 0, len(first) - 1)
    text = first.removeprefix(_MARK).lstrip()
    while text:
        line += 1
        if len(text) >= LONGEST and not text.endswith(b"\n"):
            _pass_line(stream)
            damage.rows(path, f"{path}:{line}", f"longer than {LONGEST >> 20} MB")
        elif not text.isspace():
            yield line, text
        text = stream.readline(LONGEST)


def _pass_line(stream: io.BufferedReader) -> None:
    while (more := stream.readline(LONGEST)) and not more.endswith(b"\n"):
        pass


def _stream(
    stream: io.BufferedReader, first: bytes, path: Path, damage: Damage, *, before: int = 0,
    another: re.Pattern[str] | None = None,
) -> Numbered:  # fmt: skip
    """Objects in a list, or one behind the other. Behind one that is broken the next begins where
    the same name opens an object as opens the first. So many lines came `before`. Where the list is
    in an object, `another` begins like that."""
    items = _Items(stream, first)
    items.line += before
    is_list = another is not None or first.removeprefix(_MARK).lstrip().startswith(b"[")
    while items.more():
        if another is not None and items.is_closed():
            if not items.find(another):
                return
            continue
        end = items.end()
        if end:
            yield items.line, items.take(end)
            continue
        if items.wrong == CUT:
            damage.ends(path, f"{path}:{items.line}", CUT)
            return
        damage.rows(path, f"{path}:{items.line}", items.wrong)
        if not items.find_next():
            return
    if is_list and not items.is_ended:
        damage.ends(path, f"{path}:{items.line}", CUT)


class _Items:
    """The objects of a text that is read piece by piece; `line` is where the next one begins, and
    `is_ended` says whether a list has ended behind the last."""

    def __init__(self, stream: io.BufferedReader, first: bytes) -> None:
        self.line = 1
        self.wrong = ""
        self.is_ended = False
        self._stream = stream
        self._bytes = b""  # the beginning of a character
        self._text = self._decoded(first.removeprefix(_MARK))
        self._at = 0
        self._is_over = False
        self._opening: re.Pattern[str] | None = None

    def more(self) -> bool:
        """Go to the next item; whether there is one."""
        while True:
            match = _BETWEEN.match(self._text, self._at)
            if match is not None:
                self.is_ended |= "]" in match[0]
                self._go(match.end())
            if self._at < len(self._text):
                return True
            if not self._read():
                return False

    def is_closed(self) -> bool:
        """Whether the list is over: the object that it is in ends here, or has another member."""
        return self._text[self._at] in '}"'

    def find(self, opening: re.Pattern[str]) -> bool:
        """Go behind the next text that is like so; whether there is one."""
        while (match := opening.search(self._text, self._at)) is None:
            self._go(max(self._at, len(self._text) - 256))
            if not self._read():
                return False
        self._go(match.end())
        return True

    def end(self) -> int:
        """Where the object ends that begins here; 0 where none does, and `wrong` says why."""
        while True:
            if self._text[self._at] != "{":
                self.wrong = "not a JSON object"
                return 0
            try:
                return int(_scan(self._text, self._at)[1])
            except StopIteration as error:
                place, is_open = int(error.value), False
            except json.JSONDecodeError as error:
                place, is_open = error.pos, error.msg.startswith("Unterminated")
            except (RecursionError, ValueError) as error:  # a number of more digits than is good
                self.wrong = reason(error)
                return 0
            is_cut = is_open or place > len(self._text) - _NEARLY
            if not is_cut:
                self.wrong = "not JSON"
                return 0
            if len(self._text) - self._at > LONGEST:
                self.wrong = f"longer than {LONGEST >> 20} MB"
                return 0
            if not self._read():
                self.wrong = CUT
                return 0

    def take(self, end: int) -> bytes:
        """The item up to its end, behind which the next one begins."""
        found = self._text[self._at : end]
        if self._opening is None and (opening := _OPENING.match(found)):
            name = re.escape(opening[0].lstrip("{").strip())
            self._opening = re.compile(r"(?<=[\s,}\[])\{\s*" + name)
        self._go(end)
        self.is_ended = False
        return found.encode("utf-8", "replace")

    def find_next(self) -> bool:
        """Go to the item behind a broken one; whether there is one."""
        opening = self._opening or _OPENING
        self._go(self._at + 1)
        while True:
            match = opening.search(self._text, self._at)
            if match is not None:
                self._go(match.start())
                return True
            self._go(max(self._at, len(self._text) - 256))
            if not self._read():
                return False

    def _go(self, place: int) -> None:
        self.line += self._text.count("\n", self._at, place)
        self._at = place

    def _read(self) -> bool:
        """Read more; whether there was any."""
        if self._is_over:
            return False
        rest = self._text[self._at :]
        data = packing.some(self._stream, max(READ, len(rest)))
        self._is_over = not data
        self._text, self._at = rest + self._decoded(data), 0
        return bool(data)

    def _decoded(self, data: bytes) -> str:
        data = self._bytes + data
        text, end = codecs.utf_8_decode(data, "replace", False)
        self._bytes = data[end:]
        return text


def _csv(stream: io.BufferedReader, first: bytes, path: Path, damage: Damage) -> Numbered:
    """Rows of CSV as JSON objects; what a cell holds as JSON stands in it as it is."""
    before = first.removeprefix(_MARK).splitlines(keepends=True)
    lines = csv.reader(line.decode("utf-8", "replace") for line in chain(before, stream))
    names: list[str] | None = None
    number = 1
    while True:
        try:
            fields = next(lines)
        except StopIteration:
            return
        except csv.Error:
            damage.rows(path, f"{path}:{number}", "not CSV")
            number = lines.line_num + 1
            continue
        begin, number = number, lines.line_num + 1
        if names is None:
            names = [name.strip() for name in fields[:COLUMNS]] if any(fields) else None
        elif not fields:
            continue
        elif len(fields) != len(names):
            damage.rows(
                path, f"{path}:{begin}", f"{len(fields)} fields where there are {len(names)} names"
            )
        else:
            yield begin, _row(names, fields)


def _row(names: Sequence[str], fields: Sequence[str]) -> bytes:
    cells: dict[str, Any] = {
        name: msgspec.Raw(cell.encode("utf-8", "replace")) if cell[:1] in ("{", "[") else cell
        for name, cell in zip(names, fields, strict=True)
        if cell
    }
    found = msgspec.json.encode(cells)
    try:
        _skip(found)
    except (msgspec.DecodeError, RecursionError):
        return msgspec.json.encode(dict(zip(names, fields, strict=True)))
    return found


_skip = msgspec.json.Decoder(msgspec.Raw).decode
