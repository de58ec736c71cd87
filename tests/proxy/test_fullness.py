"""What the log says of a buffer that is full."""

from __future__ import annotations

import logging

from monitor.proxy.fullness import QUIET, Fullness


def test_a_full_buffer_is_said_once_and_so_is_that_it_has_room() -> None:
    """However many are lost between; what a process before this one lost is no news."""
    said: list[tuple[int, str]] = []
    full = Fullness(1 << 20, 7, lambda level, text: said.append((level, text)))
    full.look(7, 0.0)
    assert not said
    for second in range(1, 100):
        full.look(7 + 10 * second, float(second))
    assert [level for level, _ in said] == [logging.WARNING]
    assert "capture.buffer_bytes, 1,048,576" in said[0][1]
    full.look(997, 99 + QUIET - 1)
    assert len(said) == 1
    full.look(997, 99 + QUIET)
    full.look(997, 99 + 9 * QUIET)
    assert said[1:] == [
        (
            logging.INFO,
            "the buffer has had room for a minute again; exchanges that had none before (buffer_full): 990",
        )
    ]
    full.look(998, 1e6)
    assert [level for level, _ in said[2:]] == [logging.WARNING]
    full.look(998, 2e6)
    assert said[3][1].endswith("(buffer_full): 1")
