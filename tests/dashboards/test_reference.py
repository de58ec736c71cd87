"""The reference pages say what the documents hold."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import pytest

from dashboards import reference
from monitor.analysis.drift.findings import summary
from monitor.protocols import PROTOCOLS
from monitor.replay.document import Replay
from monitor.types import Record


@pytest.mark.parametrize(
    ("written", "struct"), [(reference.record, Record), (reference.replay, Replay)]
)
def test_every_key_has_a_meaning(written: Callable[[], str], struct: type[msgspec.Struct]) -> None:
    """Each key of the document is a row, in order, and no row has an empty place."""
    page = written()
    section = page.partition(f"## {struct.__name__}\n")[2].partition("## ")[0]
    keys = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert keys == [field.encode_name for field in msgspec.structs.fields(struct)]
    for row in re.findall(r"^\| `.*", page, re.MULTILINE):
        assert all(place.strip() for place in row.strip("|").split("|")), row


def test_the_document_of_the_admin_port_is_described() -> None:
    """Its keys are the rows, no more and no fewer."""
    told = reference.api().partition("## The document of")[2]
    assert re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE) == [
        *msgspec.json.decode(summary(0, []))
    ]


def test_every_protocol_has_a_section() -> None:
    """In the order in which they are asked, with what each claims."""
    page = reference.protocols()
    assert re.findall(r"^## `(\w+)`$", page, re.MULTILINE) == [one.name for one in PROTOCOLS]
    assert page.count("It claims: ") == len(PROTOCOLS)
