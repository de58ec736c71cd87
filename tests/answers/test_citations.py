"""Citations of every form, and what looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.answers import citations as module
from monitor.answers.citations import (
    Citation,
    addresses,
    citations,
    defined,
    numbered,
    without_sources,
)
from tests.answers.hostile import is_linear


@pytest.mark.parametrize(
    ("text", "kind", "sources"),
    [
        ("It grew [1], and fell [2, 4-5] again[6].", "number", ["1", "2", "4", "5", "6"]),
        ("So it is [^3] (Source 7) 【8†page】 [9][10].", "number", ["3", "7", "8", "9", "10"]),
        ("As told [Doc 2] and (see sources 3, 4).", "number", ["2", "3", "4"]),
        ("(Meyer et al., 2019; Lee & Kim, 2021a)", "author", ["meyer 2019", "lee 2021"]),
        ("Meyer et al. (2019) and Lee and Kim (2021); Roe (2020) found it.", "author",
         ["meyer 2019", "lee 2021", "roe 2020"]),
        ("See https://www.Ulm.example/a/?utm=1#x, (http://b.example/c).", "url", ["ulm.example/a", "b.example/c"]),
        ("<URL:k1:abcdefghijklmnop> has it", "url", ["<URL:k1:abcdefghijklmnop>"]),
        ("doi:10.5555/A(1)2 (10.5555/b).", "doi", ["10.5555/a(1)2", "10.5555/b"]),
        ("arXiv:2103.01234v2, arxiv.org/abs/hep-th/9901001", "arxiv", ["2103.01234", "hep-th/9901001"]),
        ("PMID: 31234567", "pmid", ["31234567"]),
    ],
)  # fmt: skip
def test_every_form_is_found(text: str, kind: str, sources: list[str]) -> None:
    """Each source once, in a form that equal ones share."""
    assert [one.source for one in citations(text) if one.kind == kind] == sources


@pytest.mark.parametrize(
    "text",
    [
        "Take x[1], arr[0] and values[-1]; `rows[7]` is next.",
        "```python\nprint(found[3])\n```",
        "It lies in [0, 1], over [2, 3].",
        "[1] Meyer: Ulm\n[2]: https://a.example.com",
        "[1](page)",
        "In March (2020) the Act (2018) came, and Berlin (2021) went.",
        "version 10.4/2 of it",
    ],
)
def test_what_looks_like_one_is_none(text: str) -> None:
    """Indices, intervals, marks of lists, years."""
    assert [one for one in citations(text) if one.kind != "url"] == []


def test_sources_are_numbered_in_many_ways() -> None:
    """In brackets, in tags, in members of JSON, in words, in lists under a heading."""
    assert numbered('[1] a\n<doc id="2">\n{"index": 3}\nSource 4: b\n【5†c】') == {1, 2, 3, 4, 5}
    assert numbered("Search results:\n1. a\n2. b") == {1, 2}
    assert numbered("1. a\n2. b") == set()


def test_an_answer_may_have_a_list_of_its_own() -> None:
    """Its marks are no citations; they say what the numbers are."""
    assert defined("As known [1].\n\n[1] Meyer.\n[^2]: Lee.") == {1, 2}
    assert citations("As known [1].\n\n[2] Meyer.") == [Citation("number", "1")]


def test_addresses_are_pages_not_examples() -> None:
    """Without scheme, query and fragment, and none of a host that stands for any."""
    assert list(addresses("http://localhost:80/a https://example.com/x https://a.example/b/")) == [
        "a.example/b"
    ]


def test_a_text_can_be_read_without_its_sources() -> None:
    """Their numbers are no amounts."""
    text = "Up 5% (arXiv:2103.01234, doi:10.5555/77, https://a.example/99) 【4†b】 PMID 31234567"
    assert "5%" in without_sources(text)
    assert not any(one in without_sources(text) for one in ("2103", "5555", "99", "4†", "3123"))


def test_the_time_is_linear() -> None:
    """For brackets, names, addresses and heads of all kinds."""
    for read in (citations, defined, numbered, without_sources, module.prose):
        assert is_linear(read) == [], read


@given(
    st.lists(
        st.sampled_from(
            ["www.a.b", "WWW.a", "http://", "a.b/c", "10.1234/x", "arXiv:", "arxıv: ", "2101.00001", "PMID ",
             "pubmed.ncbi.nlm.nih.gov/", "12345", "【1†a】", " ", "ü"]
        ),
        max_size=12,
    ).map("".join)
)  # fmt: skip
def test_sources_are_left_out_wherever_they_are(text: str) -> None:
    """As if every form was looked for in every text."""
    left = text
    for sign in ("www.", "://"):
        left = module._ADDRESS.sub(" ", left) if sign in left else left
    for pattern in (module._DOI, module._MARKED_SOURCE, module._ARXIV, module._PMID):
        left = pattern.sub(" ", left)
    assert without_sources(text) == left
