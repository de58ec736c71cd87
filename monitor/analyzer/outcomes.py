"""The analyzer's second stream: feedback and Records → the join → the fold of outcomes.

Both streams have the store's clock. What is due is folded up to the moment to which both have been
read, so that a label which came in time is never missed because a stream was behind.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from monitor import logs
from monitor.analysis import state as states
from monitor.analysis.experiments.declared import Experiment, horizons_of, units_of
from monitor.analysis.experiments.monitor import ExperimentsMonitor
from monitor.analysis.fold import Analysis
from monitor.analysis.join.items import item_of
from monitor.analysis.join.join import Join
from monitor.analysis.join.predictions import PredictionReader
from monitor.analysis.monitors import at_once_of, outcomes_of, within_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.quality.early import early
from monitor.analysis.quality.monitor import QualityMonitor
from monitor.analysis.slices.monitor import ranked
from monitor.errors import ConfigError, PrivacyError
from monitor.feedback import Feedback, Statement
from monitor.rows import Row
from monitor.streams.entries import Entry, missed, moment, time_of
from monitor.streams.redis import RedisStream
from monitor.streams.shards import checked
from monitor.turns import in_turns
from monitor.types import Measurement, Record, WatchKey

if TYPE_CHECKING:
    from monitor.privacy.records import Privacy

JOIN, FOLD, AT_ONCE, WITHIN = "join", "outcomes", "at_once", "within"
"""What the fields of the checkpoint begin with; the last is followed by a horizon in seconds."""
POSITION = "join/position"
"""The field with the place in the stream of feedback."""
PAGES = 20
"""Pages of feedback that are read before records are read again."""
BLOCK = 0.001
TOGETHER = 512
"""Rows that are counted together, at most: those that are alike take less than one by one."""
EARLY = 2000
"""Items of feedback, the last ones, by which it is told what is known early."""


class Asked(NamedTuple):
    """What settings ask of outcomes: whether to join them before there is feedback, where to read
    predictions, how many seconds and how many Records to remember, and how to judge."""

    is_on: bool
    reader: PredictionReader
    wait: float
    room: int
    rules: OutcomeRules
    experiments: Sequence[Experiment]


class Outcomes:
    """What is remembered of Records until they are due, and the fold of what became of them.

    It is on where a setting asks for outcomes, or once there is feedback. Before that it costs one
    command every now and then (`look`), and nothing for a Record. When feedback comes first, the
    Records of the last `outcomes.wait` seconds are read again.

    It closes the `stream` in the end. `privacy` builds what makes feedback safe that somebody else
    has written there; it takes its time, and raises ConfigError where there are no keys.
    """

    def __init__(
        self,
        endpoint: str,
        stream: RedisStream,
        asked: Asked,
        *,
        privacy: Callable[[], Privacy],
        set_aside: Callable[[Entry, Exception], None],
    ) -> None:
        self.is_on = asked.is_on
        self.is_changed = False
        self.has_more = False
        self._endpoint = endpoint
        self._stream = stream
        self._asked = asked
        self._build = privacy
        self._set_aside = set_aside
        self._position = ""
        self._join, self._folds = self._fresh()
        self._needs_past = True
        self._gone: dict[str, bytes] = {}
        self._privacy: Privacy | None = None
        self._cannot_make_safe = False
        self._damaged = 0

    @property
    def monitors(self) -> tuple[Any, ...]:
        """The monitors of outcomes of all folds; none until there is feedback."""
        if not self.is_on:
            return ()
        return tuple(monitor for fold in self._folds.values() for monitor in fold.monitors)

    def _fresh(self) -> tuple[Join, dict[str, Analysis[Any]]]:
        """A join and the folds, by what their fields of the checkpoint begin with."""
        rules, experiments = self._asked.rules, self._asked.experiments
        join = Join(
            self._asked.reader, wait=self._asked.wait, room=self._asked.room,
            units=units_of(experiments), is_detailed=bool(rules.sliced),
            horizons=horizons_of(experiments),
        )  # fmt: skip
        folds = {FOLD: outcomes_of(rules, experiments=experiments)}
        if (at_once := at_once_of(rules)) is not None:
            folds[AT_ONCE] = at_once
        for horizon, fold in within_of(rules, experiments=experiments).items():
            folds[_within(horizon)] = fold
        return join, folds

    # --- the two streams ----------------------------------------------------------------------

    async def look(self, position: str) -> None:
        """See whether there is feedback, and be on from then on; or raise StreamError. `position`
        is up to where the Records were read."""
        if not self.is_on and await self._stream.has_feedback():
            self.is_on = True
        if self.is_on and self._needs_past:
            await self._read_past(position)
            self._needs_past = False

    async def now(self) -> float:
        """The store's clock in Unix seconds; or raise StreamError."""
        return await self._stream.now()

    def add(self, record: Record) -> None:
        """Remember a Record that was read."""
        self._count(self._join.add(record))
        self.is_changed = True

    def _count(self, rows: Iterable[Row]) -> None:
        """Fold Rows of what was due, or of what was known at once or at a horizon."""
        by_fold: dict[str, list[Row]] = {}
        for row in rows:
            name = FOLD
            if row.truth is not None and not row.truth.is_due:
                name = _within(row.truth.horizon) if row.truth.horizon else AT_ONCE
            if name in self._folds:
                by_fold.setdefault(name, []).append(row)
        for name, some in by_fold.items():
            self._folds[name].add_rows(some)

    async def follow(self, records_read: float, now: float) -> bool:
        """Read feedback that came, and fold what is due; whether any came; or raise StreamError.

        All Records that came up to `records_read` have been read. `now` is the store's clock before
        that.
        """
        feedback_read, any_came = now, False
        self.has_more = False
        for page in range(PAGES):
            position, entries = await self._stream.next_feedback(self._position, block=BLOCK)
            if not entries:
                self._position = position
                break
            any_came = True
            for entry in in_turns(entries):
                await self._take(entry)
            self._position = position
            if page == PAGES - 1:
                self.has_more, feedback_read = True, time_of(position)
        due = in_turns(self._join.advance(min(records_read, feedback_read)))
        while rows := list(islice(due, TOGETHER)):
            self._count(rows)
            self.is_changed = True
        self.is_changed = self.is_changed or any_came
        return any_came

    async def _take(self, entry: Entry) -> None:
        said = entry.feedback()
        try:
            if said is not None and not isinstance(said, Feedback):
                said = await self._made_safe(said)
        except PrivacyError:
            said = None
        if said is None:
            self._join.ledger.invalid()
            return
        try:
            self._join.say(item_of(said, entry.at, entry.id))
        except Exception as error:  # noqa: BLE001  one item must not end the analysis of all
            self._join.ledger.invalid()
            self._set_aside(entry, error)

    async def _made_safe(self, said: Statement) -> Feedback | None:
        """What somebody else has written to the stream, pseudonymized as a recorder would."""
        if self._privacy is None and not self._cannot_make_safe:
            try:
                self._privacy = await asyncio.to_thread(self._build)
            except ConfigError as error:
                self._cannot_make_safe = True
                logs.warning(
                    "feedback that others have written to the stream counts as invalid, because "
                    f"it cannot be pseudonymized here: {error}"
                )
        return None if self._privacy is None else self._privacy.feedback(said)

    async def _read_past(self, position: str) -> None:
        """Remember the Records up to `position` whose outcome is not due."""
        await self._stream.widen(position.count(",") + 1)
        ends = {key: moment(one.partition("/")[0].encode())
                for key, one in zip(self._stream.keys, position.split(","), strict=False)
                if one}  # fmt: skip
        if not ends:
            return
        self._join, self._folds = self._fresh()
        start = max(0.0, await self.now() - self._asked.wait)
        here = ",".join([f"{int(start * 1000)}-0"] * len(self._stream.keys))
        while True:
            here, entries = await self._stream.next(here, block=BLOCK)
            for entry in in_turns(entries):
                end = ends.get(entry.key)
                if end is not None and moment(entry.id.encode()) <= end:
                    record = entry.record()
                    if record is not None:
                        self.add(record)
            if not entries or all(
                moment(entry.id.encode()) > ends.get(entry.key, (0, 0)) for entry in entries
            ):
                break
        self.is_changed = True
        logs.info(f"feedback is joined to records; {len(self._join):,} wait for their outcome")

    # --- the checkpoint -----------------------------------------------------------------------

    def saved(self) -> dict[str, bytes]:
        """What has changed since the last call: fields of the checkpoint."""
        if not self.is_on or self._needs_past:
            return {}
        self.is_changed = False
        entries, self._gone = self._gone, {}
        for name, fold in self._folds.items():
            entries |= states.named(name, fold.saved())
        entries |= states.named(JOIN, self._join.state())
        return {**entries, POSITION: self._position.encode() or b"0-0"}

    def restore(
        self,
        state: Mapping[str, bytes],
        *,
        latest: float = math.inf,
        keeps: Callable[[WatchKey], bool] = lambda _: True,
    ) -> dict[str, bytes]:
        """Go on from a checkpoint, and return the fields of it that are the other fold's.

        What is damaged begins anew, as does what `keeps` does not hold for. No time can be after
        `latest`.
        """
        heads = tuple(f"{name}/" for name in (JOIN, FOLD, AT_ONCE, WITHIN))
        self._join, self._folds = self._fresh()
        self._position, self._needs_past = "", True
        if POSITION in state:
            try:
                join = states.inside(JOIN, state)
                position = checked(join.pop("position").decode())
                self._join.restore(join)
                left = {name for name in state if name.startswith(heads)}
                left -= states.named(JOIN, states.inside(JOIN, state)).keys()
                for name, fold in self._folds.items():
                    entries = states.inside(name, state)
                    fold.restore(entries, latest=latest, keeps=keeps)
                    left -= states.named(name, entries).keys()
                self._gone = dict.fromkeys(left, b"")  # what they counted has a gap from here on
                self._position, self._needs_past, self.is_on = position, False, True
            except Exception as error:  # noqa: BLE001  whatever a damaged checkpoint leads to
                logs.warning(
                    f"the checkpoint of outcomes is damaged ({logs.place(error)}) and is not used; "
                    "feedback is read again from the oldest in the stream"
                )
                self._damaged += 1
                self._join, self._folds = self._fresh()
        return {name: kept for name, kept in state.items() if not name.startswith(heads)}

    def measurements(self) -> list[Measurement]:
        """What became of feedback and of Records."""
        if not self.is_on:
            return []
        endpoint = self._endpoint
        labels = {"endpoint": endpoint, "kind": "unknown", "result": "missed"}
        lost = Measurement("monitor_feedback_total", labels, missed(self._position))
        labels = {"endpoint": endpoint, "part": "outcomes"}
        damaged = Measurement("monitor_damaged_checkpoints_total", labels, self._damaged)
        return [*self._join.measurements(endpoint), lost, damaged]

    def findings(self) -> bytes:
        """What the monitors of outcomes say, as the JSON document `findings.Outcomes`."""
        if not self.is_on:
            return b"{}"
        found: dict[str, list[Any]] = {}
        for monitor in self.monitors:
            found.setdefault(monitor.name, []).extend(in_turns(monitor.findings()))
        found["slices"] = ranked(found.get("slices", ()))
        found["timelines"] = [
            timeline
            for monitor in self.monitors if isinstance(monitor, ExperimentsMonitor)
            for timeline in monitor.timelines()
        ]  # fmt: skip
        classes = [row for one in self.monitors if isinstance(one, QualityMonitor)
                   for row in in_turns(one.by_class())]  # fmt: skip
        so_far = early(self._join.early(EARLY), self._asked.rules.positive)
        return msgspec.json.encode(
            {
                "is_on": True,
                "class_quality": classes,
                "early": so_far,
                "sliced": self._asked.rules.sliced,
                **found,
            }
        )

    async def close(self) -> None:
        """Close the connection to the store."""
        await self._stream.close()


def _within(horizon: float) -> str:
    """What the fields of the fold of experiments with a horizon begin with."""
    return f"{WITHIN}/{horizon!r}"
