"""Texts that wait for others like them."""

from __future__ import annotations

from monitor.templates.pool import KEYS, Pool, alike, keys
from tests.templates.test_miner import sentence


def test_a_text_waits_under_few_beginnings() -> None:
    """How it begins and ends, and some of its lines: the same ones of every text that has them."""
    lines = [f"{n} line" for n in range(40)]
    found = keys("\n".join(lines))
    assert len(found) == KEYS + 2
    assert set(keys("\n".join(lines[::-1]))[1:-1]) == set(found[1:-1])


def test_templates_that_begin_alike_wait_for_each_other() -> None:
    """A part that shares a line which the rest lacks is one by itself, once it is large enough."""
    parts = [
        "Read the text and find its flaws.",
        "Read the text, then write a reply to its author in verse.",
    ]
    texts = [f"Be kind.\n{parts[n % 2]}\n{sentence(n)}" for n in range(14)]
    assert alike(texts, 8) is None
    texts += [f"Be kind.\n{parts[1]}\n{sentence(99)}"]
    assert alike(texts, 8) == [text for text in texts if parts[1] in text]


def test_values_of_a_slot_are_no_templates() -> None:
    """Lines with a label, and lines that differ in a value."""
    tones = ["Tone: sober", "Tone: warm", "Tone: dry", "Tone: ironic"]
    texts = [f"Write.\n{tones[n % 4]}\n{sentence(n)}" for n in range(12)]
    assert alike(texts, 8) == texts
    towns = ["Paris", "Rome", "Oslo"]
    texts = [f"Write.\nWe travel to {towns[n % 3]} today.\n{sentence(n)}" for n in range(12)]
    assert alike(texts, 8) == texts


def test_what_is_settled_leaves_no_trace() -> None:
    """Neither in a group nor in how long a group waits."""
    pool = Pool()
    texts = [f"The same line\n{sentence(n)}" for n in range(10)]
    for text in texts:
        pool.add(text)
    pool.fail("The same line", 10, 2.0)
    pool.settle(texts)
    assert (pool.counts, pool._groups, pool._wanted, pool._size) == ({}, {}, {}, 0)
