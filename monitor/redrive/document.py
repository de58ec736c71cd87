"""What `monitor redrive` found: the JSON document, and what the terminal is written from."""

from __future__ import annotations

from typing import Literal

import msgspec

Verdict = Literal["same", "different", "insufficient"]
Status = Literal["same", "different", "insufficient", "not judged"]


class Found(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the answers differ in one feature, in one segment."""

    feature: str
    """The feature, as `length`."""
    dimension: str
    """The dimension of the segment; `all` is the whole."""
    value: str
    """Its value."""
    unit: Literal["share", "ratio"]
    """Whether `difference` is a share, 0 for none, or how many times as much, 1 for as much."""
    pairs: int
    """How many pairs have the feature."""
    difference: float
    """The candidate against the other, beyond what the other differs from itself."""
    lower: float
    """The lower end of its interval, which holds at every moment (95 %)."""
    upper: float
    """The upper end."""
    log_evidence: float
    """ln E against there being no difference that matters."""
    threshold: float
    """From so much on a difference is believed; the budget is shared by all features."""
    status: Status
    """What is believed: `same` where the interval lies within the margin, `insufficient` where more
    pairs would tell. Without a baseline some features cannot be told from noise."""
    noise: float | None = None
    """Of a distance: how far the baseline's two answers are apart."""
    harmless: bool = False
    """Whether no difference in the interval matters: it lies within the margin."""
    margin: float = 0.0
    """The largest difference that does not matter: a share, or a factor that is above 1."""
    more: int | None = None
    """About how many more records would tell, if they are like these; null where it is told, and
    where more would not help."""

    @property
    def seems_different(self) -> bool:
        """Whether there is a difference, and the best guess is that it matters."""
        none = 0.0 if self.unit == "share" else 1.0
        least = -self.margin if self.unit == "share" else 1 / self.margin
        is_within = least <= self.difference <= self.margin
        return not is_within and not self.lower <= none <= self.upper


class Side(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one side answered to a request."""

    status: int | None
    """The HTTP status; null where no answer came."""
    outcome: str
    """How the exchange ended, in the words of Records."""
    duration: float
    """Seconds from the start of the request to the end of the answer."""
    error: str = ""
    """Why there is no answer."""
    characters: int | None = None
    """Characters of its text."""
    tokens: int | None = None
    """Tokens that it says it generated."""
    text: str = ""
    """Its beginning, pseudonymized; of the pairs that differ most alone."""


class Pair(msgspec.Struct, frozen=True, omit_defaults=True):
    """One recorded exchange, and its answers now."""

    id: str
    """The id of the Record."""
    candidate: Side
    """What `--against` answered."""
    baseline: list[Side] = []
    """What `--baseline` answered, twice."""
    recorded: Side | None = None
    """What was recorded, where there is no baseline."""
    differences: dict[str, float] = {}
    """The contrast of each feature, from -1 to 1, beyond the baseline's own noise."""


class Redrive(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `monitor redrive --json` writes."""

    verdict: Verdict
    """Whether the candidate answers otherwise: `same` where every feature of the whole is."""
    judged: Literal["baseline", "recorded"]
    """What the candidate was held against."""
    run: str
    """The name of the run, which every request carried as `x-monitor-replay`."""
    against: str
    """The candidate."""
    read: int
    """Records that were read."""
    left_out: dict[str, int]
    """How many of them were not sent, by reason."""
    sent: int
    """Records whose requests were sent; it is `paired` + `failed` + `unmatched`."""
    paired: int
    """Those with a good answer on every side."""
    failed: int
    """Those for which a side gave an error or nothing."""
    unmatched: int
    """Those that have a good answer now and none on record to hold it against."""
    features: list[Found]
    """What differs first."""
    pairs: list[Pair]
    """Each that was sent, in the order in which the answers came."""
    baseline: str = ""
    """The baseline, where there is one."""
    errors: dict[str, int] = {}
    """Why answers of the candidate are missing, and how often."""
    throttled: int = 0
    """Answers with status 429 that were waited for."""
    lag: float = 0.0
    """The most seconds that a request began later than it was due."""
    more: int | None = None
    """About how many more records would tell, where the verdict is `insufficient`; null where it is
    not known, and where more would not help."""
    remarks: list[str] = []
    """What the reader must know to believe the verdict."""
    stopped: str = ""
    """`Ctrl-C` or `SIGTERM`, where that ended it early: the verdict is that of what had come."""
