"""What is remembered while a log is read changes nothing of what is seen of it, and stays within its bound."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.bodies import Kept
from monitor.logged import Logged
from monitor.privacy.known_parts import KnownParts, Work
from monitor.privacy.records import Privacy
from monitor.replay.order import Entry
from monitor.replay.recording import Recording
from monitor.types import Part, Record
from tests.privacy.test_cache import ADA, RINGS, doors, privacy
from tests.privacy.test_scrub import TEXTS


def chat(texts: Sequence[str]) -> Logged:
    roles = ("system", "user", "assistant")
    said = [{"role": roles[n % 3], "content": text} for n, text in enumerate(texts)]
    message = {"role": "assistant", "content": texts[-1]}
    return Logged(
        started=1.0,
        target="/v1/chat/completions",
        request=json.dumps({"model": "m", "messages": said}).encode(),
        response=json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode(),
    )


def glimpse(door: Privacy, said: Logged) -> Record:
    return next(Recording("e", door).glimpses([Entry(0, 1.0, said)], frozenset()))


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(TEXTS | st.just(ADA), min_size=4, max_size=4),
    steps=st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), min_size=2, max_size=6),
    more=doors(),
    size=st.sampled_from([1 << 20, 3000, 0]),
)
def test_a_glimpse_is_the_same_whatever_came_before(
    texts: list[str], steps: list[list[int]], more: dict[str, Any], size: int
) -> None:
    """Under random rules and bounds; beside one that remembers no text."""
    door, other = privacy(None, **more), privacy(None, **more)
    door._parts, other._parts = KnownParts(size), KnownParts(0)
    for step in steps:
        said = chat([texts[number] for number in step])
        assert glimpse(door, said) == glimpse(other, said)
    assert other._parts.held == 0


@settings(max_examples=60, deadline=None)
@given(
    exchanges=st.lists(
        st.lists(TEXTS | st.sampled_from([ADA, "Where is it?"]), min_size=1, max_size=4), max_size=9
    ),
    more=doors(),
)
def test_many_at_once_are_what_each_is_alone(
    exchanges: list[list[str]], more: dict[str, Any]
) -> None:
    """Under random rules and bounds, of texts that are foreseen and of others."""
    door, other = privacy(None, **more), privacy(None, **more)
    other._parts = KnownParts(0)
    entries = [Entry(0, 1.0, chat(texts)) for texts in exchanges]
    found = list(Recording("e", door).glimpses(entries, frozenset()))
    assert found == [glimpse(other, one.said) for one in entries]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(TEXTS | st.just(ADA), min_size=1, max_size=4), min_size=1, max_size=3))
def test_a_glimpse_shows_what_a_record_does(chats: list[list[str]]) -> None:
    """Texts, labels and figures; what nothing looks at is not there."""
    door, plain = privacy(None), privacy(None)
    for said in map(chat, chats):
        seen, whole = glimpse(door, said), Recording("e", plain).record(said, 0)
        for name in ("inputs", "outputs", "model", "operation", "outcome", "finish_reasons"):
            assert getattr(seen, name) == getattr(whole, name)
        assert (seen.request.path, seen.request.headers, seen.pseudonyms) == ("", {}, {})


def test_a_new_key_forgets_all() -> None:
    """No pseudonym of the old one comes out."""
    door = privacy(None)
    before = glimpse(door, chat([ADA]))
    assert door._parts.held
    door.use(RINGS[1])
    assert door._parts.held == 0
    assert glimpse(door, chat([ADA])).inputs != before.inputs


def test_what_a_rule_keeps_is_no_text_like_it() -> None:
    """A text that a rule let through is not let through elsewhere."""
    door = privacy(None)
    scrub = door.again()
    kept = door._known_part(scrub, "inputs", Part(role="user", text=Kept(ADA)))
    scanned = door._known_part(scrub, "inputs", Part(role="user", text=ADA))
    assert kept.text == ADA
    assert "ada@" not in (scanned.text or "")
    assert door._known_part(scrub, "inputs", Part(role="user", text=Kept(ADA))).text == ADA


@pytest.mark.parametrize("length", [10, 4000])
def test_the_bound_holds(length: int) -> None:
    """The texts on both sides count, with what Python takes for an entry."""
    known, chance = KnownParts(100_000), random.Random(length)
    for number in range(400):
        text = f"{number} " + "ä" * chance.randrange(length)
        known.put("user", text, Part(role="user", text=f"{text}."), Work(len(text), 1))
        taken = sum(
            sum(map(sys.getsizeof, (key, key[1], entry, entry[0], entry[0].text, entry[1]))) + 100
            for key, entry in known._known.items()
        )
        assert taken <= known.held <= 100_000
    assert known.held > 10_000
