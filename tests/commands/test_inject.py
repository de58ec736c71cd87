"""`monitor inject` as a person meets it."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
import yaml

from monitor.cli import main
from tests.inject import golden


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    texts = {
        "model": "# mine\n" + (golden.PODS / "no-annotations.yaml").read_text(),
        "node": (golden.PODS / "host-network.yaml").read_text(),
        "service": "# a comment\nkind: Service\nmetadata: {name: bot}\n",
        "operator": "kind: InferenceService  # a comment\nmetadata: {name: iris}\n"
        "spec: {predictor: {annotations: {monitor.dev/inject: enabled}}}\n",
        "namespace": "kind: Namespace\nmetadata: {name: m, labels: {monitor.dev/inject: enabled}}\n",
        "template": "kind: Pod\nmetadata: {name: {{ .Values.name }}}\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    return {one.stem: str(one) for one in tmp_path.iterdir()}


def test_the_sidecar_is_added_without_an_annotation(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Naming the file is asking."""
    assert main(["inject", files["model"]]) == 0
    out, err = capsys.readouterr()
    assert yaml.safe_load(out)["spec"]["initContainers"][0]["restartPolicy"] == "Always"
    assert err == ""


def test_what_cannot_be_injected_is_printed_as_it_is_with_a_line(
    files: dict[str, str], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """To the byte; the exit code is 0, or a pipe would end."""
    for name, reason in (
        ("node", "Pod bot: left as it is (host_network): the Pod uses the node's network"),
        ("template", "left as it is (unreadable): line 2: no YAML: "),
        ("bytes", "left as it is (unreadable): it is not UTF-8"),
        (
            "operator",
            "InferenceService iris: left as it is (other_object): Pods of this kind are made",
        ),
        ("service", ""),
        ("namespace", ""),
    ):
        assert main(["inject", files[name]]) == 0
        out, err = capfdbinary.readouterr()
        assert out == Path(files[name]).read_bytes()
        assert reason in err.decode()
        assert len(err.decode().splitlines()) == (1 if reason else 0)


def test_several_files_are_one_stream(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With the line between documents that YAML wants."""
    assert main(["inject", files["service"], files["model"], files["service"]]) == 0
    found = list(yaml.safe_load_all(capsys.readouterr().out))
    assert [one["kind"] for one in found] == ["Service", "Pod", "Service"]


def test_stdin_is_a_file_called_dash(
    files: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a pipe from `kubectl`; the settings say what is added."""
    text = Path(files["model"]).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    monkeypatch.setenv("MONITOR_INJECTOR_IMAGE", "registry.example/monitor:2")
    assert main(["inject", "-"]) == 0
    pod = yaml.safe_load(capsys.readouterr().out)
    assert pod["spec"]["initContainers"][0]["image"] == "registry.example/monitor:2"


def test_a_file_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """And exit code 2."""
    assert main(["inject", "/no/such.yaml"]) == 2
    assert (
        capsys.readouterr().err
        == "monitor: /no/such.yaml: cannot be read: no such file or directory\n"
    )


def test_an_injected_pod_without_traffic_to_it_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On stderr, as the webhook does in a warning."""
    assert main(["inject", str(golden.PODS / "uncaptured.yaml")]) == 0
    assert "no traffic reaches the sidecar by itself" in capsys.readouterr().err
