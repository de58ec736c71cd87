"""Inference → Cost: what an exchange cost by somebody's own prices, else by the bundled table."""

from __future__ import annotations

from hashlib import blake2b

from monitor.prices import bundled, own
from monitor.prices.rates import Rates, sums
from monitor.types import Cost, Inference

MOST_REMEMBERED = 512
"""Models whose rates are remembered; clients name them."""

LONGEST_NAME = 500
"""Characters of a model's name that a price is looked for of; an ARN has fewer."""

_NANO = 1e9


class Pricing:
    """Prices what one upstream answers. `mine` are somebody's own prices, which go first."""

    def __init__(self, upstream: str = "", mine: own.Own | None = None) -> None:
        self._upstream = upstream
        self._mine = mine or own.Own()
        self._known: dict[bytes, tuple[str, Rates | bundled.Model, str] | None] = {}
        self._latest: tuple[str, str, tuple[str, Rates | bundled.Model, str] | None] = "", "", None

    def cost(self, inference: Inference, at: float) -> Cost | None:
        """What an exchange that began at a Unix time cost; None where that is not known, never 0.

        The model is the answer's, else the one that was asked for. An answer that broke off has
        counts of its beginning at most.
        """
        if (inference.tokens is None and not inference.units) or (
            inference.incomplete or inference.failed
        ):
            return None
        for name in dict.fromkeys((inference.model, inference.requested_model)):
            found = self._find(inference.protocol, name) if name else None
            if found is None:
                continue
            priced_as, entry, currency = found
            tier = inference.service_tier.lower()
            rates = entry.rates(at, tier) if isinstance(entry, bundled.Model) else entry
            total = None if rates is None else sums(rates, inference.tokens, inference.units)
            if total is None:
                return None
            return Cost(
                amount=sum(total) / _NANO,
                currency=currency,
                priced_as=priced_as,
                input=total.input / _NANO,
                output=total.output / _NANO,
            )
        return None

    def context(self, inference: Inference) -> int | None:
        """How many tokens the model can hold; None where the bundled table does not say."""
        for name in dict.fromkeys((inference.model, inference.requested_model)):
            found = self._find(inference.protocol, name) if name else None
            if found is not None:
                entry = found[1]
                return (entry.context or None) if isinstance(entry, bundled.Model) else None
        return None

    def _find(self, protocol: str, name: str) -> tuple[str, Rates | bundled.Model, str] | None:
        """What prices a model; remembered under a digest, for a name may be anybody's words."""
        if len(name) > LONGEST_NAME:
            return None
        latest = self._latest  # an exchange asks more than once
        if latest[0] == protocol and latest[1] == name:
            return latest[2]
        known = self._known
        said = f"{protocol} {name}".encode("utf-8", "surrogatepass")
        key = blake2b(said, digest_size=16).digest()
        if key not in known:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            known[key] = self._looked_up(protocol, name)
        self._latest = protocol, name, known[key]
        return known[key]

    def _looked_up(self, protocol: str, name: str) -> tuple[str, Rates | bundled.Model, str] | None:
        name = self._mine.aliases.get(name, name)
        if (mine := own.find(self._mine, name)) is not None:
            return f"own/{mine}", own.rates(self._mine.models[mine]), self._mine.currency
        provider = bundled.provider_of(self._upstream, protocol, name)
        found = None if provider is None else bundled.find(provider, name)
        if found is None:
            return None
        source, model = found
        return f"{source}/{model.id}", model, "USD"
