"""Somebody's own prices."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.assembly import build
from monitor.errors import ConfigError
from monitor.prices import own
from monitor.prices.pricing import Pricing
from monitor.settings.schema import Costs, Settings
from monitor.types import Inference, Tokens


def test_the_longest_name_that_fits_counts() -> None:
    """Names in any case, `*` is anything."""
    mine = own.Own(models={"acme*": own.Prices(), "acme-large*": own.Prices(), "*": own.Prices()})
    assert own.find(mine, "Acme-Large-2") == "acme-large*"
    assert own.find(mine, "acme-small") == "acme*"
    assert own.find(mine, "x") == "*"
    assert own.find(own.Own(), "x") is None


def test_it_goes_before_the_bundled_prices() -> None:
    """In its own currency, with names of deployments resolved."""
    mine = own.Own(
        currency="EUR", aliases={"prod-chat": "gpt-4o"},
        models={"gpt-4o": own.Prices(input=1.2, output=3.4, cached=0.3, request=0.01)},
    )  # fmt: skip
    pricing = Pricing("https://my.openai.azure.com", mine)
    asked = Inference("openai_chat", "chat", "prod-chat", tokens=Tokens(1000, 100, cached=500))
    cost = pricing.cost(asked, 1.79e9)
    assert cost is not None
    assert (cost.currency, cost.priced_as) == ("EUR", "own/gpt-4o")
    assert cost.amount == pytest.approx(0.0006 + 0.00015 + 0.00034 + 0.01, abs=1e-12)


def test_tiers_hold_for_the_whole_request() -> None:
    """Above the bound, not at it."""
    prices = own.Prices(input=1, output=2, tiers=[own.Tier(above=100, input=2, output=4)])
    pricing = Pricing("", own.Own(models={"m": prices}))
    at = [
        pricing.cost(Inference("p", "chat", "m", tokens=Tokens(count, 10)), 0.0) for count in (100, 101)
    ]  # fmt: skip
    assert [one and round(one.amount * 1e9) for one in at] == [120_000, 242_000]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models: {a: {input: -1}}", "models.a.input: -1 is not a price of 0 or more"),
        ("models: {a: {input: .nan}}", "models.a.input"),
        ("models: {a: {imput: 1}}", "models.a.imput: unknown key; did you mean models.a.input?"),
        (
            "models: {a: {tiers: [{above: 9, input: 1}, {above: 3}]}}",
            r"models.a.tiers: \[9, 3\] do not rise",
        ),
        (
            "models: {a: {tiers: [{above: 0}]}}",
            r"models.a.tiers\[0\].above: 0 is not a whole number",
        ),
        (
            "models: {a: {input: 1, tiers: [{above: 5, input: 2}, {above: 9, cached: 1}]}}",
            r"models.a.tiers\[1\].cached: has no price below 9; give models.a.cached too",
        ),
        ("[]", "an empty list is not a mapping"),
        ("currency: dollars", "currency: 'dollars' is not a code as USD"),
        ("models: 3", "models: 3 is not a mapping"),
        ("[", "costs.yaml"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    """File, key and what would be right."""
    path = tmp_path / "costs.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        build.own_prices(Settings(costs=Costs(file=str(path))))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """Not there, a directory, no text."""
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    for name in ("none", ".", "b"):
        with pytest.raises(ConfigError, match=r"costs\.file: .* cannot be read"):
            build.own_prices(Settings(costs=Costs(file=str(tmp_path / name))))
