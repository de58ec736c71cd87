"""Profiles: small, mergeable, without raw values; what is damaged is said."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.drift.profiles import Profile, dump_profile, load_profile, profile_of
from monitor.analysis.drift.reference import Learner, Reference
from monitor.analysis.drift.windows import Bins
from monitor.errors import SourceError
from monitor.tables.blocks import NUMBER, Block, Column


def learned(values: list[Any]) -> Reference:
    learner = Learner()
    for value in values:
        learner.add(value)
    return learner.reference()


@given(st.lists(st.floats(-5, 5) | st.none(), max_size=80), st.integers(1, 5))
def test_shards_add_up_to_one_pass(values: list[float | None], shards: int) -> None:
    """On the same bins the sum of k references is the reference of all, bit for bit."""
    bins = Bins("numeric", edges=[-1.0, 0.0, 0.3, 1.0])

    def counted(part: list[float | None]) -> Reference:
        learner = Learner(bins=bins)
        for value in part:
            learner.add(value)
        return learner.reference()

    whole = Profile({("x", "all", "all"): counted(values)})
    merged = Profile()
    for shard in range(shards):
        merged = merged.merge(Profile({("x", "all", "all"): counted(values[shard::shards])}))
    assert dump_profile(merged) == dump_profile(whole)


def test_the_profile_is_small_and_holds_nobodys_value() -> None:
    """What is written of 5,000 salaries and names is a kilobyte without one of them."""
    chance = random.Random(3)
    salaries = [chance.lognormvariate(10, 1) for _ in range(5000)]
    names = [f"person {number}" for number in range(2000)]
    profile = Profile(
        {("salary", "all", "all"): learned(salaries), ("name", "all", "all"): learned(names)}
    )
    document = dump_profile(profile)
    assert len(document) < 1500
    text = document.decode()
    assert not any(repr(salary) in text for salary in salaries)
    assert "person" not in text
    assert load_profile(document, "file") == profile


def document(reference: bytes) -> bytes:
    return (
        b'{"version":1,"references":[{"feature":"x","dimension":"all","value":"all","reference":'
        b'{"cells":' + reference + b"}}]}"
    )


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"[]",
        b'{"version": 2, "references": []}',
        b'{"version": 1, "references": [{"feature": "x"}]}',
        document(b'{"shape":"numeric","edges":[1,0]},"counts":[1,1,1,0,0,0],"sums":[0,0,0]'),
        document(b'{"shape":"nothing"},"counts":[1]'),
        document(b'{"shape":"nothing"},"counts":[-1,0,0,0]'),
    ],
)
def test_a_damaged_profile_is_one_sentence(damaged: bytes) -> None:
    """The file is named, and nothing is raised but SourceError."""
    with pytest.raises(SourceError, match=r"^reference\.json: "):
        load_profile(damaged, "reference.json")


def test_what_is_refused_begins_no_reference_of_a_block() -> None:
    """As it begins none of rows: the values of one before the first that was accepted are left out."""
    column = Column("x", np.full(600, NUMBER), numbers=np.arange(600.0))
    taken = np.arange(600) >= 2
    block = Block(np.arange(600.0), {}, [column], taken)
    (of_block,) = profile_of([block]).references.values()
    (of_rows,) = profile_of(block.rows()).references.values()
    assert of_block == of_rows
    assert of_block.samples == 598
