"""What may be the name of a person."""

from __future__ import annotations

from faker.providers.person.en_US import Provider as American

from monitor.words.person_names import is_person


def test_names_pass_and_titles_of_things_do_not() -> None:
    """What is made of common words is called something, not somebody."""
    for first, last in zip(
        sorted(American.first_names)[::40], sorted(American.last_names)[::60], strict=False
    ):
        assert is_person(f"{first} {last}"), (first, last)
    for thing in ("Machine Learning", "True Story", "Final Report", "Street View", "Product Team"):
        assert not is_person(thing), thing


def test_what_is_done_and_what_things_are_like_is_nobody() -> None:
    """Nouns made of a verb, and adjectives, by how they end; names that end nearly so pass."""
    for thing in (
        "Vela Rollouts",
        "Tide Takeovers",
        "Zany Startups",
        "Spooky Tales",
        "Endless Tarn",
        "Gracious Living",
    ):
        assert not is_person(thing), thing
    for name in (
        "Petra Romanoff",
        "John Glover",
        "Nicky Stout",
        "Mable Jessup",
        "Darius Constable",
        "Becky Conover",
    ):
        assert is_person(name), name
