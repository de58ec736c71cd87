"""The standard streams of a command: what may be written to them, and what if that fails.

A fault of the place that is written to is no result: a full disk is exit code 2, with one sentence,
and a reader that has gone ends a command as SIGPIPE ends others, without a word.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys

GONE = 128 + 13
"""The exit code where the reader of a pipe has gone, as a shell says it of SIGPIPE."""

_TWINS = str.maketrans(
    {
        "→": "->", "←": "<-", "…": "...", "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-",
        "—": "-", "−": "-", "×": "x", "±": "+-", "≥": ">=", "≤": "<=", "≠": "!=", "≈": "~",
        "·": "-", "•": "*", "✓": "+", "✗": "x", "│": "|", "─": "-", "━": "-",
        **dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True)),
    }
)  # fmt: skip


def twins(error: UnicodeError) -> tuple[str, int]:
    """Give what stands for characters that a stream cannot write: ASCII that looks alike, or their
    numbers. It is a handler of errors (`codecs.register_error`)."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    said = error.object[error.start : error.end].translate(_TWINS)
    return said.encode("ascii", "backslashreplace").decode("ascii"), error.end


def prepare() -> None:
    """Make stdout and stderr such that no text is too much for them, and that each is there.

    Where a command was started with a closed one, writing to stdout fails, and to stderr is lost.
    """
    codecs.register_error("monitor-twins", twins)
    if sys.stdout is None:
        sys.stdout = _opened(os.O_RDONLY)
    if sys.stderr is None:
        sys.stderr = _opened(os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="monitor-twins")


def _opened(how: int) -> io.TextIOWrapper:
    return open(os.open(os.devnull, how), "w", encoding="utf-8")  # noqa: PTH123  kept open


def fault() -> str:
    """Write the end of a line; return why stdout cannot be written, nothing where it can.

    What could not be written before may be held back no longer, so that flushing alone tells not.
    """
    try:
        print(flush=True)
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def say(text: str) -> None:
    """Write a line to stderr, if that can be."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def settle() -> None:
    """Throw away what cannot be written, lest the interpreter stumbles over it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
