"""Rates of one model: what a token of each kind, and a unit of anything else, costs.

Money is whole numbers: rates are femtodollars (1e-15), sums are rounded to nanodollars (1e-9) once,
so that sums are the same in whatever order they are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from monitor.types import Tokens

FEMTO = 10**15
FEMTO_PER_NANO = 10**6

MOST = 1e12
"""Units that nobody reaches in one exchange."""

Steps = list[tuple[int, int]]
"""(tokens of input above which a rate holds, the rate), rising; the first is from 0."""

UNITS = ("searches", "seconds", "characters", "images", "pages", "requests")
"""What is paid for beside tokens; a request is one of `requests`."""


class Rates(msgspec.Struct, frozen=True):
    """Femtodollars a token, and a unit; seconds are paid by the hour, so that this is exact.

    What has no rate cannot be paid for: a count of it makes the cost unknown. Only reasoning is
    output where it has no rate of its own. `apart` are kinds of tokens that are paid for apart and
    that no dialect tells apart; with one nothing can be said.
    """

    input: Steps | None = None
    output: Steps | None = None
    cached: Steps | None = None
    cache_write: Steps | None = None
    cache_write_1h: Steps | None = None
    reasoning: Steps | None = None
    audio_input: Steps | None = None
    audio_output: Steps | None = None
    searches: Steps | None = None
    seconds: Steps | None = None
    characters: Steps | None = None
    images: Steps | None = None
    pages: Steps | None = None
    requests: Steps | None = None
    apart: list[str] = []


class Sums(NamedTuple):
    """Nanodollars, of what was read, of what was generated, and of units."""

    input: int
    output: int
    units: int


def sums(rates: Rates, tokens: Tokens | None, units: Mapping[str, float]) -> Sums | None:
    """What an exchange cost; None where something of it has no rate, or counts contradict.

    The rate of a token depends on the whole input, cached or not, and holds for the whole request.
    """
    if rates.apart or (tokens is None and not units):
        return None
    read_written = _of_tokens(rates, tokens) if tokens is not None else (0, 0)
    other = _of_units(rates, units, 0 if tokens is None else tokens.input or 0)
    if read_written is None or other is None:
        return None
    return Sums(
        *((each + FEMTO_PER_NANO // 2) // FEMTO_PER_NANO for each in (*read_written, other))
    )


def _of_tokens(rates: Rates, tokens: Tokens) -> tuple[int, int] | None:
    if tokens.input is None or tokens.output is None:
        return None
    kinds = _kinds(rates, tokens.input, tokens.output, tokens)
    if kinds is None:
        return None
    read = written = 0
    for name, count in kinds.items():
        steps: Steps | None = getattr(rates, name)
        if count and steps is None:
            return None
        paid = count * _rate(steps, tokens.input) if steps else 0
        if name in ("output", "reasoning", "audio_output"):
            written += paid
        else:
            read += paid
    return read, written


def _of_units(rates: Rates, units: Mapping[str, float], read: int) -> int | None:
    total = 0
    for name, amount in {**units, "requests": 1}.items():
        steps: Steps | None = getattr(rates, name, None) if name in UNITS else None
        if steps is None:
            if amount and name != "requests":
                return None
            continue
        if not 0 <= amount < MOST:
            return None
        paid = _rate(steps, read) * amount
        total += round(paid / 3600 if name == "seconds" else paid)
    return total


def _kinds(rates: Rates, read: int, written: int, tokens: Tokens) -> dict[str, int] | None:
    """Tokens by rate, each once; None where parts are more than the whole, or overlap unseen."""
    cached, write = tokens.cached or 0, tokens.cache_write or 0
    hour, sound = tokens.cache_write_1h or 0, tokens.audio_input or 0
    reasoning = (tokens.reasoning or 0) if rates.reasoning is not None else 0
    said = tokens.audio_output or 0
    plain = read - cached - write - sound
    text = written - reasoning - said
    if plain < 0 or text < 0 or hour > write or (sound and (cached or write)):
        return None
    return {
        "input": plain, "cached": cached, "cache_write": write - hour, "cache_write_1h": hour,
        "audio_input": sound, "output": text, "reasoning": reasoning, "audio_output": said,
    }  # fmt: skip


def _rate(steps: Steps, tokens: int) -> int:
    rate = steps[0][1]
    for above, higher in steps[1:]:
        if tokens > above:
            rate = higher
    return rate
