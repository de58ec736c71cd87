"""Feedback → the transaction that appends it to its stream."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.feedback import Feedback, encode_feedback
from monitor.streams.connection import Command
from monitor.turns import give_way


def packed(key: str, items: Sequence[Feedback], most: int) -> list[Command]:
    """Return the commands of a transaction that appends all items to the stream `key`, of which
    about `most` are kept."""
    commands = [Command.of(key, b"MULTI")]
    for item in items:
        give_way()
        commands.append(Command.of(
            key, b"XADD", key, b"MAXLEN", b"~", most, b"*",
            b"v", b"1", b"feedback", encode_feedback(item),
        ))  # fmt: skip
    commands.append(Command.of(key, b"EXEC"))
    return commands
