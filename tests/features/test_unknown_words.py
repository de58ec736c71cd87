"""New words: what a reference has not heard, whoever is named in it."""

from __future__ import annotations

import random
from array import array

from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.drift.reference import Learner, Reference
from monitor.analysis.drift.windows import locator, unknown
from monitor.features.unknown_words import FEATURE
from monitor.texts import VOCABULARY
from monitor.types import Part

WORDS = [
    "where",
    "is",
    "my",
    "order",
    "parcel",
    "refund",
    "invoice",
    "please",
    "late",
    "lost",
    "broken",
    "return",
    "address",
]
OTHERS = [
    "quantum",
    "lattice",
    "fermion",
    "gauge",
    "boson",
    "tensor",
    "spinor",
    "manifold",
    "topology",
    "braid",
]


def text(words: list[str], seed: int, extra: str = "") -> str:
    return " ".join(random.Random(seed).choices(words, k=12)) + extra


def reference(texts: list[bytes]) -> Reference:
    learner = Learner(len(texts))
    for one in texts:
        learner.add(one)
    return learner.reference()


def test_new_words_fall_in_the_far_bins(record, seen) -> None:
    """A text of known words has no share of unknown ones, one of physics all of it."""

    def packed(said: str) -> bytes:
        (found,) = seen(FEATURE, record(inputs=[Part(role="user", text=said)]))[
            "input_unknown_words"
        ]
        return found

    usual = reference([packed(text(WORDS, seed)) for seed in range(400)])
    bins = usual.bins
    assert (bins.shape, len(bins.vocabulary)) == ("numeric", VOCABULARY // 8)
    assert usual.samples == 200  # the other half made the vocabulary
    known, new = packed(text(WORDS, 1000)), packed(text(OTHERS, 1000))
    assert unknown(known, bins.vocabulary) == 0
    assert unknown(new, bins.vocabulary) > 0.9
    locate = locator(bins)
    assert locate(known) < locate(new) == bins.ordinary - 1


def test_a_new_key_or_another_number_is_no_new_word(record, seen) -> None:
    """Pseudonyms are one symbol each, and all numbers one."""
    said = [
        f"mail <EMAIL_ADDRESS:{key}:{token * 22}> about order {number}"
        for key, token, number in (("k1", "a", 4711), ("k2", "b", 99))
    ]
    first, second = (
        seen(FEATURE, record(inputs=[Part(role="user", text=one)]))["input_unknown_words"]
        for one in said
    )
    assert first == second


def test_what_one_text_alone_holds_is_no_vocabulary() -> None:
    """A name said once is not kept, not even as a hash."""
    from monitor.texts import hashed

    texts = [hashed(text(WORDS, seed, f" name{chr(97 + seed % 26)}{seed}x")) for seed in range(300)]
    bins = reference(texts).bins
    bits = sum(byte.bit_count() for byte in bins.vocabulary)
    assert bits <= len(WORDS) + 3


def test_scripts_without_spaces_have_words_too(record, seen) -> None:
    """A character each."""
    said = record(inputs=[Part(role="user", text="発票はどこですか")])
    assert len(seen(FEATURE, said)["input_unknown_words"][0]) == 2 * 8
    assert seen(FEATURE, record(inputs=[Part(role="user", text=" ... ")])).keys() == {
        "output_unknown_words",
        "input_unknown_words",
    }


@given(
    st.lists(st.integers(0, 2**16 - 1) | st.integers(0, 300), max_size=80),
    st.binary(max_size=1),
    st.integers(0, 2**32),
)
def test_words_are_held_against_any_vocabulary_one_by_one(
    cells: list[int], rest: bytes, seed: int
) -> None:
    """Taken out of it all at once, they are as many; somebody's bytes are unknown words."""
    packed = array("H", cells).tobytes() + rest
    for other in range(2):
        vocabulary = random.Random(seed + other).randbytes(VOCABULARY // 8)
        expected = 1.0
        if cells and max(cells) < VOCABULARY:
            known = [vocabulary[cell >> 3] >> (cell & 7) & 1 for cell in cells]
            expected = 1 - sum(known) / len(cells)
        assert unknown(packed, vocabulary) == expected
