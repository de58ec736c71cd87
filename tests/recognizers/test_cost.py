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


@pytest.mark.parametrize("piece", PIECES)
def test_four_times_the_text_takes_no_sixteen_times_the_time(piece: str) -> None:
    """Linear work, shown with room for a busy machine: quadratic work takes sixteen times as long."""
    scanner = SCANNER

    def seconds(size: int, enough: float = 0.0) -> float:
        """The least of four times, or the first one below `enough`."""
        text = (piece * size)[:size]
        best = float("inf")
        for _ in range(4):
            begin = time.process_time()
            scanner.scan(text)
            best = min(best, time.process_time() - begin)
            if best < enough:
                break
        return best

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
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            SCANNER.scan(text)
            best = min(best, time.process_time() - start)
            if best < enough:
                break
        return best

    bound = 10 * seconds(500) + 0.005
    assert seconds(2000, bound) < bound
