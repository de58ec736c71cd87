"""Science: one field's answers cite sources that nobody gave them, and read as well as before."""

from __future__ import annotations

import random

from monitor.demo.scenario import Scenario, Signal, Turn, asked, chat, moments

COUNT = 700
MODEL = "literature-assistant"

FIELDS = ("genomics", "ecology", "materials")
INVENTED, BEFORE = 0.5, 0.02
"""The part of genomics' answers that cite what was not given after the index was cut, and of all
answers before that."""
ACCEPTED = 0.92
"""The part of answers that experts leave as they are, whatever they cite."""

AUTHORS = ("Novak", "Tamm", "Okafor", "Lindqvist", "Moreau", "Haddad", "Petrov", "Sato", "Brandt")
SUBJECTS = {
    "genomics": ("the promoter", "the deletion", "the transcript", "the variant", "the enhancer"),
    "ecology": ("the reed bed", "the sedge", "the beaver dam", "the meadow", "the lichen"),
    "materials": ("the alloy", "the oxide film", "the polymer", "the ceramic", "the glass fibre"),
}
EFFECTS = (
    "lowers the loss of water in dry years", "raises the yield under stress",
    "slows growth when it is cold", "changes how light is taken up",
    "keeps its strength after many cycles", "is stable for several seasons",
)  # fmt: skip
SYSTEM = "Answer from the sources below and cite them by their number.\n\n{sources}"
BETTER = "The sources do not say this clearly enough; see the review of the group instead."
"""What an expert writes instead of an answer that will not do."""


def turns(seed: int, problem: bool) -> list[Turn]:
    """Return the traffic of a seed, with the planted `problem` or without."""
    chance = random.Random(f"science {seed}")  # noqa: S311  a simulation, not a secret
    return [
        _turn(chance, at, is_cut=problem and is_after) for at, is_after in moments(COUNT, chance)
    ]


def _turn(chance: random.Random, at: float, *, is_cut: bool) -> Turn:
    field = chance.choice(FIELDS)
    subject = chance.choice(SUBJECTS[field])
    sources = [
        f"[{number}] {chance.choice(AUTHORS)} and {chance.choice(AUTHORS)} "
        f"({chance.randrange(2004, 2025)}). {chance.choice(SUBJECTS[field]).capitalize()} "
        f"{chance.choice(EFFECTS)}. doi:10.5555/{field}.{chance.randrange(1000, 9999)}"
        for number in range(1, 6)
    ]
    question = f"What is known of how {subject} {chance.choice(EFFECTS)}?"
    request = asked(MODEL, SYSTEM.format(sources="\n".join(sources)), question)
    rate = INVENTED if is_cut and field == "genomics" else BEFORE
    first, second = chance.sample(range(1, 6), 2)
    if chance.random() < rate:
        second += 6
    effect, more = chance.choice(EFFECTS), chance.choice(EFFECTS)
    text = f"{subject.capitalize()} {effect} [{first}], and it {more} [{second}]."
    truth = text if chance.random() < ACCEPTED else BETTER
    seconds = 0.4 * chance.lognormvariate(0, 0.3)
    said = [{"correction": truth}]
    return chat(at, {"x-field": field}, request, text, seconds, said=said)


SCENARIO = Scenario(
    name="science",
    story=(
        "After a while the index of genomics papers is cut, and the assistant goes on citing as "
        "if it had them: sources that stand nowhere in what it was given. Its sentences read as "
        "well as before and experts accept as many, so overall accuracy stays as it was."
    ),
    models="a chat endpoint that is scripted: it writes sentences from templates",
    settings={
        "segments": {"field": {"header": "x-field"}},
        "checks": {"citation": {}},
    },
    turns=turns,
    signals=(
        Signal("check.citation", "field", "genomics", "they cite what was not given to them"),
    ),
    accuracy="exact_match",
)
