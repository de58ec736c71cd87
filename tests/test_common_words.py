"""The words that are nobody's name."""

from __future__ import annotations

from faker.providers.person.de_DE import Provider as German
from faker.providers.person.en_US import Provider as American
from faker.providers.person.es_ES import Provider as Spanish

from monitor.common_words import COMMON_WORDS
from monitor.recognizers.person import is_person


def test_no_common_word_is_a_name_that_faker_knows() -> None:
    names = {
        word.lower()
        for people in (American, German, Spanish)
        for word in (*people.first_names, *people.last_names)
    }
    assert names & COMMON_WORDS == set()
    assert all(word.islower() for word in COMMON_WORDS)


def test_names_pass_and_titles_of_things_do_not() -> None:
    """What is made of common words is called something, not somebody."""
    for first, last in zip(
        sorted(American.first_names)[::40], sorted(American.last_names)[::60], strict=False
    ):
        assert is_person(f"{first} {last}"), (first, last)
    for thing in ("Machine Learning", "True Story", "Final Report", "Street View", "Product Team"):
        assert not is_person(thing), thing
