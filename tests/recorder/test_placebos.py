"""What chance supports of an answer."""

from __future__ import annotations

from monitor.checks import CHECKS
from monitor.recorder.placebos import EVERY, KEPT, LONGEST, Placebos
from monitor.types import Part
from monitor.view import View
from tests.recorder.test_capture import chat, counted, exchange, reader_of
from tests.recorder.test_edge_cases import answer_of

NUMBERS = [one for one in CHECKS if one.name == "unsupported_number"]


def given(text: str) -> View:
    return View(inputs=[Part(role="system", text="Be brief."), Part(role="user", text=text)])


def test_one_of_several_is_held_against_an_earlier_one() -> None:
    """Without what both were given; at any place, so that no period of the traffic meets it."""
    placebos = Placebos()
    found = [placebos.swap(given(f"text {number}")) for number in range(40 * EVERY)]
    swapped = [(place, view) for place, view in enumerate(found) if view is not None]
    assert [place // EVERY for place, _ in swapped] == list(range(40))
    assert {place % EVERY for place, _ in swapped} == set(range(EVERY))
    earlier = [
        place - int((part.text or "").removeprefix("text "))
        for place, view in swapped
        for part in view.inputs
    ]
    assert len(earlier) == 40
    assert set(earlier) == set(range(1, KEPT + 1))


def test_who_was_given_the_same_has_no_placebo() -> None:
    """Its own context would seem to be chance."""
    placebos = Placebos()
    assert not any(placebos.swap(given("the same")) for _ in range(3 * EVERY))


def test_the_memory_is_bounded() -> None:
    """In number and in characters."""
    placebos = Placebos()
    for number in range(100):
        placebos.swap(given(f"{number} " * LONGEST if number % 2 else f"{number}"))
    assert len(placebos._given) == KEPT
    assert all(len(part.text or "") < LONGEST for parts in placebos._given for part in parts)


def test_both_are_counted_by_the_number() -> None:
    """What the answer says stands in what it was given, and not in what the others were."""
    reader, meters = reader_of(checks=NUMBERS)
    for number in range(EVERY):
        context = (
            f"Site {number} made {1234.5 + 77 * number} tonnes of board and {37.5 + 3 * number} of paper. "
            * 8
        )
        said = answer_of(
            {"content": f"It made {1234.5 + 77 * number} tonnes."}, finish_reason="stop"
        )
        record, _ = reader.read(exchange(chat(context), said))
        assert record.checks["unsupported_number"].passed
    found = counted(meters, "monitor_output_check_items_total")
    assert found == {
        ("unsupported_number", "own", "right"): 1, ("unsupported_number", "own", "wrong"): 0,
        ("unsupported_number", "other", "right"): 0, ("unsupported_number", "other", "wrong"): 1,
    }  # fmt: skip
