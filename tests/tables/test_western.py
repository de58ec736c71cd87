"""What is certainly Windows-1252, and what becomes of it."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.tables.western import SAMPLE, Western, is_western

WESTERN = {
    "German": "Größe;Straße;Überweisung für München, Köln – „schön“ 12 €",
    "French": "Élève déçu à Orléans; où est la forêt? L’été, cœur, 20 €",
    "Spanish": "¿Qué pasó mañana? ¡Señor Núñez! el año 2026, 30 ºC",
    "Portuguese": "São Paulo, não há informação; coração, avó e avô",
    "Swedish": "Östergötland, Malmö, Åre, smörgåsbord, fågel",
    "Danish": "Ærø, København, blåbærgrød, Ålborg",
    "Icelandic": "Þingvellir, Ísafjörður, Höfn, Akureyri, það",
}
OTHERS = {
    "Russian": ("Москва и Санкт-Петербург, Новосибирск, улица", "cp1251"),
    "KOI8": ("Москва и Санкт-Петербург, Новосибирск, улица", "koi8-r"),
    "Greek": ("Αθήνα και Θεσσαλονίκη, η οδός, καλημέρα", "cp1253"),
    "Polish": ("złoty, żółw, Łódź, święto, książka", "cp1250"),
    "Japanese": ("東京と大阪、ありがとうございます", "shift-jis"),
    "Chinese": ("北京和上海，谢谢你们的包裹", "gbk"),
    "Korean": ("서울과 부산, 감사합니다", "euc-kr"),
    "old DOS": ("Größe, Straße, München, schön, Élève", "cp437"),
    "old Mac": ("élève déçu à Orléans, où est la forêt", "mac-roman"),
}


@pytest.mark.parametrize("language", WESTERN)
def test_western_texts_are_told(language: str) -> None:
    """In both encodings, and not where they are UTF-8."""
    text = WESTERN[language]
    assert is_western(io.BytesIO(text.encode("cp1252")))
    assert is_western(io.BytesIO(text.encode("latin-1", "ignore")))
    assert not is_western(io.BytesIO(text.encode()))
    read = io.BufferedReader(Western(io.BytesIO(text.encode("cp1252")))).read()
    assert read.decode() == text


@pytest.mark.parametrize("language", OTHERS)
def test_what_it_might_be_otherwise_is_left(language: str) -> None:
    """Nobody is served by wrong letters."""
    text, encoding = OTHERS[language]
    assert not is_western(io.BytesIO(text.encode(encoding)))


def test_the_first_such_word_may_come_late() -> None:
    """After megabytes of ASCII; bytes without a word tell nothing."""
    late = b"1,2\n" * (SAMPLE // 2) + "Zürich;Genève\n".encode("latin-1")
    assert is_western(io.BytesIO(late))
    assert not is_western(io.BytesIO(b"a\n1\n\xff\xfe\n" * 9))


def test_a_long_line_of_ascii_is_gone_through_once() -> None:
    """Not once for each of its bytes, which took minutes."""
    content = b"a" * (SAMPLE // 2) + "\nZürich;Genève\n".encode("latin-1")
    assert is_western(io.BytesIO(content))
    read = io.BufferedReader(Western(io.BytesIO(content))).read()
    assert read.decode() == content.decode("latin-1")


def test_lines_in_both_encodings() -> None:
    """Each is read as what it is; what is neither stays."""
    lines = ["é,Zürich".encode("cp1252"), "Łódź,é".encode(), b"plain", b"\x81,\xe9t\xe9"]
    found = io.BufferedReader(Western(io.BytesIO(b"\r\n".join(lines)))).read().split(b"\r\n")
    assert found == ["é,Zürich".encode(), "Łódź,é".encode(), b"plain", b"\x81,\xc3\xa9t\xc3\xa9"]


@given(st.binary(max_size=400), st.integers(1, 50))
def test_lines_stay_lines(content: bytes, size: int) -> None:
    """However much is read at a time, as many lines come as there are."""
    stream = io.BufferedReader(Western(io.BytesIO(content)), buffer_size=size)
    found = stream.read()
    assert found.count(b"\n") == content.count(b"\n")
