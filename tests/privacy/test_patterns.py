"""The scanner: spans apart and in order, work in proportion to the text, `re` and Hyperscan alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import PrivacyError
from monitor.marks import PSEUDONYM
from monitor.privacy import patterns
from monitor.privacy.kept import Kept
from monitor.privacy.patterns import Scanner, key_form, known_form
from monitor.recognizers import select

PIECES = st.sampled_from(
    ["4111 1111 1111 1111", "a@b.org", "+1 212-555-0187", "DE89370400440532013000", "536-22-8726",
     "10.1.2.3", "ghp_canaryCANARYcanaryCANARYcanary0123", "password=", "tel ", "<", ">", "x", " ",
     "\n", "1", "é", "\ud800", "@", ".", ":", "-", "http://u:p@h/", "<PERSON:k1:aaaaaaaaaaaaaaaaaa>"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=100)
SCANNER = Scanner(select())


@pytest.fixture(scope="module")
def slow() -> Scanner:
    """The scanner as it is where there is no wheel of Hyperscan."""
    engine = patterns.hyperscan
    patterns.hyperscan = None
    try:
        return Scanner(select())
    finally:
        patterns.hyperscan = engine


@given(TEXTS)
def test_any_text_gives_spans_apart_and_in_order(text: str) -> None:
    """None is empty, none inside a pseudonym, whatever the text."""
    spans = SCANNER.scan(text)
    ends = [0, *(span.end for span in spans)]
    assert all(before <= span.start < span.end for before, span in zip(ends, spans, strict=False))
    assert ends[-1] <= len(text)
    for match in PSEUDONYM.finditer(text):
        assert all(span.end <= match.start() or match.end() <= span.start for span in spans)


@given(text=TEXTS)
def test_without_hyperscan_the_same_is_found(slow: Scanner, text: str) -> None:
    """The fallback is slower and nothing else."""
    assert slow.scan(text) == SCANNER.scan(text)


ADVERSARIAL = [
    "1",
    "1 ",
    "a@",
    "a.",
    "@",
    "::",
    "1.",
    "key=",
    "sk-",
    "<",
    "-----BEGIN ",
    "tel ",
    "eyJ",
    "0-",
    "aa:",
    "sin ",
    "born 1 ",
    "Mr ",
    "1 A",
    "passport ",
]


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_the_candidates_of_a_text_grow_with_its_length_alone(piece: str) -> None:
    """Twice the text, at most twice the places to look at (and a few), each looked at once."""

    def places(size: int) -> int:
        seen = 0

        def counting(
            find: Callable[[str, Sequence[int]], Iterable[tuple[int, int]]],
        ) -> Callable[..., Iterable[tuple[int, int]]]:
            def counted(text: str, starts: Sequence[int]) -> Iterable[tuple[int, int]]:
                nonlocal seen
                assert len(set(starts)) == len(starts) <= len(text)
                seen += len(starts)
                return find(text, starts)

            return counted

        scanner = Scanner([replace(each, find=counting(each.find)) for each in select()])
        scanner.scan((piece * size)[:size])
        return seen

    assert places(8192) <= 2 * places(4096) + 64


def test_too_many_candidates_are_refused_rather_than_looked_at() -> None:
    """The caller redacts the text."""
    with pytest.raises(PrivacyError, match="too many candidates"):
        Scanner(select(), max_events=10).scan("a@b.org " * 20)


def test_the_stronger_names_an_overlap_and_nothing_found_is_dropped() -> None:
    """The weaker keeps what is left of it."""

    def fixed(start: int, end: int) -> Callable[[str, Sequence[int]], list[tuple[int, int]]]:
        return lambda text, starts: [(start, end)]

    first = select()[0]
    strong = replace(first, entity="STRONG", triggers=("x",), find=fixed(2, 5), keys=frozenset())
    weak = replace(first, entity="WEAK", triggers=("x",), find=fixed(0, 8), keys=frozenset())
    spans = Scanner([strong, weak]).scan("abxdefgh")
    assert [(s.start, s.end, s.entity) for s in spans] == [
        (0, 2, "WEAK"),
        (2, 5, "STRONG"),
        (5, 8, "WEAK"),
    ]


@given(st.text())
def test_a_key_form_is_its_own_key_form(name: str) -> None:
    """Letters and digits of the last step."""
    assert key_form(key_form(name)) == key_form(name)


def test_what_was_compiled_before_finds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next process compiles nothing, unless it looks for something else, has a damaged file or
    one of a machine that is not like this one."""
    engine = pytest.importorskip("hyperscan")
    kept = Kept(tmp_path / "scanner.compiled", bytes(32))
    compiled: list[int] = []

    def compile_anew(expressions: list[bytes], ids: list[int]) -> Any:
        compiled.append(len(ids))
        return compiles(expressions, ids)

    compiles = patterns._compiled
    monkeypatch.setattr(patterns, "_compiled", compile_anew)
    expressions, ids = [rb"[a-z]+@[a-z]+", rb"\d{4} \d{4}"], [3, 7]

    def found(count: int = 2) -> list[tuple[int, int, int]]:
        places = [Kept(tmp_path / "none" / "away.compiled", b""), kept]
        database = patterns._loaded(expressions[:count], ids[:count], places)
        found: list[tuple[int, int, int]] = []
        database.scan(
            b"ADA@example paid 4111 1111",
            lambda index, start, end, flags, context: found.append((index, start, end)),
            scratch=database.scratch.clone(),
        )
        return found

    first = found()
    assert {index for index, _, _ in first} == {3, 7}
    assert found() == first
    assert len(compiled) == 1
    assert {index for index, _, _ in found(1)} == {3}
    assert len(compiled) == 2
    kept.path.write_bytes(b"damaged")
    assert found() == first
    assert len(compiled) == 3

    def loadb(dump: bytes, mode: int) -> Any:
        raise engine.DatabasePlatformError

    monkeypatch.setattr(engine, "loadb", loadb)
    assert found() == first
    assert len(compiled) == 4


@pytest.mark.parametrize(("name", "form"), [
    ("customer_ssn", "ssn"), ("customer.contact.homePhone", "phone"), ("Mother's maiden name", ""), ("motherMaidenName", "maidenname"),
    ("patientDOB", "dob"), ("customer.name", "customername"), ("product.name", ""), ("user_id", ""), ("iphone", ""), ("phones", ""),
    ("homepage", "homepage"), ("contact number", "contactnumber"), ("personal identity number", "personalidentitynumber"),
])  # fmt: skip
def test_a_field_may_say_whose_value_it_has(name: str, form: str) -> None:
    """Before what the value is, or in the step above it; other words make another field."""
    assert known_form(name, frozenset(KEYS)) == form


KEYS = {key for each in select() for key in each.keys} | {"homepage"}


@pytest.mark.parametrize("is_with_re", [False, True])
def test_recognizers_with_the_same_triggers_share_a_look(
    is_with_re: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the first is not looked for, the others are found all the same."""
    if is_with_re:
        monkeypatch.setattr(patterns, "hyperscan", None)
    text = "PID|1||77^^^X||DOE^J||19610615"
    for without, found in (
        ("", {"PERSON", "MEDICAL_RECORD_NUMBER", "DATE_OF_BIRTH"}),
        ("PERSON", {"MEDICAL_RECORD_NUMBER", "DATE_OF_BIRTH"}),
    ):
        asked = [each for each in select(frozenset({without})) if each.name.startswith("hl7")]
        assert {span.entity for span in Scanner(asked).scan(text)} == found
