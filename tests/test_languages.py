"""Languages and scripts."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import languages
from monitor.languages import language, sure


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("My parcel has not arrived and I would like to know where it is.", "en"),
        ("Mein Paket ist nicht angekommen und ich möchte wissen, wo es ist.", "de"),
        ("Mon colis n'est pas arrivé et je voudrais savoir où il est.", "fr"),
        ("Mi paquete no ha llegado y me gustaría saber por qué no está aquí.", "es"),
        ("Il mio pacco non è arrivato e vorrei sapere dove si trova.", "it"),
        ("O meu pacote não chegou e gostaria de saber onde está com os outros.", "pt"),
        ("Mijn pakket is niet aangekomen en ik wil graag weten waar het is.", "nl"),
        ("Moja paczka nie dotarła i chciałbym wiedzieć, gdzie się znajduje.", "pl"),
        ("Посылка не пришла", "cyrillic"),
        ("Το δέμα δεν έφτασε", "greek"),
        ("لم تصل الطرد", "arabic"),
        ("包裹没有到", "han"),
        ("荷物が届きません", "kana"),
        ("소포가 오지 않았어요", "hangul"),
        ("पार्सल नहीं आया", "devanagari"),
        ("พัสดุยังไม่มา", "thai"),
        ("12345 !?", "unknown"),
        ("🙂", "unknown"),
    ],
)
def test_languages(text: str, expected: str) -> None:
    """Whole sentences of common languages are told apart."""
    assert language(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("My parcel has not arrived and I would like to know where it is.", "en"),
        ("Mein Paket ist nicht angekommen und ich möchte wissen, wo es ist.", "de"),
        ("Посылка не пришла", "cyrillic"),
        ("del mar", ""),
        ("Invoice 4711, due on Monday", ""),
        ("", ""),
    ],
)
def test_a_language_is_sure_where_many_words_say_so(text: str, expected: str) -> None:
    """A name or a telegram may be of several languages."""
    assert sure(text) == expected


def script_by_character(text: str) -> str:
    """The script of most letters, counted one by one."""
    count = Counter(
        "latin"
        if char < "\x80"
        else languages._SCRIPTS[bisect_right(languages._STARTS, ord(char)) - 1][1]
        for char in text
        if char.isalpha()
    )
    del count["sign"]
    if not count:
        return "latin"
    if count["kana"] and count["kana"] * 10 > count["han"]:
        count["kana"] += count.pop("han", 0)
    return count.most_common(1)[0][0]


def language_by_sets(text: str) -> str:
    """The language with most stop words, counted language by language."""
    if not text.isascii():
        script = script_by_character(text[:400])
        if script != "latin":
            return script
    found = set(text[:400].lower().split())
    stop = {code: set(words.split()) for code, words in languages._STOP_WORDS.items()}
    votes = sorted(((len(found & words), code) for code, words in stop.items()), reverse=True)
    (most, first), (next_, _) = votes[:2]
    return first if most > next_ else "unknown"


common = st.sampled_from(
    sorted({word for text in languages._STOP_WORDS.values() for word in text.split()})
)
letters = st.text(st.sampled_from("abcéßжλあ包ア한ก ,7\u2003"), max_size=30)


@given(
    st.lists(common | letters | st.text(max_size=9), max_size=150).map(" ".join)
    | st.text(max_size=500)
)
def test_votes_that_add_up_are_those_of_each_language(text: str) -> None:
    """Counted in one sum or language by language, character by character: it is the same."""
    assert language(text) == language_by_sets(text)
    assert language(text) == language_by_sets(text)
