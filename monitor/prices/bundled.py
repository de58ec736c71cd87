"""The bundled price table: (provider, model, moment, tier of service) → rates.

A file for each provider under `data/`, read when something of that provider is priced first, and an
index of who is who. `python -m monitor.prices.build` writes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from monitor.prices.rates import Rates

DATA = Path(__file__).parent / "data"

STANDARD = frozenset(("", "default", "standard", "on_demand", "on-demand", "standard_only"))
"""Tiers of service for which the listed price holds."""

VARIANTS = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"speed": "fast", "service_tier": "fast"},
}
"""What is said of a tier's own price; any of these."""

OWNERS = {"bedrock": "aws"}
"""Protocols that one provider alone speaks, whoever made the model."""

UNPAID = frozenset(("ollama",))
"""Protocols of servers of one's own, whose models have the names of those that others sell."""

_REGION = re.compile(r"^(?:us-gov|us|eu|apac|ap|au|jp|ca|sa|global)\.")


class Provider(msgspec.Struct, frozen=True):
    """A line of the index. `hosts` is matched at the start of an upstream's URL; `claims` says
    which models are its own, wherever they are served; what it does not list its `others` may."""

    name: str
    hosts: str
    claims: dict[str, Any] | None = None
    others: list[str] = []


class Index(msgspec.Struct, frozen=True):
    """`source` says what the table was made from."""

    source: str
    providers: list[Provider]


class Dated(msgspec.Struct, frozen=True):
    """Rates from a day on (`YYYY-MM-DD`), or between two times of a day (`HH:MM`), in UTC. Those of
    a tier of service are given as far as they differ."""

    rates: Rates
    since: str = ""
    hours: tuple[str, str] | None = None
    when: dict[str, str] = {}

    def holds(self, at: float) -> bool:
        """Whether these rates hold at a Unix time."""
        moment = datetime.fromtimestamp(at, UTC)
        if self.since and moment.date().isoformat() < self.since:
            return False
        if self.hours is None:
            return True
        begin, end = self.hours
        clock = moment.strftime("%H:%M")
        return begin <= clock < end if begin <= end else clock >= begin or clock < end


class Model(msgspec.Struct, frozen=True):
    """A model's names and its rates, the latest last. `context` are the tokens that it can hold, 0
    where nobody says."""

    id: str
    match: dict[str, Any]
    prices: list[Dated]
    variants: list[Dated] = []
    context: int = 0

    def rates(self, at: float, tier: str) -> Rates | None:
        """The rates at a Unix time; None for a tier of service that they do not name."""
        holding = [one.rates for one in self.prices if one.holds(at)]
        usual = holding[-1] if holding else self.prices[0].rates
        if tier in STANDARD:
            return usual
        wanted = VARIANTS.get(tier, {})
        for variant in self.variants:
            if variant.holds(at) and variant.when.items() <= wanted.items() and variant.when:
                own = msgspec.structs.asdict(variant.rates)
                own = {name: value for name, value in own.items() if value}
                return msgspec.structs.replace(usual, **own)
        return None


@lru_cache(maxsize=1)
def index() -> Index:
    """Return the providers whose prices are bundled, and how each is told; read once."""
    return msgspec.json.decode(_read("index"), type=Index)


@lru_cache(maxsize=64)
def models(provider: str) -> list[Model]:
    """What a provider lists, in the order in which names are matched."""
    return msgspec.json.decode(_read(provider), type=list[Model])


def _read(name: str) -> bytes:
    return (DATA / f"{name}.json").read_bytes()


def provider_of(upstream: str, protocol: str, model: str) -> Provider | None:
    """Who is paid: whose host is called, else whose protocol it is, else who makes such models.

    A server of one's own that serves somebody's open model is no provider.
    """
    for one in index().providers:
        if upstream and re.match(one.hosts, upstream):
            return one
    if protocol in UNPAID:
        return None
    owner = OWNERS.get(protocol)
    name = model.lower()
    for one in index().providers:
        if one.name == owner:
            return one
        if owner is None and one.claims is not None and matches(one.claims, name):
            return one
    return None


def find(provider: Provider, name: str) -> tuple[str, Model] | None:
    """(who lists it, the model) of a name, with the prefix of a region or without."""
    name = name.lower()
    bare = name.rpartition("/")[2] if name.startswith("arn:") else name
    for tried in dict.fromkeys((name, bare, _REGION.sub("", bare))):
        for source in (provider.name, *provider.others):
            for model in models(source):
                if matches(model.match, tried):
                    return source, model
    return None


def matches(rule: dict[str, Any], name: str) -> bool:
    """Whether a name in lower case is one that a rule of the table means.

    >>> matches({"any": [{"equals": "a"}, {"starts": "b-"}]}, "b-1")
    True
    """
    ((kind, value),) = rule.items()
    return _RULES[kind](value, name)


_RULES: dict[str, Callable[[Any, str], bool]] = {
    "equals": lambda value, name: bool(name == value),
    "starts": lambda value, name: name.startswith(value),
    "ends": lambda value, name: name.endswith(value),
    "contains": lambda value, name: value in name,
    # The expressions are the table's, and names are short.
    "regex": lambda value, name: re.search(value, name) is not None,
    "any": lambda rules, name: any(matches(one, name) for one in rules),
    "all": lambda rules, name: all(matches(one, name) for one in rules),
}
