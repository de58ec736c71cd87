"""What tests of replay share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

import monitor.commands.replay_options  # noqa: F401  what it makes of BUFFER is not made by who is quick
from monitor.analysis.drift import reference as bins
from monitor.replay import reference
from monitor.tables import inference

if TYPE_CHECKING:
    from distributed import LocalCluster

FIRST = 500
"""So many rows make the bins and tell how columns are read where a test is `quick`; else 1,000."""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables may have half of the rows: what is learned of the first of them is learned of fewer."""
    _learn_of(FIRST, monkeypatch)


@pytest.fixture
def quickest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of them: where documents are compared with one another, or what is found is large."""
    _learn_of(FIRST // 2, monkeypatch)


def _learn_of(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_REFERENCE_LEARN", str(first))
    monkeypatch.setattr(inference, "SAMPLE", first)
    for module in (bins, reference):
        monkeypatch.setattr(module, "BUFFER", first)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """A cluster that runs already."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # else 8787, which another test may have
        host="127.0.0.1", protocol="tcp",
    ) as cluster:  # fmt: skip
        yield cluster


@pytest.fixture
def scheduler(cluster: LocalCluster) -> str:
    """Its address."""
    return cluster.scheduler_address
