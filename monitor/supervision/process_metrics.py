"""Process ids → samples of what monitoring costs: processes, CPU time and memory by role."""

from __future__ import annotations

from collections.abc import Iterable

import psutil

from monitor.types import Measurement

FIRST = ("supervisor", "injector")
"""Roles of which an instance has one, which lives as long as it."""


def measurements(endpoint: str, processes: Iterable[tuple[str, int]]) -> list[Measurement]:
    """Return samples for `(role, pid)` pairs, without processes that have just ended. When the
    `FIRST` of them started is when all counters began."""
    samples: list[Measurement] = []
    for role, pid in processes:
        labels = {"endpoint": endpoint, "role": role}
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                times, memory = process.cpu_times(), process.memory_info().rss
                started = process.create_time()
        except psutil.Error:
            continue
        samples += [
            Measurement("monitor_processes", labels, 1),
            Measurement("monitor_process_cpu_seconds_total", labels, times.user + times.system),
            Measurement("monitor_process_resident_memory_bytes", labels, memory),
        ]
        if role in FIRST:
            own = {"endpoint": endpoint}
            samples.append(Measurement("monitor_start_timestamp_seconds", own, started))
    return samples
