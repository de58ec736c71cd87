"""What the screen says of features: none is called harmless whose interval is too wide for that."""

from __future__ import annotations

import pytest

from monitor.redrive import report
from monitor.redrive.compare import Traits
from monitor.redrive.document import Found, Redrive
from monitor.redrive.judge import Answers, Judge, verdict

ONE = Traits(ok=True, status=200, outcome="ok", duration=0.1)


def alike(pairs: int) -> tuple[Judge, list[Found]]:
    """Two endpoints that always give the same answer, which holds nothing but its status."""
    judge = Judge((), 0.05, baseline=True)
    for _ in range(pairs):
        judge.add(Answers(ONE, (ONE, ONE)), {})
    return judge, judge.found()


def shown(found: list[Found], paired: int) -> str:
    document = Redrive(
        verdict=verdict(found, paired), judged="baseline", run="r", against="http://new", read=paired,
        left_out={}, sent=paired, paired=paired, failed=0, unmatched=0, features=found, pairs=[],
        baseline="http://old",
    )  # fmt: skip
    return "\n".join(report.lines(document))


@pytest.mark.parametrize(
    ("pairs", "harmless"),
    [(20, set()), (300, {"exact", "latency"}), (600, {"exact", "failed", "latency"})],
)
def test_no_difference_matters_only_where_the_interval_says_so(
    pairs: int, harmless: set[str]
) -> None:
    """Of n equal pairs nearly all evidence against a mean of -m is of the largest of six bets, of
    which it has 1/6: n ln(1 + .99 m / (1 - m)) = ln 40 + ln 6, and so m is .24 for 20 pairs, .018
    for 300 and .009 for 600. What matters is .02 in `exact`, .01 in `failed`, a factor of 1.1 in
    `latency`."""
    judge, found = alike(pairs)
    assert {one.feature for one in found if one.harmless} == harmless
    assert {one.feature for one in found if one.status == "same"} == harmless
    assert {one.status for one in found} <= {"same", "insufficient"}
    assert verdict(found, judge.paired) == ("same" if len(harmless) == 3 else "insufficient")
    said = shown(found, judge.paired)
    assert ("NO DIFFERENCE THAT MATTERS" in said) == bool(harmless)
    assert ("TOO FEW PAIRS TO TELL" in said) == (len(harmless) < 3)
    assert ("too few to rule out" in " ".join(said.split())) == (len(harmless) < 3)
    exact = next(one for one in found if one.feature == "exact")
    assert exact.upper == pytest.approx({20: 0.237, 300: 0.018, 600: 0.009}[pairs], abs=0.001)


def test_a_feature_of_two_pairs_is_no_sameness() -> None:
    """Also where there are enough pairs of others: it stands in a table of its own."""
    judge, _ = alike(20)
    texted = Traits(True, 200, "ok", 0.1, text="a", words={"a": 1})
    for _ in range(2):
        judge.add(Answers(texted, (texted, texted)), {})
    found = judge.found()
    words = next(one for one in found if one.feature == "words")
    assert (words.pairs, words.status, words.harmless) == (2, "insufficient", False)
    before, _, after = shown(found, judge.paired).partition("TOO FEW PAIRS TO TELL")
    assert "\nwords " not in before
    assert "\nwords " in after
