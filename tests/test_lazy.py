"""An expression that is compiled at its first use is the same one otherwise."""

from __future__ import annotations

import copy
import pickle
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from monitor.lazy import lazy, once


def test_nothing_is_compiled_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """And once from then on, with its flags."""
    made: list[tuple[object, ...]] = []
    compiles = re.compile
    monkeypatch.setattr(re, "compile", lambda *all: (made.append(all), compiles(*all))[1])
    found = lazy("B+", re.IGNORECASE)
    assert not made
    assert [one.group() for one in found.finditer("abba B")] == ["bb", "B"]
    assert found.fullmatch("bB") is not None
    assert found.sub("-", "abba") == "a-a"
    assert made == [("B+", re.IGNORECASE)]


def test_what_is_seldom_asked_is_there_too() -> None:
    """Whatever a compiled expression knows."""
    assert lazy(r"(?P<one>a)(b)").groups == 2
    assert lazy("a", re.ASCII).flags & re.ASCII


def test_threads_may_use_it_first_at_the_same_time() -> None:
    """All of them find the same."""
    found = lazy("|".join(f"word{number}" for number in range(500)))
    with ThreadPoolExecutor(8) as pool:
        assert (
            len({match.span() for match in pool.map(found.search, ["a word499"] * 64) if match})
            == 1
        )


def test_what_is_wrong_is_said_at_the_first_use() -> None:
    """As `re` says it."""
    wrong = lazy("(")
    with pytest.raises(re.error, match="unterminated subpattern"):
        wrong.match("a")


def test_it_may_be_copied_and_sent_to_another_process() -> None:
    """As a compiled one may, before its first use and after."""
    found = lazy("B+", re.IGNORECASE)
    for _ in range(2):
        for one in (copy.copy(found), copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
            assert one.findall("abba B") == ["bb", "B"]
        assert found.search("b")


def test_a_property_is_made_once_for_each_that_has_it() -> None:
    """When it is first asked for."""

    class Asked:
        def __init__(self, name: str) -> None:
            self.name, self.times = name, 0

        @once
        def greeting(self) -> str:
            """What it says."""
            self.times += 1
            return f"I am {self.name}"

    ada, bert = Asked("Ada"), Asked("Bert")
    assert (ada.times, ada.greeting, ada.greeting) == (0, "I am Ada", "I am Ada")
    assert (bert.greeting, ada.times, bert.times) == ("I am Bert", 1, 1)
