"""Record → what a reviewer may see of it: the exchange, and nothing that tells how to judge it.

Who knows how sure the model was, what a check said or which arm of an experiment answered, finds
what they expect. So these are left out, as is all that is of no use for reading.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from monitor.types import Record

SHOWN = ("id", "operation", "started", "inputs", "outputs", "finish_reasons")


def blind(record: Record, arms: Collection[str]) -> dict[str, Any]:
    """The document of a Record with the keys of `SHOWN` and `segments`, without those dimensions
    that are `arms` of an experiment."""
    shown: dict[str, Any] = {name: msgspec.to_builtins(getattr(record, name)) for name in SHOWN}
    shown["segments"] = {name: value for name, value in record.segments.items() if name not in arms}
    return shown
