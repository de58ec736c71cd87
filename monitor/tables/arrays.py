"""A column's values as an array of pyarrow, or as a list → Python values, different ones, numbers.

Whoever has an array has imported pyarrow; nothing here is needed without it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.tables import times
from monitor.tables.blocks import Ints, Numbers
from monitor.tables.column_types import MISSING, ColumnType

Flags = npt.NDArray[np.bool_]

_PLAIN = {
    ".": r"^-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][-+]?[0-9]{1,2})?$",
    ",": r"^-?[0-9]{1,40}(?:,[0-9]{1,20})?$",
}
"""How numbers are mostly written, by decimal sign."""

_PRESENT = rf"^[0-9A-Za-z](?s:.*[0-9]|.{{{max(map(len, MISSING))},}}[A-Za-z])$"
"""Texts that no word for a missing value is like: none of these ends in a digit or is so long, and
between letters and digits there is no white space to be left out."""

EXACT = 1 << 53
"""Integers up to here are floats without loss."""

_DAY = 86_400_000_000
_MICROSECONDS = {"s": 1_000_000, "ms": 1000, "us": 1}


def values(array: Any) -> list[Any]:
    """A column as Python values; the detours are ten times faster than `to_pylist`.

    A missing number is NaN where all the numbers are not whole.
    """
    import pyarrow as pa

    if isinstance(array, list):
        return array
    types, kind = pa.types, array.type
    if isinstance(kind, pa.BaseExtensionType):
        return values(array.storage)
    if types.is_dictionary(kind):
        words = [*values(array.dictionary), None]
        places = _places(array, len(words) - 1)
        return [words[place] for place in places.tolist()]
    if types.is_decimal(kind):
        array, kind = array.cast(pa.float64(), safe=False), pa.float64()
    if types.is_floating(kind) or (types.is_integer(kind) and not array.null_count):
        found: list[Any] = plain(array).tolist()
        return found
    if types.is_temporal(kind) and getattr(kind, "unit", "") == "ns":
        # Python's own times know no nanoseconds.
        if types.is_timestamp(kind):
            kind = pa.timestamp("us", kind.tz)
        else:
            kind = pa.time64("us") if types.is_time(kind) else pa.duration("us")
        array = array.cast(kind, safe=False)
    return list(array.to_pylist())


def plain(array: Any) -> npt.NDArray[Any]:
    """A column of numbers or booleans; NaN, 0 or False for a null. `to_numpy` would import pandas,
    which takes longer than all else that replay imports."""
    import pyarrow as pa

    types, kind = pa.types, array.type
    if types.is_boolean(kind):
        return plain(array.cast(pa.uint8())).view(np.bool_)
    letter = "f" if types.is_floating(kind) else "u" if types.is_unsigned_integer(kind) else "i"
    form = np.dtype(f"{letter}{kind.bit_width // 8}")
    if not len(array):
        return np.empty(0, form)
    first = array.offset * form.itemsize
    found = np.frombuffer(array.buffers()[1], form, len(array), first)
    if array.null_count:
        nothing = form.type(np.nan if letter == "f" else 0)
        found = np.where(plain(array.is_valid()), found, nothing)
    return found


def _places(array: Any, missing: int) -> Ints:
    """Which word of its dictionary each is."""
    found: Ints = plain(array.indices).astype(np.intp)
    there = plain(array.indices.is_valid())
    return np.where(there, found, missing)


def usable(array: Any) -> Any:
    """The array, or `values` of it where the functions here are not for such arrays; raises what
    `values` raises for what Python's own types do not hold."""
    import pyarrow as pa

    types, kind = pa.types, array.type
    if isinstance(kind, pa.BaseExtensionType):
        return usable(array.storage)
    if types.is_dictionary(kind):
        return array if usable(array.dictionary) is array.dictionary else values(array)
    if types.is_string(kind) or types.is_large_string(kind):
        try:
            array.validate(full=True)
        except pa.ArrowInvalid:  # not UTF-8
            return values(array)
        return array
    if types.is_timestamp(kind) or types.is_date32(kind):
        is_known = _moments(array, kind)[1].sum() == len(array) - array.null_count
        return array if is_known else values(array)
    usual = (types.is_boolean, types.is_integer, types.is_floating, types.is_decimal, types.is_null)
    return array if any(is_such(kind) for is_such in usual) else values(array)


def take(array: Any, rows: Ints) -> Any:
    """The values at some places, which rise."""
    if len(rows) == len(array):
        return array
    if isinstance(array, list):
        return [array[row] for row in rows.tolist()]
    import pyarrow as pa

    # Not pa.array(rows), which imports pandas.
    places = pa.Array.from_buffers(pa.int64(), len(rows), [None, pa.py_buffer(rows)])
    return array.take(places)


def distinct(array: Any) -> tuple[Ints, list[Any]]:
    """(which of the different values each is, these as Python values), bit for bit different.

    All values of a list count as different ones.
    """
    import pyarrow as pa

    if isinstance(array, list):
        return np.arange(len(array)), array
    types, kind = pa.types, array.type
    if types.is_dictionary(kind):
        words = [*values(array.dictionary), None]
        codes = _places(array, len(words) - 1)
        used = np.flatnonzero(np.bincount(codes, minlength=len(words)))
        new = np.zeros(len(words), dtype=np.intp)
        new[used] = np.arange(len(used))
        return new[codes], [words[place] for place in used.tolist()]
    if types.is_floating(kind):  # as whole numbers, so that 0.0 and -0.0 stay apart
        array = array.view({16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[kind.bit_width])
    found = array.dictionary_encode(null_encoding="encode")
    return plain(found.indices).astype(np.intp), values(found.dictionary.view(kind))


def numbers(array: Any, how: ColumnType, limit: float) -> tuple[Numbers, Flags] | None:
    """(numbers, which of them are certain) of a column that is read as numbers or times.

    What is certain is present, between -`limit` and `limit`, and what `column_types.reader` makes
    of the value. None where no value of such a column can be read at once.
    """
    import pyarrow as pa

    if isinstance(array, list) or how.kind not in ("numeric", "datetime"):
        return None
    types, kind = pa.types, array.type
    there: Flags | None = None
    if types.is_timestamp(kind) or types.is_date32(kind):
        found, there = _moments(array, kind)
    elif types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind):
        if how.unit == "date":
            return None
        found, there = _typed(array, kind)
        if how.kind == "datetime" and how.unit is not None:
            found = found / times.SCALES[how.unit]
    elif how.kind == "numeric" and (types.is_string(kind) or types.is_large_string(kind)):
        found = _written(array, how.decimal)
    else:
        return None
    with np.errstate(invalid="ignore"):
        inside = (found > -limit) & (found < limit)
    return found, inside if there is None else inside & there


def present(array: Any) -> Flags | None:
    """Which values are certainly not missing, however that is written; None where that is not
    known of any."""
    import pyarrow as pa
    from pyarrow import compute

    if isinstance(array, list):
        return None
    types, kind = pa.types, array.type
    if types.is_integer(kind):
        return plain(array.is_valid())
    if not (types.is_string(kind) or types.is_large_string(kind)):
        return None
    # The words for it are short; white space around them is no letter or digit.
    return plain(compute.match_substring_regex(array, _PRESENT))


def _typed(array: Any, kind: Any) -> tuple[Numbers, Flags | None]:
    """(numbers, which of them are present, None where NaN says so)."""
    import pyarrow as pa

    if pa.types.is_decimal(kind):
        array, kind = array.cast(pa.float64(), safe=False), pa.float64()
    if pa.types.is_floating(kind):
        found = plain(array)
        return found.astype(np.float64, copy=False), None
    whole = np.uint64 if pa.types.is_uint64(kind) else np.int64
    found = plain(array).astype(whole, copy=False)
    return found, plain(array.is_valid()) if array.null_count else None


def _moments(array: Any, kind: Any) -> tuple[Numbers, Flags]:
    """Unix seconds of dates and times, certain where Python's know the same."""
    import pyarrow as pa

    if pa.types.is_date32(kind):
        array, unit = array.view(pa.int32()), _DAY
    else:
        if kind.unit == "ns":
            kind = pa.timestamp("us", kind.tz)
            array = array.cast(kind, safe=False)
        array, unit = array.view(pa.int64()), _MICROSECONDS[kind.unit]
    counts, there = _typed(array, array.type)
    known = (counts >= -(EXACT // unit)) & (counts <= EXACT // unit)
    found = counts.astype(np.int64) * unit / 1e6
    return found, known if there is None else known & there


def _written(array: Any, decimal: str) -> Numbers:
    """Numbers as they are mostly written, NaN for every other text."""
    import pyarrow as pa
    from pyarrow import compute

    nothing = pa.scalar(None, array.type)
    if decimal == ".":
        try:
            return _floats(compute.if_else(compute.equal(array, ""), nothing, array))
        except pa.ArrowInvalid:
            pass
    plain = compute.match_substring_regex(array, _PLAIN[decimal])
    array = compute.if_else(plain, array, nothing)
    if decimal == ",":
        array = compute.replace_substring(array, ",", ".")
    return _floats(array)


def _floats(array: Any) -> Numbers:
    """Texts as numbers; every text that pyarrow reads as a finite number Python does, alike."""
    import pyarrow as pa

    return plain(array.cast(pa.float64()))
