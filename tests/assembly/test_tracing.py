"""Settings become a tracer; without a collector there is none, and what no recorder saw is counted."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
import pytest

from monitor.assembly import build, tracing
from monitor.assembly.keyring import keyring
from monitor.metrics.labels import LOSS_REASONS
from monitor.recorder import calls
from monitor.settings.schema import Differential, Otlp, Privacy, Settings, Traces
from monitor.types import Measurement, Outcome
from tests.recorder.test_capture import chat, exchange

TAKEN = msgspec.structs.replace(exchange(chat("x")), id="01a2239a-1a11-7819-bcbb-500000000001")


def settings_of(tmp_path: Any, **traces: Any) -> Settings:
    return Settings(
        data=str(tmp_path),
        upstream="https://model.example",
        otlp=Otlp(endpoint="http://127.0.0.1:1", traces=Traces(**traces)),
    )


def made(settings: Settings) -> tracing.Tracing:
    return tracing.Tracing(settings, build.privacy(settings, keyring(settings)))


def test_a_tracer_samples_as_it_is_set(tmp_path: Any) -> None:
    """`slow: 0` is no limit; the share is of those without a trace."""
    slow = msgspec.structs.replace(TAKEN, duration=11.0)
    for given, taken, reason in (
        ({"sample": 0.0}, slow, "slow"),
        ({"sample": 0.0, "slow": 0.0}, slow, None),
        ({"sample": 0.0}, TAKEN, None),
        ({"sample": 1.0}, TAKEN, "ratio"),
    ):
        trace = made(settings_of(tmp_path, **given)).tracer.begin(calls.read(taken), Outcome.OK)
        assert (trace.reason if trace else None) == reason


def test_counts_with_noise_keep_a_template_to_themselves(tmp_path: Any) -> None:
    """A span would say which segment an exchange belongs to."""
    settings = settings_of(tmp_path)
    assert made(settings).tracer._template == "template"
    noisy = Privacy(differential=Differential(epsilon=1.0))
    assert made(msgspec.structs.replace(settings, privacy=noisy)).tracer._template == ""


def test_without_a_collector_there_is_no_tracer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says of one: only `otlp.endpoint` turns it on."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1")
    assert not tracing.is_on(Settings())


def test_a_recorder_without_a_collector_loads_no_code_for_it() -> None:
    """It costs no memory."""
    said = (
        "import sys, monitor.app.recorder; "
        "print({'http.client', 'monitor.assembly.tracing', 'monitor.exporters.spans'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


def test_every_loss_has_a_place_in_the_counts() -> None:
    """What no recorder saw is dropped here; of the others the recorder says it itself."""
    told = {"unreadable", "sampled", "spool_damaged"}
    assert set(LOSS_REASONS) == tracing.ELSEWHERE | told
    losses = [
        Measurement("monitor_exchanges_lost_total", {"endpoint": "e", "reason": reason}, 1.0)
        for reason in LOSS_REASONS
    ]
    found = tracing.lost(Settings(endpoint="e"), losses)
    assert found == Measurement(
        "monitor_spans_total", {"endpoint": "e", "result": "dropped"}, len(tracing.ELSEWHERE)
    )
