"""What monitors save ↔ the fields of one checkpoint, each under the name of its monitor."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import msgspec

from monitor.analysis.panes import Saved

FOLD = "fold"
"""The field of the fold itself; those of a monitor are called `NAME/…`."""


class Fold(msgspec.Struct, frozen=True):
    """How many Records were folded, and in which panes."""

    records: int
    panes: Saved


class _Before(msgspec.Struct, frozen=True):
    """The fold's field before there were several monitors: drift's part is in it."""

    learn: str
    closed: int
    newest: float
    records: int
    overflow: int
    pane: float | None = None
    crowded: bool = False


def named(monitor: str, entries: Mapping[str, bytes]) -> dict[str, bytes]:
    """What a monitor saves, as fields of the checkpoint."""
    return {f"{monitor}/{name}": entry for name, entry in entries.items()}


def inside(monitor: str, state: Mapping[str, bytes]) -> dict[str, bytes]:
    """What a monitor has saved, of the fields of a checkpoint."""
    head = f"{monitor}/"
    return {
        name.removeprefix(head): entry for name, entry in state.items() if name.startswith(head)
    }


def strange(state: Mapping[str, bytes], monitors: Collection[str]) -> set[str]:
    """Fields of monitors that are asked no more: what they counted has a gap from here on."""
    heads = {name: name.partition("/") for name in state}
    return {name for name, (head, slash, _) in heads.items() if slash and head not in monitors}


def upgraded(state: Mapping[str, bytes]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """(state, what has to be written to make it so) of a checkpoint that may be of the form in
    which watches had no name before theirs; raises msgspec.DecodeError where it is damaged."""
    if "learn" not in msgspec.msgpack.decode(state[FOLD], type=dict[str, object]):
        return dict(state), {}
    old = msgspec.msgpack.decode(state[FOLD], type=_Before)
    watches = {name: entry for name, entry in state.items() if name.startswith("[") and entry}
    last = old.closed
    if old.pane and math.isfinite(old.newest):
        last = max(last, math.floor(old.newest / old.pane))
    panes = Saved(old.pane, old.closed, old.newest, last)
    kept = {"learn": old.learn, "overflow": old.overflow, "crowded": old.crowded}
    new = named("drift", {"watches": msgspec.msgpack.encode(kept), **watches})
    new[FOLD] = msgspec.msgpack.encode(Fold(old.records, panes))
    rest = {name: entry for name, entry in state.items() if name not in watches}
    return rest | new, new | dict.fromkeys(watches, b"")
