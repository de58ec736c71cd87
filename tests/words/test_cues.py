"""What sentences say of their numbers, and hedges before a number."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from monitor.words import cues
from tests.bench.check_sets import answers

PIECES = (
    "total Total, in all rose rising-up per each twelve two-three dozen year or (of) x 3 x 12% 4×5 = saving "
    "the mill makes half_off unterschied remain it's 31 2,5 totalandmuchmorethanthatandmore"
)
WORDS = st.sampled_from([*PIECES.split(), "\u017fum", "rema\u0131nder"])
SPACES = st.sampled_from([" ", "  ", "\n", "\u00a0"])
SENTENCES = st.lists(st.one_of(WORDS, SPACES, SPACES), max_size=30).map("".join)


def said(sentence: str) -> tuple[set[str], bool]:
    """(kinds, whether something is computed), word by word."""
    words = [word[:24] for word in re.findall(r"[^\W\d_]+", sentence)]
    kinds = {"="} if re.search("[(=:]", sentence) else set[str]()
    for word in words:
        made = cues._MADE.match(word)
        kinds |= set(cues._KINDS[int(made.lastgroup[1:])]) if made and made.lastgroup else set()
    computed = any(map(cues._WORKED_OUT.match, words)) or cues._SUM.search(sentence)
    return kinds, bool(computed)


def holds(sentence: str) -> bool:
    found = cues.said(sentence)
    words = re.findall(r"[^\W\d_]+", sentence.lower())
    counts = {cues._SPELLED[word] for word in words if word in cues._SPELLED}
    return (set(found.kinds), found.is_computed) == said(sentence) and counts == set(found.counts)


@given(SENTENCES)
def test_a_sentence_says_what_its_words_say(sentence: str) -> None:
    """However they are joined; what is remembered of a word changes nothing."""
    assert holds(sentence)
    assert holds(sentence)


def test_labelled_answers_say_what_their_words_say() -> None:
    """Sentence by sentence."""
    for one in answers():
        for part in one.view.outputs:
            assert all(map(holds, (part.text or "").split(". ")))


@given(
    st.lists(
        st.sampled_from([*cues._HEDGES, "ſome", "cırca", "old", "man", "to", " ", " ", "\u00a0", "~", "$", "€", "\n"]),
        max_size=8,
    ).map("".join)
)  # fmt: skip
def test_a_hedge_is_one_wherever_it_stands(before: str) -> None:
    """As the expression sees it in the last characters before the number."""
    assert cues.hedges(f"{before}5", len(before)) == bool(cues.HEDGE.search(before[-16:]))
