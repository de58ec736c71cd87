"""Every setting, with its kind, bounds and default, as frozen structs.

The doors read settings (`cli`, `commands`, `app`, `assembly`, `supervision`, `demo`); parts take
plain arguments.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from monitor.settings.alerts import Alerts, Dashboards
from monitor.settings.archive import Archive, Audit
from monitor.settings.circumstances import Circumstances
from monitor.settings.experiments import Experiment
from monitor.settings.injector import Injector
from monitor.settings.kinds import (
    LONGEST,
    Address,
    Count,
    Duration,
    Name,
    Positive,
    Seconds,
    Section,
)


class Capture(Section, frozen=True):
    """Bytes kept of each body, and bytes of exchanges that may wait for the recorder.

    Of more than `sample_over` exchanges per second, only a sample is recorded (`recorder.sampler`).
    """

    max_body_bytes: Count = 1048576
    buffer_bytes: Positive = 67108864
    sample_over: Positive | None = None


class Ner(Section, frozen=True):
    """A model that finds names and places, in a process of its own.

    `model` is one that spaCy can load (extra `ner`), or `package.module:NAME`
    (monitor/ner/server.py); empty: none. It has `timeout` seconds for the texts of a record.
    Without an answer the texts are replaced by their digest, or kept, as `on_failure` says.
    """

    model: str = ""
    timeout: Duration = 5.0
    on_failure: Literal["digest", "keep"] = "digest"


class Differential(Section, frozen=True):
    """Noise in the counts of exchanges by segment, which are released once each `period` seconds.

    It hides, up to `epsilon` and `delta`, which segments one exchange belongs to
    (`recorder.noisy_counts`; extra `dp`).
    """

    epsilon: Annotated[float, msgspec.Meta(gt=0)] | None = None
    delta: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 1e-6
    period: Duration = 3600


class Privacy(Section, frozen=True):
    """How personal data is found and replaced.

    Without a `key_file` a key is made in the data directory. `paths` are rules for places; the
    first that matches wins. `without` names entities not to look for, `with` those to look for
    besides the default ones. `region` completes national telephone numbers. Equal values have equal
    pseudonyms within a `tenant`. Values are sealed to the public key in the file `seal_to`, for
    `monitor reveal`. A segment's value seen fewer than `min_group` times is `other`.
    """

    key_file: str | None = None
    paths: dict[str, str] = {}
    without: list[str] = []
    also: list[str] = msgspec.field(default_factory=list, name="with")
    region: str = "US"
    tenant: Name = "default"
    seal_to: str | None = None
    ner: Ner = Ner()
    min_group: Positive = 1
    differential: Differential = Differential()


class StreamSettings(Section, frozen=True):
    """The Redis Streams of one endpoint, `shards` of them.

    A shard keeps about `max_length` records at most, and none that was appended more than
    `max_age` seconds ago (0: no limit of age); the stream of feedback as many items, and none of
    more than `feedback_max_age`.
    """

    shards: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 1
    max_length: Positive = 1000000
    max_age: Seconds = 0.0
    feedback_max_age: Seconds = 0.0


class Spool(Section, frozen=True):
    """Bytes of the disk spool, which takes records while Redis is away."""

    max_bytes: Count = 1073741824


class Windows(Section, frozen=True):
    """Panes of `pane` seconds; one is closed `lateness` seconds after its end.

    The current window is the newest panes that hold `samples` values.
    """

    pane: Duration = 60.0
    lateness: Seconds = 5.0
    samples: Positive = 500


class Reference(Section, frozen=True):
    """What is usual: a profile read from `file`, or learned from the first `learn` values.

    With `renew` what came in so many seconds without drift becomes the next reference. With
    `variant` every other variant is compared with that one, pane by pane. With `hour_of_week`
    everything else is compared with the same hour of earlier weeks.
    """

    file: str | None = None
    learn: Positive = 1000
    renew: Duration | None = None
    variant: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    hour_of_week: bool = False

    @property
    def versus(self) -> tuple[str, str] | None:
        """(dimension, value) that `variant` means: `NAME`, or `DIMENSION=NAME` for another."""
        if self.variant is None:
            return None
        dimension, equals, value = self.variant.partition("=")
        return (dimension, value) if equals else ("variant", self.variant)


class Drift(Section, frozen=True):
    """When a change is believed, and when it matters.

    `alpha` is the probability of any false alarm while nothing changes, over all features, all
    segments and `patience` panes. A believed change with a corrected PSI of `tolerance` is drift.
    At most `watches` pairs of feature and segment are watched. `features` are watched besides the
    usual ones: `latency`, `variety`, `ngrams`, or somebody's own as `package.module:NAME`.
    So many records as `design_effect` says count as one in the evidence, because they resemble each
    other, as those of a session do. `embed` is the directory of a small model that turns texts into
    vectors (`analysis.drift.embed`).
    """

    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 0.02
    alpha: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.05
    patience: Positive = 43200
    watches: Positive = 5000
    design_effect: Positive = 1
    features: list[str] = []
    embed: str = ""


class Outcomes(Section, frozen=True):
    """What became of exchanges. A score is the probability of the class `positive`.

    `wait` seconds after a record ended its outcome is counted, once, with what feedback had said
    by then. `prediction` and `score` say where they are in the outputs
    (`analysis.join.predictions`); empty: they are looked for. `key` are names that the application
    has for an exchange, and where they stand in its body, as `request.metadata.order_id`. At most
    `records` records are remembered until they are due; of more an even share. A monitor that lacks
    labels for longer than `overdue` seconds says so (`analysis.missing`).
    """

    wait: Duration = 604800.0
    prediction: str = ""
    score: str = ""
    key: Annotated[dict[Name, str], msgspec.Meta(max_length=8)] = {}
    records: Positive = 200000
    overdue: Duration | None = None
    positive: Annotated[str, msgspec.Meta(min_length=1)] = "1"


class Calibration(Section, frozen=True):
    """How scores are held against labels.

    A probability that is off by up to `tolerance` is harmless. Reports have `bins` bins. A segment
    with fewer than `minimum` scores with labels is not judged.
    """

    tolerance: Annotated[float, msgspec.Meta(ge=0, lt=0.5)] = 0.02
    bins: Annotated[int, msgspec.Meta(ge=2, le=100)] = 15
    minimum: Positive = 50


class Coverage(Section, frozen=True):
    """The share of labels that sets and intervals of predictions are to hold, `target`.

    A conformal predictor promises it on average over its calibration samples; with `calibrated_on`,
    how many scores its one sample had, its coverage is held against what such a sample gives.
    """

    target: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.9
    calibrated_on: Annotated[int, msgspec.Meta(ge=0)] = 0


class Fairness(Section, frozen=True):
    """Which groups are compared, the values of each of `dimensions`.

    `intersections` are pairs of dimensions or protected attributes, whose values together are
    groups, too. Where `strata` are given, groups are compared only within equal values of these.
    `favourable` is the prediction that people want. A group with fewer than `minimum` rows is not
    judged; a gap of up to `tolerance` to the rest is harmless. With a `ratio`, such as .8,
    selection and true positive rates are held against that instead: neither the group's nor that of
    the rest may be less than so many times the other.
    """

    dimensions: list[str] = []
    strata: list[str] = []
    favourable: Annotated[str, msgspec.Meta(min_length=1)] = "1"
    minimum: Positive = 100
    tolerance: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.1
    intersections: Annotated[
        list[Annotated[list[str], msgspec.Meta(min_length=2, max_length=2)]],
        msgspec.Meta(max_length=20),
    ] = []
    ratio: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = None


class Slices(Section, frozen=True):
    """By which `measures` slices of the traffic are searched for that are worse than the rest.

    Without any they are not searched for. Up to `tolerance` worse is harmless; of fewer than
    `minimum` rows nothing is said.
    """

    measures: list[Literal["error", "calibration", "latency", "cost", "checks"]] = []
    minimum: Positive = 50
    tolerance: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.05


class DimensionSource(Section, frozen=True, omit_defaults=True):
    """Where a dimension's value comes from, one of the first seven, and what becomes of it.

    `header` is a name, or several of which the first that a request has counts. `json` is a path
    into a body (`request.metadata.plan`), `path` a regular expression with a group, `query` the
    name of a field, `claim` that of a claim of the bearer token, `baggage` that of a member,
    `cross` are other dimensions, whose values are joined. What was said is matched, then mapped,
    then put into buckets; `default` is the value of what these do not know. With `hash` it is a
    keyed pseudonym. With `mine` it is the prompt template: as said, else as the request names a
    stored prompt, else as it is found in the texts.
    """

    header: str | list[str] = ""
    json: str = ""
    path: str = ""
    query: str = ""
    claim: str = ""
    baggage: str = ""
    cross: list[str] = []
    match: str = ""
    map: dict[str, str] = {}
    default: str = ""
    buckets: list[float] = []
    hash: bool = False
    mine: bool = False

    EXCLUSIVE: ClassVar = ("header", "json", "path", "query", "claim", "baggage", "cross")

    @property
    def origin(self) -> str:
        """The first of the keys that says where the value comes from; empty without one."""
        return next(iter(self.origins), "")

    @property
    def origins(self) -> list[str]:
        """The keys that say where the value comes from; one, where the settings are right."""
        return [name for name in self.EXCLUSIVE if getattr(self, name)]


class Costs(Section, frozen=True):
    """A YAML file of prices that go before the bundled ones; empty: none."""

    file: str = ""


class LineageSource(Section, frozen=True, omit_defaults=True):
    """Where a fact of what served an exchange comes from: `header` of the answer, else of the
    request (of several names the first that there is), a path into the `json` of a body, as
    `response.system_fingerprint`, or a `value` that holds for all.
    """

    header: str | list[str] = ""
    json: str = ""
    value: Annotated[str, msgspec.Meta(max_length=200)] = ""

    EXCLUSIVE: ClassVar = ("header", "json", "value")


class AdminTls(Section, frozen=True):
    """PEM files that the admin port shows to clients; an empty `key` is in `cert` too."""

    cert: str = ""
    key: str = ""


class Access(Section, frozen=True):
    """A file with a line `NAME ROLE[,ROLE…] SHA256HEX` for each token of the admin port; empty: no
    tokens (`api.access`). With `tls` the port speaks TLS alone."""

    tokens: str = ""
    tls: AdminTls = AdminTls()


Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Review(Section, frozen=True):
    """With which probability people are asked about an exchange (`review.sampling`); 0 is never.

    `rate` is for one of the `edge_cases`, one of which a check failed, and one whose confidence is
    below `low_confidence`; `drifted` for one of a segment that drifts, `control` for every one.
    `reviewers` answer each item, who have it for `lease` seconds; of two the second one reads the
    share `second` of all items.
    """

    rate: Share = 0.0
    low_confidence: Share = 0.6
    edge_cases: list[str] = msgspec.field(default_factory=lambda: ["refusal"])
    drifted: Share = 0.0
    control: Share = 0.0
    reviewers: Annotated[int, msgspec.Meta(ge=1, le=2)] = 1
    second: Share = 1.0
    lease: Duration = 900.0


Objective = Annotated[
    float,
    msgspec.Meta(gt=0, lt=1, description="a share above 0 and below 1, as 0.995 for 99.5 %"),
]


class LatencyObjective(Section, frozen=True):
    """The `share` of exchanges that is to take no longer than `seconds`."""

    seconds: Duration = 10.0
    share: Objective = 0.95


class FirstTokenObjective(Section, frozen=True):
    """The `share` of streams that is to show its first content within `seconds`."""

    seconds: Duration = 2.0
    share: Objective = 0.95


class Objectives(Section, frozen=True):
    """What users of the endpoint may expect, told on /metrics for alert rules and dashboards.

    `availability` is the share of exchanges that the endpoint does not fail.
    """

    availability: Objective = 0.995
    latency: LatencyObjective = LatencyObjective()
    first_token: FirstTokenObjective = FirstTokenObjective()

    @property
    def shares(self) -> dict[str, float]:
        """The share that is to meet each objective, by its name."""
        return {
            "availability": self.availability,
            "latency": self.latency.share,
            "first_token": self.first_token.share,
        }

    @property
    def seconds(self) -> dict[str, float]:
        """The seconds of those objectives that are about time, by their names."""
        return {"latency": self.latency.seconds, "first_token": self.first_token.seconds}


class Limits(Section, frozen=True):
    """Connections of clients at a time per worker; more wait in the backlog, then are refused.

    None: 10000, or as many as the limit on file descriptors allows (`assembly.connections`).
    """

    connections: Positive | None = None


class Timeouts(Section, frozen=True):
    """Limits in seconds; 0 is never.

    `connect`: to connect to the endpoint. `idle`: the endpoint owes bytes and is silent, or either
    side takes none of the bytes it is sent.
    """

    connect: Seconds = 10.0
    idle: Seconds = 3600.0


class Tls(Section, frozen=True):
    """PEM files: `cert` with `key` is shown to clients; the others are for an https upstream."""

    cert: str = ""
    key: str = ""
    ca: str = ""
    client_cert: str = ""
    client_key: str = ""


class Edits(Section, frozen=True):
    """What may be changed on the wire. `host: auto` rewrites Host for a remote https upstream.

    With one of the first two on, the proxy refuses a request that it cannot edit with certainty.
    `exchange_id` adds X-Monitor-Exchange-Id to answers; an answer it cannot be added to stays as it
    is.
    """

    host: Literal["auto", "never", "always"] = "auto"
    forwarded_for: bool = False
    exchange_id: bool = False


class Drain(Section, frozen=True):
    """Seconds to keep accepting after SIGTERM, and for active exchanges to finish after that."""

    delay: Seconds = 0.0
    timeout: Seconds = 30.0


class Receiver(Section, frozen=True, omit_defaults=True):
    """Who is told of alerts, by a POST to `url`, in the form of its `kind` (`notifiers`).

    The file `secret` holds what signs the body, or the receiver's own key. It hears of
    `severities`; what goes on is told again after `repeat` seconds. With `heartbeat` it is told
    each so many seconds that the notifier works. Alerts link to sections of the page `runbook`.
    """

    name: Name
    url: str = ""
    kind: Literal["alertmanager", "slack", "teams", "pagerduty", "opsgenie"] = "alertmanager"
    secret: str = ""
    severities: Annotated[
        list[Literal["critical", "warning", "info"]], msgspec.Meta(min_length=1, max_length=3)
    ] = msgspec.field(default_factory=lambda: ["critical", "warning"])
    repeat: Annotated[float, msgspec.Meta(ge=60, le=LONGEST)] = 14400.0
    heartbeat: Annotated[float, msgspec.Meta(ge=1, le=LONGEST)] | None = None
    runbook: str = ""


class Traces(Section, frozen=True):
    """Which exchanges become spans of the collector (`recorder.spans`).

    Of those without a `traceparent` the share `sample`; with one, its sampled flag decides. What
    takes longer than `slow` seconds (0: no limit), and with `errors` what fails, always does.
    """

    sample: Share = 0.01
    slow: Seconds = 10.0
    errors: bool = True


class Otlp(Section, frozen=True):
    """URL of an OpenTelemetry collector (for `grpc` HOST:PORT too), empty: none; the seconds
    between deliveries of metrics.

    `conventions` is the version of the GenAI conventions whose names are used (`conventions`).
    """

    endpoint: str = ""
    protocol: Literal["http", "grpc"] = "http"
    interval: Annotated[float, msgspec.Meta(ge=1, le=LONGEST)] = 15.0
    traces: Traces = Traces()
    conventions: Literal["1.36", "1.41", "latest"] = "latest"


def _default_segments() -> dict[str, DimensionSource]:
    return {name: DimensionSource(f"x-{name}") for name in ("population", "template", "variant")}


class Settings(Section, frozen=True):
    """Everything that can be set. `log` is how lines on stderr are written.

    `preset` names the layer of a domain below all other keys (`settings.layers`).

    `edge_cases` are thresholds by the name of an edge case, null to switch it off; a `module` names
    somebody's own, as `package.module:NAME` (`assembly.build.edge_cases`). `checks` likewise, but
    none runs unless it is named (`assembly.build.checks`). Those that hold an answer against what
    it was given look at the share `checks_sample` of exchanges.
    """

    preset: str = ""
    circumstances: Circumstances = Circumstances()
    endpoint: Name = "default"
    upstream: Annotated[str, msgspec.Meta(description="a URL like http://127.0.0.1:9000")] = ""
    listen: Address = "127.0.0.1:8080"
    admin: Address = "127.0.0.1:9464"
    redis: Annotated[str, msgspec.Meta(description="a URL like redis://127.0.0.1:6379/0")] = ""
    data: str = ".monitor"
    log: Literal["text", "json"] = "text"
    workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    segments: dict[str, DimensionSource] = msgspec.field(default_factory=_default_segments)
    edge_cases: dict[str, dict[str, Any] | None] = {}
    checks: dict[str, dict[str, Any] | None] = {}
    checks_sample: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    costs: Costs = Costs()
    lineage: Annotated[dict[Name, LineageSource], msgspec.Meta(max_length=16)] = {}
    objectives: Objectives = Objectives()
    review: Review = Review()
    capture: Capture = Capture()
    privacy: Privacy = Privacy()
    stream: StreamSettings = StreamSettings()
    spool: Spool = Spool()
    windows: Windows = Windows()
    reference: Reference = Reference()
    drift: Drift = Drift()
    outcomes: Outcomes = Outcomes()
    calibration: Calibration = Calibration()
    coverage: Coverage = Coverage()
    fairness: Fairness = Fairness()
    slices: Slices = Slices()
    experiments: Annotated[list[Experiment], msgspec.Meta(max_length=32)] = []
    drain: Drain = Drain()
    access: Access = Access()
    notify: Annotated[list[Receiver], msgspec.Meta(max_length=32)] = []
    alerts: Alerts = Alerts()
    dashboards: Dashboards = Dashboards()
    archive: Archive = Archive()
    audit: Audit = Audit()
    otlp: Otlp = Otlp()
    injector: Injector = Injector()
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    tls: Tls = Tls()
    edits: Edits = Edits()

    @property
    def mined(self) -> str:
        """The name of the dimension with `mine`; empty without one."""
        return next((name for name, one in self.segments.items() if one.mine), "")
