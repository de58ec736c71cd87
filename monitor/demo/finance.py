"""Finance: after a change of prompt numbers stand in no filing, and totals do not add up."""

from __future__ import annotations

import random

from monitor.demo.scenario import Scenario, Signal, Turn, asked, chat, moments

COUNT = 700
MODEL = "filing-assistant"

TEMPLATES, SHARES = ("filing-summary", "risk-summary", "question"), (0.5, 0.25, 0.25)
INVENTED, WRONG, BEFORE = 0.5, 0.5, 0.02
"""The parts of the summaries with an invented number and with a wrong total under the new prompt,
and of each before it."""
ACCEPTED = 0.93
"""The part of answers that analysts leave as they are."""

COMPANIES = (
    "Meridian Foods", "Aldgate Paper", "Norrland Timber", "Castell Optics", "Veldkamp Pumps",
    "Brightwater Rail", "Osei Logistics", "Tarn Energy", "Kestrel Glass", "Lune Textiles",
)  # fmt: skip
FILING = (
    "{company} plc, half-year results. Revenue of the three divisions was £{north}m in the north, "
    "£{south}m in the south and £{abroad}m abroad, £{total}m together. Operating profit was "
    "£{profit}m, a margin of {margin}%. Net debt stood at £{debt}m at the end of the period. The "
    "interim dividend is {dividend}p a share. Capital expenditure came to £{capital}m, most of it "
    "for the new warehouse. The board looks to the second half with confidence, and expects costs "
    "of freight to fall as contracts are renewed with the carriers."
)
PROMPTS = {
    "old": "Summarise the filing. Use numbers of the filing alone.\n\n{filing}",
    "new": "Summarise the filing as an analyst would, with all that matters.\n\n{filing}",
}
RISKS = (
    "Costs of freight and the new warehouse are what the board names; it is confident still.",
    "The board sees costs of freight as the main risk, and says that contracts are being renewed.",
    "The new warehouse ties up money, and freight is dear until the contracts are renewed.",
)
BETTER = "Please read the filing itself; the summary leaves out what matters to us."
"""What an analyst writes instead of an answer that will not do."""


def turns(seed: int, problem: bool) -> list[Turn]:
    """Return the traffic of a seed, with the planted `problem` or without."""
    chance = random.Random(f"finance {seed}")  # noqa: S311  a simulation, not a secret
    return [
        _turn(chance, at, "new" if problem and is_after else "old")
        for at, is_after in moments(COUNT, chance)
    ]


def _turn(chance: random.Random, at: float, prompt: str) -> Turn:
    (template,) = chance.choices(TEMPLATES, SHARES)
    company = chance.choice(COMPANIES)
    figures = _figures(chance)
    filing = FILING.format(company=company, **figures)
    is_summary = template == "filing-summary"
    system = PROMPTS[prompt if is_summary else "old"].format(filing=filing)
    if is_summary:
        text, question = _summary(chance, company, figures, prompt), "Summarise it."
    elif template == "risk-summary":
        text, question = chance.choice(RISKS), f"What does {company} say of its risks?"
    else:
        text, question = _answer(chance, company, figures), f"How did {company} do?"
    request = asked(MODEL, system, question)
    truth = text if chance.random() < ACCEPTED else BETTER
    seconds = 0.4 * chance.lognormvariate(0, 0.3)
    headers = {"x-template": template, "x-prompt-version": prompt if is_summary else "old"}
    said = [{"correction": truth}]
    return chat(at, headers, request, text, seconds, said=said)


def _figures(chance: random.Random) -> dict[str, float]:
    """The figures of a filing, in millions of pounds, percent and pence."""
    north, south, abroad = (round(chance.uniform(40, 400), 1) for _ in range(3))
    total = round(north + south + abroad, 1)
    profit = round(total * chance.uniform(0.04, 0.15), 1)
    return {
        "north": north, "south": south, "abroad": abroad, "total": total, "profit": profit,
        "margin": round(100 * profit / total, 1), "debt": round(chance.uniform(20, 300), 1),
        "dividend": round(chance.uniform(1, 9), 1), "capital": round(chance.uniform(11, 60), 1),
    }  # fmt: skip


def _summary(chance: random.Random, company: str, figures: dict[str, float], prompt: str) -> str:
    """A table with its total, and two sentences."""
    invented, wrong = (INVENTED, WRONG) if prompt == "new" else (BEFORE, BEFORE)
    total = figures["total"]
    if chance.random() < wrong:
        total = round(total * chance.choice((0.9, 1.12)), 1)
    debt, capital = figures["debt"], figures["capital"]
    if chance.random() < invented:
        debt, capital = (round(one * chance.uniform(1.3, 1.9), 1) for one in (debt, capital))
    return (
        f"| Division | Revenue |\n|---|---|\n| North | £{figures['north']}m |\n"
        f"| South | £{figures['south']}m |\n| Abroad | £{figures['abroad']}m |\n"
        f"| Total | £{total}m |\n\n"
        f"{company} made an operating profit of £{figures['profit']}m. Net debt is £{debt}m and "
        f"capital expenditure was £{capital}m."
    )


def _answer(chance: random.Random, company: str, figures: dict[str, float]) -> str:
    return chance.choice((
        f"{company} made £{figures['profit']}m on revenue of £{figures['total']}m.",
        f"The margin of {company} was {figures['margin']}%, and its net debt £{figures['debt']}m.",
    ))  # fmt: skip


SCENARIO = Scenario(
    name="finance",
    story=(
        "After a while the prompt of one template, the summary of a filing, is changed. Its "
        "summaries have numbers from then on that stand nowhere in the filing, and tables whose "
        "total is not the sum of the rows. Analysts accept as many answers as before, so overall "
        "accuracy stays as it was."
    ),
    models="a chat endpoint that is scripted: it fills the figures of a filing into templates",
    settings={
        "segments": {"template": {"header": "x-template"}},
        "lineage": {"prompt_version": {"header": "x-prompt-version"}},
        "checks": {"unsupported_number": {}, "consistency": {}},
    },
    turns=turns,
    signals=(
        Signal(
            "check.unsupported_number", "template", "filing-summary",
            "numbers that stand in no filing",
        ),
        Signal("check.consistency", "template", "filing-summary", "totals that do not add up"),
    ),
    accuracy="exact_match",
)  # fmt: skip
