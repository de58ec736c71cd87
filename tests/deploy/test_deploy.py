"""Deployment files: as far as they can be checked without an engine or a cluster."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.commands.files import CARRIED
from monitor.deploy import objects
from monitor.settings import load
from monitor.settings.schema import Settings

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
SCRIPTS = Path(sys.executable).parent


def run(*command: object) -> None:
    result = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.load_all(path.read_bytes(), yaml.CSafeLoader))


def pods() -> list[dict[str, Any]]:
    return [
        document["spec"]["template"]["spec"]
        for path in MANIFESTS
        for document in documents(path)
        if document["kind"] == "Deployment"
    ]


def test_the_dockerfile_is_lint_clean() -> None:
    """hadolint has nothing to say."""
    run(SCRIPTS / "hadolint", DEPLOY / "Dockerfile")


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        (["pyproject.toml"], ".[x]"),
        (["monitor_sidecar-1.0-py3-none-any.whl"], "./monitor_sidecar-1.0-py3-none-any.whl[x]"),
        (["README.md"], None),
        (["monitor_sidecar-1.0-py3-none-any.whl", "monitor_sidecar-1.1-py3-none-any.whl"], None),
    ],
)
def test_the_image_is_built_from_the_source_or_a_wheel_at_hand(
    beside: list[str], said: str | None, tmp_path: Path
) -> None:
    """And from no stranger's package of our name."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    (line,) = (line for line in text.splitlines() if line.startswith("RUN package="))
    chosen = line.removeprefix("RUN ").partition("&& /opt")[0] + '&& echo "${package}${EXTRAS}"'
    assert '"${package}${EXTRAS}"' in line
    for name in beside:
        (tmp_path / name).touch()
    done = subprocess.run(
        ["sh", "-c", chosen], cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "EXTRAS": "[x]"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout.strip() or None) == said
    assert done.returncode == (2 if said is None else 0)
    assert said or "pip wheel" in done.stderr


def test_every_engine_copies_the_same_files() -> None:
    """BuildKit reads the list beside the Dockerfile, others only the one of the directory. What
    `monitor files` writes is in the image as well."""
    beside = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    assert beside == (DEPLOY.parent / ".dockerignore").read_text(encoding="utf-8")
    copied = {line[1:] for line in beside.splitlines() if line.startswith("!")}
    assert {glob.partition("/")[0] for glob in CARRIED} <= copied


@pytest.mark.parametrize("engine", ["no-such-engine", "unreachable"])
def test_without_an_engine_there_is_one_line(engine: str, tmp_path: Path) -> None:
    """A client that reaches no engine is none, as docker without its daemon."""
    client = tmp_path / "unreachable"
    client.write_text("#!/bin/sh\necho Cannot connect >&2; exit 1\n")
    client.chmod(0o755)
    done = subprocess.run(
        ["sh", DEPLOY / "image.sh"], env={"PATH": f"{tmp_path}:/usr/bin:/bin", "ENGINE": engine},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"no container engine answers (tried {engine})" in line


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_is_valid(path: Path) -> None:
    """Against the schemas of Kubernetes 1.31, unknown fields are errors."""
    run(SCRIPTS / "kubernetes-validate", "-k", "1.31", "--strict", path)


@pytest.mark.parametrize("pod", pods(), ids=["analyzer", "sidecar"])
def test_a_pod_meets_the_restricted_standard(pod: dict[str, Any]) -> None:
    """Non-root, no privileges, no capabilities, read-only, no token."""
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert {mount["mountPath"] for mount in container["volumeMounts"]} >= {"/tmp"}


def test_the_sidecar_is_a_native_one() -> None:
    """Started before the model, ended after it, and waited for by nobody."""
    (sidecar,) = (container for pod in pods() for container in pod.get("initContainers", []))
    assert sidecar["restartPolicy"] == "Always"
    assert "startupProbe" not in sidecar


def test_the_grace_period_outlasts_the_drain(settings: Settings) -> None:
    """preStop, delay, longest stream and flush fit into it."""
    (pod,) = (pod for pod in pods() if "initContainers" in pod)
    stop = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= (
        stop + settings.drain.delay + settings.drain.timeout + 20
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """What the sidecar's Pod mounts, read as `monitor` reads it."""
    (text,) = (
        document["data"]["monitor.yaml"]
        for document in documents(DEPLOY / "kubernetes" / "config.yaml")
        if document["kind"] == "ConfigMap"
    )
    file = tmp_path / "monitor.yaml"
    file.write_text(text)
    return load.load(str(file), {})


def test_the_mounted_configuration_is_accepted(settings: Settings) -> None:
    """No key in it is unknown."""
    assert settings.upstream == "http://127.0.0.1:9000"


def test_variables_of_compose_are_settings() -> None:
    """A misspelt variable would be ignored at run time."""
    services = documents(DEPLOY / "compose.yaml")[0]["services"]
    environment = {
        name: value
        for service in services.values()
        for name, value in service.get("environment", {}).items()
    }
    assert load.unknown_variables(environment) == []
    for line in (DEPLOY / "Dockerfile").read_text(encoding="utf-8").split():
        name = line.partition("=")[0]
        if name.startswith("MONITOR_"):
            assert load.unknown_variables({name: ""}) == []


def test_the_store_is_the_same_everywhere() -> None:
    """Compose, the manifests and the chart name one image of Valkey."""
    compose = documents(DEPLOY / "compose.yaml")[0]["services"]["valkey"]["image"]
    values = documents(DEPLOY / "helm" / "monitor" / "values.yaml")[0]["valkey"]["image"]
    pod = objects.valkey()[1]["spec"]["template"]["spec"]
    assert compose == values == pod["containers"][0]["image"]


def test_every_file_that_compose_mounts_is_there() -> None:
    """A missing file would become an empty directory."""
    services = documents(DEPLOY / "compose.yaml")[0]["services"]
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert not source.startswith(".") or (DEPLOY / source).exists(), source


def test_compose_names_nobody_who_is_not_there() -> None:
    """Each host in its files is a service with that port, each module of ours exists, and the first
    page of Grafana is one of the dashboards."""
    services = documents(DEPLOY / "compose.yaml")[0]["services"]
    files = ["deploy/compose.yaml", "deploy/prometheus/prometheus.yml", "alerts/alertmanager.yml",
             "deploy/grafana/provisioning/datasources/prometheus.yaml"]  # fmt: skip
    texts = "".join((DEPLOY.parent / file).read_text(encoding="utf-8") for file in files)
    named = set(re.findall(r"[/ \[]([a-z]+):(\d{4})\b", texts))
    known = {"model": "9000", "inbox": "9095", "valkey": "6379", "prometheus": "9090",
             "alertmanager": "9093"}  # fmt: skip
    ours = {("sidecar", "8080"), ("sidecar", "9464"), ("analyzer", "9464")}
    assert {one for one in named if one[0] != "localhost"} == {*known.items(), *ours}
    assert {name for name, _ in named} <= {*services, "localhost"}
    for service in services.values():
        if "-m" in service.get("entrypoint", []):
            assert importlib.util.find_spec(service["entrypoint"][2])
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (DEPLOY.parent / "dashboards" / Path(home).name).exists()


def test_compose_opens_nothing_to_the_network_and_confines_what_is_ours() -> None:
    """Ports are those of the machine itself; our containers have no capability and no way to write
    but to their volumes."""
    services = documents(DEPLOY / "compose.yaml")[0]["services"]
    for name, service in services.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        if service["image"].startswith("monitor"):
            assert service["read_only"]
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]


def test_prometheus_accepts_its_configuration(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    """With the rules where compose mounts them."""
    shutil.copytree(DEPLOY.parent / "alerts", tmp_path / "alerts")
    shutil.copy(DEPLOY / "prometheus" / "prometheus.yml", tmp_path)
    run(program("promtool"), "check", "config", tmp_path / "prometheus.yml")
