"""What is passed over is counted, and said without its content."""

from __future__ import annotations

import logging

import msgspec
import pytest

from monitor.analyzer import set_aside
from monitor.analyzer.set_aside import SetAside
from monitor.metrics.labels import SET_ASIDE_REASONS
from monitor.streams.entries import Entry

ENTRY = Entry("monitor:{e:0}:records", "1700000000000-0", [b"record", b"a secret"])


def test_every_reason_is_counted_from_the_start_and_kept() -> None:
    """The counts belong to a checkpoint's position."""
    aside = SetAside(lambda: 0.0)
    assert aside.counts == dict.fromkeys(SET_ASIDE_REASONS, 0)
    for reason in SET_ASIDE_REASONS:
        aside.note(reason, ENTRY)
    again = SetAside(lambda: 0.0)
    again.restore(aside.saved())
    again.restore({})
    assert again.counts == dict.fromkeys(SET_ASIDE_REASONS, 1)
    with pytest.raises(msgspec.DecodeError):
        again.restore({set_aside.FIELD: b"[1]"})


def test_what_the_stream_deleted_unread_is_said_once_a_minute_in_all(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A line for each read would drown whoever looks for why the analyzer is late."""
    times = [0.0]
    aside = SetAside(lambda: times[0])
    with caplog.at_level(logging.WARNING, "monitor"):
        for now, count in ((0.0, 0), (1.0, 1000), (2.0, 500), (70.0, 7), (80.0, 0)):
            times[0] = now
            aside.deleted(count)
    assert [line.split(", ")[1] for line in caplog.messages] == [
        "1,000 since this process started: this analyzer was away or is slower than they come",
        "1,507 since this process started: this analyzer was away or is slower than they come",
    ]


def test_a_reason_is_said_once_a_minute_with_the_entry_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The id is what one needs to look at it; what an exception quotes is not told."""
    times = [0.0]
    aside = SetAside(lambda: times[0])
    with caplog.at_level(logging.WARNING, "monitor"):
        for now in (0.0, 1.0, 59.0, 61.0):
            times[0] = now
            aside.note("failed", ENTRY, ValueError("a secret"))
            with aside.failing("judging"):
                raise KeyError("a secret")
    assert len(caplog.messages) == 4
    assert "entry 1700000000000-0 of monitor:{e:0}:records was set aside" in caplog.messages[0]
    assert "ValueError" in caplog.messages[0]
    assert "judging failed: KeyError at " in caplog.messages[1]
    assert "secret" not in caplog.text
