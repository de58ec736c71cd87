"""Templates found in texts: which, under which ids, within which bounds."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.templates import index, miner, pool
from monitor.templates.miner import Known, Miner
from monitor.templates.skeleton import GAP, Skeleton

WORDS = [
    "amber",
    "basin",
    "copper",
    "delta",
    "ember",
    "fjord",
    "gravel",
    "harbor",
    "island",
    "jungle",
    "kettle",
    "lantern",
    "meadow",
]


def sentence(seed: int) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=9)).capitalize() + f" {seed % 97}."


def translate(number: int) -> str:
    language = ("German", "French", "Polish", "Greek")[number % 4]
    return (
        f"Translate the text into {language}. Keep names as they are.\n\nText: {sentence(number)}"
    )


def judge(number: int) -> str:
    return f"Question: {sentence(number)}\nExpert: {sentence(number + 500)}\nIs the answer of the expert right? Reply with Y or N."


def learned(texts: Iterable[str], least: int = 8) -> Miner:
    found = Miner(least)
    for text in texts:
        found.name([text])
    return found


def test_a_template_is_known_after_eight_different_texts() -> None:
    """Texts of the same template have one id from then on, whatever their slots hold."""
    found = Miner()
    names = [found.name([judge(number)]) for number in range(20)]
    assert names[:7] == [""] * 7
    assert names[7] == names[19] != ""
    assert found.name([judge(1234)], learns=False) == names[7]
    (known,) = found.news().values()
    assert GAP.join(known.literals).startswith("Question: ")
    assert known.literals[-1].endswith("Is the answer of the expert right? Reply with Y or N.")


def test_what_people_simply_ask_has_no_template() -> None:
    """Also where many begin alike."""
    found = learned(f"Can you tell me {sentence(number).lower()}" for number in range(300))
    assert found.news() == {}


def test_two_values_are_versions_and_more_are_a_slot() -> None:
    """Prompts that differ in a digit stay apart; those that differ in a language are one."""
    found = Miner()
    for number in range(200):
        found.name(
            [
                f"Summarise the letter in at most {3 + 2 * (number % 2)} sentences.\nLetter: {sentence(number)}"
            ]
        )
        found.name([translate(number)])
    texts = [f"Summarise the letter in at most {n} sentences.\nLetter: Hello." for n in (3, 5)]
    three, five = (found.name([text], learns=False) for text in texts)
    assert three
    assert five
    assert three != five
    assert len({found.name([translate(number)], learns=False) for number in range(300, 340)}) == 1


def test_a_text_that_comes_again_is_a_template_without_gaps() -> None:
    """The same text eight times; another one has none."""
    rules = "You are the assistant of a library. Answer in two sentences, and name the shelf."
    found = Miner()
    names = [found.name([rules, sentence(number)]) for number in range(20)]
    assert names[6] == ""
    assert names[7] == names[19] != ""
    assert found.name([rules + " Please."], learns=False) == ""


def test_the_template_of_the_system_and_that_of_the_user_are_one() -> None:
    """A free text under known rules has the rules' template; with a template of its own, a third id."""
    rules = "You are a translator of manuals. Leave numbers and names alone, and be brief."
    found = Miner()
    for number in range(40):
        found.name([rules, translate(number)])
    alone, free = found.name([translate(1)]), found.name([rules, "Hello there"])
    both = found.name([rules, translate(1)])
    assert len({alone, free, both, ""}) == 4
    assert found.news()[both] == Known(parts=[free, alone])


def test_a_date_or_a_pseudonym_is_a_gap_from_the_start() -> None:
    """Though it is the same in every text that was learned from."""
    same = "Today is 2026-11-28, order 48213, for <EMAIL_ADDRESS:k1:abcdefghijklmnop0123>.\nAnswer the question of the customer: "
    found = learned(same + sentence(number) for number in range(9))
    (known,) = found.news().values()
    written = "".join(known.literals)
    assert not any(one in written for one in ("2026", "48213", "EMAIL_ADDRESS"))
    other = "Today is 2027-01-01, order 99999, for <EMAIL_ADDRESS:k2:zyxwvutsrqponmlk9876>.\nAnswer the question of the customer: why?"
    assert found.name([other], learns=False)


@pytest.mark.parametrize("least", [8, 20])
def test_nothing_of_fewer_different_texts_is_told(least: int) -> None:
    """Not a text that came often, nor what a few have in common: no piece of them leaves memory."""
    canary = "Patient Zebulon Quince has been ill since spring and takes twelve drops a day."
    few = [f"{canary}\nThe note of the day: {sentence(number)}" for number in range(least - 1)]
    places = ("the north ward", "the south ward", "the east ward", "the west ward")
    wards = [f"{canary} This is about {place}, and about nothing else." for place in places]
    found = learned([*(few * 30), *(wards * 30)], least)
    assert found.name([wards[0]], learns=False)
    written = json.dumps([[one.literals, one.parts] for one in found.news().values()])
    assert not any(word in written for word in ("Zebulon", "Quince", "drops", "ward", "note"))


def test_two_replicas_give_the_same_ids() -> None:
    """Each has seen another half, one of them in another order; before they share anything."""
    texts = [kind(number) for number in range(400) for kind in (translate, judge)]
    one, other = learned(texts[:400]), learned(texts[400:][::-1])
    new = [kind(number) for number in range(900, 950) for kind in (translate, judge)]
    assert [one.name([text], learns=False) for text in new] == [
        other.name([text], learns=False) for text in new
    ]


def test_a_successor_knows_what_was_told() -> None:
    """Skeletons, texts without gaps, pairs and what has become of old ids."""
    rules = "You are the assistant of a library. Answer in two sentences, and name the shelf."
    one = Miner()
    for number in range(60):
        one.name([rules, translate(number)])
        one.name([judge(number)])
    other = Miner()
    other.take(one.news())
    for texts in ([rules, translate(700)], [judge(800)], [rules, "hello"], [translate(3)]):
        assert other.name(texts, learns=False) == one.name(texts, learns=False) != ""
    told = one.news()
    one.told(told)
    assert one.news() == {}
    assert {name: other.news().get(name, told[name]) for name in told} == told


def test_ids_do_not_hang_on_the_order_of_hashes() -> None:
    """Processes with other seeds for hashes give the same ids."""
    script = (
        "from tests.templates.test_miner import *\n"
        "found = learned(kind(number) for number in range(150) for kind in (translate, judge))\n"
        "print(sorted(found.news()), [found.name([translate(n)]) for n in range(9)])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed}, cwd=Path(__file__).parents[2],
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(said) == 1
    assert "t_" in said.pop()


TEXTS = st.lists(
    st.text(st.sampled_from("ab :\n\0<>01") | st.characters(), max_size=80), max_size=30
)


@settings(max_examples=150)
@given(TEXTS, st.integers(0, 5))
def test_any_texts_are_learned_from(texts: list[str], times: int) -> None:
    """Nothing raises; what is found matches what it was found in, and another miner takes it."""
    found = learned([text for text in texts for _ in range(times * 3)])
    head = "\nThe same line stands in all of these texts: "
    for text in texts:
        found.name([text + head, head + text])
    other = Miner()
    other.take(found.news())
    for one in found.news().values():
        if one.literals:
            assert Skeleton(one.literals).matches(" … ".join(one.literals))


@pytest.mark.parametrize(
    "text",
    ["x" * 1_000_000, "a b " * 250_000, "line\n" * 10_000, "".join(f"{n}: v\n" for n in range(10_000)), "\0" * 50_000, "<A:" * 300_000, "\ud800 lone " * 20],
    ids=["one line", "words", "equal lines", "lines", "gaps", "marks", "surrogates"],
)  # fmt: skip
def test_hostile_texts_are_bounded(text: str) -> None:
    """Long lines, many lines and what looks like marks, again and again, each a little different."""
    found = learned(f"{text} {number % 9}" for number in range(30))
    assert found._pool._size <= pool.BYTES
    assert len(found._pool.counts) <= pool.TEXTS


def test_all_tables_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever strangers send: templates, repeated texts, what waits, and what was told."""
    monkeypatch.setattr(index, "SKELETONS", 12)
    monkeypatch.setattr(pool, "TEXTS", 40)
    for name in ("EXACTS", "SHARED"):
        monkeypatch.setattr(miner, name, 9)
    found = Miner()
    for kind in range(40):
        rules = f"{sentence(kind * 31)} {sentence(kind * 57 + 1)} Do only what {WORDS[kind % 13]} says.\n"
        for number in range(9):
            found.name([rules + sentence(number + kind), rules * 2])
        found.told(found.news())
    assert len(found._index) <= 12
    assert len(found._exact) <= 9
    assert len(found._pairs) <= 9
    assert len(found._pool.counts) <= 40
    assert len(found._told) <= 9
    assert sum(map(len, found._pool._groups.values())) <= 40 * (pool.KEYS + 2)
    assert found._pool._wanted.keys() <= found._pool._groups.keys()


def test_what_a_store_says_is_checked() -> None:
    """Somebody else's entries are no skeletons, and ids that go round in circles end."""
    strange = {
        "t_1": Known(literals=["", ""]), "t_2": Known(literals=["x" * 10**6]), "t_3": Known(new="t_4"),
        "t_4": Known(new="t_3"), "t_5": Known(parts=["t_1"]), "t_6": Known(literals=["a" + GAP]), "t_7": Known(),
    }  # fmt: skip
    found = Miner()
    found.take(strange)
    assert found.name(["", "x" * 10**6], learns=False) == ""
    assert len(found._index) == 0
    assert found._aliases.find("t_3") in ("t_3", "t_4")
