"""Record → the length of an embedding, and where it lies along a few fixed directions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from monitor.interfaces import Feature, Values
from monitor.openings import talks
from monitor.shapes import vectors
from monitor.types import Observation, Record

SLICES = 4


def observe(record: Record) -> Iterator[Observation]:
    """`name.norm` and `name.slice[i]` of every vector in a wide output.

    A slice is the dot product of the unit vector with a fixed direction of random signs, times the
    root of the width, so that chance alone gives it mean 0 and deviation 1. Two distributions are
    the same when all their slices are (Cramér and Wold 1936); the energy distance of a slice is a
    part of the sliced one, and each slice is a plain number with windows and evidence like any.
    The vectors themselves are observed by `tensors`, and counted by the nearest center.
    """
    for part in record.outputs:
        name = part.name or "output"
        for vector in vectors(part):
            try:
                values = np.asarray(vector, dtype=np.float64)
            except (TypeError, ValueError, OverflowError):
                continue
            with np.errstate(over="ignore", invalid="ignore"):
                norm = float(np.sqrt(values @ values))
            yield Observation(f"{name}.norm", "numeric", norm)
            if 0 < norm < float("inf"):
                along = directions(len(vector)) @ (values / norm)
                for index, value in enumerate(along.tolist()):
                    yield Observation(f"{name}.slice[{index}]", "numeric", value)


@lru_cache(maxsize=16)
def directions(width: int) -> npt.NDArray[np.float64]:
    """`SLICES` rows of `width` signs, the same everywhere and for ever (Achlioptas 2003)."""
    rows = []
    for index in range(SLICES):
        bits = hashlib.shake_256(f"{index}:{width}".encode()).digest(width // 8 + 1)
        rows.append(np.unpackbits(np.frombuffer(bits, dtype=np.uint8))[:width])
    return np.asarray(rows, dtype=np.float64) * 2 - 1


def observe_many(records: Sequence[Record]) -> list[Values] | None:
    """Nothing of Records of texts alone."""
    return None if talks(records).hold_data else []


FEATURE = Feature("embedding", observe, observe_many)
