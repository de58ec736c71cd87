"""Columns as no one would wish them, as arrays of pyarrow."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

Maker = Callable[[random.Random], Any]

WORDS = (
    "", " ", "NA", "n/a", "null", " nan ", "-", "NaN", "-nan", "nan(7)", "inf", "-Infinity", "1", "1.0",
    " 2.5", "-0", "+3", "1e3", "1e400", "1_000", "1,234", "1.234,5", "12,5", "(7)", "$ 5", "12 %", "007",
    "0x10", "\u0661", "99999999999", "100000000000", "4111111111111111", "true", "False", "yes", "ja",
    "2024-02-29", "2024-02-30", "29.2.2024", "02/03/2024", "2024-02-29T12:00:00Z", "1700000000",
    "ada@example.org", "+49 170 1234567", "Zürich", "東京", "a\tb", "a\x00b", "\u2028", "x" * 64,
    "y" * 65, "a longer text of several words that is no category at all, with <MARKS> in it",
    "another text, also of many words, with a mail ada@example.org and numbers 4711 in it", "None",
)  # fmt: skip
"""Texts that mean something, or nothing, or something else."""

FLOATS = (
    0.0, -0.0, 1.0, -1.5, 1e-300, 5e-324, 99999999999.0, 1e11, -1e11, 4111111111111111.0, 1e300, math.inf,
    -math.inf, math.nan, 0.1, 2.5, 1.7e9, None,
)  # fmt: skip

INTS = (
    0,
    1,
    -1,
    7,
    2**31,
    10**11 - 1,
    10**11,
    -(10**11),
    2**53,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    None,
)

DAYS = (date(1970, 1, 1), date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31), None)
TIMES = (
    datetime(1969, 12, 31, 23, 59, 59, 999999, UTC), datetime(2024, 2, 29, 12, 0, 0, 1, UTC),
    datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, UTC), None,
)  # fmt: skip


def _some(values: Any) -> Maker:
    return lambda rng: rng.choice(values)


MAKERS: dict[str, tuple[Any, Maker]] = {
    "float": (pa.float64(), _some(FLOATS)),
    "tame float": (pa.float64(), lambda rng: rng.gauss(0, 1)),
    "gaps": (pa.float64(), lambda rng: None if rng.random() < 0.3 else rng.gauss(0, 1)),
    "narrow float": (pa.float32(), _some((0.1, -0.0, 1.5, math.inf, math.nan, None))),
    "half float": (pa.float16(), _some((0.5, -0.0, 1.5, None))),
    "int": (pa.int64(), _some(INTS)),
    "tame int": (pa.int32(), lambda rng: rng.randint(-5, 90)),
    "byte": (pa.uint8(), _some((0, 1, 255, None))),
    "large": (pa.uint64(), _some((0, 1, 2**64 - 1, 2**53 + 1, None))),
    "bool": (pa.bool_(), _some((True, False, None))),
    "zero or one": (pa.int64(), _some((0, 1))),
    "decimal": (pa.decimal128(20, 2), _some((Decimal("1.50"), Decimal("-0.00"), Decimal(10**17), None))),
    "day": (pa.date32(), _some(DAYS)),
    "wide day": (pa.date64(), _some(DAYS)),
    "second": (pa.timestamp("s", "UTC"), _some(TIMES)),
    "micro": (pa.timestamp("us", "UTC"), _some(TIMES)),
    "nano": (pa.timestamp("ns"), _some((datetime(2024, 2, 29, 1, 2, 3, 4), datetime(1969, 1, 1), None))),  # noqa: DTZ001
    "time": (pa.time64("us"), _some((time(1, 2, 3, 4), None))),
    "length": (pa.duration("us"), _some((timedelta(days=3, microseconds=1), None))),
    "epoch": (pa.int64(), lambda rng: 1_700_000_000 + rng.randint(0, 10**6)),
    "milli": (pa.int64(), lambda rng: 1_700_000_000_000 + rng.randint(0, 10**9)),
    "figures": (pa.int64(), _some((20240229, 20231231, 20230101))),
    "text": (pa.string(), _some(WORDS)),
    "wide text": (pa.large_string(), _some(WORDS)),
    "category": (pa.string(), _some(("a", "b", "B", None))),
    "numbers": (pa.string(), _some(("1", "2.5", "-3e2", "", "7", "12", "x", None))),
    "comma": (pa.string(), _some(("1,5", "2,25", "-3", "1.234,5", "", "7,0", "9"))),
    "comment": (
        pa.string(),
        lambda rng: rng.choice(WORDS) if rng.random() < 0.2 else " ".join(
            rng.choice(("the", "parcel", "ist", "nicht", "da,", "<MARK>", "ada@example.org", "4711"))
            for _ in range(rng.randint(1, 30))
        ),
    ),
    "mail": (pa.string(), lambda rng: f"user{rng.randint(0, 99)}@example.org"),
    "code": (pa.dictionary(pa.int8(), pa.string()), _some(("a", "b", "NA", None))),
    "bytes": (pa.binary(), _some((b"a", b"\xff", None))),
    "nothing": (pa.null(), _some((None,))),
    "vector": (pa.list_(pa.float64()), lambda rng: [rng.gauss(0, 1), rng.gauss(0, 1)]),
    "odd vector": (pa.list_(pa.float64(), 2), _some(([1.0, math.nan], [1e300, -0.0], [0.0, 1.0], None))),
    "list": (pa.list_(pa.string()), _some(([], ["a"], ["a", "b", None], ["long words " * 9], None))),
    "objects": (
        pa.list_(pa.struct({"z": pa.int64(), "a": pa.string()})),
        _some(([{"z": 1, "a": "x"}], [{"a": None, "z": 2}, {"z": 3, "a": "y" * 70}], [], None)),
    ),
    "object": (
        pa.struct({"inner": pa.float64(), "deep": pa.struct({"x": pa.string()})}),
        _some(({"inner": 1.0, "deep": {"x": "a"}}, {"inner": None, "deep": None}, None)),
    ),
}  # fmt: skip


def column(kind: str, rng: random.Random, count: int) -> pa.Array:
    """So many values of a kind."""
    made, make = MAKERS[kind]
    return pa.array([make(rng) for _ in range(count)], made)


def numbered(rng: random.Random, count: int) -> pa.Array:
    """An identifier: whole numbers, or texts that all differ."""
    if rng.random() < 0.5:
        return pa.array([None if rng.random() < 0.1 else 1000 + n for n in range(count)])
    missing = (" n/a ", "", None, "NULL", "x")
    return pa.array(
        [rng.choice(missing) if rng.random() < 0.1 else f"order-{n:09}" for n in range(count)]
    )
