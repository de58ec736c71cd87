"""Garbage is collected between two pieces of work, in short collections, and none stays for ever."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Generator

import pytest

from monitor.supervision import garbage


class Cycle:
    """Refers to itself, so that counting references does not free it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collected(own_collector: None) -> Generator[list[int]]:
    """The generation of each collection, after `begin`."""
    generations: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            generations.append(info["generation"])

    gc.callbacks.append(note)
    yield generations
    gc.callbacks.remove(note)


def test_only_what_is_new_is_looked_at_and_only_if_it_is_much(collected: list[int]) -> None:
    """A cycle among a thousand new objects is found; a few of them are not worth it."""
    gone = weakref.ref(Cycle())
    garbage.collect()
    assert collected == []
    kept: list[list[int]] = [[] for _ in range(garbage.FEW)]
    garbage.collect()
    assert collected == [0]
    assert gone() is None
    assert len(kept) == garbage.FEW


def test_what_was_once_looked_at_is_looked_at_again_but_seldom(
    collected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cycle that was still in use when it was new is freed in the end."""
    monkeypatch.setattr(garbage, "_left", 3)
    cycle = Cycle()
    gone = weakref.ref(cycle)
    kept = []
    for _ in range(3):
        kept.append([[] for _ in range(garbage.FEW)])
        garbage.collect()
    del cycle
    assert gone() is not None
    kept.append([[] for _ in range(garbage.FEW)])
    garbage.collect()
    assert collected == [0, 0, 0, 2]
    assert gone() is None


def test_it_begins_with_what_is_new_since_the_process_has_loaded(
    own_collector: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was left out then is not looked at before all is."""
    loaded = Cycle()
    gone_of_loaded = weakref.ref(loaded)
    gc.freeze()
    new = Cycle()
    gone = weakref.ref(new)
    del loaded, new
    garbage.begin()
    assert gone() is None
    assert gone_of_loaded() is not None
    monkeypatch.setattr(garbage, "_left", 0)
    kept: list[list[int]] = [[] for _ in range(garbage.FEW)]
    garbage.collect()
    assert gone_of_loaded() is None
    assert len(kept) == garbage.FEW


def test_it_does_nothing_in_a_process_that_has_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in `monitor replay`, which uses the same parts."""
    monkeypatch.setattr(garbage, "_left", None)
    kept = [[] for _ in range(2 * garbage.FEW)]  # type: ignore[var-annotated]
    before = gc.get_freeze_count()
    garbage.collect()
    # Another thread of the worker may give up something that was left out before.
    assert abs(gc.get_freeze_count() - before) < garbage.FEW
    assert kept
