"""What a process has to say → stderr: one line each, with the time, a level and who says it.

A line never quotes the traffic. Of an exception only the type and the places in the code are
told, since its message may quote what it could not read. No text can forge a second line.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal

LONGEST = 2000
"""Characters of a message; the rest is cut."""
FRAMES = 6
"""Places of a traceback that are told, the innermost first."""

Format = Literal["text", "json"]

_logger = logging.getLogger("monitor")
info, warning, error = _logger.info, _logger.warning, _logger.error
log = _logger.log
"""Takes a level of `logging` and a text: what parts are given that say when they are well again."""


def start(role: str, form: Format = "text") -> None:
    """Write what this process, called `role`, and the libraries in it log to stderr.

    `json` writes objects with the keys `time`, `level`, `role` and `message`. Exceptions that
    nobody catches become such a line too, also in threads and where Python passes over them.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line(role, form))
    logging.root.handlers[:] = [handler]
    _logger.setLevel(logging.INFO)
    logging.raiseExceptions = False  # nobody is left to hear that stderr is closed
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _ended_thread
    sys.unraisablehook = _passed_over


def plain(text: str) -> str:
    """The text on one line: what is not printable is written as an escape.

    >>> plain("a\\nb\\x1b[31m \\u202e é")
    'a\\\\nb\\\\x1b[31m \\\\u202e é'
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def place(error: BaseException) -> str:
    """What an exception is and where it was raised, without its message.

    >>> try: [][0]
    ... except IndexError as raised: place(raised).split(":")[0]
    'IndexError at <doctest monitor.logs.place[0]>'
    """
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    where = " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in reversed(frames))
    return f"{type(error).__name__} at {where}" if where else type(error).__name__


class _Line(logging.Formatter):
    def __init__(self, role: str, form: Format) -> None:
        super().__init__()
        self._role = role
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.name == "py.warnings":  # FILE:LINE: CATEGORY: what may quote data, too
            message = f"{record.name}: {': '.join(message.split(': ', 2)[:2])}"
        elif record.name != _logger.name:
            # A library's words may quote data: in brackets, or below the first line.
            message = f"{record.name}: {message.partition('(')[0].partition(chr(10))[0].strip()}"
        if record.exc_info and record.exc_info[1]:
            message += f": {place(record.exc_info[1])}"
        message = plain(message[:LONGEST])
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        at = at.replace("+00:00", "Z")
        if self._form == "text":
            return f"{at} {record.levelname} {self._role}: {message}"
        return json.dumps(
            {"time": at, "level": record.levelname, "role": self._role, "message": message}
        )


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _logger.critical("ended", exc_info=(kind, error, trace))


def _ended_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None and not isinstance(told.exc_value, SystemExit):
        _logger.error("a thread ended: %s", place(told.exc_value))


def _passed_over(told: sys.UnraisableHookArgs) -> None:
    """Of what raised it, which a library's callback or an object's end is, nothing is quoted."""
    if told.exc_value is not None:
        _logger.error("an exception was passed over: %s", place(told.exc_value))
