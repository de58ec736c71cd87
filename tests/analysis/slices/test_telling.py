"""What is told of slices: numbers, one sentence, and nothing twice."""

from __future__ import annotations

from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.slices.bets import Trial
from monitor.analysis.slices.losses import ONE
from monitor.analysis.slices.search import Search
from monitor.analysis.slices.telling import Teller

NAMES = [("language", "de"), ("type", "invoice"), ("site", "ams")]


def teller(**rules: float) -> Teller:
    return Teller(NAMES, "error", None, OutcomeRules(**rules))  # type: ignore[arg-type]


def trial(codes: tuple[int, ...], n: int, bad: int, number: int = 1) -> Trial:
    counts = [n, bad * ONE, 10_000, 1000 * ONE]
    return Trial(codes, number, 5.0, [0] * 4, counts, [0], found=9.0, examples=["r2", "r1"])


def test_a_slice_is_told_in_numbers_and_words() -> None:
    """The effect is beside the rest, and its interval holds it."""
    found = teller().finding(trial((0, 1), 412, 128), 20.0)
    assert found.words == (
        "of 412 rows with language = de and type = invoice, 31 % were wrong, 9.1 % elsewhere"
    )
    assert (found.status, found.rows, found.examples) == ("alarm", 412, ["r2", "r1"])
    assert found.lower is not None
    assert found.upper is not None
    assert 0.1 < found.lower < found.effect < found.upper < 0.35


def test_too_few_rows_are_insufficient() -> None:
    """Below `slices.minimum` nothing is said, however bad they look."""
    assert teller(slice_minimum=500).finding(trial((0, 1), 412, 128), 20.0).status == "insufficient"


def test_what_another_slice_says_is_left_out() -> None:
    """A slice that is bad for a smaller one in it alone, and a smaller one that is no worse than
    what it is a part of."""
    search = Search()
    small, large = trial((0, 1), 400, 200), trial((0,), 2000, 360, 2)
    kept = teller().without_repeats([(30.0, small), (10.0, large)], search, 0)
    assert [one.codes for _, one in kept] == [(0, 1)]
    small, large = trial((0, 1), 400, 80), trial((0,), 2000, 400, 2)
    kept = teller().without_repeats([(10.0, small), (30.0, large)], search, 0)
    assert [one.codes for _, one in kept] == [(0,)]


def test_a_part_that_is_worse_still_is_told_beside_the_whole() -> None:
    """Where both are worse than what is left without the other."""
    small, large = trial((0, 1), 400, 280), trial((0,), 2000, 680, 2)
    kept = teller().without_repeats([(30.0, small), (40.0, large)], Search(), 0)
    assert [one.codes for _, one in kept] == [(0,), (0, 1)]
