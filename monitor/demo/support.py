"""Support: a new plan changes what business customers ask, and their answers take twice as long."""

from __future__ import annotations

import random

from monitor.demo.scenario import Scenario, Signal, Turn, asked, chat, moments

COUNT = 800
MODEL = "support-assistant"
SYSTEM = "You answer customers of a shop for office software. Be brief and friendly."

POPULATIONS, SHARES = ("consumer", "business", "partner"), (0.5, 0.35, 0.15)
SOLVED = 0.9
"""The part of answers that agents leave as they are, before the change and after it."""
SECONDS = 0.5
"""What an answer takes, in the median."""

OPENINGS = (
    "Hello,", "Hi there,", "Good morning,", "Hi, me again.", "Quick question:", "Dear team,",
    "Help please!", "Hey,",
)  # fmt: skip
CLOSINGS = (
    "Thanks.", "Thank you!", "I need it today.", "It is for the accountant.", "Best regards.",
    "That would be great.", "I could not find it anywhere.", "I have tried it twice.",
    "Please write back soon.", "It worked last year.",
)  # fmt: skip
PRODUCTS = (
    "the text editor", "the spreadsheet", "the calendar", "the notes app", "the slide maker",
    "the mail program", "the drawing tool", "the scanner app", "the form builder", "the wiki",
)  # fmt: skip
USUAL = (
    "Where do I find the invoice of {month} for {product}?",
    "My card was charged twice in {month} for {product}, can you look?",
    "How do I change the address for {product} before {month}?",
    "The installer of {product} stops at {share} percent, what now?",
    "Can I move {product} to another laptop in {month}?",
    "I forgot my password of {product} and the reset mail of {month} has expired.",
    "Please cancel my subscription of {product} at the end of {month}.",
    "Is there a discount on {product} for schools after {month}?",
)
NEW = (
    "Since the workspace plan our seats of {product} do not sync, {share} percent are locked.",
    "The workspace admin cannot assign seats of {product} that we bought in {month}.",
    "Single sign-on to {product} fails for every seat of our workspace since {month}.",
    "How are workspace seats of {product} prorated from {month} on?",
)
"""What is asked once business customers have been moved to workspaces."""

MONTHS = ("January", "March", "April", "June", "August", "October")
ANSWERS = (
    "You find that under Account, then Billing. I have sent you the link as well.",
    "Thank you for telling us. I have opened a ticket, and a colleague looks at it today.",
    "Please sign out, restart the program and try again; your data stays as it is.",
    "That works from the settings page of your account, and takes effect at once.",
)
BETTER = "A colleague has called the customer and solved it on the telephone."
"""What an agent writes instead of an answer that will not do."""


def turns(seed: int, problem: bool) -> list[Turn]:
    """Return the traffic of a seed, with the planted `problem` or without."""
    chance = random.Random(f"support {seed}")  # noqa: S311  a simulation, not a secret
    return [
        _turn(chance, at, is_new=problem and is_after) for at, is_after in moments(COUNT, chance)
    ]


def _turn(chance: random.Random, at: float, *, is_new: bool) -> Turn:
    (population,) = chance.choices(POPULATIONS, SHARES)
    is_moved = is_new and population == "business"
    questions = NEW if is_moved and chance.random() < 0.6 else USUAL
    question = chance.choice(questions).format(
        month=chance.choice(MONTHS), share=chance.randrange(5, 95), product=chance.choice(PRODUCTS)
    )
    question = f"{chance.choice(OPENINGS)} {question} {chance.choice(CLOSINGS)}"
    request = asked(MODEL, SYSTEM, question)
    text = chance.choice(ANSWERS)
    seconds = SECONDS * (2 if is_moved else 1) * chance.lognormvariate(0, 0.4)
    solved = text if chance.random() < SOLVED else BETTER
    headers = {"x-population": population}
    said = [{"correction": solved}]
    return chat(at, headers, request, text, seconds, said=said)


SCENARIO = Scenario(
    name="support",
    story=(
        "A while into the day all business customers are moved to a new plan. They ask other "
        "things from then on, and their answers take twice as long. Agents change as few answers "
        "as before, so overall accuracy stays as it was."
    ),
    models="a chat endpoint that is scripted: it answers from a few sentences",
    settings={
        "segments": {"population": {"header": "x-population"}},
        "objectives": {"latency": {"seconds": 1.2, "share": 0.95}},
    },
    turns=turns,
    signals=(
        Signal("input_unknown_words", "population", "business", "they ask other things"),
        Signal("latency objective", "population", "business", "they wait twice as long"),
    ),
    accuracy="exact_match",
)
