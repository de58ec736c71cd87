"""Hits: in order, apart, and what stands beside them."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from monitor.privacy.hits import Hit, apart, back, blanked, glued, merged
from monitor.privacy.views import unescape

TEXT = "a long text of fifty characters, more or less, yes"
HITS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 10)).map(
        lambda span: Hit(span[0], span[0] + span[1], (("X", str(span)),))
    ),
    max_size=8,
)


def covered(hits: list[Hit]) -> set[int]:
    return {place for hit in hits for place in range(hit.start, hit.end)}


@given(HITS)
def test_merged_hits_stand_apart_and_cover_the_same(hits: list[Hit]) -> None:
    """No character that was found is let go, and none is in two."""
    done = merged(list(hits))
    assert covered(done) == covered(hits)
    assert all(one.end <= other.start for one, other in itertools.pairwise(done))
    assert {hit.values for hit in done} <= {hit.values for hit in hits}


@given(HITS)
def test_what_was_found_is_blanked_and_nothing_else(hits: list[Hit]) -> None:
    """Spaces for each character, so that offsets stay."""
    places = covered(hits)
    assert blanked(TEXT, hits) == "".join(" " if n in places else c for n, c in enumerate(TEXT))


def test_what_stands_beside_a_value_is_seen() -> None:
    """A letter or a sign of an address right before or behind; not a space or the end."""
    text = "x4111y, ada@b.co 7."
    assert glued(text, [Hit(1, 5)])
    assert not glued(text, [Hit(8, 16)])
    assert not glued(text, [Hit(17, 18)])


def test_a_hit_in_a_view_goes_back_to_where_it_stood() -> None:
    """An escape comes back whole."""
    view = unescape("x%40y ada%40example.org")
    assert view is not None
    assert view.text == "x@y ada@example.org"
    assert back(view, [Hit(4, 19, (("X", "v"),))]) == [Hit(6, 23, (("X", "v"),))]


def test_what_touches_a_mark_is_not_apart() -> None:
    """Marks are in order."""
    marks = [(3, 6), (10, 12)]
    assert [apart(Hit(*span), marks) for span in ((0, 3), (2, 4), (6, 10), (11, 20), (12, 13))] == [
        True, False, True, False, True,
    ]  # fmt: skip
