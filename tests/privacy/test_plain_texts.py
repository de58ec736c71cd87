"""What is told of many texts at once is what looking into each of them would tell."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.privacy.patterns import Scanner
from monitor.privacy.plain_texts import SHORTEST, located
from monitor.recognizers import RECOGNIZERS
from tests.chances import SEEDED
from tests.privacy.test_scrub import EVERYTHING, SCANNER, TEXTS, scrub

EXAMPLES = [
    re.sub("[«»]", "", text)
    for each in RECOGNIZERS
    for text in (*each.examples, *each.counterexamples)
]
USUAL = (
    "Please cancel the order before it ends.", "Größe und Preis, in 20 % der Fälle, sagt er",
    "if (a && b) return a + b;", "we paid 42 euros, 17 of them last week", "x = 1 and y = 2",
)  # fmt: skip


def are_plain(texts: Sequence[str], scanner: Scanner) -> list[bool]:
    """Whether each text is plain, and no trigger fires."""
    return [where == {} for where in located(texts, scanner)]


PIECES = st.sampled_from(EXAMPLES) | TEXTS | st.sampled_from(USUAL)


@settings(max_examples=25, deadline=None)
@given(st.lists(PIECES, max_size=8), SEEDED)
def test_a_plain_text_is_as_it_is_alone(pieces: list[str], chance: random.Random) -> None:
    """And what is found in one is what is found in it alone, and looked at once; wherever texts are
    cut, and whatever stands before and behind them."""
    whole = " ".join(pieces)
    edges = sorted(chance.choices(range(len(whole) + 1), k=6))
    cut = [whole[a:b] for a, b in zip([0, *edges], [*edges, len(whole)], strict=True)]
    texts = [*pieces, *cut]
    for text, where in zip(texts, located(texts, SCANNER), strict=True):
        if where is None:
            continue
        assert where == SCANNER._locate(text)
        one = scrub()
        found = one.text(text, cached=False)
        work = one.work(text, scrub().progress())
        if work is None:  # something is wrong with it, which is told where it is looked at alone
            assert scrub().plain(text, where) is None
            continue
        assert scrub().plain(text, where) == (found, work)
        assert work.characters == len(text)
        if not where:
            assert (found, work.grown, one.pseudonyms) == (text, 0, {})


def test_no_trigger_is_lost_among_other_texts() -> None:
    """Of all recognizers: where one looks closer at a text, it is not plain, whoever stands beside it."""
    fire = [text for text in EXAMPLES if EVERYTHING._locate(text)]
    assert len(fire) > 200
    assert not any(are_plain(fire, EVERYTHING))
    between = [one for text in fire for one in (USUAL[0], text)]
    assert not any(are_plain(between, EVERYTHING)[1::2])
    known = [
        where == EVERYTHING._locate(text)
        for text, where in zip(between, located(between, EVERYTHING), strict=True)
        if where is not None
    ]
    assert all(known)
    assert len(known) > len(fire) + 150


@pytest.mark.parametrize(
    "text", ["it was ada@example.org4111 1111 1111 1111", "from 203.0.113.7/536-22-8726 it came"]
)
def test_a_value_right_beside_another_is_found_too(text: str) -> None:
    """Which the first look hides."""
    (where,) = located([text], SCANNER)
    assert where
    one = scrub()
    found = one.text(text, cached=False)
    assert sum(one.pseudonyms.values()) == 2
    done = scrub().plain(text, where)
    assert done is not None
    assert done[0] == found


def test_usual_texts_are_plain() -> None:
    """Also with signs that may mean something, and beyond ASCII."""
    assert all(are_plain(USUAL, SCANNER))
    odd = ["a\u200bb is a word", "half \ud83d of one", "ask &lt;ada&gt;", "is <PERSON:k1:x> it", '{"ssn": "twelve"}', "1" * (SHORTEST - 1), "Меня зовут Иван", "我叫王小明, 想查询"]  # fmt: skip
    assert not any(are_plain([*odd, "see aGVsbG8gd29ybGQgaXQ"], SCANNER))
    assert are_plain([], SCANNER) == []


def test_what_a_trigger_sees_is_what_is_joined() -> None:
    """None asks where a text begins or ends, but the one that asks for no digit before."""
    for each in RECOGNIZERS:
        for trigger in each.triggers:
            bare = re.sub(r"\[(?:\\.|[^\]\\])*\]", "[]", trigger.replace("(?:^|[^0-9])", ""))
            assert not re.search(r"[$^]|\\[AZzB]|\(\?[=!<]", bare), each.name


def test_too_much_to_look_at_is_not_plain() -> None:
    """Then each text is looked at by itself."""
    few = Scanner(RECOGNIZERS[:8], max_events=3)
    assert located([USUAL[0], "a@b.de " * 9], few) == [None, None]


def test_without_hyperscan_no_text_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows then where triggers end."""
    monkeypatch.setattr("monitor.privacy.patterns.hyperscan", None)
    assert located(USUAL, Scanner(RECOGNIZERS[:2])) == [None] * len(USUAL)
