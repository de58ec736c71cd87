"""Reader ↔ queue: an exchange to read, blind, and what the reader says of it, as feedback."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import msgspec

from monitor.errors import PrivacyError, UsageError
from monitor.feedback import (
    MAX_NAME,
    MAX_TEXT,
    Feedback,
    Label,
    Name,
    Statement,
    Text,
    Verdict,
    encode_feedback,
)
from monitor.review.blind import blind
from monitor.review.queue import Answer, Result, ReviewQueue, Stats

_NOBODY = "-"

REFUSED: dict[Answer, str] = {
    "answered": "you have answered this item otherwise; the first answer counts",
    "leased": "somebody else reads this item now",
    "closed": "this item has all its answers",
    "unknown": "no such item waits (it was answered long ago, or its record is gone)",
}
"""What is said of answers that do not count."""


class Task(msgspec.Struct, frozen=True):
    """What a reader is asked to judge: `item` names it, `record` is the exchange without what would
    tell how to judge it, `until` is the end of the lease in Unix seconds. `propensity` is the
    probability with which exchanges like it are asked about, `reason` why."""

    item: str
    record: dict[str, Any]
    reason: str
    propensity: float
    until: float


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader says of an item: `passed`, with a `label` and a `note` if they like, or
    `skip`."""

    reviewer: Name
    passed: bool | None = None
    label: Label | None = None
    note: Text | None = None
    skip: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError where it says both or neither."""
        if self.skip == (self.passed is not None):
            raise ValueError("say either `passed` (true or false) or `skip: true`")

    @property
    def result(self) -> Result:
        """The answer in a word, as it is counted."""
        return "skipped" if self.skip else "passed" if self.passed else "failed"


_WANTED = {
    "reviewer": f"a name of 1 to {MAX_NAME} characters",
    "passed": "true or false",
    "label": f"a text of 1 to {MAX_TEXT:,} characters, a number, true or false",
    "note": f"a text of 1 to {MAX_TEXT:,} characters",
    "skip": "true or false",
}
_KEY = re.compile(r" - at `\$\.(\w+)")


def said(tree: object) -> Said:
    """What a tree of JSON values says. Raises UsageError with a sentence that quotes none of it."""
    try:
        return msgspec.convert(tree, Said)
    except msgspec.ValidationError as error:
        found = _KEY.search(str(error))
        if found is not None and found[1] in _WANTED:
            raise UsageError(f"{found[1]}: is not {_WANTED[found[1]]}") from None
        if "unknown field" in str(error):
            raise UsageError(f"its keys are {', '.join(_WANTED)}") from None
        if "missing required field" in str(error):
            raise UsageError("reviewer: is missing") from None
        keys = f"the body is not an object with the keys {', '.join(_WANTED)}"
        what = keys if "Expected `object`" in str(error) else str(error)
        raise UsageError(what) from None


class Desk:
    """Where readers sit: each is given an item at a time, and each reading is logged.

    `safe` makes a Statement fit to be kept: names of readers and what they write are pseudonymized
    as bodies are. `arms` are dimensions of experiments, which readers do not see. Methods raise
    UsageError for what cannot be taken, with one sentence, and StreamError where the store does not
    answer; `now` is Unix seconds.
    """

    def __init__(
        self,
        queue: ReviewQueue,
        safe: Callable[[Statement], Awaitable[Feedback]],
        arms: Collection[str],
    ) -> None:
        self._queue = queue
        self._safe = safe
        self._arms = arms

    async def next(self, reader: str, now: float) -> Task | None:
        """Return what a reader is to judge next, None where nothing waits for them."""
        name = await self._name(reader)
        while (lease := await self._queue.next(name, now)) is not None:
            record = await self._queue.record(lease.item)
            if record is None:
                await self._queue.expire(lease.item.record)
                continue
            await self._queue.log(name, record.id, now)
            return Task(
                record.id, blind(record, self._arms), lease.item.reason, lease.propensity,
                lease.until,
            )  # fmt: skip
        return None

    async def answer(self, item: str, said: Said, now: float) -> Answer:
        """Take what a reader says, and say it of the exchange as feedback."""
        name = await self._name(said.reviewer)
        document = ""
        if said.passed is not None:
            statement = Statement(
                id=item,
                verdict=Verdict(said.reviewer, said.passed, said.label, said.note),
                key=f"review:{item}:{name}"[-MAX_NAME:],
                at=now,
            )
            document = encode_feedback(await self._made_safe(statement)).decode()
            document = f'{document[:-1]},"propensity":PROPENSITY}}'
        return await self._queue.answer(item, name, said.result, now, document)

    async def stats(self, now: float) -> Stats:
        """Return the queue in numbers, and how far readers agree, at Unix time `now`."""
        return await self._queue.stats(now)

    async def _made_safe(self, statement: Statement) -> Feedback:
        try:
            return await self._safe(statement)
        except PrivacyError as error:
            why = str(error).replace("_", " ")
            raise UsageError(f"personal data in it cannot be replaced safely ({why})") from None

    async def _name(self, reader: str) -> str:
        """The name of a reader as it may be kept."""
        if not (0 < len(reader) <= MAX_NAME and reader.isprintable()):
            raise UsageError(f"reviewer: is not a name of 1 to {MAX_NAME} printable characters")
        kept = await self._made_safe(Statement(id=_NOBODY, verdict=Verdict(reader, passed=True)))
        return kept.verdict.reviewer if kept.verdict else _NOBODY
