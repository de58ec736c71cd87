"""`monitor files`: dashboards, rules and manifests, as the package carries them → a directory.

Rules and dashboards link to each other, to the runbook and to the console. Where these are is known
to whoever deploys them: the addresses that the files carry are replaced by those that are given.
With configurations their severities go into the rules, and their rows make one dashboard more.
"""

from __future__ import annotations

import argparse
import os.path
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import monitor
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.settings.schema import Settings

CARRIED = (
    "alerts/*.yml", "dashboards/*.json", "deploy/**/*", "constraints.txt",
    "CONFIGURATION.md", "METRICS.md", "RUNBOOK.md", "docs/*.md", "docs/domains/*.md",
    "docs/reference/*.md", "docs/schemas/*.json", "docs/works-with/*.md",
)  # fmt: skip
"""What is written out, below the root of the repository."""
INSIDE = "carried"
"""Where setup.py puts copies, in the package of a wheel."""

RUNBOOK = "https://monitor.example/monitor/blob/main/RUNBOOK.md"
GRAFANA = "http://localhost:3000"
CONSOLE = "http://localhost:9464/console/"
"""What links in rules and dashboards begin with, as they are carried."""
CHART_BOARDS = "deploy/helm/monitor/files/boards"
"""Where the Helm chart has its dashboards."""
LINKING = (".yml", ".json")
"""Files of `alerts/` and `dashboards/` with links in them end so."""

_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9._~:/?@&+,;=%-]*", re.ASCII)
"""What stands in YAML, JSON and in an annotation's template as it is."""
_LINK = re.compile(r"\[([^\]\[]{1,200})\]\(((?![a-z]+:|#)[^)\s]+)\)")
"""A link of Markdown to another file."""

DESCRIPTION = (
    "Write dashboards, alert rules and manifests to a directory: the Grafana dashboards, "
    "Prometheus rules, the Alertmanager configuration, Dockerfile, compose file, Kubernetes "
    "manifests, and the documents that they point to. With --config alerts are as bad as "
    "`alerts.severities` says, and the rows of `dashboards.rows` are a dashboard. A file that is "
    "there and differs is left as it is, and named."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor files`."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "directory",
        metavar="DIRECTORY",
        help="write to this directory; it is made if it is not there",
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that differ; by default they are left"
    )
    parser.add_argument("--config", metavar="FILE", action="append", default=[],
        help="the configuration of an endpoint; repeat it for each one that this Prometheus and "
        "Grafana serve")  # fmt: skip
    for option, default, what in (
        ("--runbook", RUNBOOK, "the runbook; alerts link to their section of it"),
        ("--grafana", GRAFANA, "Grafana; alerts link to their dashboard there"),
        ("--console", CONSOLE, "the console on the admin port; dashboards link to it"),
    ):
        parser.add_argument(
            option, metavar="URL", default=default, help=f"where people find {what}: {default}"
        )


def run(options: argparse.Namespace) -> int:
    """Print the path of each file that was written; exit 1 where one was in the way."""
    directory = Path(options.directory)
    if directory.exists() and not directory.is_dir():
        raise UsageError(
            f"DIRECTORY: {directory} is a file; name a directory, which is made if it is not there"
        )
    places = {
        RUNBOOK: _url(options.runbook, "--runbook"),
        GRAFANA: _url(options.grafana, "--grafana").rstrip("/"),
        CONSOLE: _url(options.console, "--console"),
    }
    source = root()
    kept = []
    for name, content in contents(source, _told(options.config), places):
        target = directory / name
        try:
            if target.exists() and not options.force:
                if target.read_bytes() != content:
                    kept.append(target)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"{target}: cannot be written: {reason}") from None
        print(target)
    if kept:
        names = ", ".join(map(str, kept))
        raise UsageError(f"{names}: left as it is, since it differs; --force overwrites")
    return 0


def contents(
    source: Path, told: list[Settings], places: Mapping[str, str]
) -> Iterator[tuple[Path, bytes]]:
    """Yield what to write: paths, and bytes with what was told and with other places in links. The
    chart's copies keep their links, since its values have the places."""
    from monitor.commands import own_files

    paths = list(carried(source))
    names = {str(path.relative_to(source)) for path in paths}
    names |= {str(one) for name in names for one in Path(name).parents}
    for path in paths:
        name, content = path.relative_to(source), path.read_bytes()
        if name.suffix == ".md":
            content = apart(name, content.decode(), names).encode()
        if told and name.name.endswith(".rules.yml"):
            content = own_files.rules(content.decode(), told).encode()
        yield name, linked(name, content, places)
    if board := own_files.board((source / "dashboards").glob("*.json"), told):
        for folder in ("dashboards", CHART_BOARDS):
            name = Path(folder, f"{own_files.BOARD}.json")
            yield name, linked(name, board.encode(), places)


def linked(name: Path, content: bytes, places: Mapping[str, str]) -> bytes:
    """What is in a file, with other places in its links if it is a rule or a dashboard."""
    if name.parts[0] in {"alerts", "dashboards"} and name.suffix in LINKING:
        for carried_as, place in places.items():
            content = content.replace(carried_as.encode(), place.encode())
    return content


def apart(name: Path, text: str, names: Collection[str]) -> str:
    """What a document says where only the files and folders `names` are beside it: a link to
    anything else would lead nowhere, so its text says what of the repository it is.

    >>> apart(Path("docs/a.md"), "[B](b.md#x), [c](../tests/C.md)", ["docs/b.md"])
    '[B](b.md#x), c (`tests/C.md` in the repository)'
    """

    def said(link: re.Match[str]) -> str:
        target = os.path.normpath(name.parent / link[2].partition("#")[0])
        if target in names:
            return link[0]
        where = f"`{target}` in the repository"
        is_its_name = target.endswith(link[1].strip("`"))
        return where if is_its_name else f"{link[1]} ({where})"

    return _LINK.sub(said, text)


def _told(files: list[str]) -> list[Settings]:
    """The settings of each file alone: an environment is that of one process. A file that is named
    twice is one. Raises ConfigError, also where two are of one endpoint."""
    from monitor.settings import load

    found: dict[str, Settings] = {}
    for file in {Path(file).resolve(): file for file in files}.values():
        settings = load.load(file, {})
        if settings.endpoint in found:
            raise UsageError(
                f"--config: {file} is of the endpoint {settings.endpoint}, as one before is; say "
                "`endpoint` in each"
            )
        found[settings.endpoint] = settings
    return list(found.values())


def _url(text: str, option: str) -> str:
    if not _URL.fullmatch(text):
        raise UsageError(
            f"{option}: {text[:60]!r} is no URL of http or https without spaces, quotes and `#`, "
            "as https://wiki.example.org/RUNBOOK.md"
        )
    return text


def root() -> Path:
    """Where the files are: within an installed package, else in the repository around it."""
    package = Path(monitor.__file__).parent
    inside = package / INSIDE
    return inside if inside.is_dir() else package.parent


def carried(source: Path) -> Iterator[Path]:
    """Yield the files below `source`, in order; raises UsageError where there are none."""
    found = sorted({one for glob in CARRIED for one in source.glob(glob) if one.is_file()})
    if not found:
        raise UsageError(f"{source}: holds none of the files; install the wheel anew")
    yield from found
