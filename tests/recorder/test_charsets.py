"""Charsets: known by all of their names, linear, and no name leaves anything behind."""

from __future__ import annotations

import encodings
import time
import tracemalloc

import pytest

from monitor.recorder import calls, charsets
from monitor.types import Call, Exchange, Message, Outcome
from tests.pace import is_within


def read(head: bytes, body: bytes) -> Call:
    answer = Message(head, body, len(body))
    return calls.read(
        Exchange("i", 0.0, 1.0, Message(b"GET / HTTP/1.1\r\n\r\n"), answer, [], Outcome.OK)
    )


@pytest.mark.parametrize(
    "name",
    ["latin1", "ISO-8859-15", "windows-1252", "windows-874", "shift_jis", "Shift-JIS", "euc-kr", "gb2312",
     "gb18030", "big5", "koi8-r", "koi8-u", "utf-16le", "UTF-16BE", "utf-32", "macintosh", "iso-2022-jp",
     "cp437", "hp-roman8", "ks_c_5601-1987", "us-ascii", "utf8", "latin-1", "iso_8859-1:1987", "tis-620"],
)  # fmt: skip
def test_a_charset_is_known_by_all_of_its_names(name: str) -> None:
    """In any case, with dashes or not."""
    text = "a text" if name.startswith(("us", "big", "gb")) else "text"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset={name}\r\n\r\n".encode()
    codec = name.replace("windows-874", "cp874").replace("iso_8859-1:1987", "latin-1")
    found = read(head, text.encode(codec))
    assert (found.response_body, found.response_truncated) == (text.encode(), False)


def test_every_charset_reads_what_it_writes() -> None:
    """And none of the list takes more than linear time or is no charset; names of one codec are
    read alike, so one of them is timed with a long body."""
    timed = set()
    for name, codec in charsets.CHARSETS.items():
        assert len(b"aaaa-b".decode(codec, "replace")) <= 6, name
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset={name}\r\n\r\n".encode()
        begun = time.process_time()
        read(head, b"aaaa-b" * (20 if codec in timed else 20_000))
        assert is_within(time.process_time() - begun, 1), name
        timed.add(codec)


def test_names_of_charsets_leave_nothing_behind() -> None:
    """Python would remember each for ever: 20 KB for a long one."""

    def ask(number: int) -> None:
        name = f"x{number}-" + "y" * 5000
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset={name}\r\n\r\n".encode()
        read(head, b"body")

    ask(0)
    known = len(encodings._cache)
    tracemalloc.start()
    for number in range(200):
        ask(number)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(encodings._cache) == known
    assert held < 100_000
