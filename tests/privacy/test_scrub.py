"""Scrubbing: total, idempotent, joinable, bounded; what is not found stays as it was."""

from __future__ import annotations

import base64
import gzip
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.bodies import Kept
from monitor.errors import PrivacyError
from monitor.marks import PSEUDONYM
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Key, Tokens
from monitor.privacy.scrub import Bounds, Scrub
from monitor.privacy.views import normalise
from monitor.recognizers import RECOGNIZERS, select

SCANNER = Scanner(select())
EVERYTHING = Scanner(RECOGNIZERS)
KEYS = frozenset(key for each in SCANNER.recognizers for key in each.keys)
TOKENS = Tokens(Key("k2", bytes(range(32))), "t")
VALUES = ["4111 1111 1111 1111", "ada@example.org", "+1 212-555-0187", "536-22-8726", "203.0.113.7"]
PIECES = st.sampled_from(
    ["ada@example.org", *(f" {value} " for value in VALUES), "<PERSON:k1:aaaaaaaaaaaaaaaaaaaaaaaa>", "<REDACTED:x>", "<LIT:", "<MEDIA:", "&lt;", "%40",
     "\\u0040", "YWRhQGV4YW1wbGUub3JnIGlzIG1haWw=", '"ssn": "1234"', "\u200b", "\ud800", "=", "+", "&", " ", "é"]
) | st.text(max_size=12)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join)


def scrub(*, trusted: bool = False, bounds: Bounds | None = None, **more: Any) -> Scrub:
    return Scrub(
        scanner=SCANNER, keys=KEYS, tokens=TOKENS, previous=None, bounds=bounds or Bounds(),
        clock=more.pop("clock", lambda: 0.0), trusted=trusted, **more,
    )  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(TEXTS)
def test_any_text_is_scrubbed_to_one_that_stays_as_it_is(text: str) -> None:
    """No error comes of any text; a scrubbed one, taken for ours, is left alone."""
    first = scrub().text(text)
    first.encode()
    again = scrub(trusted=True)
    assert again.text(first) == first
    assert again.pseudonyms == {}


@given(st.text(st.characters(codec="ascii", categories=("Lu", "Ll", "Zs")), max_size=300))
def test_words_stay_as_they_are(text: str) -> None:
    """Letters and spaces, to the character."""
    assert scrub().text(text) == text


@given(
    st.sampled_from(VALUES),
    st.sampled_from(VALUES),
    st.sampled_from([" ", "\n", ", ", " and ", "; "]),
)
def test_every_value_gets_its_own_token_and_what_is_between_stays(
    one: str, other: str, gap: str
) -> None:
    """Wherever it stands, a value has one token."""
    alone = [scrub().text(value) for value in (one, other)]
    assert all(PSEUDONYM.fullmatch(token) for token in alone)
    assert scrub().text(f"({one}){gap}[{other}]") == f"({alone[0]}){gap}[{alone[1]}]"


@given(
    st.lists(
        st.sampled_from(["<PERSON:k2:", "aaaaaaaaaaaaaaaaaaaaaaaa", ">", "<LIT:", "<", "x"]),
        max_size=10,
    ).map("".join)
)
def test_no_mark_from_outside_passes_for_ours(text: str) -> None:
    """Every forged pseudonym is marked as literal, and taking the marks out gives the text back."""
    done = scrub().text(text)
    assert not PSEUDONYM.search(done)
    assert re.sub(r"<LIT:(?=[A-Z_]+:|REDACTED)", "<", done).replace("<LIT:", "<") == text.replace(
        "<LIT:", "<"
    )


def test_what_somebody_else_put_there_is_ours() -> None:
    """Marks in `own` and texts that are `Kept` stay; an equal text that is not does not."""
    mine = TOKENS("PERSON", "ada")
    one = scrub()
    one.own.add(mine)
    forged = mine.replace("k2", "k1")
    assert one.text(f"{mine} {forged} ada@example.org").startswith(f"{mine} <LIT:")
    assert one.text(Kept("ada@example.org")) == "ada@example.org"
    assert "ada" not in one.text("ada@example.org")


@pytest.mark.parametrize("make", [lambda n: "1" * n, lambda n: "a@" * n, lambda n: "%25" * n, lambda n: "<" * n,
                                  lambda n: "&amp;" * n, lambda n: "QUJD" * n, lambda n: '"a":' * n, lambda n: "\u200b" * n])  # fmt: skip
def test_a_text_is_scanned_a_bounded_number_of_times(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is handed to the scanner is at most a few times the text, however it is encoded."""
    handed: list[int] = []
    real = SCANNER.scan

    def counting(text: str, *more: Any) -> Any:
        handed.append(len(text))
        return real(text, *more)

    monkeypatch.setattr(SCANNER, "scan", counting)
    text, one = make(5000), scrub()
    one.text(text)
    assert (len(handed) > 0, one.redactions.get("error")) == (True, None)
    assert sum(handed) <= 8 * len(text) + 1024


def test_bounds_are_kept_and_counted() -> None:
    """The end of a long text, all of it once the record or its time is spent."""
    long = scrub(bounds=Bounds(text=100))
    done = long.text("word " * 100)
    assert done.startswith("word " * 20)
    assert long.redactions == {"too_long": 1}
    full = scrub(bounds=Bounds(record=10))
    assert full.text("a" * 11).startswith("<REDACTED:record_too_large:")
    times = iter([0.0, 9.0])
    late = scrub(clock=lambda: next(times))
    assert late.text("hello").startswith("<REDACTED:timeout:")


def test_a_value_across_the_bound_is_whole_or_not_there() -> None:
    """The cut never shows the first half of a value."""
    for start in range(80, 101):
        text = "x" * start + " " + VALUES[0] + " tail" * 50
        assert "4111" not in scrub(bounds=Bounds(text=100)).text(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)))  # fmt: skip
def test_any_json_value_comes_out_without_an_error(value: Any) -> None:
    """Numbers stay numbers unless they are cards."""
    scrub().value(value)
    assert PSEUDONYM.fullmatch(str(scrub().value(4111111111111111)))


@given(st.text(st.characters(categories=("Nd",)) | st.sampled_from("0123456789"), max_size=6))
@settings(max_examples=50)
def test_a_number_of_few_digits_is_nothing_by_itself(number: str) -> None:
    """No recognizer finds anything in one, so that none is asked; the name of its field may say more."""
    plain = normalise(number)
    assert EVERYTHING.scan(number if plain is None else plain.text) == []
    assert scrub().text(number) == number
    if len(number) >= 4 and number.isascii():
        assert scrub().text(number, "ssn").startswith("<US_SSN:k2:")


def failing(kind: type[Exception]) -> Any:
    def scan(*_: object) -> Any:
        raise kind("ada@example.org")

    return scan


@pytest.mark.parametrize(
    "kind", [RuntimeError, PrivacyError, MemoryError, RecursionError, KeyError]
)
def test_whatever_goes_wrong_the_text_is_not_kept(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recognizer that raises, in a text, a key, a number: a digest and the size stay."""
    for name in ("scan", "scan_number"):
        monkeypatch.setattr(SCANNER, name, failing(kind))
    one = scrub()
    value = one.value({"ada@example.org": ["ada@example.org", 4111111111111111, 7]})
    assert "ada" not in str(value)
    assert "4111" not in str(value)
    assert sum(one.redactions.values()) == 3
    assert "7" in str(value)


def test_an_engine_that_fails_fails_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of Hyperscan, a recognizer that raises in the middle, a seal that cannot be made."""
    engine = pytest.importorskip("hyperscan")
    scanner = Scanner(select())
    place = next(i for i, each in enumerate(scanner.recognizers) if each.name == "email_address")

    def find(text: str, starts: Any) -> Any:
        yield from [(0, 3)]
        raise ValueError(text)

    scanner._finds[place] = find
    monkeypatch.setattr("tests.privacy.test_scrub.SCANNER", scanner)
    assert scrub().text("ada@example.org").startswith("<REDACTED:error:")
    scanner = Scanner(select())
    monkeypatch.setattr(scanner, "_locate", failing(engine.error))
    monkeypatch.setattr("tests.privacy.test_scrub.SCANNER", scanner)
    assert scrub().text("ada@example.org").startswith("<REDACTED:error:")
    monkeypatch.undo()
    assert scrub(seal=failing(OSError)).text("ada@example.org").startswith("<REDACTED:error:")


def test_what_is_unpacked_counts_for_the_record() -> None:
    """Many small packages are one large one."""
    package = base64.b64encode(gzip.compress(b"word " * 40_000)).decode()
    one = scrub(bounds=Bounds(record=2_000_000))
    assert one.text(f"{package} " * 30).startswith("<REDACTED:record_too_large:")
