"""The injector as a process: what it answers, tells, and does when it is to end."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from monitor.app.injector import _Injector
from monitor.errors import ConfigError
from monitor.inject import admission
from monitor.inject.cluster import Found
from monitor.inject.json_patch import applied
from monitor.inject.reasons import REASONS
from monitor.proxy.tls import server_context
from monitor.settings.schema import Settings
from tests import hostile
from tests.inject import golden
from tests.inject.test_admission import review

INJECTOR = _Injector(Settings(endpoint="cluster"), None)


def answered(body: bytes | None, injector: _Injector = INJECTOR) -> dict[str, Any]:
    found = json.loads(asyncio.run(injector.mutate(body)))
    assert found["kind"] == "AdmissionReview"
    assert found["response"]["allowed"] is True
    return found["response"]


def counts(injector: _Injector) -> dict[tuple[str, str], float]:
    return {
        (one.labels["result"], one.labels["reason"]): one.value
        for one in injector.measure()
        if one.name == "monitor_injections_total"
    }


class Stub:
    """A cluster that says what it is told to."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.asked: list[tuple[str, str, str]] = []

    def known(self, *asked: str) -> tuple[Found] | None:
        return (self.found,) if self.asked else None

    def lacks(self, namespace: str, secret: str, config: str) -> Found:
        self.asked.append((namespace, secret, config))
        return self.found


BODIES = [
    None, b"", b"{", b"null", b"[]", b"\xff", b"[" * 100_000, b'{"a":' * 100_000, b"x" * (3 << 20),
    b'{"request": {"uid": "u", "object": ' + b'{"spec":' * 1000 + b"1" + b"}" * 1000 + b"}}",
    b'{"request": {"uid": 5, "object": null}}',
    json.dumps({"request": {"uid": "u", "object": {"spec": {"containers": [{"args": ["x" * (3 << 20)]}]}}}}).encode(),
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_whatever_comes_is_answered_and_allowed(body: bytes | None) -> None:
    """No review, none that can be read, none that ends, one of 3 MB."""
    answered(body)


@hypothesis_settings(max_examples=60)
@given(st.binary(max_size=200) | hostile.VALUES.map(lambda value: {"request": value})
       | hostile.VALUES.map(lambda value: {"request": {"uid": "u", "object": value, "kind": value}})
       | st.sampled_from(golden.NAMES).flatmap(lambda name: st.tuples(
           st.just(review(golden.pod(name))), st.integers(0, 2000), st.binary(max_size=3)
       )).map(lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] + 1 :]))  # fmt: skip
def test_garbage_is_answered_and_allowed(given_: Any) -> None:
    """Any bytes, any JSON, and reviews with a few bytes altered."""
    if not isinstance(given_, bytes):
        given_ = json.dumps(given_, default=str).encode("utf-8", "replace")
    answered(given_)


def test_a_defect_of_ours_lets_the_pod_pass(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is counted and logged, and the log quotes nothing of the Pod."""

    def broken(*_: Any) -> Any:
        raise ValueError("hunter2")

    injector = _Injector(Settings(), None)
    monkeypatch.setattr(admission, "decided", broken)
    response = answered(review(golden.pod("named-port")), injector)
    assert response["uid"] == "705ab4f5-6393-11e8-b7cc-42010a800002"
    assert "patch" not in response
    assert counts(injector)["failed", "error"] == 1
    assert "hunter2" not in "".join(capsys.readouterr())


def test_a_pod_without_its_sidecar_is_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Each reason once a minute, with the namespace; the answer has the uid all the same."""
    injector, now = _Injector(Settings(), None), [0.0]
    injector._clock = lambda: now[0]
    bad = review(golden.pod("named-port")).replace(b"system:service", b"\\ud800")
    for at in (0.0, 1.0, 59.0, 60.0):
        now[0] = at
        for body in (bad, review(golden.pod("host-network")), review(golden.pod("named-port"))):
            assert answered(body, injector)["uid"] == "705ab4f5-6393-11e8-b7cc-42010a800002"
    answered(None, injector)
    lines = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert lines == 2 * [
        "a Pod was admitted as it is (unreadable): not injected: the body is no JSON",
        "a Pod in the namespace models was admitted as it is (host_network): not injected: the Pod "
        "uses the node's network, whose ports all Pods share",
    ]


def test_every_result_is_a_series_before_it_is_one() -> None:
    """Or its first count would be no increase."""
    injector = _Injector(Settings(), None)
    assert counts(injector) == {
        ("injected", ""): 0, ("injected", "uncaptured"): 0,
        **{(result, reason): 0 for reason, result in REASONS.items()},
    }  # fmt: skip
    answered(review(golden.pod("named-port")), injector)
    answered(review(golden.pod("host-network")), injector)
    found = counts(injector)
    assert (found["injected", ""], found["refused", "host_network"]) == (1, 1)
    assert {"monitor_build_info", "monitor_processes"} <= {one.name for one in injector.measure()}


def test_a_pod_whose_secret_is_not_there_would_never_start() -> None:
    """So it is not injected; what was found is not asked again at once, nor for others."""
    cluster: Any = Stub(("no_secret", "Secret monitor in namespace models is not there"))
    injector = _Injector(Settings(), cluster)
    for _ in range(2):
        response = answered(review(golden.pod("named-port")), injector)
        patch = json.loads(base64.b64decode(response["patch"]))
        after = applied(golden.pod("named-port"), patch)
        assert after["spec"] == golden.pod("named-port")["spec"]
        assert (
            json.loads(after["metadata"]["annotations"]["monitor.dev/status"])["reason"]
            == "no_secret"
        )
    answered(review(golden.pod("no-annotations")), injector)
    assert cluster.asked == [("models", "monitor", "")]
    assert counts(injector)["refused", "no_secret"] == 2
    there: Any = Stub(None)
    injector = _Injector(Settings(), there)
    answered(review(golden.pod("settings")), injector)
    assert there.asked == [("models", "bot-keys", "bot")]
    assert counts(injector)["injected", ""] == 1


def test_the_process_speaks_tls_takes_a_new_certificate_and_ends_well(
    authority: Any, tmp_path: Path
) -> None:
    """From its start, by `run.json`, to exit code 0. Told to end it takes Pods for `drain.delay`,
    unless it is told again."""
    one = authority()
    cert, key = one.issue("old")
    renewed = one.issue("renewed")
    file = tmp_path / "injector.yaml"
    file.write_text(
        f"tls: {{cert: {cert}, key: {key}}}\ninjector: {{image: 'monitor:9'}}\n"
        "drain: {delay: 3600}\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "injector", "--config", str(file), "--listen",
         "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", str(tmp_path / "data")],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        run = tmp_path / "data" / "run.json"
        where: dict[str, Any] = until(lambda: json.loads(run.read_text()))
        assert where["pids"] == {"injector": [process.pid]}
        trusting = ssl.create_default_context(cafile=one.ca)

        def post() -> Any:
            request = urllib.request.Request(
                f"https://{where['listen']}/mutate?timeout=2s", review(golden.pod("named-port")),
                {"content-type": "application/json"},
            )  # fmt: skip
            with urllib.request.urlopen(request, context=trusting, timeout=20) as answer:
                return json.load(answer)

        patch = json.loads(base64.b64decode(post()["response"]["patch"]))
        assert (
            applied(golden.pod("named-port"), patch)["spec"]["initContainers"][0]["image"]
            == "monitor:9"
        )
        assert common_name(where["listen"], one.ca) == "old"
        Path(key).write_text(Path(renewed[1]).read_text())
        Path(cert).write_text(Path(renewed[0]).read_text())
        until(lambda: common_name(where["listen"], one.ca) == "renewed")
        post()
        with urllib.request.urlopen(f"http://{where['admin']}/metrics", timeout=20) as answer:
            page = answer.read().decode()
        assert (
            'monitor_injections_total{endpoint="default",reason="",result="injected"} 2.0' in page
        )
        assert 'monitor_certificate_not_after_timestamp_seconds{certificate="tls.cert"' in page
        for path in ("healthz", "readyz"):
            url = f"https://{where['listen']}/{path}"
            with urllib.request.urlopen(url, context=trusting, timeout=20) as answer:
                assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        said = ""
        while "Pods are still taken for 3600 s" not in said:
            said += (line := process.stderr.readline())
            assert line, said
        post()
        process.send_signal(signal.SIGTERM)
        said += process.communicate(timeout=200)[1]
        assert process.returncode == 0, said
        assert f"webhook https://{where['listen']}/mutate" in said
        assert "Traceback" not in said
        assert not run.exists()
    finally:
        process.kill()
        process.communicate()


def until(look: Any) -> Any:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError):
            if found := look():
                return found
        time.sleep(0.02)
    raise AssertionError("it did not come in 30 s")


def common_name(where: str, ca: str) -> str:
    host, _, port = where.rpartition(":")
    import socket

    context = ssl.create_default_context(cafile=ca)
    with (
        socket.create_connection((host, int(port)), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        certificate = connection.getpeercert()
    assert certificate
    return next(
        value for one in certificate["subject"] for name, value in one if name == "commonName"
    )


def test_a_certificate_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    """Before anything listens."""
    from monitor.cli import main

    file = tmp_path / "injector.yaml"
    file.write_text(f"tls: {{cert: {tmp_path}/none.crt, key: {tmp_path}/none.key}}\n")
    with pytest.raises(ConfigError, match=r"tls.cert: .*none.crt cannot be read"):
        server_context(str(tmp_path / "none.crt"), str(tmp_path / "none.key"))
    assert main(["injector", "--config", str(file), "--listen", "127.0.0.1:0"]) == 2
