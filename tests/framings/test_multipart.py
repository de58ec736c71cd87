"""Forms in parts: as clients encode them, cut anywhere, with boundaries in their data."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.framings.multipart import MAX_HEADER_BYTES, Part, is_form, parts
from tests.pace import is_within

TYPE = 'multipart/form-data; boundary="b"'
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\\%", exclude_categories=["Cs", "Cc"]),
                min_size=1, max_size=12)  # fmt: skip
FILES = st.tuples(NAMES, st.binary(max_size=40), st.sampled_from(["audio/mpeg", "image/png"]))
FORMS = st.lists(
    st.tuples(NAMES, st.one_of(st.text(st.characters(codec="utf-8"), max_size=20), FILES)),
    min_size=1, max_size=4,
)  # fmt: skip


def by_httpx(form: list[tuple[str, Any]]) -> tuple[bytes, str]:
    import httpx

    fields = [
        (name, value if isinstance(value, tuple) else (None, value.encode()))
        for name, value in form
    ]
    request = httpx.Request("POST", "http://a/", files=fields)
    return request.read(), request.headers["content-type"]


def by_urllib3(form: list[tuple[str, Any]]) -> tuple[bytes, str]:
    from urllib3.filepost import encode_multipart_formdata

    return encode_multipart_formdata(form, boundary="----WebKitFormBoundary7MA4YWxkTrZu0gW")


ENCODERS = {"httpx": by_httpx, "urllib3": by_urllib3}


@given(FORMS, st.sampled_from(sorted(ENCODERS)))
@settings(max_examples=50)
def test_parts_are_those_that_clients_encode(form: list[tuple[str, Any]], encoder: str) -> None:
    """Names, names of files and types, whatever the data; an offset stands behind each; cut off
    anywhere, the parts before it are the same."""
    body, content_type = ENCODERS[encoder](form)
    found = list(parts(body, content_type))
    assert len(found) == len(form)
    for one, (name, value) in zip(found, form, strict=True):
        filename, data, kind = (
            value if isinstance(value, tuple) else (None, value.encode(), "text/plain")
        )
        assert (one.name, one.filename, one.data) == (name, filename, data)
        assert one.type == kind
        assert one.is_whole
    assert body[found[-1].end :] == b"\r\n"
    for place, one in enumerate(found):
        assert list(parts(body[: one.end], content_type)) == found[: place + 1]
        assert list(parts(body[: one.end + 1], content_type)) == found[: place + 1]
        for cut in range(one.end - 40, one.end):
            some = list(parts(body[:cut], content_type))
            assert some[:place] == found[:place]
            for last in some[place:]:
                assert not last.is_whole
                assert (last.name, last.filename, last.end) == (one.name, one.filename, cut)
                assert one.data.startswith(last.data)


def test_a_form_as_browsers_and_curl_write_it() -> None:
    """Quotes escaped in their two ways, a preamble, padding, an epilogue, line feeds alone."""
    body = (
        b"preamble --b\r\n--b \t\r\nContent-Disposition: form-data; name=\"a%22b%0D%0Ac\"\r\n\r\n1\r\n"
        b"--b\r\nContent-Disposition: form-data; name=\"q\\\"uote\"; filename=\"C:\\dir\\f.txt\"\r\n"
        b"CONTENT-TYPE: text/x\r\n\r\n\r\n--bb\r\n--b\r\n"
        b"Content-Disposition: form-data; NAME=plain ; filename*=UTF-8''na%C3%AFve.txt; filename=\"x\"\n"
        b"\n2\n--b\r\n\r\nno headers\r\n--b--\r\n--b\r\nepilogue"
    )  # fmt: skip
    assert [one[:4] for one in parts(body, TYPE)] == [
        ('a"b\r\nc', None, "text/plain", b"1"),
        ('q"uote', r"C:\dir\f.txt", "text/x", b"\r\n--bb"),
        ("plain", "naïve.txt", "text/plain", b"2"),
        ("", None, "text/plain", b"no headers"),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n--b--", Part("x", None, "text/plain", b"", 0)),
        (b"--b\r\nContent-Disposition: form-data; name=x\r\n--b--", Part("x", None, "text/plain", b"", 0)),
        (b"--b\r\n--b--", Part("", None, "text/plain", b"", 0)),
        (b'--b\r\nContent-Disposition: form-data; name="x\r\n\r\n1\r\n--b--', Part("x", None, "text/plain", b"1", 0)),
        (b"--b\r\nContent-Disposition: form-data; name=\xff\r\n\r\n1\r\n--b--", Part("\ufffd", None, "text/plain", b"1", 0)),
        (b"--b\r\nno field\r\n: x\r\n\r\n1\r\n--b--", Part("", None, "text/plain", b"1", 0)),
        (b"--b\r\n\r\n1\r\n--b-", Part("", None, "text/plain", b"1", 0, False)),
        (b"--b\r\n\r\n1\r\n--b\r", Part("", None, "text/plain", b"1", 0, False)),
        (b"--b\r\n\r\n1\r\n--", Part("", None, "text/plain", b"1", 0, False)),
        (b"--b\n\n1\n-", Part("", None, "text/plain", b"1", 0, False)),
        (b"--b\r\n" + b"a" * MAX_HEADER_BYTES + b": 1\r\n\r\n2\r\n--b--",
         Part("", None, "text/plain", b"a" * MAX_HEADER_BYTES + b": 1\r\n\r\n2", 0)),
    ],
)  # fmt: skip
def test_what_is_odd_is_read_as_far_as_it_goes(body: bytes, expected: Part) -> None:
    """No data, no headers, no end of a quote, ends that are cut off, headers beyond the bound."""
    assert list(parts(body, TYPE)) == [expected._replace(end=len(body))]


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "b" * 201, ""],
)  # fmt: skip
def test_without_a_boundary_there_are_no_parts(content_type: str) -> None:
    """And with one that no client makes."""
    assert list(parts(b"--\r\n\r\n1\r\n----", content_type)) == []


PIECES = st.lists(
    st.sampled_from([
        b"--b", b"--", b"-", b"\r\n", b"\n", b"\r", b" ", b"a", b": ", b'"', b"\\", b";",
        b'Content-Disposition: form-data; name="n"', b"; filename*=''%", b"\xff",
    ]),
    max_size=20,
)  # fmt: skip


@given(st.binary(max_size=60) | PIECES.map(b"".join), st.sampled_from(["b", "-", "--b", '\\"']))
def test_any_bytes_are_a_form(body: bytes, boundary: str) -> None:
    """No exception, and progress to the end."""
    quoted = boundary.replace("\\", "\\\\").replace('"', '\\"')
    ends = [one.end for one in parts(body, f'multipart/form-data; boundary="{quoted}"')]
    assert ends == sorted(set(ends))
    assert all(0 < end <= len(body) for end in ends)


@pytest.mark.parametrize(
    "body",
    [
        b"\n--b" * 250_000,
        b"\r\n--b\r\n" * 150_000,
        b"-" * 1_000_000,
        b"--b\n" + b"\n\r" * 500_000,
        (b"--b\r\nContent-Disposition: " + b';a="' * 2000 + b"\r\n\r\n\r\n") * 120,
        (b"--b\r\nContent-Disposition: " + b";" * 8000 + b"\r\n\r\n\r\n") * 120,
        (b"--b\r\nContent-Disposition: ;a" + b" " * 8000 + b"\r\n\r\n\r\n") * 120,
    ],
)
def test_a_hostile_form_takes_linear_time(body: bytes) -> None:
    """A megabyte of dividers, of what nearly divides, of quotes that never end."""
    began = time.process_time()
    for one in parts(body, TYPE):
        assert one.end
    assert is_within(time.process_time() - began, 3)


def test_headers_tell_a_form() -> None:
    """By the content type alone."""
    assert is_form({"content-type": "Multipart/Form-Data; boundary=x"})
    assert not is_form({"content-type": "multipart/mixed; boundary=x"})
    assert not is_form({})
