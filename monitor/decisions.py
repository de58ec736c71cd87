"""Findings of experiments → the log of what was decided, and of who read it.

A verdict is written down when it changes, with the numbers that it stands on and a digest of what
was declared. So it can be shown later that nobody waited for a number they liked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Literal

import msgspec

from monitor.errors import ParseError
from monitor.findings import ExperimentEffect, Verdict

AT_FIRST: Verdict = "keep_going"
"""The verdict before any was written down."""

Which = tuple[str, str, str]
"""(experiment, arm, metric)."""


class Decision(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="what", tag="verdict"):
    """A verdict that changed at Unix time `at`, from `before`; the numbers are those of
    `ExperimentEffect`, and `declared` is a digest of the experiment's settings."""

    at: float
    experiment: str
    arm: str
    metric: str
    before: str
    verdict: str
    effect: float | None
    lower: float | None
    upper: float | None
    samples: int
    declared: str
    reason: str = ""

    @property
    def which(self) -> Which:
        """Of what it is the verdict."""
        return self.experiment, self.arm, self.metric


class Readout(msgspec.Struct, frozen=True, tag_field="what", tag="read"):
    """Somebody read the verdicts of experiments at Unix time `at`: the holder of a token, or the
    account at a terminal."""

    at: float
    who: str
    through: Literal["api", "terminal"]
    experiments: list[str]


Entry = Decision | Readout

encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


def decode(document: bytes) -> Entry:
    """An entry of the log; raises ParseError for what is none."""
    try:
        return _decoder.decode(document)
    except msgspec.DecodeError:
        raise ParseError("no entry of a log of decisions") from None


def changed(
    found: Iterable[ExperimentEffect],
    before: Mapping[Which, str],
    declared: Mapping[str, str],
    at: float,
) -> list[Decision]:
    """The verdicts that are not what they were, by the last that were written down; `declared` are
    digests by experiment."""
    return [
        Decision(
            at, one.name, one.variant, one.metric, last, one.verdict, one.effect, one.lower,
            one.upper, one.samples, declared.get(one.name, ""), one.reason,
        )
        for one in found
        if (last := before.get((one.name, one.variant, one.metric), AT_FIRST)) != one.verdict
    ]  # fmt: skip


def digest(declared: object) -> str:
    """A digest of what was declared."""
    return blake2b(msgspec.json.encode(declared), digest_size=8).hexdigest()
