"""Somebody's workbook of Excel or LibreOffice → Table of what its cells show, formulas too."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.extras import advice
from monitor.interfaces import Head, Source, Table
from monitor.places import in_parts
from monitor.tables import columns

LARGEST = 1 << 29
"""Bytes of a workbook, at most."""

UNPACKED = 1 << 32
"""Bytes of all its parts, at most: they are held in memory while they are read."""

TITLES = 20
"""Rows of a sheet among which the names of its columns are looked for."""

_ZIP, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_PARTS = {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}
_BITS = 21
"""Of the number of a row those that say which of its sheet; none has more than 2²⁰."""


def claims(head: Head) -> bool:
    """Whether a file is a workbook, by the parts that it is packed of."""
    if head.start.startswith(_OLD):
        return True
    if not head.start.startswith(_ZIP):
        return False
    try:
        with in_parts(head.path) as stream, zipfile.ZipFile(stream) as packed:
            return not _PARTS.isdisjoint(packed.namelist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


class _Sheet(NamedTuple):
    """A sheet, which of all it is, its names, how many of its rows come before the first of values,
    and what it says."""

    number: int
    title: str
    names: list[str]
    first: int
    rows: Any
    notes: tuple[str, ...]


def open_excel(path: Path) -> Table:
    """The sheet of a workbook that has most rows, and those that have the same columns.

    Raises SourceError naming the file where none is a table.
    """
    sheets = [_looked(*one) for one in enumerate(_sheets(path), start=1)]
    filled = [sheet for sheet in sheets if sheet.names]
    if not filled:
        raise SourceError(f"{path}: no sheet holds a table")
    most = max(filled, key=lambda sheet: sheet.rows.height)
    names = columns.header(most.names, str(path))
    read = [sheet for sheet in filled if sheet.names == names]
    left = [sheet.title for sheet in sheets if sheet not in read]

    def place(number: int) -> str:
        return f"{path}: sheet {number >> _BITS}, row {number & ((1 << _BITS) - 1)}"

    def rows(wanted: Sequence[str], _: Damage) -> Iterator[tuple[int, Sequence[Any]]]:
        pick = columns.picker(names, wanted)
        for sheet in read:
            for row, cells in enumerate(sheet.rows.iter_rows(), start=1):
                if row > sheet.first and any(cell != "" for cell in cells):
                    yield (sheet.number << _BITS) + row, pick(list(map(_value, cells)))

    notes = most.notes
    if left:
        said = ", ".join(map(repr, left[: columns.NOTES]))
        notes = (f"sheet {most.title!r} was read; not looked at: {said}", *notes)
    return Table(path, names, rows, place, notes=notes)


def _looked(number: int, sheet: Any) -> _Sheet:
    """A sheet with the names of its columns, which stand in the first row of more than one cell, or
    of one where no row has more."""
    width, names, first = sheet.width, list[str](), 0
    for row, cells in enumerate(sheet.iter_rows(), start=1):
        filled = sum(cell != "" for cell in cells)
        if filled > 1 or (filled and width == 1):
            names, first = [str(cell) for cell in cells], row
        if names or row >= TITLES + (sheet.start or (0, 0))[0]:
            break
    found, notes = columns.distinct(names)
    above = (sheet.start or (0, 0))[0] + 1
    if found and first > above:
        notes = (f"the names of the columns were taken from row {first} of a sheet", *notes)
    return _Sheet(number, sheet.name, found if any(found) else [], first, sheet, notes)


def _value(cell: Any) -> Any:
    """What a cell holds: a workbook has no whole numbers of its own, and `""` is nothing."""
    if type(cell) is float and cell.is_integer():
        return int(cell)
    return None if cell == "" else cell


def _sheets(path: Path) -> list[Any]:
    """The sheets that can be seen, read into memory; raises SourceError."""
    try:
        import python_calamine as calamine
    except ImportError:
        raise SourceError(advice("replay", f"{path}: Excel")) from None
    try:
        with path.open("rb") as stream:
            content = io.BytesIO(stream.read(LARGEST + 1))
        if content.getbuffer().nbytes > LARGEST:
            raise SourceError(f"{path}: has more than {LARGEST:,} bytes; save it as CSV")
        if content.getbuffer()[: len(_ZIP)] == _ZIP:
            with zipfile.ZipFile(content) as packed:
                if sum(part.file_size for part in packed.infolist()) > UNPACKED:
                    raise SourceError(f"{path}: is too large unpacked; save it as CSV")
        content.seek(0)
        book = calamine.load_workbook(content)
        return [
            book.get_sheet_by_name(sheet.name)
            for sheet in book.sheets_metadata
            if sheet.typ == calamine.SheetTypeEnum.WorkSheet
            and sheet.visible == calamine.SheetVisibleEnum.Visible
        ]
    except calamine.PasswordError:
        raise SourceError(f"{path}: is locked by a password; save it without one") from None
    except (calamine.CalamineError, OSError, zipfile.BadZipFile, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is damaged, or no workbook"
        raise SourceError(f"{path}: cannot be read: {reason}") from None


SOURCE = Source("excel", (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), claims, table=open_excel)
