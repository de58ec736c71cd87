"""The words that are nobody's name."""

from __future__ import annotations

from faker.providers.person.de_DE import Provider as German
from faker.providers.person.en_US import Provider as American
from faker.providers.person.es_ES import Provider as Spanish

from monitor.words.english import COMMON_WORDS


def test_no_common_word_is_a_name_that_faker_knows() -> None:
    names = {
        word.lower()
        for people in (American, German, Spanish)
        for word in (*people.first_names, *people.last_names)
    }
    assert names & COMMON_WORDS == set()
    assert all(word.islower() for word in COMMON_WORDS)
