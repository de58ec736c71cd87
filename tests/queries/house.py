"""A system that has found something, without processes behind it."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Sequence

import msgspec

from monitor.decisions import Decision, Entry, Readout
from monitor.errors import StreamError
from monitor.findings import (
    BinShift,
    Calibration,
    ClassQuality,
    Coverage,
    Drift,
    Driver,
    ExperimentEffect,
    ExperimentLook,
    ExperimentTimeline,
    Fairness,
    Finding,
    Missing,
    Outcomes,
    Quality,
    ReliabilityBin,
    Slice,
    SliceCondition,
    Together,
)
from monitor.queries.query import Process, Running
from monitor.templates.miner import Known
from monitor.types import (
    Measurement,
    Outcome,
    Part,
    Record,
    RequestSummary,
    ResponseSummary,
    Template,
    Tokens,
)

NOW = 1_780_000_000.0


def finding(
    feature: str = "outcome", dimension: str = "all", value: str = "all", status: str = "ok"
) -> Finding:
    if status != "drift":
        return Finding(feature, dimension, value, 640, 5000, {"psi": 0.01}, 0.3, status)  # type: ignore[arg-type]
    shifts = [BinShift("up to 512", 0.98, 0.69), BinShift("above 512", 0.02, 0.31)]
    return Finding(
        feature, dimension, value, 640, 5000, {"psi": 0.31}, 14.2, "drift", changed=True,
        since=NOW - 7200, moved=shifts[::-1], bins=shifts,
        words=f"{feature} in {dimension} {value} drifted: PSI 0.31 over 640 values",
        drivers=[Driver("population", "north", 0.93)],
    )  # fmt: skip


def drift(names: Sequence[str] = ("north", "south")) -> Drift:
    features = [finding("tokens.input", status="drift"), finding()]
    for name in names:
        status = "drift" if name == names[0] else "ok"
        features += [finding("tokens.input", "population", name, status)]
        features += [finding("outcome", "population", name, "insufficient")]
    together = [Together("population", names[0], NOW - 7200, ["tokens.input"])]
    return Drift("drift", 5640, features[::-1], together)


def outcomes(name: str = "north") -> Outcomes:
    bins = [
        ReliabilityBin(k / 10, (k + 1) / 10, 40, k / 10 + 0.05, min(1.0, k / 8)) for k in range(10)
    ]
    effect = ExperimentEffect("prompt", name, "converted", 0.031, 0.004, 0.058, "better", 4000)
    return Outcomes(
        True,
        [
            Quality("all", "all", "accuracy", 0.91, 0.89, 0.93, 800, "ok", 0.1),
            Quality("population", name, "accuracy", 0.7, 0.65, 0.75, 300, "alarm", 9.0, NOW - 900),
        ],
        [ClassQuality("all", "all", name, "recall", 0.8, 0.7, 0.9, 800)],
        [
            Calibration("all", "all", 0.08, 0.2, 1.4, 0.01, bins, 8.0, "alarm", 400, NOW - 900,
                        0.01, 0.05, 0.24, 0.009),
        ],
        [Coverage("all", "all", 0.84, 0.9, 2.1, 6.0, "alarm", 500, NOW - 900, 12.5, 3, 1)],
        [
            Fairness("population", name, "selection_rate", -0.14, -0.2, -0.08, 7.0, "alarm",
                     [Driver("plan", "free", 0.5)]),
            Fairness("population", "south", "selection_rate", 0.14, 0.08, 0.2, 7.0, "alarm"),
        ],
        [effect, ExperimentEffect("prompt", name, "slow", None, None, None, "keep_going", 0)],
        [
            Slice([SliceCondition("population", name), SliceCondition("plan", "free")], "error",
                  412, 0.31, 0.09, 0.22, 0.16, 0.28, 12.0, "alarm", "31 % were wrong", ["r1"]),
            Slice([SliceCondition("population", name)], "latency", 90, 0.2, 0.1, 0.1, None, None,
                  1.0, "ok", "20 % took 3 s or more"),
        ],
        timelines=[
            ExperimentTimeline("prompt", name, "converted", [
                ExperimentLook(NOW - 7200, None, None, None, "keep_going", 40),
                ExperimentLook(NOW - 3600, 0.04, -0.1, 0.18, "keep_going", 2000),
                ExperimentLook(NOW, 0.031, 0.004, 0.058, "better", 4000),
            ]),
        ],
        early=[Quality("all", "all", "accuracy", 0.4, None, None, 30, early=True)],
    )  # fmt: skip


def histogram(name: str, labels: dict[str, str], counts: dict[float, int]) -> list[Measurement]:
    total, found = 0, []
    for bound, count in counts.items():
        total += count
        edge = "+Inf" if math.isinf(bound) else repr(bound)
        found.append(Measurement(f"{name}_bucket", {**labels, "le": edge}, total))
    found.append(Measurement(f"{name}_count", labels, total))
    found.append(Measurement(f"{name}_sum", labels, float(total)))
    return found


def measurements(names: Sequence[str] = ("north", "south")) -> list[Measurement]:
    found = [
        Measurement("monitor_exchanges_total", {"outcome": "ok"}, 990),
        Measurement("monitor_exchanges_total", {"outcome": "server_error"}, 10),
        Measurement("monitor_records_appended_total", {}, 995),
        Measurement("monitor_exchanges_lost_total", {"reason": "opaque"}, 3),
        Measurement("monitor_exchanges_lost_total", {"reason": "buffer_full"}, 0),
        Measurement("monitor_records_pending", {}, 2),
        Measurement("monitor_records_analyzed_total", {}, 990),
        Measurement("monitor_records_missed_total", {}, 0),
        Measurement("monitor_analysis_timestamp_seconds", {}, NOW - 3),
        Measurement("monitor_process_resident_memory_bytes", {"role": "proxy"}, 40 << 20),
    ]
    for dimension, value in [("all", "all"), *(("population", name) for name in names)]:
        place = {"endpoint": "e", "dimension": dimension, "value": value}
        found += [
            Measurement("monitor_segment_exchanges_total", {**place, "outcome": "ok"}, 90),
            Measurement("monitor_segment_exchanges_total", {**place, "outcome": "timeout"}, 10),
            Measurement("monitor_segment_tokens_total", {**place, "direction": "input"}, 5000),
            Measurement("monitor_segment_cost_total", {**place, "currency": "USD"}, 1.25),
            Measurement("monitor_segment_check_failures_total", {**place, "check": "citation"}, 4),
            *histogram("monitor_segment_duration_seconds", place, {1.0: 50, 2.0: 40, math.inf: 10}),
        ]
    return found


def record(number: int, names: Sequence[str]) -> Record:
    name = names[number % len(names)]
    return Record(
        f"r-{number}", "e", "openai_chat", "chat", "small", NOW - 100 + number, 0.5, 0.1, None, 200,
        Outcome.OK if number % 10 else Outcome.SERVER_ERROR, True, {"population": name},
        RequestSummary("POST", "/v1/chat/completions", {}, 12, False),
        ResponseSummary({}, 40, False), [Part(role="user", text=f"hello {name}")],
        [Part(role="assistant", text=name), Part(name="y", datatype="FP64", shape=[1], data=[0.5])],
        Tokens(7, 2), ["stop"], {"PERSON": 1}, "k1", None,
        edge_cases=["refusal"] if number % 7 == 0 else [],
        template=Template("t_0123456789ab", declared=False) if number % 2 else None,
    )  # fmt: skip


class House:
    """See System."""

    endpoint, version = "e", "1.0"

    def __init__(self, names: Sequence[str] = ("north", "south")) -> None:
        self.names = names
        self.is_ready = True
        self.trouble = ""
        self.missing: list[Missing] = []
        self.count = 30
        self.log = 12
        self.unreadable: frozenset[int] = frozenset()
        self.accesses: list[tuple[str, str, str]] = []
        self.readings: list[tuple[str, list[tuple[str, str]]]] = []

    def now(self) -> float:
        return NOW

    async def shards(self) -> int:
        return 1

    async def measurements(self) -> list[Measurement]:
        return measurements(self.names)

    async def drift(self) -> Drift:
        return drift(self.names)

    async def outcomes(self) -> Outcomes:
        return msgspec.structs.replace(outcomes(self.names[0]), missing=self.missing)

    async def running(self) -> Running:
        return Running(self.is_ready, [Process("proxy", 0, 41, 0), Process("analyzer", 0, 42, 1)])

    async def back(
        self, before: str, *, start: float | None = None
    ) -> AsyncGenerator[tuple[str, Record | None]]:
        for place in range(int(before.partition("-")[0]) - 1 if before else self.count, 0, -1):
            one = record(place, self.names)
            if one.started >= (start or 0.0):
                yield f"{place}-0.0", None if place in self.unreadable else one

    async def record(self, id_: str) -> Record | None:
        found = (record(place, self.names) for place in range(1, self.count + 1))
        return next((one for one in found if one.id == id_), None)

    async def templates(self) -> dict[str, Known]:
        return {"t_0123456789ab": Known(literals=[f"Answer {self.names[0]} about ", "."])}

    async def log_access(self, who: str, what: str, record: str) -> None:
        if self.trouble:
            raise StreamError(self.trouble)
        self.accesses.append((who, what, record))

    async def log_reading(self, who: str, effects: list[ExperimentEffect]) -> None:
        if self.trouble:
            raise StreamError(self.trouble)
        self.readings.append((who, [(one.name, one.verdict) for one in effects]))

    async def decisions(self, before: str) -> AsyncGenerator[tuple[str, Entry | None]]:
        name, log = self.names[0], self.log
        for place in range(int(before.partition("-")[0]) - 1 if before else log, 0, -1):
            at = NOW - 60 * (log - place)
            entry: Entry | None = Readout(at, name, "api", ["prompt", "other"])
            if place % 4 == 0:
                entry = Decision(at, "prompt", name, "converted", "keep_going", "better", 0.031,
                                 0.004, 0.058, 4000, "5f0c1b", f"{name} is odd")  # fmt: skip
            elif place % 4 == 1:
                entry = None
            yield f"{place}-0", entry

    async def store(self) -> str:
        return self.trouble
