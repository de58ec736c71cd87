"""Ctrl-C and SIGTERM → the end of a command: its exit code, and what had been done by then.

A command that does more for them than to end sets handlers of its own, as `monitor run` does.
"""

from __future__ import annotations

import contextlib
import resource
import signal
from collections.abc import Callable, Generator
from typing import NoReturn


class Terminated(KeyboardInterrupt):
    """SIGTERM came: it ends a command as Ctrl-C does, and its exit code says which of the two."""


def prepare() -> None:
    """Let SIGTERM be an exception, where the parent has not said that it is ignored."""
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, terminate)


def leave_no_core() -> None:
    """Let no crash of this process, or of one that it starts, write its memory to a disk: raw
    traffic and keys may be in it.

    A limit of one byte is too little for a file, and the one that Linux holds for a program that
    takes cores, too (`core_pattern` with `|`), where it passes over others. The hard limit stays:
    `prlimit --core=unlimited --pid PID` lets who has to look for a defect have a core.
    """
    limit, most = resource.getrlimit(resource.RLIMIT_CORE)
    if limit != 1 and most != 0:
        resource.setrlimit(resource.RLIMIT_CORE, (1, most))


def terminate(*_: object) -> NoReturn:
    """Raise Terminated: what SIGTERM does."""
    raise Terminated


def name(error: KeyboardInterrupt) -> str:
    """What ended a command, for a person."""
    return "SIGTERM" if isinstance(error, Terminated) else "Ctrl-C"


def code(name: str) -> int:
    """The exit code of a command that this ended: 128 and the signal, as a shell says it.

    >>> code("Ctrl-C"), code("SIGTERM")
    (130, 143)
    """
    return 128 + (signal.SIGTERM if name == "SIGTERM" else signal.SIGINT)


@contextlib.contextmanager
def leaves(so: Callable[[], str] | str) -> Generator[None]:
    """Say what is so where a command is ended inside: what had been done, and how to go on."""
    try:
        yield
    except KeyboardInterrupt as error:
        if said := so if isinstance(so, str) else so():
            error.add_note(said)
        raise


def sentence(error: KeyboardInterrupt) -> str:
    """What ended a command, and what is so then.

    >>> sentence(Terminated())
    'stopped by SIGTERM'
    """
    return "; ".join([f"stopped by {name(error)}", *getattr(error, "__notes__", ())])
