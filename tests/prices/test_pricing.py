"""From what an exchange meant to what it cost."""

from __future__ import annotations

import msgspec
import pytest

from monitor.prices.own import Own, Prices
from monitor.prices.pricing import MOST_REMEMBERED, Pricing
from monitor.types import Inference, Tokens

NOW = 1.79e9
ASKED = Inference("openai_chat", "chat", "gpt-4o-2024-08-06", tokens=Tokens(1000, 100))


def test_a_cost_says_what_was_paid_for_and_whose_price_it_is() -> None:
    """Input and output apart."""
    cost = Pricing("https://api.openai.com").cost(ASKED, NOW)
    assert cost is not None
    assert (cost.currency, cost.priced_as) == ("USD", "openai/gpt-4o")
    assert cost.amount == pytest.approx(cost.input + cost.output, abs=1e-12) == 0.0035


def test_an_answer_by_another_name_is_priced_by_what_was_asked_for() -> None:
    """Where the answer's own name is listed nowhere."""
    odd = msgspec.structs.replace(ASKED, model="deployment-7", requested_model="gpt-4o")
    cost = Pricing("https://api.openai.com").cost(odd, NOW)
    assert cost is not None
    assert cost.priced_as == "openai/gpt-4o"


@pytest.mark.parametrize(
    "change",
    [
        {"model": "nobody-knows"}, {"model": ""}, {"tokens": None}, {"tokens": Tokens(None, 3)},
        {"tokens": Tokens(3, 3, cached=4)}, {"service_tier": "unheard"}, {"units": {"dances": 1}},
        {"incomplete": True}, {"failed": True},
    ],
)  # fmt: skip
def test_what_is_not_known_costs_nothing_that_could_be_said(change: dict[str, object]) -> None:
    """Never 0."""
    assert (
        Pricing("https://api.openai.com").cost(msgspec.structs.replace(ASKED, **change), NOW)
        is None
    )


def test_a_price_is_that_of_its_day() -> None:
    """A log of last year is priced as of last year."""
    found = {
        Pricing("https://api.deepseek.com").cost(
            msgspec.structs.replace(ASKED, model="deepseek-chat"), at
        )
        for at in (1.735e9, 1.745e9, 1.76e9)
    }
    assert len({one and one.amount for one in found}) > 1


def test_names_of_strangers_fill_no_memory() -> None:
    """What is remembered of models is bounded."""
    pricing = Pricing()
    for number in range(3 * MOST_REMEMBERED):
        pricing.cost(msgspec.structs.replace(ASKED, model=f"m{number}"), NOW)
    assert len(pricing._known) <= MOST_REMEMBERED


def test_no_name_of_a_stranger_is_kept() -> None:
    """Neither a long one nor anybody's words, whether it has a price or not."""
    pricing = Pricing()
    for model in ("x" * 1_000_000, "gpt-4o\udc80", "jane.doe@example.com", "gpt-4o-2024-08-06"):
        pricing.cost(msgspec.structs.replace(ASKED, model=model), NOW)
    assert {len(key) for key in pricing._known} == {16}
    assert pricing.cost(ASKED, NOW) is not None
    assert len(pricing._known) == 3


def test_a_model_s_context_is_as_the_list_says() -> None:
    """By the answer's name, else by the one that was asked for; of one's own models nobody says."""
    pricing = Pricing("https://api.openai.com")
    assert pricing.context(ASKED) == 128_000
    odd = msgspec.structs.replace(ASKED, model="deployment-7", requested_model="gpt-4o")
    assert pricing.context(odd) == 128_000
    assert pricing.context(msgspec.structs.replace(ASKED, model="nobody-knows")) is None
    assert pricing.context(msgspec.structs.replace(ASKED, model="")) is None
    mine = Own(models={"gpt-4o*": Prices(input=1.0, output=1.0)})
    assert Pricing("https://api.openai.com", mine).context(ASKED) is None
