"""Numbers that stand in the texts, follow from them, or do neither."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.answers import sourced
from monitor.answers.matches import Claim
from monitor.answers.quantities import quantities
from monitor.answers.sourced import Sources, unsupported
from tests.answers.hostile import HOSTILE, is_linear
from tests.bench.check_sets import answers

REPORT = (
    "Revenue was $12,345,678 in 2025 and $10.2 million in 2024. The margin rose to 15.3% from 14.1%. "
    "Product A sold 1,200 units at $20.00 each. Product B sold 800 units at $35.00 each. Staff: 45. "
    "The dose is 500 mcg twice daily for 90 days."
)


def wrong(answer: str, *texts: str, asked: str = "") -> int:
    return unsupported(answer, Sources(texts or [REPORT], asked), 99)[0]


@pytest.mark.parametrize(
    "answer",
    [
        "Revenue was $12,345,678, or $12.3 million, or roughly $12 million.",
        "It was 12.35 million dollars.",
        "The margin is 15.3 percent, after 14 %.",
        "A dose of 0.5 mg for three months, that is for 90 days.",
        "They have 45 people, in 5 offices.",
        "It began in 2019, at 100%.",
    ],
)
def test_what_stands_there_is_supported(answer: str) -> None:
    """Rounded to the digits that are shown, in other units of the same kind, spelled or not."""
    assert wrong(answer) == 0


@pytest.mark.parametrize(
    "answer",
    [
        "Revenue was $13.1 million.",
        "Revenue was €12.3 million.",
        "Revenue was $12,345,600.",
        "The dose is 500 mg.",
        "The margin is 16%.",
        "They have 48 people.",
        "Margins are 21%.",  # that revenue grew by so much is not said
    ],
)
def test_what_does_not_is_not(answer: str) -> None:
    """Another value, another unit, other digits; nothing is derived unless the sentence says so."""
    assert wrong(answer) == 1


@pytest.mark.parametrize(
    "answer",
    [
        "Revenue grew by 21%.",
        "The margin improved by 1.2 percentage points, or 120 basis points.",
        "In total 2,000 units were sold.",
        "Sales of A came to $24,000.",
        "Revenue was $2.1 million higher.",
        "The margin was 14.7% on average.",
    ],
)
def test_what_follows_from_one_sentence_is_derived(answer: str) -> None:
    """Sum, difference, change, product and mean, where the answer says that it is one."""
    assert wrong(answer) == 0


def test_what_follows_from_the_answer_itself_is_derived() -> None:
    """And from numbers of the question."""
    assert wrong("88 of 92 came: 4 did not, that is 95.7%.", "88 of 92 came.") == 0
    assert (
        wrong("That costs 50 EUR: 20 × 2.50.", "A ticket is 2.50 EUR.", asked="For 20 people?") == 0
    )
    assert wrong("That costs 55 EUR.", "A ticket is 2.50 EUR.", asked="For 20 people?") == 1


def test_members_of_json_are_added_up_by_name() -> None:
    """Those that are negative apart from the others."""
    text = '[{"id": 71, "amount": -12.5}, {"id": 72, "amount": 900.0}, {"id": 73, "amount": -7.25}]'
    sources = Sources([text])
    assert [sources.derive(Claim(one, 0.005), "+") for one in quantities("19.75; 29.75", 9)] == [
        True,
        False,
    ]


def test_what_an_answer_has_worked_out_is_no_claim() -> None:
    """Where it cannot be seen how: it is neither right nor wrong."""
    assert unsupported("In total that makes $9,999.", Sources([REPORT]), 99) == (0, 0)
    assert unsupported("Revenue was $9,999.", Sources([REPORT]), 99) == (1, 1)
    assert unsupported("In total that makes $24,000.", Sources([REPORT]), 99) == (0, 1)


def test_heads_of_tables_say_units_and_scales() -> None:
    """A cell has neither."""
    text = "In EUR thousand\nTrade | 48,212 | 52,640\nCrafts | 27,118 | 29,004"
    assert wrong("Trade grew by €4.4 million to €52.6 million.", text) == 0
    assert wrong("Trade grew to €62.6 million.", text) == 1


def honest_and_invented(count: int) -> tuple[float, float]:
    """(share of honest numbers that are flagged, share of invented ones that pass) among `count`
    numbers; the honest are rounded or scaled, the invented off by a factor of up to e^±0.5."""
    chance = random.Random(count)
    flagged = passed = 0
    for _ in range(RUNS):
        values = [chance.lognormvariate(2.5, 1.0) for _ in range(count)]
        text = " ".join(
            f"Site {place} made ${value:,.2f} million." for place, value in enumerate(values)
        )
        sources, value = Sources([text]), chance.choice(values)
        honest = chance.choice(
            [f"${value:,.2f} million", f"${round(value, 2) * 1e6:,.0f}", f"${round(value, 2):.1f}m"]
        )
        flagged += unsupported(f"It made {honest}.", sources, 9)[0]
        invented = value * 2.718281828 ** chance.uniform(-0.5, 0.5)
        passed += not unsupported(f"It made ${invented:,.1f} million.", sources, 9)[0]
    return flagged / RUNS, passed / RUNS


RUNS = 400


def test_honest_numbers_stand_and_invented_ones_seldom() -> None:
    """At 20 numbers of context at most 1 % of the honest are flagged; an invented one that shows
    three digits passes in at most 10 %, less its own luck of being near."""
    flagged, passed = honest_and_invented(20)
    assert flagged <= 0.01
    assert passed <= 0.10


@given(
    st.lists(
        st.sampled_from(["ten", "TEN", "often", "tenant", "ten_", "zehn", "fünf", " ", ".", "5"]), max_size=9
    ).map("".join)
)  # fmt: skip
def test_a_number_is_spelled_by_a_word_of_its_own(text: str) -> None:
    """As an expression sees it; behind it may stand a digit, but no letter."""
    for words in (("ten", "zehn"), ("five", "fünf")):
        pattern = rf"\b(?:{'|'.join(words)})(?![a-zäöü])"
        assert sourced._spells(text, words) == bool(re.search(pattern, text, re.IGNORECASE))


def test_a_power_beyond_what_a_float_holds_is_no_number() -> None:
    """It fails nothing else."""
    assert wrong("It is 0e999, 1e-999 or 7.5e400; revenue was $13.1 million.") == 1


def test_many_pairs_are_judged_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether what they make is put in order first, or each is held against the number."""
    texts = [
        ["".join(part.text or "" for part in one.view.inputs), one.view.answers[0]]
        for one in answers()
    ][::3]
    found = []
    for few in (-1, sourced.MOST**2):
        monkeypatch.setattr(sourced, "_FEW", few)
        found.append([unsupported(answer, Sources([text]), 99) for text, answer in texts])
    assert found[0] == found[1]
    assert len({missing for missing, _ in found[0]}) > 2


def test_of_too_many_numbers_no_more_are_read() -> None:
    """The count says that there were more."""
    assert Sources(["7 " * 5000]).count >= sourced.MOST


def test_the_time_is_linear() -> None:
    """For hostile texts as sources and as answers."""
    claim = "In total it grew by 12.7% to $13.1 million, 48 of them after 3 years, or 99.4 mg more."
    assert is_linear(lambda text: unsupported(claim, Sources([text]), 400)) == []
    assert is_linear(lambda text: unsupported(text, Sources([REPORT]), 400)) == []
    assert HOSTILE
