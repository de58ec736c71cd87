"""A Selection → requests sent in random order to each side, their answers judged as they come."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import nlargest

import msgspec

from monitor import stopping
from monitor.interfaces import Protocol
from monitor.privacy.records import Privacy
from monitor.redrive import pacing
from monitor.redrive.client import LARGEST, Reply, Session, Target
from monitor.redrive.compare import DISTANCES, FEATURES, Encode, Feature, Traits, traits
from monitor.redrive.document import Pair, Redrive, Side
from monitor.redrive.judge import Answers, Judge, more, verdict
from monitor.redrive.requests import Resend, Selection, call_of, protocol_of, renamed
from monitor.types import Message, Outcome, Record

CANDIDATE, BASELINE, AGAIN = "candidate", "baseline", "again"
WORST = 20
"""Pairs whose texts are kept: those that differ most."""
SHOWN = 300
"""Characters of a text that are kept."""
EARLY, LATEST = 20, 40
"""Answers before which nothing is stopped for errors, and the latest that are looked at."""

SHORTEST = 6
"""Characters from which on the value of a header may be a credential: `true` is none."""

LONG = f"its answer is longer than {LARGEST >> 20} MB"
NONSENSE = "its answer has nothing that is read of such answers"
"""Why a good status is no good answer."""

COMMON = ("model", "operation", "protocol")
"""Fields of a Record that are dimensions too."""


@dataclass(frozen=True)
class Plan:
    """How to send: `run` names it, `speed` is that of the recording (None: as fast as goes).

    It ends early when more than `errors` of the latest requests have failed, 0 to 1.
    """

    run: str
    against: Target
    baseline: Target | None = None
    concurrency: int = 4
    speed: float | None = None
    timeout: float = 60.0
    errors: float = 0.5
    by: Sequence[str] = ()
    alpha: float = 0.05
    features: Mapping[str, Feature] = field(default_factory=lambda: FEATURES)


@dataclass(frozen=True)
class Sent:
    """What came of one Record's requests, by side, in the order in which they were sent."""

    resend: Resend
    replies: Mapping[str, Reply]


Names = Sequence[str]
Done = pacing.Done[Sent]


@dataclass(frozen=True)
class World:
    """What a run needs of the outside: `now` gives Unix seconds, `clock` monotonic ones; `shuffled`
    puts names in random order; `watched` shows how far it is."""

    now: Callable[[], float]
    clock: Callable[[], float]
    shuffled: Callable[[Names], Names]
    watched: Callable[[Iterable[Done], int], Iterator[Done]]


@dataclass(frozen=True)
class AnswerReader:
    """Reads answers as the recorder does; what leaves it went through privacy."""

    protocols: Sequence[Protocol]
    privacy: Privacy
    encode: Encode | None = None

    def traits(self, resend: Resend, reply: Reply) -> Traits:
        """What is compared of an answer."""
        bare = Traits(False, reply.status, reply.outcome.value, reply.duration)
        if reply.outcome is not Outcome.OK or reply.status is None:
            return bare
        call = call_of(
            resend,
            Message(b"HTTP/1.1 200 OK\r\n\r\n", reply.body, len(reply.body)),
            started=reply.started, duration=reply.duration, status=reply.status,
            response_headers=reply.headers, response_body=reply.body,
            response_truncated=reply.truncated, arrivals=reply.chunks,
        )  # fmt: skip
        protocol = protocol_of(call, resend.record.protocol, self.protocols)
        broken = msgspec.structs.replace(bare, outcome=Outcome.UPSTREAM_BROKEN.value)
        if protocol is None:  # what came is of another dialect
            return broken
        try:
            inference = protocol.read(call).asking([])
        except Exception:  # noqa: BLE001  a protocol's defect is not the endpoint's
            return broken
        record = self.privacy.record(call, inference, endpoint="redrive", segments={})
        if reply.truncated or not (_is_told(record) or _was_told_nothing(resend.record)):
            return broken
        if not _is_like(record, resend.record):
            return broken
        return self.recorded(record)

    def recorded(self, record: Record) -> Traits:
        """What is compared of the answer on record."""
        return traits(record, self.encode)


def redrive(selection: Selection, plan: Plan, reader: AnswerReader, world: World) -> Redrive:
    """Send what was selected, and judge. Ctrl-C ends it early, with the verdict so far."""
    stop = threading.Event()
    judge = Judge(
        plan.by, plan.alpha, baseline=plan.baseline is not None, features=plan.features
    )  # fmt: skip
    outcome = _Outcome(plan, judge, reader)
    chosen = selection.chosen
    if plan.speed is not None:
        chosen = sorted(chosen, key=lambda one: one.record.started)
    done = pacing.drive(
        chosen,
        lambda: _sender(plan, world, stop),
        concurrency=plan.concurrency,
        schedule=None
        if plan.speed is None
        else pacing.due([one.record.started for one in chosen], plan.speed),
        clock=world.clock,
        stop=stop,
    )
    remarks: list[str] = []
    stopped = ""
    try:
        for one in world.watched(done, len(chosen)):
            outcome.add(one.made, one.lag)
            if why := outcome.is_hopeless():
                remarks.append(f"ended after {outcome.sent} of {len(chosen)} records: {why}")
                break
    except KeyboardInterrupt as error:
        stopped = stopping.name(error)
        remarks.append(f"stopped by {stopped} after {outcome.sent} of {len(chosen)} records")
        if most := min(plan.concurrency, len(chosen) - outcome.sent):
            remarks.append(f"up to {most} more were under way; their answers are not known")
    finally:
        stop.set()
    return msgspec.structs.replace(outcome.document(selection, remarks), stopped=stopped)


@contextmanager
def _sender(plan: Plan, world: World, stop: threading.Event) -> Generator[Callable[[Resend], Sent]]:
    """What sends one Record's requests, one after the other in random order, from one thread."""

    def session(target: Target) -> Session:
        return Session(
            target, run=plan.run, timeout=plan.timeout, now=world.now, clock=world.clock,
            wait=stop.wait,
        )  # fmt: skip

    sides = {CANDIDATE: session(plan.against)}
    if plan.baseline is not None:
        # a connection each: what a connection has carried before changes its times
        sides |= {name: session(plan.baseline) for name in (BASELINE, AGAIN)}

    def send(resend: Resend) -> Sent:
        replies = {}
        for side in world.shuffled(tuple(sides)):
            model = (plan.against if side == CANDIDATE else plan.baseline or plan.against).model
            replies[side] = sides[side].send(renamed(resend, model) if model else resend)
        return Sent(resend, replies)

    try:
        yield send
    finally:
        for one in sides.values():
            one.close()


class _Outcome:
    """What has come so far."""

    def __init__(self, plan: Plan, judge: Judge, reader: AnswerReader) -> None:
        self._plan, self._judge, self._reader = plan, judge, reader
        self._secrets = list(_secrets(plan))
        self._latest: deque[Collection[str]] = deque(maxlen=LATEST)
        self._pairs: list[tuple[Pair, tuple[str, ...]]] = []
        self._errors: Counter[str] = Counter()
        self._throttled = 0
        self._lag = 0.0
        self._is_text = False
        self.sent = self.paired = self.failed = self.unmatched = 0

    def add(self, sent: Sent, lag: float) -> None:
        """Judge what came of a Record's requests."""
        record, replies = sent.resend.record, sent.replies
        found = {side: self._reader.traits(sent.resend, one) for side, one in replies.items()}
        self.sent += 1
        self._lag = max(self._lag, lag)
        self._throttled += sum(one.throttled for one in replies.values())
        self._latest.append([side for side, one in found.items() if not one.ok])
        if not found[CANDIDATE].ok:
            self._errors[_why(replies[CANDIDATE], found[CANDIDATE])] += 1
        recorded = None
        if self._plan.baseline is None:
            recorded = self._reader.recorded(record)
            others: tuple[Traits, ...] = (recorded,)
            self._is_text = self._is_text or recorded.is_text
        else:
            others = tuple(one for side, one in found.items() if side != CANDIDATE)
        answers = Answers(found[CANDIDATE], others, list(found).index(CANDIDATE))
        contrasts: dict[str, float] = {}
        has_other = recorded is None or _is_answered(record)
        if has_other:
            contrasts = self._judge.add(answers, _segments(record, self._plan.by))
        if answers.all_good and has_other:
            self.paired += 1
        elif recorded is not None and found[CANDIDATE].ok:
            self.unmatched += 1
        else:
            self.failed += 1
        sides = {side: _side(found[side], replies[side]) for side in found}
        pair = Pair(
            id=record.id,
            candidate=sides[CANDIDATE],
            baseline=[one for side, one in sides.items() if side != CANDIDATE],
            recorded=None if recorded is None else _side(recorded),
            differences={name: round(one, 4) for name, one in contrasts.items() if one},
        )
        texts = (self._hidden(one.text)[:SHOWN] for one in (found[CANDIDATE], *others))
        self._pairs.append((pair, tuple(texts)))

    def _hidden(self, text: str) -> str:
        """A text without the credentials that an endpoint said again."""
        for secret in self._secrets:
            text = text.replace(secret, "<SECRET>")
        return text

    def is_hopeless(self) -> str:
        """Return why it is no use to go on; nothing where it is of use."""
        if len(self._latest) < EARLY:
            return ""
        for side, name in ((CANDIDATE, "--against"), (BASELINE, "--baseline")):
            ill = sum(side in one for one in self._latest)
            if ill > self._plan.errors * len(self._latest):
                return f"{ill} of the last {len(self._latest)} requests to {name} failed"
        return ""

    def document(self, selection: Selection, remarks: list[str]) -> Redrive:
        """What is to be said."""
        found = self._judge.found(self._is_text)
        plan = self._plan
        texts = {id(one[0]) for one in nlargest(WORST, self._pairs, key=lambda one: apart(one[0]))}
        said = verdict(found, self.paired)
        return Redrive(
            verdict=said,
            judged="recorded" if plan.baseline is None else "baseline",
            run=plan.run,
            against=plan.against.url,
            baseline="" if plan.baseline is None else plan.baseline.url,
            read=selection.read,
            left_out=dict(selection.left_out.most_common()),
            sent=self.sent,
            paired=self.paired,
            failed=self.failed,
            unmatched=self.unmatched,
            features=found,
            pairs=[_told(*one) if id(one[0]) in texts else one[0] for one in self._pairs],
            errors=dict(self._errors.most_common(20)),
            throttled=self._throttled,
            lag=round(self._lag, 3),
            more=more(found) if said == "insufficient" and self.paired else None,
            remarks=remarks,
        )


def _secrets(plan: Plan) -> Iterator[str]:
    """The values of the headers that the targets are sent, and what stands behind `Bearer `."""
    for target in filter(None, (plan.against, plan.baseline)):
        for value in target.headers.values():
            for one in (value, value.rpartition(" ")[2]):
                if len(one) >= SHORTEST:
                    yield one


def apart(pair: Pair) -> float:
    """How much the answers of a pair differ, in all features together."""
    names = [one.name for one in DISTANCES]
    return sum(max(0.0, pair.differences.get(name, 0.0)) for name in names) + abs(
        pair.differences.get("length", 0.0)
    )


def _told(pair: Pair, texts: tuple[str, ...]) -> Pair:
    """A pair with the beginnings of its answers."""
    if not apart(pair):
        return pair
    mine, *others = texts
    replace = msgspec.structs.replace
    recorded = pair.recorded
    return replace(
        pair,
        candidate=replace(pair.candidate, text=mine),
        baseline=[
            replace(one, text=text) for one, text in zip(pair.baseline, others, strict=False)
        ],
        recorded=None if recorded is None else replace(recorded, text=others[0]),
    )


def _is_answered(record: Record) -> bool:
    """Whether it is known how a recorded exchange ended, and if well, what the whole answer was."""
    if record.is_accepted:
        return bool(record.outputs) and not record.response.truncated
    return record.outcome is not Outcome.OK


def _is_told(record: Record) -> bool:
    """Whether a dialect found something in an answer; a page to log in and `{}` hold nothing."""
    said = any(part.role != "error" for part in record.outputs)
    return said or bool(record.finish_reasons) or record.tokens is not None


def _has_columns(record: Record) -> bool:
    """Whether an answer has numbers or labels in columns, as those of predictions have."""
    return any(part.data is not None for part in record.outputs)


def _is_text(record: Record) -> bool:
    """Whether an answer has words."""
    return any(part.text is not None and part.role != "error" for part in record.outputs)


def _is_like(record: Record, recorded: Record) -> bool:
    """Whether an answer has columns where the one on record has, and no others instead of words:
    JSON of another dialect is read as columns."""
    if _has_columns(recorded):
        return _has_columns(record)
    return _is_text(record) or not (_is_text(recorded) and _has_columns(record))


def _was_told_nothing(record: Record) -> bool:
    """Whether an answer on record was good, whole, and held nothing either that is read of it."""
    is_whole = record.response.bytes > 0 and not record.response.truncated
    return record.is_accepted and is_whole and not _is_told(record)


def _why(reply: Reply, found: Traits) -> str:
    """Why an answer is none."""
    if reply.error or reply.outcome is not Outcome.OK:
        return reply.error or found.outcome
    return LONG if reply.truncated else NONSENSE


def _side(found: Traits, reply: Reply | None = None) -> Side:
    return Side(
        found.status, found.outcome, round(found.duration, 6), reply.error if reply else "",
        found.length, found.tokens,
    )  # fmt: skip


def _segments(record: Record, by: Sequence[str]) -> dict[str, str]:
    more = {name: str(getattr(record, name)) for name in by if name in COMMON}
    return {**more, **record.segments}
