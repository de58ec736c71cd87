"""`monitor templates`: the prompt templates of the stored records, declared and found."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from monitor.logs import plain
from monitor.queries.templates import PromptTemplate, current, listed, of
from monitor.replay import stored
from monitor.settings.schema import Settings
from monitor.supervision.embedded_store import opened
from monitor.templates.shared import decoded

EXIT_MISSING = 1
HEAD = f"{'ID':32} {'RECORDS':>9} NAME"

DESCRIPTION = (
    "Print the prompt templates of the stored records, the most used first: id, number of records, "
    "and how the longest fixed text begins. What a request declares has its own name as id; what "
    "was found in texts (`mine: true`) begins with t_."
)


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
        records = stored.records(url, settings.endpoint, shards=settings.stream.shards)
        found = listed(known, filter(None, map(of, records)))
        if options.action == "show":
            wanted = current(options.id, known)
            shown = [one for one in found if one.id == wanted]
        else:
            shown = found
        for place, one in enumerate(shown):
            if options.json:
                print(json.dumps(msgspec.to_builtins(one)))
            elif options.action == "show":
                print("\n".join(_shown(one)))
            else:
                print(*([HEAD] if not place else []), _line(one), sep="\n")
        if shown:
            return 0
        said = stored.absence(url, settings.endpoint) or (
            f"{plain(options.id)}: no such template of endpoint {settings.endpoint}"
            if options.action == "show"
            else f"no templates of endpoint {settings.endpoint}: requests declare none, and none "
            "was found yet (segments.template.mine)"
        )
    print(f"monitor: {said}", file=sys.stderr)
    return EXIT_MISSING if options.action == "show" else 0


def _line(one: PromptTemplate) -> str:
    return f"{plain(one.id):32} {one.count:9,} {plain(one.name)}"


def _shown(one: PromptTemplate) -> Iterator[str]:
    yield f"id          {plain(one.id)}" + (" (declared)" if one.declared else "")
    yield f"name        {plain(one.name)}"
    yield f"records     {one.count:,}"
    if one.record:
        yield f"newest      {plain(one.record)}"
    for skeleton in one.skeletons:
        yield ""
        yield from (plain(line) for line in skeleton.split("\n"))
