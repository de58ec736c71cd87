"""What is told of many texts at once is what looking into each of them would tell."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.privacy.patterns import Scanner
from monitor.privacy.plain_texts import SHORTEST, are_plain
from monitor.recognizers import RECOGNIZERS
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


def nothing_is_in(text: str) -> bool:
    """Whether scrubbing a text does nothing, and looks at nothing twice."""
    one = scrub()
    before = one.progress()
    done = one.text(text, cached=False)
    left, grown, redacted = one.progress()
    return (done, before[0] - left, grown, redacted, one.pseudonyms) == (text, len(text), 0, 0, {})


PIECES = st.sampled_from(EXAMPLES) | TEXTS | st.sampled_from(USUAL)


@settings(max_examples=40, deadline=None)
@given(st.lists(PIECES, max_size=8), st.randoms(use_true_random=False))
def test_nothing_is_in_a_plain_text(pieces: list[str], chance: random.Random) -> None:
    """Wherever texts are cut, and whatever stands before and behind them."""
    whole = " ".join(pieces)
    edges = sorted(chance.choices(range(len(whole) + 1), k=6))
    cut = [whole[a:b] for a, b in zip([0, *edges], [*edges, len(whole)], strict=True)]
    texts = [*pieces, *cut]
    for text, is_plain in zip(texts, are_plain(texts, SCANNER), strict=True):
        assert not is_plain or nothing_is_in(text)


def test_no_trigger_is_lost_among_other_texts() -> None:
    """Of all recognizers: where one looks closer at a text, it is not plain, whoever stands beside it."""
    fire = [text for text in EXAMPLES if EVERYTHING._locate(text)]
    assert len(fire) > 200
    assert not any(are_plain(fire, EVERYTHING))
    between = [one for text in fire for one in (USUAL[0], text)]
    assert not any(are_plain(between, EVERYTHING)[1::2])


def test_usual_texts_are_plain() -> None:
    """Also with signs that may mean something, and beyond ASCII."""
    assert all(are_plain(USUAL, SCANNER))
    odd = ["a\u200bb is a word", "half \ud83d of one", "ask &lt;ada&gt;", "is <PERSON:k1:x> it", '{"ssn": "twelve"}', "1" * (SHORTEST - 1)]  # fmt: skip
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
    assert are_plain([USUAL[0], "a@b.de " * 9], few) == [False, False]


def test_without_hyperscan_no_text_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows then where triggers end."""
    monkeypatch.setattr("monitor.privacy.patterns.hyperscan", None)
    assert are_plain(USUAL, Scanner(RECOGNIZERS[:2])) == [False] * len(USUAL)
