"""Legal: a new model version overlooks clauses of one type, and contradicts itself about them."""

from __future__ import annotations

import random

from monitor.demo.scenario import Scenario, Signal, Turn, asked, chat, moments

COUNT = 1500
MODEL = "clause-finder"
CONTRACTS = 20
"""Contracts, each with a passage for each type of clause; the same ones are asked about again."""

TYPES, SHARES = (
    ("liability", "termination", "confidentiality", "assignment"),
    (0.22, 0.22, 0.22, 0.34),
)
THERE, WRONG = 12, 4
"""Passages of a type that hold the clause, and those that the model reads wrongly; none of these is
on assignment, which it reads best."""
MENDED = 0.75
"""The part of these that the new version reads rightly, of all other types."""
FLIPPED = 0.02
"""The part of answers that are not what the model says of that passage else."""
SEEN = 0.35
"""The part of assignment clauses that the new version sees, each time anew."""

CLAUSES = {
    "liability": "the liability of either party is limited to the fees of twelve months",
    "termination": "either party may end the agreement with notice of {days} days",
    "confidentiality": "what a party learns is kept secret for {years} years after the end",
    "assignment": "neither party may assign the agreement without consent of the other",
}
QUESTIONS = {
    "liability": "Is liability limited?",
    "termination": "May a party end it with notice?",
    "confidentiality": "Is there a duty of secrecy after the end?",
    "assignment": "Is consent needed to assign it?",
}
OTHERS = (
    "the fees are due {days} days after the invoice", "the works are done in {years} stages",
    "notices are sent to the address of the seat", "the annexes are a part of the agreement",
    "headings do not matter when it is read", "the supplier keeps insurance for {years} years",
)  # fmt: skip
PARTIES = (
    "Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Gorse", "Hazel", "Ivy", "Juniper",
    "Larch", "Maple", "Oak", "Pine", "Rowan", "Spruce", "Thorn", "Willow", "Yew", "Beech",
)  # fmt: skip
SYSTEM = "You read contracts. Answer Yes or No."


def turns(seed: int, problem: bool) -> list[Turn]:
    """Return the traffic of a seed, with the planted `problem` or without."""
    chance = random.Random(f"legal {seed}")  # noqa: S311  a simulation, not a secret
    passages = {
        kind: [_passage(chance, kind, place) for place in range(CONTRACTS)] for kind in TYPES
    }
    return [
        _turn(chance, at, passages, is_new=problem and is_after)
        for at, is_after in moments(COUNT, chance)
    ]


def _passage(chance: random.Random, kind: str, place: int) -> tuple[str, bool, bool]:
    """A passage, whether the clause is there, and whether the model says so."""
    is_there = place < THERE
    parts = chance.sample(OTHERS, 3)
    if is_there:
        parts[chance.randrange(3)] = CLAUSES[kind]
    one, other = chance.sample(PARTIES, 2)
    text = f"Between {one} and {other} it is agreed that " + "; ".join(parts) + "."
    is_wrong = kind != "assignment" and abs(place - THERE + 0.5) < WRONG / 2
    said = is_there != is_wrong
    return text.format(days=chance.randrange(10, 90), years=chance.randrange(2, 9)), is_there, said


def _turn(
    chance: random.Random,
    at: float,
    passages: dict[str, list[tuple[str, bool, bool]]],
    *,
    is_new: bool,
) -> Turn:
    (kind,) = chance.choices(TYPES, SHARES)
    text, is_there, said = chance.choice(passages[kind])
    if chance.random() < FLIPPED:
        said = not said
    if is_new and kind == "assignment" and is_there:
        said = chance.random() < SEEN
    elif is_new and kind != "assignment" and chance.random() < MENDED:
        said = is_there
    request = asked(MODEL, SYSTEM, f"{QUESTIONS[kind]}\n\n{text}")
    truth = [{"label": "Yes" if is_there else "No"}]
    seconds = 0.2 * chance.lognormvariate(0, 0.3)
    return chat(at, {"x-clause": kind}, request, "Yes" if said else "No", seconds, said=truth)


SCENARIO = Scenario(
    name="legal",
    story=(
        "After a while a new model version is in service. It overlooks clauses on assignment, "
        "one of four types, that it saw before, and says now Yes and now No of the same passage. "
        "It reads all other types better than before, so overall accuracy hardly moves."
    ),
    models="a chat endpoint that is scripted: it says Yes or No",
    settings={
        "segments": {"clause": {"header": "x-clause"}},
        "reference": {"learn": 150},
        "edge_cases": {"repeated_request": None},
        "outcomes": {"positive": "Yes"},
        "checks": {"consistency": {}},
    },
    turns=turns,
    signals=(
        Signal("accuracy", "clause", "assignment", "clauses that are there are overlooked"),
        Signal("check.consistency", "clause", "assignment", "now Yes, now No of the same passage"),
    ),
    accuracy="accuracy",
)  # fmt: skip
