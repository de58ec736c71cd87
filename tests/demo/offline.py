"""A scenario's traffic through the recorder's and the analyzer's own code, in no time: its Turns →
Exchanges → Records → what the analyzer would say at the end."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import yaml

from monitor.analysis.drift.findings import summary
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.experiments.declared import horizons_of, units_of
from monitor.analysis.join.at_rest import due
from monitor.analysis.join.items import Item, item_of
from monitor.analysis.join.join import Join
from monitor.analysis.monitors import analysis_of, at_once_of, outcomes_of, within_of
from monitor.assembly import build
from monitor.assembly.analysis import features_of
from monitor.assembly.analysis import rules_of as drift_rules_of
from monitor.assembly.experiments import experiments_of
from monitor.assembly.outcomes import is_asked_for, rules_of
from monitor.demo.alarms import Alarm, alarms
from monitor.demo.page import Labels, Page
from monitor.demo.scenario import Scenario, Turn, configuration, trace_id
from monitor.feedback import Statement
from monitor.findings import Drift, Outcomes
from monitor.meters import Meters
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.recorder.agreements import Agreements
from monitor.recorder.capture import Capture
from monitor.recorder.repeats import Repeats
from monitor.settings.load import load
from monitor.settings.schema import Settings
from monitor.types import Exchange, Message, Outcome, Record

BEGIN = 1_800_000_000.0
GROUP = 16
SAID_AFTER = 1.0
"""Seconds after an exchange's end at which something is said of it."""

KEYRING = Keyring((Key("k1", bytes(range(32))),))


def settings_of(scenario: Scenario, directory: Path) -> Settings:
    """The settings, through the file that a real run would read."""
    file = directory / f"{scenario.name}.yaml"
    file.write_text(yaml.safe_dump(configuration(scenario)))
    return load(str(file), {}, {"upstream": "http://127.0.0.1:9"})


@mock.patch("os.sched_yield", new=int)
def found(
    scenario: Scenario,
    settings: Settings,
    seed: int,
    *,
    problem: bool,
    scanner: Scanner,
) -> tuple[list[Alarm], Outcomes]:
    """What is believed at the end of a seed's traffic, and the document of outcomes.

    Nobody waits for this process: it gives way to none.
    """
    turns = scenario.turns(seed, problem)
    # Where in its minute a run begins is chance, too.
    began = BEGIN + random.Random(f"phase {seed}").uniform(0, 60)
    privacy = build.privacy(settings, KEYRING, compiled=scanner)
    meters = Meters("recorder", settings.endpoint)
    records = list(_records(turns, seed, began, settings, privacy, meters))
    drift, outcomes = _analyzed(records, list(_items(turns, seed, began, privacy)), settings)
    arms = {one.name: one.dimension for one in settings.experiments}
    objectives = settings.objectives.shares
    return alarms(drift, outcomes, page_of(meters), arms=arms, objectives=objectives), outcomes


def page_of(meters: Meters) -> Page:
    """What a scrape of these counts would show."""
    samples: dict[str, list[tuple[Labels, float]]] = {}
    for one in meters.measurements():
        if isinstance(one.value, int | float):
            samples.setdefault(one.name, []).append((one.labels, one.value))
    return Page(samples)


def exchange(turn: Turn, seed: int, number: int, began: float) -> Exchange:
    """What the proxy would have seen."""

    def head(start: str, fields: dict[str, str]) -> bytes:
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"{start}\r\n{lines}\r\n".encode()

    kind = {"content-type": "application/json"}
    parent = {"traceparent": f"00-{trace_id(seed, number)}-{1:016x}-01"}
    body, answer = json.dumps(turn.request).encode(), json.dumps(turn.answer).encode()
    ask = head(f"POST {turn.path} HTTP/1.1", {**kind, **turn.headers, **parent})
    chance = random.Random(f"{seed} {number}").getrandbits(74)
    milliseconds = int((began + turn.at) * 1000)
    id_ = f"{milliseconds:012x}7{chance:019x}"
    return Exchange(
        f"{id_[:8]}-{id_[8:12]}-{id_[12:16]}-8{id_[17:20]}-{id_[20:32]}", began + turn.at, turn.seconds,
        Message(ask, body, len(body)), Message(head("HTTP/1.1 200 OK", kind), answer, len(answer)),
        [(turn.seconds, len(answer))], Outcome.OK,
    )  # fmt: skip


def _records(  # noqa: PLR0917
    turns: Sequence[Turn],
    seed: int,
    began: float,
    settings: Settings,
    privacy: Privacy,
    meters: Meters,
) -> Iterator[Record]:
    dimensions, crossed = build.dimensions(settings)
    rules, checks = build.edge_cases(settings), build.checks(settings)
    capture = Capture(
        settings.endpoint, PROTOCOLS, dimensions, privacy, meters,
        crossed=crossed, pricing=build.pricing(settings), objectives=settings.objectives.seconds, edge_cases=rules, checks=checks, checks_sample=settings.checks_sample,
        agreements=Agreements(bytes(32)), repeats=Repeats(bytes(32)), usual=build.usual(settings, rules),
        business=build.business(settings), lineage=build.lineage(settings), mined=settings.mined,
        miner=build.miner(settings),
    )  # fmt: skip
    ended = sorted(range(len(turns)), key=lambda number: turns[number].at + turns[number].seconds)
    for start in range(0, len(ended), GROUP):
        group = [exchange(turns[n], seed, n, began) for n in ended[start : start + GROUP]]
        for taken in capture.take(group):
            assert isinstance(taken, tuple), taken
            yield taken[0]


def _items(turns: Sequence[Turn], seed: int, began: float, privacy: Privacy) -> Iterator[Item]:
    said = [
        (began + turn.at + turn.seconds + SAID_AFTER, number, place, item)
        for number, turn in enumerate(turns) for place, item in enumerate(turn.said)
    ]  # fmt: skip
    for at, number, place, item in sorted(said, key=lambda one: one[:3]):
        statement = msgspec.convert({"trace_id": trace_id(seed, number), **item}, Statement)
        yield item_of(privacy.feedback(statement), at, f"{number} {place}")


def _analyzed(
    records: Sequence[Record], items: Sequence[Item], settings: Settings
) -> tuple[Drift, Outcomes]:
    is_on = bool(items) or is_asked_for(settings)
    drift = analysis_of(
        features_of(settings), drift_rules_of(settings, outcomes=is_on), Baseline(learn=settings.reference.learn)
    )  # fmt: skip
    drift.add_rows(map(drift.row, records))
    told = summary(drift.records, drift.findings(), [])
    found: dict[str, list[Any]] = {}
    rules, experiments = rules_of(settings), experiments_of(settings)
    due_fold, at_once = outcomes_of(rules, experiments=experiments), at_once_of(rules)
    within = within_of(rules, experiments=experiments)
    join = Join(
        build.prediction_reader(settings), wait=settings.outcomes.wait, units=units_of(experiments),
        is_detailed=bool(settings.slices.measures), horizons=horizons_of(experiments),
    )  # fmt: skip
    for row in due(join, records, items) if is_on else ():
        assert row.truth is not None
        if row.truth.is_due:
            due_fold.add_row(row)
        elif row.truth.horizon:
            within[row.truth.horizon].add_row(row)
        elif at_once is not None:
            at_once.add_row(row)
    for fold in (due_fold, *filter(None, (at_once,)), *within.values()):
        for monitor in fold.monitors:
            found.setdefault(monitor.name, []).extend(monitor.findings())
    return msgspec.json.decode(told, type=Drift), Outcomes(is_on=is_on, **found)
