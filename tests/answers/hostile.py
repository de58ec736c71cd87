"""64 KB texts that try to make whoever reads them slow."""

from __future__ import annotations

import time
from collections.abc import Callable

SIZE = 65_536


def filled(piece: str) -> str:
    """A text of `SIZE` characters that repeats a piece."""
    return (piece * (SIZE // len(piece) + 1))[:SIZE]


HOSTILE = {
    piece: filled(piece)
    for piece in (
        "1", "1 ", "1a", "1,", "1,234,", "12-", "1.", "1 234", "1e", "$1", "1% ", "5 m ", "1\n", "٣", "１，",
        "[", "[1", "[1]", "[[1]", "(", "(A", "(Ab, 2020", "(Smith and ", "Ab ", "【1†", "source ", "<doc ",
        '"', '"a ', "“", "“a ", "«a b c d e f g»", "„a", '"a b c d e f" ', 'you can try "a b c d e f g" ',
        "http://", "https://a.b/(", "10.1234/", "arxiv:", "PMID: ", "www.", "`", "```", "<URL:",
        "|", "| 1 ", "| a | 2 |\n", "- a: 1%\n", "Total\n", "=", "1=", "1+", "1+1=", "1 + 1 = 3 ",
        " ", "\n", ". ", "}", '{"a": 1}, ', "a\u0301", "\ud800", "5 المبلغ ", "数量は5個 ",
    )
}  # fmt: skip


def is_linear(read: Callable[[str], object]) -> list[str]:
    """The pieces of which twice as much takes far more than twice as long, and a while at all."""
    return [piece for piece, text in HOSTILE.items() if _grows(read, text)]


def _grows(read: Callable[[str], object], text: str) -> bool:
    if _seconds(read, text, 1) <= 0.1:
        return False
    whole = _seconds(read, text)
    return whole > 0.1 and whole > 6 * _seconds(read, text[: SIZE // 4]) + 0.05


def _seconds(read: Callable[[str], object], text: str, tries: int = 2) -> float:
    times = []
    for _ in range(tries):
        begun = time.process_time()
        read(text)
        times.append(time.process_time() - begun)
    return min(times)
