"""The bytes of a CSV file → batches of columns: parsed by pyarrow where it reads as Python does.

That is so for whole rows in UTF-8 in which quotes stand around fields only and no line is empty.
Any other block of them is read row by row, up to a row that ends behind it, and from there on by
blocks again, small ones at first. So an odd line costs some rows their speed, and nothing else.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from monitor import packing
from monitor.damage import Damage
from monitor.interfaces import Batch
from monitor.tables.blocks import Ints

SMALL, LARGE = 1 << 16, 1 << 22
"""Bytes of a block around an odd line, and at most."""

ROWS = 4096
"""Rows of a batch that were read one by one."""

LONGEST = 1 << 24
"""Bytes that may be held to find the end of a row."""

INNER = 10
"""So many lines within a quoted field, each of which is a row, are rows indeed."""

BROKEN = (OSError, UnicodeError)
"""What is raised where a file cannot be read any further."""

UTF_8 = "UTF-8"

_UNTOLD = {
    UTF_8: "is not UTF-8 text (from Latin-1: iconv -f LATIN1 -t UTF-8)",
    packing.UTF_16: "is not UTF-16 text as the rest, or was cut within a character",
}
"""What is said of a line that is no text, by the encoding of the file."""

_ODD = re.compile(r"In CSV column #([0-9]+): ")
"""What pyarrow says of a column that is not of its type."""

_MARK = b"\xef\xbb\xbf"
_NEWLINE, _RETURN, _QUOTE = b'\n\r"'

Numbered = Iterator[tuple[int, Sequence[Any]]]
"""Rows, each with the number of the line that it ends on."""


class _BrokenError(Exception):
    """The file cannot be read any further."""


class Lines:
    """Lines of a text, of which the last can be taken back. `number` is how many are behind, `row`
    are those of the row that is read, `encoding` is that of the file."""

    def __init__(self, lines: Iterable[str], number: int = 0, encoding: str = UTF_8) -> None:
        self.number = number
        self.encoding = encoding
        self.row: list[str] = []
        self._lines = iter(lines)
        self._again = deque[str]()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.row.append(line)
        self.number += 1
        return line

    @property
    def has_again(self) -> bool:
        """Whether there are lines that were taken back."""
        return bool(self._again)

    def back(self, count: int) -> None:
        """Take back the lines of the row after the first so many."""
        again = self.row[count:]
        self._again.extendleft(reversed(again))
        self.number -= len(again)


def readable(
    lines: Lines, delimiter: str, path: Path, damage: Damage, width: int | None = None
) -> Numbered:
    """The rows that can be read and are not blank. Of a row that has run through others, for want
    of a closing quote, the first line is lost, and the next that has `width` fields is a row."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        first = lines.number + 1
        lines.row.clear()
        wrong: str | None = None
        fields: list[str] = []
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            wrong = f"not a CSV row: {error}"
        except BROKEN as error:
            damage.ends(path, f"{path}:{first}", broken(error))
            return
        if width is not None and len(lines.row) > 1:
            is_whole = wrong is None and len(fields) == width
            if lost := _run_through(lines.row, delimiter, width, is_whole=is_whole):
                lines.back(lost)
                damage.rows(path, f"{path}:{first}", "not a CSV row: a quote is not closed", lost)
                continue
        if wrong is not None:
            damage.rows(path, f"{path}:{first}", wrong, max(lines.number + 1 - first, 1))
            continue
        if not fields:
            continue
        if not (text := "".join(fields)).isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                damage.rows(path, f"{path}:{lines.number}", _UNTOLD[lines.encoding])
                continue
        yield lines.number, fields


def encoding_of(stream: object) -> str:
    """The encoding at rest of a stream of UTF-8."""
    return packing.UTF_16 if packing.is_broad(stream) else UTF_8


def broken(error: OSError | UnicodeError) -> str:
    """What is to be said of a file that cannot be read any further."""
    if isinstance(error, UnicodeError):  # of UTF-8 none is raised
        return _UNTOLD[packing.UTF_16]
    return packing.why(error)


def _run_through(row: Sequence[str], delimiter: str, width: int, *, is_whole: bool) -> int:
    """How many lines are lost of a row that has run through others; 0 where it has not.

    It has where most lines after the first are rows by themselves. A row that is whole may hold a
    text like that: it has run only where these are many, and nothing else stands among them.
    """
    inner = row[1:-1] if is_whole else row[1:]
    if width < 2 or len(inner) < (INNER if is_whole else 1):
        return 0
    are = [_is_row(line, delimiter, width) for line in inner]
    has_run = sum(are) >= 0.9 * len(are) if is_whole else 2 * sum(are) > len(are)
    return are.index(True) + 1 if has_run else 0


def _is_row(line: str, delimiter: str, width: int) -> bool:
    """Whether a line has so many fields, and leaves no quote open."""
    if '"' not in line:
        return line.count(delimiter) == width - 1
    try:
        return line.count('"') % 2 == 0 and width == len(
            next(csv.reader([line], delimiter=delimiter, strict=True))
        )
    except csv.Error:
        return False


def of_width(rows: Numbered, width: int, path: Path, damage: Damage) -> Numbered:
    """The rows that have as many fields as the header."""
    for line, fields in rows:
        if len(fields) == width:
            yield line, fields
        else:
            error = f"{len(fields)} fields where the header has {width}"
            damage.rows(path, f"{path}:{line}", error)


class Format(NamedTuple):
    """What stands between the fields of a row, how many there are, which are asked for, which of
    these may be numbers, and how many rows come before the first of values."""

    delimiter: str
    width: int
    places: Sequence[int]
    numbers: frozenset[int] = frozenset()
    head: int = 1


def batches(
    path: Path,
    stream: IO[bytes],
    form: Format,
    damage: Damage,
    again: Callable[[Damage], Numbered],
) -> Iterator[Batch]:
    """The rows after the header in batches, those that cannot be read told to `damage` in between.

    `again` reads the same rows from the start, one by one. That is done where the `stream` breaks
    off, so that as much of it is read as in this way.
    """
    done = 0
    try:
        lines = _Lines(stream)
        head = readable(Lines(lines, encoding=lines.encoding), form.delimiter, path, damage)
        if len(list(islice(head, form.head))) < form.head:
            return
        size, is_near = LARGE, False
        while data := lines.peek(size):
            block = _whole_rows(data, form, is_end=lines.is_last(data))
            if block is not None and not block.size and size < LONGEST:
                size *= 2  # a row is longer than that
                continue
            batch = None
            if block is not None and block.size:
                batch, form = _parsed(data, block, lines.number, form)
            if block is not None and batch is not None:
                lines.skip(block.size, block.lines)
                done, size, is_near = lines.number, min(2 * size, LARGE), False
                yield batch
                continue
            if not is_near and size > SMALL:
                size, is_near = SMALL, True  # the odd line is not all of this
                continue
            told = Damage()
            rows = list(batched(_by_row(lines, lines.at + len(data), path, form, told), told))
            done, size, is_near = lines.number, SMALL, False
            for before, some in rows:
                damage.merge(before)
                yield some
            damage.merge(told)
    except _BrokenError:
        told = Damage()
        if not done:
            damage.begin(path)
        for before, some in batched(_after(done, again(told), told), told):
            damage.merge(before)
            yield some
        damage.merge(told)


def batched(rows: Numbered, told: Damage) -> Iterator[tuple[Damage, Batch]]:
    """Rows in batches, each with what `told` was told before it, which is forgotten there."""
    before, held = Damage(), list[tuple[int, Sequence[Any]]]()
    for row in rows:
        if (told.files and held) or len(held) == ROWS:
            yield before, _batch(held)
            before, held = Damage(), []
        before.merge(told)
        told.files.clear()
        held.append(row)
    if held:
        yield before, _batch(held)


def _batch(rows: list[tuple[int, Sequence[Any]]]) -> Batch:
    numbers, values = zip(*rows, strict=True)
    return Batch(numbers, [list(column) for column in zip(*values, strict=True)])


def _by_row(lines: _Lines, until: int, path: Path, form: Format, told: Damage) -> Numbered:
    """Rows read one by one, up to one that ends at or behind a byte."""
    texts = Lines(lines, lines.number, lines.encoding)
    rows = readable(texts, form.delimiter, path, told, form.width)
    for line, fields in of_width(rows, form.width, path, told):
        yield line, [fields[place] for place in form.places]
        if lines.at >= until and not texts.has_again:
            return


def _after(done: int, rows: Numbered, told: Damage) -> Numbered:
    """The rows after so many lines; what was `told` of those before is forgotten."""
    for line, fields in rows:
        if line > done:
            yield line, fields
        else:
            told.files.clear()


class _Lines:
    """A file from some line on, an iterator of its lines as texts; it can be looked at in blocks of
    bytes, too. `number` is how many lines are behind, `at` how many bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.number = self.at = 0
        self.encoding = encoding_of(stream)
        self._stream = stream
        self._held = b""
        self._start = 0
        self._has_ended = False
        self._fill(len(_MARK))
        self._start = len(_MARK) * self._held.startswith(_MARK)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while not (size := self._line()) and not self._has_ended:
            self._fill(len(self._held) - self._start + SMALL)
        size = size or len(self._held) - self._start
        if not size:
            raise StopIteration
        line = self._held[self._start : self._start + size]
        self.skip(size, 1)
        return line.decode(errors="surrogateescape")

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer at the end of the file."""
        self._fill(size)
        return self._held[self._start : self._start + size]

    def is_last(self, data: bytes) -> bool:
        """Whether nothing comes after what was looked at."""
        self._fill(len(data) + 1)
        return len(self._held) - self._start == len(data)

    def skip(self, size: int, lines: int) -> None:
        """Go on behind so many bytes."""
        self._start += size
        self.at += size
        self.number += lines

    def _line(self) -> int:
        """Bytes of the next line with its end; 0 where that is not to be seen yet."""
        start, held = self._start, self._held
        newline = held.find(b"\n", start)
        end = newline + 1 if newline >= 0 else len(held)
        single = held.find(b"\r", start, end)
        if single < 0:
            return end - start if newline >= 0 else 0
        if single + 1 == len(held) and not self._has_ended:
            return 0
        return single + 1 + (held[single + 1 : single + 2] == b"\n") - start

    def _fill(self, size: int) -> None:
        """Hold so many bytes, or all that there are."""
        while len(self._held) - self._start < size and not self._has_ended:
            try:
                more = self._stream.read(LARGE)
            except BROKEN:
                raise _BrokenError from None
            self._held = self._held[self._start :] + more
            self._start = 0
            self._has_ended = not more


class _Block(NamedTuple):
    """Whole rows at the beginning of some data: bytes, lines, and the line that each row ends on,
    from 0; `is_quoted` where any field is, `has_breaks` where a line ends within one."""

    size: int
    lines: int
    ends: Ints
    is_quoted: bool
    has_breaks: bool


def _whole_rows(data: bytes, form: Format, *, is_end: bool) -> _Block | None:
    """The rows that data begins with; None where pyarrow might read them otherwise than Python."""
    chars = np.frombuffer(data, dtype=np.uint8)
    breaks = np.flatnonzero(chars == _NEWLINE)
    if is_end and not data.endswith(b"\n"):
        breaks = np.append(breaks, len(data))
    quotes = np.flatnonzero(chars == _QUOTE) if b'"' in data else np.empty(0, dtype=np.intp)
    ends = np.flatnonzero(np.searchsorted(quotes, breaks) % 2 == 0)
    if not len(ends):  # where lines end, a quote stands somewhere within a field
        return (
            None if is_end or len(breaks) else _Block(0, 0, ends, is_quoted=False, has_breaks=False)
        )
    size, lines = min(int(breaks[ends[-1]]) + 1, len(data)), int(ends[-1]) + 1
    quotes = quotes[quotes < size]
    starts = np.concatenate(([0], breaks[ends[:-1]] + 1))
    widths = breaks[ends] - starts
    is_blank = (widths == 0) | ((widths == 1) & (chars[np.minimum(starts, size - 1)] == _RETURN))
    whole = data[:size]
    if (
        is_blank.any()
        or not _are_around_fields(chars[:size], quotes, form.delimiter)
        or (b"\r" in whole and whole.count(b"\r") != whole.count(b"\r\n"))
        or b"\0" in whole
        or whole.startswith(_MARK)  # which pyarrow leaves out
    ):
        return None
    try:
        whole.isascii() or whole.decode()
    except UnicodeDecodeError:
        return None
    for place in np.flatnonzero(np.diff(ends, prepend=-1) > INNER + 1).tolist():
        row = data[starts[place] : breaks[ends[place]]].decode().split("\n")
        if _run_through(row, form.delimiter, form.width, is_whole=True):
            return None
    return _Block(size, lines, ends, len(quotes) > 0, lines > len(ends))


def _are_around_fields(chars: npt.NDArray[np.uint8], quotes: Ints, delimiter: str) -> bool:
    """Whether each quote begins or ends a field, or is one of two within a quoted one."""
    if len(quotes) % 2:
        return False
    begins = np.zeros(256, dtype=np.bool_)
    begins[[ord(delimiter), _NEWLINE, _QUOTE]] = True
    ends = begins.copy()
    ends[_RETURN] = True
    opening, closing = quotes[::2], quotes[1::2]
    inner = closing[:-1] if len(closing) and closing[-1] + 1 == len(chars) else closing
    return bool(
        (begins[chars[opening - 1]] | (opening == 0)).all() and ends[chars[inner + 1]].all()
    )


def _parsed(data: bytes, block: _Block, before: int, form: Format) -> tuple[Batch | None, Format]:
    """(the rows of a block as arrays, None where pyarrow does not find as many; the format without
    the columns in which it found what are no numbers)."""
    import pyarrow as pa
    from pyarrow import compute
    from pyarrow import csv as reader

    names = list(map(str, range(form.width)))
    wanted = [names[place] for place in form.places]
    types = {
        names[place]: pa.float64() if place in form.numbers else pa.string()
        for place in form.places
    }
    try:
        table = reader.read_csv(
            pa.BufferReader(pa.py_buffer(data).slice(0, block.size)),
            read_options=reader.ReadOptions(
                column_names=names, block_size=block.size + 1, use_threads=False
            ),
            parse_options=reader.ParseOptions(
                delimiter=form.delimiter,
                quote_char='"' if block.is_quoted else False,
                newlines_in_values=block.has_breaks,
            ),
            convert_options=reader.ConvertOptions(
                check_utf8=False, null_values=[""], column_types=types, include_columns=list(types)
            ),
        )
    except pa.ArrowInvalid as error:  # a row of another width, or a text that is no number
        odd = _ODD.match(str(error))
        if odd is None:
            return None, form
        return _parsed(data, block, before, _without(form, int(odd[1])))
    if table.num_rows != len(block.ends):
        return None, form
    columns = [table.column(name).combine_chunks() for name in wanted]
    for place, column in zip(form.places, columns, strict=True):
        # NaN(7), too, would be a number.
        if place in form.numbers and compute.any(compute.is_nan(column)).as_py():
            return _parsed(data, block, before, _without(form, place))
    return Batch((block.ends + before + 1).tolist(), columns), form


def _without(form: Format, place: int) -> Format:
    """The format in which the texts of a column come as they are."""
    return form._replace(numbers=form.numbers - {place})
