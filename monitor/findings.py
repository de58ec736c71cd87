"""What the analysis says: a finding of one feature in one segment, and what became of predictions.

A finding of drift is a Finding. Each monitor of outcomes has findings of its own kind, all with a
`dimension` and a `value`; these are entries of replay's document, under the monitor's name.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.types import WatchKey

NAMED, VALUE = 3, 60
"""Values of a fact that are named in words and labels, and the characters of each."""

Status = Literal["ok", "drift", "insufficient"]
Verdict = Literal["better", "worse", "no_difference", "keep_going", "invalid"]
"""What can be said of an arm of an experiment."""

OutcomeStatus = Literal["ok", "alarm", "insufficient"]
"""What a monitor of outcomes says: `alarm` is believed and larger than tolerated."""


class BinShift(msgspec.Struct, frozen=True):
    """A bin, or a segment, whose share changed."""

    bin: str
    """What the bin holds, in words: `24.6 to 40.6`, `missing`."""
    before: float
    """Its share in the reference, 0 to 1."""
    after: float
    """Its share in the current window, 0 to 1."""


class Driver(msgspec.Struct, frozen=True):
    """A segment's part of a change of the whole, among the segments of its dimension."""

    dimension: str
    """The dimension."""
    value: str
    """The segment's value."""
    share: float
    """Its part of the change, 0 to 1."""


class Finding(msgspec.Struct, frozen=True):
    """What the analysis says of one feature in one segment."""

    feature: str
    """The feature's name: a column, or one of ours such as `outcome`."""
    dimension: str
    """The segment's dimension; `all` for the whole traffic."""
    value: str
    """The segment's value; `all` for the whole traffic."""
    samples: int
    """Values in the current window."""
    reference_samples: int
    """Values in the reference."""
    scores: dict[str, float]
    """Distances by measure: `psi`, `jensen_shannon`, `wasserstein` …"""
    log_evidence: float
    """The natural logarithm of the evidence against `nothing changed`."""
    status: Status
    """`drift`: a change is believed and large enough to matter. `ok`: it is not. `insufficient`:
    nothing could be judged."""
    changed: bool = False
    """Whether a change is believed, large or small."""
    since: float | None = None
    """When the change most likely began, in Unix seconds; null while none is believed."""
    moved: list[BinShift] = []
    """The bins whose shares changed most."""
    words: str = ""
    """One sentence for a person."""
    drivers: list[Driver] = []
    """The segments that a drift of the whole came from, largest first."""
    baseline: str = ""
    """What it was compared with where that is no fixed reference: another segment, or the same
    hour of the week."""
    bins: list[BinShift] = []
    """All bins in order with their shares, where a change is believed."""
    mix: list[BinShift] = []
    """Segments that came more or less often when the whole drifted."""
    reason: str = ""
    """Why nothing could be judged."""
    mean_shift: float = 0.0
    """How far the mean has moved, in standard deviations of the reference, where a change is
    believed; of yes and no how far the share of yes has, from 0 to 1. A value counts as sixteen
    ranges of the reference away at most, so a shift of more than 30 may be larger."""

    @property
    def key(self) -> WatchKey:
        """The feature and the segment of which it is said."""
        return self.feature, self.dimension, self.value


class Together(msgspec.Struct, frozen=True):
    """Features that drift in one segment."""

    dimension: str
    """The segment's dimension."""
    value: str
    """The segment's value."""
    since: float | None
    """When the first of the features began to drift, in Unix seconds."""
    features: list[str]
    """The features that drift in this segment."""


class Estimate(msgspec.Struct, frozen=True, omit_defaults=True):
    """How well a binary classifier does on so many records; null where it would divide by 0."""

    records: int
    """Records that were counted."""
    accuracy: float | None
    """Share of right answers, 0 to 1."""
    precision: float | None
    """Share of right ones among predicted positives."""
    recall: float | None
    """Share of positives that were predicted."""
    auc: float | None
    """Area under the ROC curve."""
    intervals: dict[str, list[float]] = {}
    """Of an estimate the lower and the upper end of the 95 % interval of each measure: of what
    labels of these records would show, as long as scores are worth what they were."""


class Performance(msgspec.Struct, frozen=True):
    """How well a classifier does: expected, come true, and in the reference."""

    estimated: Estimate
    """What to expect of the current scores, without labels."""
    realized: Estimate | None
    """What came true; null without labels."""
    reference: Estimate
    """What was true of the reference."""


class Quality(msgspec.Struct, frozen=True, omit_defaults=True):
    """How good predictions were in one segment, by one measure."""

    dimension: str
    """The segment's dimension; `all` for the whole."""
    value: str
    """The segment's value; `all` for the whole."""
    measure: str
    """`accuracy`, `precision`, `recall`, `f1`, `auc`, `log_loss`, `mae`, `rmse`, `exact_match` …"""
    number: float | None
    """The measure; null where it would divide by 0."""
    lower: float | None
    """The lower end of its 95 % interval; null where there is none."""
    upper: float | None
    """The upper end of its 95 % interval; null where there is none."""
    labels: int
    """Labels that it was made of."""
    status: OutcomeStatus | None = None
    """Whether it has changed; only of measures that are watched."""
    log_evidence: float | None = None
    """The natural logarithm of the evidence against `nothing changed`."""
    since: float | None = None
    """When the change most likely began, in Unix seconds."""
    words: str = ""
    """One sentence for a person about the change."""
    reason: str = ""
    """Why nothing could be judged."""
    improved: bool = False
    """Whether it has become better, for certain and by enough to matter; that is no alarm."""
    early: bool = False
    """Whether it is of records whose outcome is not due: what became known first, which is often
    the bad news. It is no evidence, and has no interval."""
    estimated: float | None = None
    """What is to be expected of all rows, with a label or without, by their scores or by the size
    of the predicted numbers; left out where these are no longer worth what they were."""
    estimated_lower: float | None = None
    """The lower end of the 95 % interval of that: of what labels of all these rows would show. Left
    out for predicted numbers."""
    estimated_upper: float | None = None
    """The upper end of the same."""


class ClassQuality(msgspec.Struct, frozen=True):
    """How good predictions of one class were in one segment, by one measure."""

    dimension: str
    """The segment's dimension; `all` for the whole."""
    value: str
    """The segment's value; `all` for the whole."""
    name: str = msgspec.field(name="class")
    """The class."""
    measure: str
    """`precision`, `recall` or `f1`."""
    number: float | None
    """The measure; null where it would divide by 0."""
    lower: float | None
    """The lower end of its 95 % interval; null where there is none."""
    upper: float | None
    """The upper end of its 95 % interval; null where there is none."""
    labels: int
    """Labels in the segment."""


class ReliabilityBin(msgspec.Struct, frozen=True):
    """A bin of a reliability diagram: what scores claimed, and what came true."""

    lower: float
    """The smallest score in it."""
    upper: float
    """The smallest score above it."""
    labels: int
    """Scores with a label."""
    score: float | None
    """Their mean; null without any."""
    share: float | None
    """The share of them that came true, 0 to 1."""


class Calibration(msgspec.Struct, frozen=True):
    """Whether scores in one segment are the probabilities that they claim to be."""

    dimension: str
    """The segment's dimension; `all` for the whole."""
    value: str
    """The segment's value; `all` for the whole."""
    ece: float | None
    """The expected calibration error, less what a perfect model has by chance; may be below 0."""
    brier: float | None
    """The mean squared error of the scores."""
    temperature: float | None
    """By what to divide logits: above 1 scores are too sure. Null while all labels are the same."""
    ece_after: float | None
    """`ece` once that is done."""
    bins: list[ReliabilityBin]
    """The reliability diagram."""
    log_evidence: float
    """The natural logarithm of the evidence against `no score is off by more than tolerated`."""
    status: OutcomeStatus
    """`alarm`: that is believed to be wrong. `ok`: it is not. `insufficient`: too few labels."""
    labels: int
    """Scores with a label."""
    since: float | None
    """When scores most likely began to be off, in Unix seconds; null without an alarm."""
    reliability: float
    """The part of `brier` that right scores would take away, by bins."""
    resolution: float
    """The part that scores take off `uncertainty`, by bins."""
    uncertainty: float
    """The `brier` of one score for all, the share that came true."""
    squared_error: float | None
    """The squared calibration error of bins, unbiased: it may be below 0."""


class Coverage(msgspec.Struct, frozen=True):
    """Whether prediction sets and intervals in one segment hold the truth as often as promised."""

    dimension: str
    """The segment's dimension; `all` for the whole."""
    value: str
    """The segment's value; `all` for the whole."""
    coverage: float | None
    """The share of labels inside, 0 to 1; null without any."""
    target: float
    """The share that was promised."""
    size: float | None
    """Classes in a set, in the mean; null where there are none but intervals."""
    log_evidence: float
    """The natural logarithm of the evidence against `as many labels are inside as promised`."""
    status: OutcomeStatus
    """`alarm`: that is believed to be wrong. `ok`: it is not. `insufficient`: too few labels."""
    labels: int
    """Sets and intervals with a label."""
    since: float | None
    """When coverage most likely began to be off, in Unix seconds; null without an alarm."""
    width: float | None = None
    """The width of an interval, in the mean of those that have one; null where there are none."""
    unbounded: int = 0
    """Intervals with an end that is infinite, or 1e100 and more. They have no width."""
    empty: int = 0
    """Intervals that hold nothing: ends are reversed, or no numbers. They have no width."""


class Fairness(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a group fares beside all others of its dimension, by one measure."""

    dimension: str
    """The dimension, or the protected attribute, whose values are groups."""
    value: str
    """The group."""
    measure: str
    """`selection_rate`, `true_positive_rate`, `false_positive_rate`, `error_rate`, or
    `calibration`: how much more often the favourable class was true than scores said."""
    gap: float | None
    """The group's minus that of the rest; null where the rest is empty."""
    lower: float | None
    """The lower end of its 95 % interval; null where there is none."""
    upper: float | None
    """The upper end of its 95 % interval; null where there is none."""
    log_evidence: float
    """The natural logarithm of the evidence that the gap is larger than tolerated."""
    status: OutcomeStatus
    """`alarm`: a gap larger than tolerated is believed. `insufficient`: nothing could be judged."""
    drivers: list[Driver] = []
    """Where the mix of segments makes the gap: the segments that make it, the largest first."""
    reason: str = ""
    """Why nothing could be judged."""
    since: float | None = None
    """Unix time since when there is a gap, by the evidence; null without an alarm."""


class SliceCondition(msgspec.Struct, frozen=True):
    """What the rows of a slice have in common."""

    dimension: str
    """A dimension of segments, or `prediction`, `input_tokens`, `output_tokens`."""
    value: str
    """The segment's value, or the bin."""


class Slice(msgspec.Struct, frozen=True, omit_defaults=True):
    """A slice of the traffic in which something is worse than elsewhere."""

    conditions: list[SliceCondition]
    """One to three; the rows of the slice meet all."""
    measure: str
    """`error`, `calibration`, `latency`, `cost` or `checks`."""
    rows: int
    """Rows of the slice since it was first looked at. What made it look bad is not among them."""
    share: float
    """Of them the share that was wrong, slow, dear or failed a check; of `calibration` how much
    surer the model was than right."""
    elsewhere: float
    """The same of all other rows of that time."""
    effect: float
    """`share` minus `elsewhere`."""
    lower: float | None
    """The lower end of its 95 % interval; null where there is none."""
    upper: float | None
    """The upper end of its 95 % interval; null where there is none."""
    log_evidence: float
    """The natural logarithm of the evidence against `no worse than elsewhere, or within what is
    tolerated`."""
    status: OutcomeStatus
    """`alarm`: it is believed to be worse. `ok`: it looked worse, and is not believed to be.
    `insufficient`: too few rows."""
    words: str
    """One sentence for a person."""
    examples: list[str] = []
    """Ids of some records of the slice that were wrong, slow, dear or failed a check."""
    since: float | None = None
    """When it was first looked at, in Unix seconds."""
    bar: float | None = None
    """From which number on an error, seconds or cost count as bad."""


class ExperimentEffect(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one arm of an experiment does to one metric, beside the control."""

    name: str
    """The experiment."""
    variant: str
    """The arm."""
    metric: str
    """The metric's name."""
    effect: float | None
    """The arm's minus the control's, in the metric's unit; null where nothing can be said."""
    lower: float | None
    """The lower end of its interval, which holds at every moment; null where there is none."""
    upper: float | None
    """The upper end of its interval."""
    verdict: Verdict
    """`better`, `worse` (of a guardrail: by more than its margin), `no_difference` (certainly none
    that matters), `keep_going`; `invalid` where exchanges do not come to the arms as declared."""
    samples: int
    """Exchanges of the arm with a value."""
    reason: str = ""
    """What a reader of the verdict should know."""
    relative: float | None = None
    """How much larger the arm's number is than the control's, as a share of that; null where the
    control's may be 0, or too little is known."""
    relative_lower: float | None = None
    """The lower end of its interval, which is asymptotic."""
    relative_upper: float | None = None
    """The upper end of its interval."""


class ExperimentLook(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an arm of an experiment was known to do to a metric at a moment."""

    at: float
    """When, in Unix seconds: the end of a pane of time."""
    effect: float | None
    """As that of the experiment's entry; so are the next."""
    lower: float | None
    """The lower end of its interval."""
    upper: float | None
    """The upper end of its interval."""
    verdict: Verdict
    """What was certain by then."""
    samples: int
    """Exchanges of the arm with a value, until then."""


class ExperimentTimeline(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an arm of an experiment was known to do to a metric, from its beginning on."""

    name: str
    """The experiment."""
    variant: str
    """The arm."""
    metric: str
    """The metric's name."""
    looks: list[ExperimentLook]
    """At 64 moments at most, about evenly spread, the first one first."""


OfSegment = Quality | Calibration | Coverage | Fairness
"""A finding of a monitor of outcomes about one segment."""


class Missing(msgspec.Struct, frozen=True):
    """Whether a monitor has Records to judge, and for too long too few labels to judge them."""

    monitor: str
    """The monitor that lacks labels: quality, calibration, coverage or fairness; of experiments
    `experiment` and the name."""
    overdue: float
    """How many seconds longer than `outcomes.overdue` that has been so; 0 where nothing is missing
    that should be there."""
    due: int
    """Records that were due since it last had enough labels."""
    labels: int
    """Of them, those of which became known what it needs: of quality an outcome of any kind, of
    calibration and coverage a label, of fairness a group, of an experiment all that its metrics
    need."""
    enough: int
    """So many labels are enough."""
    since: float | None
    """When the first of these Records ended, in Unix seconds, to one pane."""


Outcome = OfSegment | ExperimentEffect | Slice | Missing
"""A finding of a monitor of outcomes."""


class Change(msgspec.Struct, frozen=True):
    """A fact of what serves, as the version of the model or of the configuration, that changed."""

    fact: str
    """The fact: what the setting `lineage` states, or `config`, `policy`, `monitor`."""
    before: list[str]
    """What was in service before."""
    after: list[str]
    """What came; once the change is over, what is in service then."""
    since: float
    """When it began, in Unix seconds: the end of the first record of a new value."""
    until: float | None = None
    """When the last record of an old value ended; null while both answer."""
    shares: dict[str, float] = {}
    """While both answer: the share of each in the records of the last minutes, 0 to 1."""
    words: str = ""
    """One sentence for a person."""

    @property
    def came(self) -> str:
        """What came, short enough for a label, in an order that shares do not change.

        >>> Change("model_version", ["a"], ["b", "c", "d", "e"], 0.0).came
        'b, c, d and others'
        """
        others = " and others" if len(self.after) > NAMED else ""
        return ", ".join(map(shown, self.after[:NAMED])) + others


def shown(value: str) -> str:
    """A value of a fact, cut to what words and labels have room for."""
    return value if len(value) <= VALUE else value[: VALUE - 1] + "…"


class Drift(msgspec.Struct, frozen=True):
    """What the analyzer found of drift: the document of `/api/drift`."""

    verdict: Status = "insufficient"
    """`drift`, `ok` or `insufficient`, as in replay's document"""
    records: int = 0
    """Records that the analyzer has read."""
    features: list[Finding] = []
    """Every finding, in every segment."""
    together: list[Together] = []
    """Segments in which something drifts."""
    changes: list[Change] = []
    """What serves that has changed, the last first: 50 at most."""
    left_out: int = 0
    """Values that had no place of late among the `drift.watches` features and segments that are
    looked at, and references of the profile that have none: above 0 the verdict is never `ok`."""


class Outcomes(msgspec.Struct, frozen=True):
    """What the monitors of outcomes say now."""

    is_on: bool = False
    """Whether outcomes are looked at: a setting asks for it, or there is feedback."""
    quality: list[Quality] = []
    """How good predictions were, by segment and measure."""
    class_quality: list[ClassQuality] = []
    """The same by class."""
    calibration: list[Calibration] = []
    """Whether scores are the probabilities that they claim to be, by segment."""
    coverage: list[Coverage] = []
    """Whether prediction sets hold the truth as often as promised, by segment."""
    fairness: list[Fairness] = []
    """How groups fare beside all others, by group and measure."""
    experiments: list[ExperimentEffect] = []
    """What arms of experiments do to metrics."""
    slices: list[Slice] = []
    """The slices that are tried, those that are believed to be worse first."""
    sliced: list[str] = []
    """By which measures slices are searched for."""
    missing: list[Missing] = []
    """Whether labels come, by monitor; empty without `outcomes.overdue`."""
    early: list[Quality] = []
    """How good predictions seem of records whose outcome is not due, by what was said last."""
    timelines: list[ExperimentTimeline] = []
    """What arms of experiments were known to do, from the beginning on."""
