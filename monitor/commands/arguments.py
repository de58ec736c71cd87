"""Types of options that several commands take."""

from __future__ import annotations

import argparse

from monitor.tables.cells import moment


def time(text: str) -> float:
    """Unix seconds of a time as people write it, as argparse wants it.

    >>> time("2024-02-29T12:00:00Z")
    1709208000.0
    """
    at = moment(text)
    if at is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2024-02-29T12:00:00Z")
    return at
