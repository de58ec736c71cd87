"""The bundled table says what the package says that it is made from."""

from __future__ import annotations

import random
import warnings
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import genai_prices as genai
import msgspec
import pytest

from monitor.prices import bundled
from monitor.prices.pricing import Pricing
from monitor.prices.rates import sums
from monitor.types import Inference, Tokens

DAY = 86400


@pytest.mark.parametrize(
    ("upstream", "protocol", "model", "name"),
    [
        ("https://api.openai.com", "openai_chat", "x", "openai"),
        ("https://my.openai.azure.com", "openai_chat", "gpt-4o", "azure"),
        ("https://bedrock-runtime.eu-west-1.amazonaws.com", "bedrock", "x", "aws"),
        ("http://gateway.internal", "bedrock", "x", "aws"),
        ("http://gateway.internal", "bedrock", "anthropic.claude-3-haiku-20240307-v1:0", "aws"),
        ("http://127.0.0.1:11434", "ollama", "deepseek-r1:8b", None),
        ("http://127.0.0.1:11434", "ollama", "command-r", None),
        ("http://litellm:4000", "openai_chat", "gpt-4o-mini", "openai"),
        ("http://litellm:4000", "anthropic_messages", "claude-sonnet-4-5", "anthropic"),
        ("http://vllm:8000", "openai_chat", "meta-llama/Llama-3.1-8B-Instruct", None),
        ("http://vllm:8000", "openai_chat", "", None),
    ],
)
def test_who_is_paid(upstream: str, protocol: str, model: str, name: str | None) -> None:
    """By host, by protocol, by the name; an open model on one's own machine costs nobody's price."""
    found = bundled.provider_of(upstream, protocol, model)
    assert (found and found.name) == name


@pytest.mark.parametrize(
    ("model", "listed"),
    [
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", True),
        ("apac.anthropic.claude-3-5-sonnet-20241022-v2:0", True),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-3-5-sonnet-20241022-v2:0", True),
        ("nobody.nothing-v1", False),
    ],
)  # fmt: skip
def test_the_prefix_of_a_region_is_no_other_model(model: str, listed: bool) -> None:
    """Profiles and ARNs of Bedrock."""
    provider = bundled.provider_of("", "bedrock", "")
    assert provider is not None
    assert (bundled.find(provider, model) is not None) == listed


def _oracle(
    provider: Any, model: Any, usage: dict[str, int], at: datetime, context: Any
) -> Decimal:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.calc_price(
            genai.Usage(**usage), provider, genai_request_timestamp=at, price_context=context
        ).total_price


TIERS = {"": None, "batch": {"processing": "batch"}, "flex": {"service_tier": "flex"},
         "priority": {"service_tier": "priority"}}  # fmt: skip


def test_it_prices_like_the_package_wherever_both_can() -> None:
    """Seeded usages of every provider's models, days and tiers: equal to a billionth of a dollar."""
    from genai_prices import data

    draw = random.Random(7)
    compared = 0
    for provider in data.providers:
        for model in draw.sample(provider.models, min(30, len(provider.models))):
            mine = bundled.models(provider.id)[provider.models.index(model)]
            read, written = (
                draw.choice([1, 999, 200_000, 200_001, 1_500_000]),
                draw.randint(0, 9999),
            )
            cached = draw.choice([0, read // 3])
            at = datetime.fromtimestamp(
                draw.randint(19_800, 20_780) * DAY + draw.randint(0, DAY), UTC
            )
            tier = draw.choice(["", *TIERS])
            rates = mine.rates(at.timestamp(), tier)
            if rates is None or rates.apart:
                continue

            found = sums(rates, Tokens(read, written, cached=cached), {})
            if found is None:
                continue
            usage = {"input_tokens": read, "output_tokens": written, "cache_read_tokens": cached}
            right = _oracle(provider, model, usage, at, TIERS[tier])
            assert abs(Decimal(sum(found)) / 10**9 - right) <= Decimal("1.5e-9"), (
                model.id,
                tier,
                at,
            )
            compared += 1
    assert compared > 150


def test_a_tier_that_nobody_names_has_no_price() -> None:
    """And one that only some models have, none at others."""
    pricing = Pricing("https://api.openai.com")
    asked = Inference("openai_chat", "chat", "gpt-4o", tokens=Tokens(1000, 10))
    costs = {
        tier: pricing.cost(msgspec.structs.replace(asked, service_tier=tier), 1.794e9)
        for tier in ("", "default", "batch", "scale", "unheard of")
    }
    assert costs["scale"] is costs["unheard of"] is None
    assert costs[""] == costs["default"] is not None
    assert costs["batch"] is not None
    assert costs["batch"].amount == costs[""].amount / 2
