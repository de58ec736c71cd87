"""Workbooks of Excel, written by hand (ECMA-376), with no more in them than a reader needs."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_DAY, _SPAN = 1, 2
"""Styles of cells that hold a moment, and a length of time."""


class Formula(str):
    """A formula's value: the sheet holds both."""

    __slots__ = ()


class Wrong(str):
    """An error that a cell shows, as `#DIV/0!`."""

    __slots__ = ()


def _cell(value: Any) -> str:  # noqa: PLR0911  one for each kind of cell
    match value:
        case None:
            return "<c/>"
        case bool():
            return f'<c t="b"><v>{int(value)}</v></c>'
        case Formula():
            return f'<c t="str"><f>A1&amp;B1</f><v>{escape(value)}</v></c>'
        case Wrong():
            return f'<c t="e"><v>{escape(value)}</v></c>'
        case datetime():
            days = (value - datetime(1899, 12, 30, tzinfo=UTC)) / timedelta(days=1)
            return f'<c s="{_DAY}"><v>{days!r}</v></c>'
        case timedelta():
            return f'<c s="{_SPAN}"><v>{value / timedelta(days=1)!r}</v></c>'
        case int() | float():
            return f"<c><v>{value!r}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


def write(path: Path, sheets: dict[str, Sequence[Sequence[Any]]], hidden: str = "") -> Path:
    """A workbook of sheets of rows; one of them may be hidden."""
    numbered = list(enumerate(sheets.items(), start=1))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(
            "[Content_Types].xml",
            f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" '
            'ContentType="application/xml"/><Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/><Override '
            f'PartName="/xl/workbook.xml" ContentType="{_KIND}"/></Types>',
        )
        links = f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        out.writestr(
            "_rels/.rels",
            f'{links}<Relationship Id="r" Type="{_OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        named = ""
        for number, (name, _) in numbered:
            state = "hidden" if name == hidden else "visible"
            named += f'<sheet name="{escape(name)}" sheetId="{number}" r:id="r{number}" state="{state}"/>'
        out.writestr(
            "xl/workbook.xml",
            f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{named}</sheets></workbook>',
        )
        parts = "".join(
            f'<Relationship Id="r{number}" Type="{_OFFICE}/worksheet" Target="worksheets/{number}.xml"/>'
            for number, _ in numbered
        )
        parts += f'<Relationship Id="s" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        out.writestr("xl/_rels/workbook.xml.rels", f"{links}{parts}</Relationships>")
        styles = "".join(f'<xf numFmtId="{form}"/>' for form in (0, 22, 46))
        out.writestr(
            "xl/styles.xml",
            f'{_HEAD}<styleSheet xmlns="{_MAIN}"><cellXfs>{styles}</cellXfs></styleSheet>',
        )
        for number, (_, rows) in numbered:
            lines = "".join(
                f'<row r="{place}">{"".join(map(_cell, row))}</row>'
                for place, row in enumerate(rows, start=1)
            )
            out.writestr(
                f"xl/worksheets/{number}.xml",
                f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData></worksheet>',
            )
    return path
