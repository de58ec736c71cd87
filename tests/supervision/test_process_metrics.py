"""What monitoring costs, by role."""

from __future__ import annotations

import os
import time

from monitor.supervision.process_metrics import measurements


def test_a_process_is_counted_with_its_time_and_memory_and_a_dead_one_is_left_out() -> None:
    """A pid that has just ended is no error."""
    found = measurements("e", [("proxy", os.getpid()), ("recorder", 2**22 - 1)])
    names = {one.name for one in found}
    assert names == {
        "monitor_processes", "monitor_process_cpu_seconds_total",
        "monitor_process_resident_memory_bytes",
    }  # fmt: skip
    assert {one.labels["role"] for one in found} == {"proxy"}
    assert all(one.value > 0 for one in found)


def test_when_an_instance_started_is_told_once() -> None:
    """By the process that lives as long as it."""
    found = measurements("e", [("supervisor", os.getpid()), ("proxy", os.getpid())])
    (started,) = (one for one in found if one.name == "monitor_start_timestamp_seconds")
    assert started.labels == {"endpoint": "e"}
    assert 0 < started.value <= time.time()
