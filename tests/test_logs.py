"""Log lines: one each, with time, level and role; nothing a stranger says can forge another."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import logs

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO|WARNING|ERROR) proxy: .*")


@pytest.fixture(autouse=True)
def restored() -> Generator[None]:
    """What `start` changes in this process is changed back."""
    handlers, hook = logging.root.handlers[:], sys.excepthook
    others = threading.excepthook, sys.unraisablehook
    yield
    logging.root.handlers[:], sys.excepthook = handlers, hook
    threading.excepthook, sys.unraisablehook = others
    logging.captureWarnings(False)


def said(record: logging.LogRecord, form: logs.Format = "text") -> str:
    return logs._Line("proxy", form).format(record)


def record(message: str, **more: object) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": "monitor", "msg": message, "levelname": "INFO", "created": 1796205600.123, **more}
    )


def test_a_line_has_time_level_and_role(capsys: pytest.CaptureFixture[str]) -> None:
    """UTC with milliseconds; a percent sign is a percent sign."""
    logs.start("proxy")
    logs.warning("100% sure")
    assert LINE.fullmatch(capsys.readouterr().err.strip())
    assert said(record("hello %s")) == "2026-12-02T10:00:00.123Z INFO proxy: hello %s"


def test_as_json_each_line_is_an_object() -> None:
    """With the four keys that `log: json` promises."""
    assert json.loads(said(record("hello"), "json")) == {
        "time": "2026-12-02T10:00:00.123Z", "level": "INFO", "role": "proxy", "message": "hello",
    }  # fmt: skip


@given(st.text(), st.sampled_from(["text", "json"]), st.sampled_from(["monitor", "asyncio"]))
def test_no_text_makes_a_second_line(text: str, form: logs.Format, name: str) -> None:
    """Line ends of any alphabet, escapes and marks that turn text around are written as escapes."""
    line = said(record(text, name=name), form)
    assert line.isprintable()
    assert len(line.splitlines()) == 1
    assert line.encode()  # no lone surrogates either


def test_a_long_message_is_cut() -> None:
    """A stranger's name in a line does not fill a disk."""
    assert len(said(record("x" * 1_000_000))) < 2100


def test_an_exception_is_told_without_its_message() -> None:
    """The message may quote the traffic, and so may what a library says in brackets or below."""
    try:
        int("maria@example.org")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    words = "Exception in callback read(b'maria@example.org')\nhandle: <b'maria@example.org'>"
    line = said(record(words, name="asyncio", exc_info=info))
    assert "asyncio: Exception in callback read: ValueError at test_logs.py:" in line
    assert "maria" not in line


def test_what_nobody_catches_is_one_line() -> None:
    """Of the process's end too: its type and its places in the code."""
    program = (
        "from monitor import logs; logs.start('proxy')\ndef f(): raise ValueError('secret')\nf()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.endswith("CRITICAL proxy: ended: ValueError at <string>:2 < <string>:3")


@pytest.mark.parametrize(
    ("raising", "words"),
    [
        ("import threading; t = threading.Thread(target=f); t.start(); t.join()", "a thread ended"),
        ("class A:\n  __repr__ = __del__ = lambda _: f()\nA()", "an exception was passed over"),
    ],
)
@pytest.mark.parametrize("options", [(), ("-X", "faulthandler", "-X", "dev")])
def test_what_goes_past_everybody_is_one_line(
    raising: str, words: str, options: tuple[str, ...]
) -> None:
    """From a thread, or from where Python cannot raise it, a callback of C or the end of an object."""
    program = f"from monitor import logs; logs.start('proxy')\ndef f(): raise ValueError('secret')\n{raising}"
    done = subprocess.run(
        [sys.executable, *options, "-c", program], capture_output=True, text=True, check=False
    )
    (line,) = done.stderr.splitlines()
    assert f" ERROR proxy: {words}: ValueError at <string>:2" in line
    assert "secret" not in line


def test_a_warning_is_told_without_its_words() -> None:
    """Where it was given and its kind; a library's words may quote data."""
    line = said(
        record("/lib/x.py:7: UserWarning: odd maria@example.org\n  warn(it)\n", name="py.warnings")
    )
    assert line.endswith(" proxy: py.warnings: /lib/x.py:7: UserWarning")
