"""Records → the columns of an archive that have a structure: structs, lists and maps of Parquet.

They are for queries, as the flat columns beside them: DuckDB, pandas and Spark read each of these
types. Arrays are made by column, since pyarrow takes ten times as long for dicts of a row each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, chain
from operator import attrgetter
from typing import Any

from monitor.types import Record

TOKENS = ("input", "output", "cached", "cache_write", "reasoning")
LATENCY = ("time_to_first_token", "time_per_output_token")
COST = ("amount", "currency")
VERDICT = ("passed", "count", "of")


def types() -> dict[str, Any]:
    """Return the type of each column, by its name."""
    import pyarrow as pa

    text, real, whole = pa.string(), pa.float64(), pa.int64()
    verdict = pa.struct(list(zip(VERDICT, (pa.bool_(), whole, whole), strict=True)))
    return {
        "tokens": pa.struct([(name, whole) for name in TOKENS]),
        "latency": pa.struct([(name, real) for name in LATENCY]),
        "cost": pa.struct(list(zip(COST, (real, text), strict=True))),
        "segments": pa.map_(text, text),
        "lineage": pa.map_(text, text),
        "checks": pa.map_(text, verdict),
        "edge_cases": pa.list_(text),
        "finish_reasons": pa.list_(text),
    }


def array(name: str, records: Sequence[Record], of: Any) -> Any:
    """Return the column of this name and type of some Records."""
    return _MADE[name](name, records, of)


def plain(values: Sequence[Any], of: Any) -> Any:
    """Return an array of values, null for what is no 64-bit number where one is wanted: whoever can
    write to the stream, or answer, may have said any."""
    import pyarrow as pa

    try:
        return pa.array(values, of)
    except OverflowError:
        return pa.array([one if one is None or _fits(one) else None for one in values], of)


def leaves(name: str, of: Any) -> Iterable[str]:
    """Yield the paths of the columns of Parquet that a column of this type is stored as.

    >>> import pyarrow as pa
    >>> list(leaves("a", pa.list_(pa.struct([("b", pa.int8()), ("c", pa.string())]))))
    ['a.list.element.b', 'a.list.element.c']
    """
    import pyarrow as pa

    if pa.types.is_struct(of):
        for field in of:
            yield from leaves(f"{name}.{field.name}", field.type)
    elif pa.types.is_map(of):
        yield from leaves(f"{name}.key_value.key", of.key_type)
        yield from leaves(f"{name}.key_value.value", of.item_type)
    elif pa.types.is_list(of):
        yield from leaves(f"{name}.list.element", of.value_type)
    else:
        yield name


def _fits(number: int) -> bool:
    return -(1 << 63) <= number < 1 << 63


def _struct(objects: Sequence[Any], of: Any, *, may_lack: bool) -> Any:
    """The struct of the attributes of objects that are called like its fields; null for None."""
    import pyarrow as pa

    fields = list(of)
    arrays = [
        plain([None if one is None else get(one) for one in objects], field.type)
        for field in fields
        for get in (attrgetter(field.name),)
    ]
    mask = pa.array([one is None for one in objects], pa.bool_()) if may_lack else None
    return pa.StructArray.from_arrays(arrays, fields=fields, mask=mask)


def _optional(name: str, records: Sequence[Record], of: Any) -> Any:
    return _struct([getattr(one, name) for one in records], of, may_lack=True)


def _latency(name: str, records: Sequence[Record], of: Any) -> Any:
    del name
    return _struct(records, of, may_lack=False)


def _offsets(several: Iterable[Any]) -> Any:
    import pyarrow as pa

    return pa.array(accumulate(map(len, several), initial=0), pa.int32())


def _list(name: str, records: Sequence[Record], of: Any) -> Any:
    import pyarrow as pa

    lists = [getattr(one, name) for one in records]
    values = pa.array(list(chain.from_iterable(lists)), of.value_type)
    return pa.ListArray.from_arrays(_offsets(lists), values, type=of)


def _map(name: str, records: Sequence[Record], of: Any) -> Any:
    import pyarrow as pa

    maps: list[Mapping[str, Any]] = [getattr(one, name) for one in records]
    keys = pa.array(list(chain.from_iterable(maps)), of.key_type)
    held = list(chain.from_iterable(one.values() for one in maps))
    is_struct = pa.types.is_struct(of.item_type)
    items = (
        _struct(held, of.item_type, may_lack=False) if is_struct else pa.array(held, of.item_type)
    )
    return pa.MapArray.from_arrays(_offsets(maps), keys, items, type=of)


_MADE: dict[str, Callable[[str, Sequence[Record], Any], Any]] = {
    "tokens": _optional, "latency": _latency, "cost": _optional, "segments": _map,
    "lineage": _map, "checks": _map, "edge_cases": _list, "finish_reasons": _list,
}  # fmt: skip

NAMES = tuple(_MADE)
"""The columns."""
