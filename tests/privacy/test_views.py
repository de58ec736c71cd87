"""Views: another spelling with an exact way back."""

from __future__ import annotations

import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.privacy import views
from monitor.privacy.views import normalise, unescape, unplus, unprint

PIECES = st.sampled_from(["%", "25", "%40", "%C3%A9", "&amp;", "&#64;", "&lt", ";", "\\u0040", "\\", "\\ud83d\\ude00", "u", "４", "\u200b", "ﬁ", "\ud800", "a", "+", "="])  # fmt: skip
TEXTS = st.lists(PIECES, max_size=20).map("".join) | st.text(max_size=60)


@pytest.mark.parametrize("spell", [normalise, unescape, unplus, unprint])
@given(text=TEXTS)
def test_the_way_back_is_exact(spell, text: str) -> None:
    """Every character of a view comes from a place in the text, in order; what was not spelled
    anew stands there as it does here."""
    view = spell(text)
    if view is None:
        return
    ends = [0, 0]
    for place, character in enumerate(view.text):
        start, end = view.origin(place, place + 1)
        assert 0 <= start < end <= len(text)
        assert ends in ([start, end], [ends[0], start]) or start >= ends[1]
        ends = [start, end]
        if end - start == 1 and spell is normalise and text[start].isascii():
            assert text[start] == character
    if view.text:
        assert view.origin(0, len(view.text))[1] <= len(text)


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=40))
def test_what_others_escape_is_undone(text: str) -> None:
    """Percent, HTML and JSON, as their own libraries write them."""
    plain = text.replace("%", "").replace("&", "").replace("\\", "").replace("\r", "")
    plain = "".join(c for c in plain if c.isprintable())
    coded = quote(plain, safe="")
    assert getattr(unescape(coded), "text", coded) == plain or any(c < " " for c in plain)
    coded = html.escape(plain)
    assert getattr(unescape(coded), "text", coded) == plain
    coded = json.dumps(plain)
    assert getattr(unescape(coded), "text", coded) == f'"{plain}"'


@given(TEXTS)
def test_a_normalised_text_is_normal(text: str) -> None:
    """Once is enough."""
    view = normalise(text)
    if view is not None:
        again = normalise(view.text)
        assert again is None or again.text == view.text


def test_what_hides_a_value_is_undone() -> None:
    """Other digits, dashes, invisible characters, nested escapes."""
    for hidden, plain in (
        ("٤١١١–１１１１", "4111-1111"),
        ("a\u200bd\u00ada", "ada"),
        ("ａｄａ＠ｅｘａｍｐｌｅ．ｏｒｇ", "ada@example.org"),
    ):
        assert normalise(hidden).text == plain
    for hidden in ("a%2540b", "a&amp;#64;b", "a\\\\u0040b", "a&commat;b", "a\\x40b"):
        assert unescape(hidden).text == "a@b"


def test_no_character_that_is_spelled_another_way_is_overlooked() -> None:
    """Each by itself says the same as the table that is made for the first text that needs it."""
    characters = [chr(code) for plane in views._PLANES for code in plane]
    spelled = {each: views._spell_character(each) for each in characters}
    assert {each: said for each, said in spelled.items() if said != each} == views._odd()[0]


@pytest.mark.parametrize(("mail", "plain"), [
    ("ada=40example=2Eorg", "ada@example.org"), ("ada@exa=\r\nmple.org", "ada@example.org"), ("M=C3=BCller =3D", "Müller ="),
    ("=?utf-8?Q?Ada_L=40x?= <a>", "Ada L@x <a>"), ("a=40b =", "a@b ="),
])  # fmt: skip
def test_quoted_printable_of_a_mail_is_undone(mail: str, plain: str) -> None:
    """In a body and in words of a head."""
    view = unprint(mail)
    assert view is not None
    assert view.text == plain


@pytest.mark.parametrize("text", ["x=4567", "a=b", "q=20&n=1", "==", "=", "1 = 2\n"])
def test_what_says_nothing_of_mail_is_left(text: str) -> None:
    """A sign of equality is in many texts."""
    assert unprint(text) is None


def test_backslashes_of_markdown_are_undone() -> None:
    """Before any sign (CommonMark 2.4): models write addresses and numbers so."""
    view = unescape(r"ada\.l\_x\@example\.org \+1 212\-555\-0187")
    assert view is not None
    assert view.text == "ada.l_x@example.org +1 212-555-0187"
