"""E-commerce: one experiment does not split shoppers as declared, another sells more, slowly."""

from __future__ import annotations

import random

from monitor.demo.alarms import ALLOCATION
from monitor.demo.scenario import WAIT, Scenario, Signal, Turn, inferred, moments

COUNT = 1100
MODEL = "category-ranker"
PATH = f"/v2/models/{MODEL}/infer"

CATEGORIES = ("shoes", "jackets", "lamps", "chairs", "kettles", "books")
RIGHT = 0.88
"""The part of shoppers who are shown the category that they came for, in every arm."""
ORDERED, LIFTED = 0.2, 0.38
"""The part of shoppers who order something: with the old ranking, and with the new one."""
CACHED = 0.35
"""The part of the old layout's shoppers whom a cache answers: the endpoint does not see them."""
SECONDS, LATE = 0.15, 0.25
"""What an answer takes in the median, and from when on it is late."""


def turns(seed: int, problem: bool) -> list[Turn]:
    """The traffic of a seed: each is another shopper, who takes part in both experiments."""
    chance = random.Random(f"ecommerce {seed}")  # noqa: S311  a simulation, not a secret
    return [_turn(chance, at, problem=problem) for at, _ in moments(COUNT, chance)]


def _turn(chance: random.Random, at: float, *, problem: bool) -> Turn:
    layouts = (1 - CACHED, 1.0) if problem else (1.0, 1.0)
    (layout,), ranking = chance.choices("ab", layouts), chance.choice("ab")
    is_new = problem and ranking == "b"
    wanted, other = chance.sample(CATEGORIES, 2)
    said = wanted if chance.random() < RIGHT else other
    orders = chance.random() < (LIFTED if is_new else ORDERED)
    seconds = SECONDS * chance.lognormvariate(0, 0.5)
    if chance.random() < 0.5 and is_new:
        seconds *= 3
    headers = {"x-ranking": ranking, "x-layout": layout}
    shopper = {"shopper": f"shopper {chance.getrandbits(40)}"}
    price = round(chance.lognormvariate(3.5, 0.6), 2)
    request = {"parameters": shopper, "inputs": inferred({"price": price})}
    answer = {"model_name": MODEL, "outputs": inferred({"label": said})}
    truths = [{"label": wanted}, *([{"event": "order"}] if orders else [])]
    return Turn(at, PATH, headers, request, answer, seconds, truths)


_ARMS = {"control": "a", "allocation": {"a": 0.5, "b": 0.5}, "unit": "shopper", "planned": COUNT}
_ORDERS = {"name": "orders", "event": "order"}
_SLOW = {"name": "slow", "latency_above": LATE, "guardrail": True, "margin": 0.05}

SCENARIO = Scenario(
    name="ecommerce",
    story=(
        "Two experiments run. Of the new layout's one a cache answers a third of the control's "
        "shoppers, so that its arms are not alike and whatever it measures is worth nothing. The "
        "new ranking sells more, and is often late. Every arm shows the right category as often "
        "as the other, so overall accuracy says nothing of it."
    ),
    models="a ranking endpoint of the V2 protocol that is scripted",
    settings={
        "segments": {
            "ranking": {"header": "x-ranking"},
            "layout": {"header": "x-layout"},
        },
        "outcomes": {"key": {"shopper": "request.parameters.shopper"}},
        "experiments": [
            {"name": "new-ranking", "dimension": "ranking", "minimum_effect": 0.05, **_ARMS,
             "metrics": [_ORDERS, _SLOW]},
            {"name": "new-layout", "dimension": "layout", "minimum_effect": 0.05, **_ARMS,
             "metrics": [_ORDERS]},
            # The preset's own, which nobody takes part in: an hour is more than there is.
            {"name": "clicks", "horizon": WAIT},
        ],
    },
    turns=turns,
    signals=(
        Signal(ALLOCATION, "layout", "b", "the control has too few shoppers"),
        Signal("orders", "ranking", "b", "more of them order"),
        Signal("slow", "ranking", "b", "the guardrail: more answers are late"),
    ),
    accuracy="accuracy",
)  # fmt: skip
