"""Checkpoints as earlier versions wrote them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


def unnamed(state: Mapping[str, bytes]) -> dict[str, bytes]:
    """The fold's fields in the form in which drift was the only monitor, and had no name."""
    drift = {name.removeprefix("drift/"): state[name] for name in state if name[:6] == "drift/"}
    fold, watches = msgspec.msgpack.decode(state["fold"]), msgspec.msgpack.decode(drift["watches"])
    panes = fold["panes"]
    before = {
        "learn": watches["learn"],
        "closed": panes["closed"],
        "newest": panes["newest"],
        "records": fold["records"],
        "overflow": watches["overflow"],
        "pane": panes["length"],
        "crowded": watches["crowded"],
    }
    del drift["watches"]
    return drift | {"fold": msgspec.msgpack.encode(before)}
