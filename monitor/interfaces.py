"""What works on what flows: the whole extension surface on one page.

A part is a frozen value holding plain functions. Its room's `__init__` lists it in a tuple; that
tuple is the registry.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from monitor import packing
from monitor.damage import Damage
from monitor.logged import Logged
from monitor.notifications import Notification, Request
from monitor.rows import Row
from monitor.types import (
    Call,
    Inference,
    Kind,
    Measurement,
    Observation,
    Record,
    Verdict,
    WatchKey,
    Window,
)
from monitor.view import View


@dataclass(frozen=True)
class Protocol:
    """A dialect: Call → Inference. `read` raises ParseError, nothing else, on any bytes."""

    name: str
    claims: Callable[[Call], bool]
    read: Callable[[Call], Inference]


@dataclass(frozen=True)
class Dimension:
    """A way to slice the traffic: (Call, Inference) → value; `none` where there is none."""

    name: str
    value: Callable[[Call, Inference], str]


Reader = Callable[[Call], str | None]
"""What a Call says at one place; None where it says nothing there."""


@dataclass(frozen=True)
class Origin:
    """A kind of place that a dimension's value can stand at, such as a header.

    `reader` makes a Reader of what the configuration gives for its key `name`, and raises
    ValueError, which says what would be right. `words` says for a person where that place is.
    """

    name: str
    reader: Callable[[Any], Reader]
    words: Callable[[Any], str]


class NoThresholds(msgspec.Struct, frozen=True):
    """What a rule without thresholds is given."""


NO_THRESHOLDS = NoThresholds()


@dataclass(frozen=True)
class EdgeCase:
    """A rare kind of exchange, by a rule: (View, thresholds) → whether an exchange is of it.

    `holds` never raises, and takes time that is linear in the View at most. `thresholds` is a
    frozen Struct with the defaults; a setting may say others of the same kind. `words` says for a
    person what an exchange with such thresholds is. The rule holds for every example and for no
    near miss, with the defaults. `needs` is the setting without which it is left out.
    """

    name: str
    words: Callable[[Any], str]
    holds: Callable[[View, Any], bool]
    thresholds: msgspec.Struct = NO_THRESHOLDS
    examples: tuple[View, ...] = ()
    near_misses: tuple[View, ...] = ()
    needs: str = ""


def no_complaint(_: Any) -> str:
    """Of thresholds whose types say all that is to be said of them: nothing is wrong."""
    return ""


@dataclass(frozen=True)
class Check:
    """A question asked of answers: (View, thresholds) → a Verdict, or None where it does not apply.

    What it does not apply to never fails: each check has its own denominator. `look` never raises,
    and takes time that is linear in the View at most. `thresholds` is a frozen Struct with the
    defaults; a setting may say others of the same kind. `words` says for a person what is looked at
    with such thresholds, and `complaint` what is wrong with them beyond their types, as `file: …`
    (empty: nothing). With the defaults every View of `passing` passes, and every one of `failing`
    fails, and to those of `skipped` the check does not apply; with the thresholds `tried` where a
    default says nothing. What a `placebo` check looks at may stand in the inputs by chance: so it
    is asked of some answers beside the inputs of another exchange, too. One that `is_dear` takes so
    long that it may be asked about a sample of the exchanges alone.
    """

    name: str
    words: Callable[[Any], str]
    look: Callable[[View, Any], Verdict | None]
    thresholds: msgspec.Struct = NO_THRESHOLDS
    passing: tuple[View, ...] = ()
    failing: tuple[View, ...] = ()
    skipped: tuple[View, ...] = ()
    complaint: Callable[[Any], str] = no_complaint
    tried: msgspec.Struct | None = None
    placebo: bool = False
    is_dear: bool = False


@dataclass(frozen=True)
class Recognizer:
    """One kind of personal data: str → spans.

    `triggers` are short regular expressions in the common subset of `re` and Hyperscan, without
    lookaround or back-references, matched without case over a text in which every non-ASCII
    character reads `?`. They say cheaply where a value may be and must miss none; a recognizer
    without triggers is asked of every text with letters of another script. `find(text,
    starts)` gets the offsets where they begin, ascending and distinct, and yields `(start, end)`
    of each true value, ascending, in time linear in the text. Recognizers of the entities
    that one format holds share triggers and `find`, which is asked once for all of them: it
    yields `(start, end, entity)`, in any order.

    `canonical` gives the one form that all spellings of a value share. `keys` are names of fields
    (lower case, letters and digits only) whose whole value is this entity when `plausible` says
    so. Examples mark their values «so»; in the counterexamples there is nothing to find. What is
    not `default` is looked for only where the configuration asks for its entity.
    """

    name: str
    entity: str
    triggers: tuple[str, ...]
    find: Callable[[str, Sequence[int]], Iterable[tuple[int, int] | tuple[int, int, str]]]
    canonical: Callable[[str], str]
    examples: tuple[str, ...]
    counterexamples: tuple[str, ...]
    keys: frozenset[str] = frozenset()
    plausible: Callable[[str], bool] = bool
    default: bool = True


@dataclass(frozen=True)
class Feature:
    """Something we look at: Record → Observations, any number, never an exception.

    One part may speak for several features (a tensor's columns): the Observation has the name. A
    feature named in a Record's place but not there is an Observation with the value None.
    """

    name: str
    observe: Callable[[Record], Iterable[Observation]]
    observe_many: Callable[[Sequence[Record]], list[Values] | None] = lambda _: None
    """The same of several Records at once, where that can be done for less."""
    observe_said: Callable[[Sequence[str], Sequence[str]], list[Values]] | None = None
    """The same by the question and the answer of each of many Records, plain
    (`texts.asked`, `texts.told`), where they tell all of it."""


class Values(NamedTuple):
    """What one feature is in many Records: the values of those that have one, all of one `kind`,
    and the places of these Records, rising."""

    feature: str
    kind: Kind
    places: Sequence[int]
    values: list[Any]

    @classmethod
    def of(cls, feature: str, kind: Kind, found: list[Any]) -> Values:
        """Return those of the value of each Record, None where it has none."""
        if None not in found:
            return cls(feature, kind, range(len(found)), found)
        places = [place for place, value in enumerate(found) if value is not None]
        return cls(feature, kind, places, [found[place] for place in places])


@dataclass(frozen=True)
class Measure:
    """How far two windows are apart: (reference, current) → number, finite and at least 0.

    `score` takes off what chance alone would give for so many samples and bins, and stops at 0.
    `threshold` is where a believed change counts; `ordered` measures need `Window.points`, those
    of `vectors` need `Window.fourier`.
    """

    name: str
    score: Callable[[Window, Window], float]
    threshold: float
    ordered: bool = False
    vectors: bool = False


class Stream(typing.Protocol):
    """Where the Records of an endpoint are appended, as the recorder needs it.

    It appends in order and never waits without end. Reading is not part of it: the analyzer and
    replay read the one kind of store that there is (`streams.redis`).
    """

    async def append(self, records: Sequence[Record]) -> None:
        """Append all, in order, or raise StreamError.

        The error is `ambiguous` where some or all may have been appended nevertheless.
        """

    async def ids_since(self, at: float) -> set[str]:
        """Return the ids of records appended since `at` (Unix seconds), or raise StreamError."""

    async def ping(self) -> None:
        """Raise StreamError where nothing could be appended now."""


Found_co = typing.TypeVar("Found_co", covariant=True)


class Monitor(typing.Protocol[Found_co]):
    """A question asked of all Rows: Rows → findings, Measurements.

    The fold (`analysis.fold`) tells it of every row, in which pane of event time it belongs, and
    when panes are closed. What it counts are integers, and every float is made of them when it is
    asked for: so restarts go on bit for bit, and what shards have counted of open panes adds up
    before it is judged. A monitor that judges is given its part of the error budget.

    Its findings are of one kind (`monitor.findings`). A row tells what was observed. What became of
    it comes once, when that is due, as a row with a `truth` in a fold of its own.
    """

    @property
    def name(self) -> str:
        """Lower case, one word; its entries in a checkpoint go by it."""

    def add(self, row: Row, pane: int, at: float) -> None:
        """Count a row in an open pane. `at` is Unix seconds: `row.at` unless that is no time."""

    def close(self, last: int, end: Callable[[int], float]) -> None:
        """Close all open panes up to `last`; `end` is when one ended, in Unix seconds."""

    def merge(self, other: typing.Self) -> None:
        """Add what `other`, begun alike, has counted before it closed any pane. One that closes
        blocks by itself raises ValueError where `other` has."""

    def state(self) -> dict[str, bytes]:
        """Entries that have changed since the last call; empty ones are to be removed."""

    def restore(
        self,
        state: Mapping[str, bytes],
        *,
        newest: float,
        place: Callable[[int], int],
        keeps: Callable[[WatchKey], bool],
    ) -> None:
        """Go on from all entries that `state` gave, or raise msgspec.DecodeError.

        `newest` is the Unix time of the newest event, `place` the pane that an open one has become
        (their length may have changed); what `keeps` does not hold for means something else now.
        """

    def findings(self) -> Sequence[Found_co]:
        """What can be said now, open panes included."""

    def measurements(self, endpoint: str) -> Iterable[Measurement]:
        """The same as samples of the catalogue's metrics."""


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of a table: the number of each row or line, and the columns asked for, as
    arrays of pyarrow or as lists of the values that rows would have."""

    numbers: Sequence[int]
    columns: list[Any]

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class Table:
    """A file as rows of values in named columns.

    `rows` gives the number of each row or line and its values in the columns asked for; what it
    cannot read it tells the Damage. `batches` gives the same by column, where the format can; of
    the columns that it is told beside, texts may come as the numbers that Python reads in them.
    `place` names a row, `usual` is the decimal sign of its kind. `apart` are columns that cannot be
    looked at, `beyond` is how many are not, because there are too many. `notes` is what else is to
    be said of how it was read. `encoding` is that of its text, where it is not UTF-8.
    """

    path: Path
    names: list[str]
    rows: Callable[[Sequence[str], Damage], Iterator[tuple[int, Sequence[Any]]]]
    place: Callable[[int], str]
    usual: Literal[".", ","] = "."
    apart: tuple[str, ...] = ()
    beyond: int = 0
    notes: tuple[str, ...] = ()
    encoding: str = ""
    batches: Callable[[Sequence[str], Collection[str], Damage], Iterator[Batch]] | None = None


@dataclass(frozen=True)
class Head:
    """What tells the format of a file: its name, and its first bytes, unpacked."""

    path: Path
    start: bytes

    @property
    def text(self) -> bytes:
        """The first bytes without a byte order mark and white space."""
        return self.start.removeprefix(b"\xef\xbb\xbf").lstrip()

    @property
    def is_lines(self) -> bool:
        """Whether the file holds JSON, a document a line, by its name or by its first character."""
        named = packing.named(".jsonl", ".ndjson")
        is_named = self.path.name.endswith(named) and not packing.strange(self.start)
        return is_named or self.text.startswith(b"{")


@dataclass(frozen=True)
class Source:
    """A format of files at rest: file → Records, or a Table, whose Rows `tables.rows` makes, or
    files → what somebody else's log says of exchanges, in order.

    `claims` says whether a file has this format; of several that do the first of the room is it.
    `suffixes` are the names that are looked for in a directory. A source has either `records`,
    `table` or `exchanges`. All tell the Damage the places of what they cannot read, and raise
    SourceError, which names the file, where nothing of it can be read. A table with several
    `pieces` can be opened piece by piece, by number, for several workers.
    """

    name: str
    suffixes: tuple[str, ...]
    claims: Callable[[Head], bool]
    records: Callable[[Path, Damage], Iterator[Record]] | None = None
    exchanges: Callable[[Sequence[Path], Damage], Iterator[Logged]] | None = None
    table: Callable[[Path], Table] | None = None
    pieces: Callable[[Path], int] | None = None
    piece: Callable[[Path, int], Table] | None = None

    @property
    def is_table(self) -> bool:
        """Whether files of this format are rows of columns rather than Records."""
        return self.table is not None


@dataclass(frozen=True)
class Notifier:
    """A kind of receiver: (Notification, its URL, its secret) → the Request that tells it.

    Pure and total: any names make a Request whose body and header fields are what they seem. Where
    no URL is set, `address` is it. `is_keyed` says that the secret is the receiver's own key, which
    must be there; of others the secret signs the body.
    """

    name: str
    request: Callable[[Notification, str, str], Request]
    address: str = ""
    is_keyed: bool = False
