"""`monitor inject`: manifests → the same with the sidecar added, on stdout."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from monitor.assembly.injection import defaults_of
from monitor.commands.output import note
from monitor.errors import ParseError, UsageError
from monitor.inject.decision import Decision, Defaults
from monitor.inject.manifests import injected
from monitor.settings.schema import Settings
from monitor.texts import printable
from monitor.urls import named

QUIET = ("already_injected",)
"""Reasons that nobody need hear: the same command may run twice."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor inject`."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a file of manifests in YAML or JSON; - is stdin"
    )


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print what the files hold, in order, with the sidecar added; what cannot be injected is
    printed as it is, with a line on stderr."""
    defaults = defaults_of(settings, asked=True)
    parts = []
    for name in options.files:
        content = _read(name)
        shown = "stdin" if name == "-" else named(name)
        parts.append(_injected(content, shown, defaults))
    out = sys.stdout.buffer
    sys.stdout.flush()
    last = b"\n"
    for number, part in enumerate(parts):
        if number and part.strip():
            begins = part.lstrip().startswith(b"---")
            out.write(b"" if last.endswith(b"\n") else b"\n")
            out.write(b"" if begins else b"---\n")
        out.write(part)
        last = part or last
    out.flush()
    return 0


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"{named(name)}: cannot be read: {reason}") from None


def _injected(content: bytes, name: str, defaults: Defaults) -> bytes:
    def tell(what: str, decision: Decision) -> None:
        for said in _said(decision):
            note(f"{printable(name)}: {printable(what)[:120]}: {said}")

    try:
        text = content.decode("utf-8")
        return injected(text, defaults, tell).encode()
    except UnicodeDecodeError:
        note(f"{name}: left as it is (unreadable): it is not UTF-8")
    except ParseError as error:
        note(f"{name}: left as it is (unreadable): {error}")
    return content


def _said(decision: Decision) -> list[str]:
    if decision.result == "injected":
        return [one.removeprefix("monitor: injected: ") for one in decision.warnings]
    if decision.reason in QUIET:
        return []
    return [f"left as it is ({decision.reason}): {decision.why}"]
