"""`monitor templates`: the prompt templates of the stored records, declared and found."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from monitor.app.shared_templates import decoded
from monitor.logs import plain
from monitor.replay import stored
from monitor.settings.schema import Settings
from monitor.supervision.embedded_store import opened
from monitor.templates.miner import Known
from monitor.templates.skeleton import Skeleton
from monitor.types import ABSENT, Record

EXIT_MISSING = 1
DECLARED_BY = "template"
"""The dimension that declares a template where none is mined."""
HEAD = f"{'ID':32} {'RECORDS':>9} NAME"
WHOLE = "(a text without gaps; its newest record shows it)"

DESCRIPTION = (
    "Print the prompt templates of the stored records, the most used first: id, number of records, "
    "and how the longest fixed text begins. What a request declares has its own name as id; what "
    "was found in texts (`mine: true`) begins with t_."
)


class Listed(msgspec.Struct):
    """A template as it is listed: `skeletons` are its fixed texts, the system's before the user's,
    and `record` is the id of its newest Record."""

    id: str
    declared: bool
    count: int = 0
    name: str = ""
    skeletons: list[str] = []
    record: str = ""


def add_arguments(parser: argparse.ArgumentParser, common: Callable[..., None]) -> None:
    """The options of `monitor templates list` and `monitor templates show`."""
    actions = parser.add_subparsers(metavar="COMMAND", required=True, dest="action")
    listing = actions.add_parser(
        "list",
        help="print templates, the most used first",
        description=DESCRIPTION,
        formatter_class=parser.formatter_class,
    )
    show = actions.add_parser(
        "show",
        help="print one template with its fixed text",
        description="Print one template: its records, and its fixed text with {…} for each gap. "
        "Exit code 1: it is not there.",
        formatter_class=parser.formatter_class,
    )
    show.add_argument("id", metavar="ID", help="its id, as `monitor templates list` prints it")
    for one in (listing, show):
        one.add_argument("--json", action="store_true", help="print JSON, a template on a line")
        common(one, "endpoint", "redis", "data")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print templates to stdout; returns the exit code. Raises UsageError for a person."""
    with opened(settings.redis, Path(settings.data)) as url:
        known = decoded(stored.templates(url, settings.endpoint))
        found = templates(
            known, stored.records(url, settings.endpoint, shards=settings.stream.shards)
        )
        if options.action == "show":
            wanted = current(options.id, known)
            listed = [one for one in found if one.id == wanted]
        else:
            listed = found
        for place, one in enumerate(listed):
            if options.json:
                print(json.dumps(msgspec.to_builtins(one)))
            elif options.action == "show":
                print("\n".join(_shown(one)))
            else:
                print(*([HEAD] if not place else []), _line(one), sep="\n")
        if listed:
            return 0
        said = stored.absence(url, settings.endpoint) or (
            f"{plain(options.id)}: no such template of endpoint {settings.endpoint}"
            if options.action == "show"
            else f"no templates of endpoint {settings.endpoint}: requests declare none, and none "
            "was found yet (segments.template.mine)"
        )
    print(f"monitor: {said}", file=sys.stderr)
    return EXIT_MISSING if options.action == "show" else 0


def templates(known: dict[str, Known], records: Iterator[Record]) -> list[Listed]:
    """Those of the records and those that recorders share, the most used first."""
    found: dict[str, Listed] = {}
    for record in records:
        said = _of(record)
        if said is None:
            continue
        name = said[0] if said[1] else current(said[0], known)
        one = found.setdefault(name, Listed(name, said[1], name=name if said[1] else ""))
        one.count += 1
        one.record = record.id
    for name, entry in known.items():
        if not entry.new:
            listed = found.setdefault(name, Listed(name, declared=False))
            if not listed.declared:
                _describe(listed, known)
    for listed in found.values():
        if not listed.name:
            listed.name = WHOLE
    return sorted(found.values(), key=lambda one: (-one.count, one.id))


def current(name: str, known: dict[str, Known]) -> str:
    """The id that has taken the place of this one."""
    seen: set[str] = set()
    while name in known and known[name].new and name not in seen:
        seen.add(name)
        name = known[name].new
    return name


def _of(record: Record) -> tuple[str, bool] | None:
    """(id, whether it is declared); None without a template."""
    if record.template is not None:
        return record.template.id, record.template.declared
    value = record.segments.get(DECLARED_BY, ABSENT)
    return None if value == ABSENT else (value, True)


def _describe(listed: Listed, known: dict[str, Known]) -> None:
    one = known[listed.id]
    parts = [current(part, known) for part in one.parts] or [listed.id]
    bodies = [Skeleton(known[part].literals) for part in parts if _has_literals(known, part)]
    listed.skeletons = [body.shown for body in bodies]
    listed.name = " + ".join(body.name for body in bodies)


def _has_literals(known: dict[str, Known], name: str) -> bool:
    return name in known and bool(known[name].literals)


def _line(one: Listed) -> str:
    return f"{plain(one.id):32} {one.count:9,} {plain(one.name)}"


def _shown(one: Listed) -> Iterator[str]:
    yield f"id          {plain(one.id)}" + (" (declared)" if one.declared else "")
    yield f"name        {plain(one.name)}"
    yield f"records     {one.count:,}"
    if one.record:
        yield f"newest      {plain(one.record)}"
    for skeleton in one.skeletons:
        yield ""
        yield from (plain(line) for line in skeleton.split("\n"))
