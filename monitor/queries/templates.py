"""The prompt templates of the stored records, declared and found."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Annotated, NamedTuple

import msgspec

from monitor.queries.query import MissingError, Paged, Query, System, page
from monitor.templates.miner import Known
from monitor.templates.skeleton import Skeleton
from monitor.types import ABSENT, Record

COUNTED = 2_000
"""Records that are counted by template, the newest: some 0.1 s of CPU time."""
DECLARED_BY = "template"
"""The dimension that declares a template where none is mined."""
WHOLE = "(a text without gaps; its newest record shows it)"


class Said(NamedTuple):
    """What a record says of its template: the template's id, whether the request declared it, and
    the record's own id."""

    id: str
    declared: bool
    record: str


class One(msgspec.Struct, frozen=True):
    """Which prompt template is wanted."""

    id: Annotated[
        str, msgspec.Meta(max_length=200, extra={"is": "an id of 200 characters at most"})
    ]
    """The id of the template."""


class TemplateSummary(msgspec.Struct, frozen=True):
    """A prompt template without its text."""

    id: str
    """Its id: the name where a request declares it, else one that begins with `t_`."""
    declared: bool
    """Whether requests declare it."""
    count: int
    """Records of it, among those that were counted."""
    record: str
    """The id of its newest record."""


class PromptTemplate(msgspec.Struct):
    """A prompt template: what a request declares, or what was found in texts."""

    id: str
    """Its id: the name where a request declares it, else one that begins with `t_`."""
    declared: bool
    """Whether requests declare it."""
    count: int = 0
    """Records of it."""
    name: str = ""
    """How its longest fixed text begins."""
    skeletons: list[str] = []
    """Its fixed texts with … for each gap, the system's before the user's."""
    record: str = ""
    """The id of its newest record."""


class Templates(msgspec.Struct, frozen=True):
    """A page of prompt templates."""

    records: int
    """Records that were counted, the newest of the stream."""
    total: int
    """Templates on all pages."""
    items: list[TemplateSummary]
    """The most used first."""
    cursor: str | None
    """Ask for the next page with it; null on the last one."""


async def answer(system: System, asked: Paged) -> Templates:
    """Prompt templates with the number of the newest records that are made of each."""
    found, scanned = await _counted(system)
    some, cursor = page(found, lambda one: (-one.count, one.id), asked)
    items = [TemplateSummary(one.id, one.declared, one.count, one.record) for one in some]
    return Templates(scanned, len(found), items, cursor)


async def whole(system: System, asked: One) -> PromptTemplate:
    """One prompt template with its fixed texts."""
    wanted = current(asked.id, await system.templates())
    for one in (await _counted(system))[0]:
        if one.id == wanted:
            return one
    raise MissingError(f"id: there is no template {asked.id[:60]!r} of the records in the stream")


async def _counted(system: System) -> tuple[list[PromptTemplate], int]:
    said: list[Said | None] = []
    looked_at = 0
    async with contextlib.aclosing(system.back("")) as records:
        async for _, record in records:
            looked_at += 1
            if record is not None:
                said.append(of(record))
            if looked_at == COUNTED:
                break
    known = await system.templates()
    return listed(known, (one for one in reversed(said) if one is not None)), len(said)


def listed(known: Mapping[str, Known], said: Iterable[Said]) -> list[PromptTemplate]:
    """Return the templates that records name, oldest first, and those that recorders share; the
    most used first."""
    found: dict[str, PromptTemplate] = {}
    for one in said:
        name = one.id if one.declared else current(one.id, known)
        entry = found.setdefault(
            name, PromptTemplate(name, one.declared, name=name if one.declared else "")
        )
        entry.count += 1
        entry.record = one.record
    for name, shared in known.items():
        if not shared.new:
            entry = found.setdefault(name, PromptTemplate(name, declared=False))
            if not entry.declared:
                _describe(entry, known)
    for entry in found.values():
        if not entry.name:
            entry.name = WHOLE
    return sorted(found.values(), key=lambda one: (-one.count, one.id))


def current(name: str, known: Mapping[str, Known]) -> str:
    """Return the id that has taken the place of this one."""
    seen: set[str] = set()
    while name in known and known[name].new and name not in seen:
        seen.add(name)
        name = known[name].new
    return name


def of(record: Record) -> Said | None:
    """Return what a record says of its template; None without one."""
    if record.template is not None:
        return Said(record.template.id, record.template.declared, record.id)
    value = record.segments.get(DECLARED_BY, ABSENT)
    return None if value == ABSENT else Said(value, True, record.id)


def _describe(entry: PromptTemplate, known: Mapping[str, Known]) -> None:
    one = known[entry.id]
    parts = [current(part, known) for part in one.parts] or [entry.id]
    bodies = [Skeleton(known[part].literals) for part in parts if _has_literals(known, part)]
    entry.skeletons = [body.shown for body in bodies]
    entry.name = " + ".join(body.name for body in bodies)


def _has_literals(known: Mapping[str, Known], name: str) -> bool:
    return name in known and bool(known[name].literals)


QUERY = Query("templates", Paged, Templates, answer)
ONE = Query(
    "templates/{id}", One, PromptTemplate, whole, role="records", content_of=lambda one: one.id
)
