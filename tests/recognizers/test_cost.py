"""No recognizer takes more than its share of a text made to keep it busy."""

from __future__ import annotations

import time

import pytest

from monitor.privacy.patterns import Scanner
from monitor.recognizers import RECOGNIZERS

SCANNER = Scanner(RECOGNIZERS)
PIECES = (
    "1 ", "12 ", "1.", "1-1 ", "1/", "born 1 ", "MRN 1 ", "NIR 1 ", "sin ", "Mr ", "Mr A ", "Hi ", "my name is ",
    "Weg 1 ", "rue A ", "calle A ", "1 A ", "1 Aa Aa ", "A1 1AA ", "AA 12345 ", "12/123 ", "surname: A", "password=a ",
    "rue Aa ", "a, 12345 Aa ", "1 Aa Suite 1 ", "12 Aa Bb\n", "reach me at 1234567 ", "my wife Aa ", "Aa wrote:", "name: Aa ",
    "a@", "::", "00:", "0x", "eyJ",
)  # fmt: skip


def least(text: str, tries: int, enough: float) -> float:
    """The least of so many times of a scan, or the first one below `enough`."""
    best = float("inf")
    for _ in range(tries):
        begin = time.process_time()
        SCANNER.scan(text)
        best = min(best, time.process_time() - begin)
        if best < enough:
            break
    return best


@pytest.mark.parametrize("piece", PIECES)
def test_four_times_the_text_takes_no_sixteen_times_the_time(piece: str) -> None:
    """Linear work, shown with room for a busy machine: quadratic work takes sixteen times as long."""

    def seconds(size: int, enough: float = 0.0) -> float:
        return least((piece * size)[:size], 4, enough)

    bound = 10 * seconds(8192) + 0.005
    assert seconds(32768, bound) < bound


@pytest.mark.parametrize(
    "begin", ['{"resourceType": "Patient", ', 'it\'s 5" {"resourceType": "Patient", ']
)
@pytest.mark.parametrize("piece", ['"k%d": "a", "given": "b", ', '{"k%d": "', '{"resourceType": ["%d"', '"resourceType": "%d" {', "[%d"])  # fmt: skip
def test_a_resource_of_fhir_takes_time_as_it_is_long(begin: str, piece: str) -> None:
    """Many members, whatever they are called, many containers, and none that ends."""

    def seconds(count: int, enough: float = 0.0) -> float:
        text = begin + "".join(piece.replace("%d", str(number)) for number in range(count))
        return least(text, 3, enough)

    bound = 10 * seconds(500) + 0.005
    assert seconds(2000, bound) < bound
