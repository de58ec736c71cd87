"""Logs of others as Records, and the golden ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monitor.assembly.log_recording import LogRecording
from monitor.damage import Damage
from monitor.logged import Logged
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.replay import files
from monitor.settings.schema import Settings
from monitor.types import Record

GOLDENS = Path(__file__).parent / "goldens"
DATA = Path(__file__).parent / "data"
make = LogRecording(Settings(), lambda: Keyring((Key("k1", bytes(32)),)))


def recorded(*names: str | Path, damage: Damage | None = None) -> list[Record]:
    """The Records of golden files, or of others by their paths."""
    found = files.find([str(GOLDENS / name) for name in names])
    return list(files.records(found, damage or Damage(), make))


def logged(name: str, by: str) -> list[Logged]:
    """The exchanges of a log of data, which the source of that name reads, and all of it."""
    damage = Damage()
    ((path, source),) = files.find([str(DATA / name)])
    assert source.name == by
    assert source.exchanges is not None
    found = list(source.exchanges([path], damage))
    assert damage.listed() == []
    return found


def source(path: Path) -> str:
    """The name of what reads a file."""
    return files.find([str(path)])[0][1].name


def rows(path: Path, *said: Any) -> Path:
    """A file of objects, one a line."""
    path.write_text("".join(json.dumps(one) + "\n" for one in said))
    return path


def golden(name: str, number: int = 0) -> dict[str, Any]:
    """An object of a golden file."""
    found: dict[str, Any] = json.loads((GOLDENS / name).read_text().splitlines()[number])
    return found


def said(record: Record) -> tuple[list[str | None], list[str | None]]:
    """Who said something, on both sides."""
    return [part.role for part in record.inputs], [part.role for part in record.outputs]
