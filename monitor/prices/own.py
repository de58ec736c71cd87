"""A file of somebody's own prices (YAML) → rates, looked at before the bundled table."""

from __future__ import annotations

from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated

import msgspec

from monitor.prices.rates import FEMTO, Rates

MILLION = 10**6

Price = Annotated[float, msgspec.Meta(ge=0, le=1e6, description="a price of 0 or more")]


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prices of a million tokens in requests whose input is larger than `above` tokens."""

    above: Annotated[int, msgspec.Meta(ge=1)]
    input: Price | None = None
    output: Price | None = None
    cached: Price | None = None
    cache_write: Price | None = None


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prices of a million tokens or characters, of one search, image, page or request, and of an
    hour."""

    input: Price | None = None
    output: Price | None = None
    cached: Price | None = None
    cache_write: Price | None = None
    cache_write_1h: Price | None = None
    reasoning: Price | None = None
    audio_input: Price | None = None
    audio_output: Price | None = None
    characters: Price | None = None
    search: Price | None = None
    image: Price | None = None
    page: Price | None = None
    request: Price | None = None
    hour: Price | None = None
    tiers: list[Tier] = []


class Own(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`models` are prices by a model's name, in which `*` is anything; the longest name that fits
    counts. `aliases` are the names of models by that of a deployment."""

    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z", description="a code as USD")] = (
        "USD"
    )
    models: dict[str, Prices] = {}
    aliases: dict[str, str] = {}


_PER_MILLION = (
    "input", "output", "cached", "cache_write", "cache_write_1h", "reasoning", "audio_input",
    "audio_output", "characters",
)  # fmt: skip
_IN_TIERS = ("input", "output", "cached", "cache_write")
_PER_ONE = {
    "search": "searches",
    "image": "images",
    "page": "pages",
    "request": "requests",
    "hour": "seconds",
}


def complaint(own: Own) -> str | None:
    """What is wrong with prices whose every value is one; None where nothing is."""
    for name, prices in own.models.items():
        bounds = [tier.above for tier in prices.tiers]
        if bounds != sorted(set(bounds)):
            return f"models.{name}.tiers: {bounds} do not rise; give them in order"
        for place, tier in enumerate(prices.tiers):
            for kind in _IN_TIERS:
                if getattr(tier, kind) is not None and getattr(prices, kind) is None:
                    where = f"models.{name}.tiers[{place}].{kind}"
                    return (
                        f"{where}: has no price below {tier.above}; give models.{name}.{kind} too"
                    )
    return None


def find(own: Own, model: str) -> str | None:
    """The longest name in the file that a model's name fits."""
    fitting = [name for name in own.models if fnmatchcase(model.lower(), name.lower())]
    return max(fitting, key=lambda name: (len(name), name), default=None)


def rates(prices: Prices) -> Rates:
    """The same as femtodollars, or the like of another currency."""
    found: dict[str, list[tuple[int, int]]] = {}
    for name in _PER_MILLION:
        if (price := getattr(prices, name)) is not None:
            found[name] = [(0, _femto(price) // MILLION)]
    for ours, name in _PER_ONE.items():
        if (price := getattr(prices, ours)) is not None:
            found[name] = [(0, _femto(price))]
    for tier in prices.tiers:
        for name in _IN_TIERS:
            if (price := getattr(tier, name)) is not None:
                found[name].append((tier.above, _femto(price) // MILLION))
    return Rates(**found)  # type: ignore[arg-type]  # `apart` is no price


def _femto(price: float) -> int:
    return round(Decimal(str(price)) * FEMTO)
