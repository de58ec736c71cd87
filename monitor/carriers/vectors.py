"""Embeddings as answers give them, in lists or packed → one tensor."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Any

from monitor.types import Part

_PACKED = {
    "int8": ("b", "INT8"),
    "binary": ("b", "INT8"),
    "uint8": ("B", "UINT8"),
    "ubinary": ("B", "UINT8"),
}
"""How the values of a type are packed, and the tensor's datatype; bits come eight a value."""
_FLOAT = ("<f", "FP32")


def tensor(rows: Sequence[Any], kind: Any = "float") -> list[Part]:
    """Return vectors of one width as one tensor `embedding`, a row each; nothing for others.

    A row is a list of numbers, or base64 of little-endian values: float32, or what `kind` says.

    >>> (part,) = tensor([[1, 2], "AAAAQAAAQEA="])
    >>> part.datatype, part.shape, part.data
    ('FP32', [2, 2], [1, 2, 2.0, 3.0])
    >>> tensor(["AP8="], "int8")[0].data, tensor(["AP8="], "ubinary")[0].datatype
    ([0, -1], 'UINT8')
    """
    form, datatype = _PACKED.get(kind, _FLOAT) if isinstance(kind, str) else _FLOAT
    vectors = [_vector(row, form) for row in rows]
    width = len(vectors[0]) if vectors else 0
    if not width or any(len(one) != width for one in vectors):
        return []
    flat = [value for one in vectors for value in one]
    return [Part(name="embedding", datatype=datatype, shape=[len(vectors), width], data=flat)]


def _vector(row: Any, form: str) -> list[Any]:
    if isinstance(row, list):
        return row if all(isinstance(value, int | float) for value in row) else []
    try:
        raw = base64.b64decode(row or "", validate=True)
        return [value for (value,) in struct.iter_unpack(form, raw)]
    except (TypeError, ValueError, struct.error):
        return []
