"""genai-prices → the bundled price table: `python -m monitor.prices.build [--check]`.

Only this file needs that package (MIT), at the version that constraints.txt pins.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from monitor.prices.bundled import DATA
from monitor.prices.rates import FEMTO

KEYS = {
    "input_mtok": ("input", 10**6), "output_mtok": ("output", 10**6),
    "cache_read_mtok": ("cached", 10**6), "cache_write_mtok": ("cache_write", 10**6),
    "cache_write_1h_mtok": ("cache_write_1h", 10**6), "output_reasoning_mtok": ("reasoning", 10**6),
    "input_audio_mtok": ("audio_input", 10**6), "output_audio_mtok": ("audio_output", 10**6),
    "web_searches_kcount": ("searches", 10**3), "audio_hours": ("seconds", 1),
    "input_audio_hours": ("seconds", 1), "input_mchars": ("characters", 10**6),
    "input_document_kpages": ("pages", 10**3), "requests_kcount": ("requests", 10**3),
}  # fmt: skip
"""A rate by its name there: by its name here, and for how many units it is given."""

UNSEEN = ("storage_searches_kcount", "cache_audio_read_mtok", "input_text_messages_kcount")
"""What is never counted, or never priced where it might be."""


def files() -> dict[str, str]:
    """Every file of the table by name, as it should be."""
    from genai_prices import data

    providers = sorted(data.providers, key=lambda one: one.id)
    made = {"index.json": _index(providers)}
    for provider in providers:
        lines = [json.dumps(_model(model), separators=(",", ":")) for model in provider.models]
        made[f"{provider.id}.json"] = "[\n" + ",\n".join(lines) + "\n]\n"
    return made


def _index(providers: list[Any]) -> str:
    source = f"genai-prices {version('genai-prices')}"
    lines = [
        json.dumps({
            "name": one.id, "hosts": one.api_pattern,
            "claims": one.model_match and _rule(one.model_match),
            "others": one.fallback_model_providers or [],
        })
        for one in providers
    ]  # fmt: skip
    return f'{{"source": "{source}", "providers": [\n' + ",\n".join(lines) + "\n]}\n"


def _model(model: Any) -> dict[str, Any]:
    if isinstance(model.prices, list):
        prices = [_dated(one.prices, one.constraint) for one in model.prices]
    else:
        prices = [_dated(model.prices, None)]
    found = {"id": model.id, "match": _rule(model.match), "prices": prices}
    if model.context_window:
        found["context"] = model.context_window
    if model.price_variants:
        found["variants"] = [
            {**_dated(one.prices, one.constraint), "when": one.when} for one in model.price_variants
        ]
    return found


def _dated(prices: Any, constraint: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"rates": _rates(vars(prices))}
    if constraint is None:
        return found
    if hasattr(constraint, "start_date"):
        found["since"] = constraint.start_date.isoformat()
    else:
        hours = constraint.start_time, constraint.end_time
        found["hours"] = [f"{one:%H:%M}" for one in hours]
    return found


def _rates(prices: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, price in sorted(prices.items()):
        if key.startswith("_") or price is None or key in UNSEEN:
            continue
        if key not in KEYS:
            found.setdefault("apart", []).append(key)
            continue
        name, per = KEYS[key]
        steps = [(0, price)]
        if not isinstance(price, Decimal):
            steps = [(0, price.base), *((tier.start, tier.price) for tier in price.tiers)]
        found[name] = [(above, _femto(value, per)) for above, value in steps]
    return found


def _femto(value: Decimal, per: int) -> int:
    exact = value * FEMTO / per
    if abs(exact - round(exact)) > exact * Decimal("1e-7"):  # some prices there were floats
        raise ValueError(f"{value} for {per} is no whole number of femtodollars each")
    return round(exact)


def _rule(clause: Any) -> dict[str, Any]:
    names = {
        "equals": "equals", "starts_with": "starts", "ends_with": "ends", "contains": "contains",
    }  # fmt: skip
    for theirs, ours in names.items():
        if hasattr(clause, theirs):
            return {ours: getattr(clause, theirs).lower()}
    if hasattr(clause, "regex"):
        return {"regex": clause.regex}
    kind = "or_" if hasattr(clause, "or_") else "and_"
    return {"any" if kind == "or_" else "all": [_rule(one) for one in getattr(clause, kind)]}


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` say which are not as they should be; 0 when all are."""
    made = files()
    there = {path.name for path in DATA.glob("*.json")}
    if "--check" in arguments:
        stale = sorted(
            {
                name
                for name, text in made.items()
                if name not in there or (DATA / name).read_text() != text
            }
            | (there - made.keys())
        )
        if stale:
            sys.stderr.write(f"monitor/prices/data: run `make prices`: {', '.join(stale)}\n")
        return bool(stale)
    DATA.mkdir(exist_ok=True)
    for name in there - made.keys():
        (DATA / name).unlink()
    for name, text in made.items():
        (DATA / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
