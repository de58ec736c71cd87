"""Watches → those that may give up their places when there are too many.

A stranger whose requests the endpoint accepts can name as many features as fit into a body. Event
time alone decides, so that live and replay agree.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from monitor.analysis.drift.watch import Watch
from monitor.types import WatchKey

LEARNING_IDLE = 10
"""A watch without a reference may go when no value has come to it for so many panes."""

IDLE = 7 * 86400.0
"""One with a learned reference may, after so many seconds of event time."""


def idle(
    watches: Mapping[WatchKey, Watch], declared: Collection[WatchKey], now: float, pane: float
) -> list[Watch]:
    """The watches that may go at `now`, in Unix seconds, those first that have seen least.

    Those without a reference come before those with one: what a stranger names once never learns.
    Never those `declared` in a profile, nor what others are compared with. `pane` is in seconds.
    """
    needed = {watch.peer.key for watch in watches.values() if watch.peer is not None}
    found = [
        watch
        for key, watch in watches.items()
        if not watch.open
        and now - watch.last >= (IDLE if watch.reference else LEARNING_IDLE * pane)
        and key not in declared
        and key not in needed
    ]
    return sorted(found, key=lambda one: (one.reference is not None, one.seen, one.last, one.key))
