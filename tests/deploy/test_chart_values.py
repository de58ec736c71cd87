"""The Helm chart's values: what is refused, what is documented, and what an upgrade keeps."""

from __future__ import annotations

import base64
import json
import re
import shlex
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from monitor.deploy import chart
from monitor.deploy.build import SOURCE
from monitor.inject.decision import Defaults, decide
from monitor.inject.json_patch import applied
from monitor.privacy import keys
from monitor.settings import layers, load
from tests.deploy.chart_cases import (
    DIRECTORY,
    documents,
    helm,
    needs_helm,
    of,
    rendered,
)

Object = dict[str, Any]
VALUES = (DIRECTORY / "values.yaml").read_text(encoding="utf-8")


@needs_helm
def test_helm_s_own_lint_has_nothing_to_say(tmp_path: Path) -> None:
    """But that a chart may have an icon."""
    done = helm(tmp_path, "lint", "--strict", str(DIRECTORY))
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("[")]
    assert said == ["[INFO] Chart.yaml: icon is recommended"]


@needs_helm
def test_three_commands_bring_the_first_series(tmp_path: Path) -> None:
    """Those of the documentation: what they name fits together, and Prometheus asks the sidecars."""
    text = (SOURCE / "deploy" / "README.md").read_text(encoding="utf-8")
    block = text.split("\n## Helm\n")[1].split("```")[1].strip()
    install, label, patch = (shlex.split(line) for line in block.replace("\\\n", " ").splitlines())
    assert install[:2] == ["helm", "install"]
    where = install.index("deploy/helm/monitor")
    done = helm(tmp_path, "template", install[2], str(DIRECTORY), *install[where + 1 :])
    assert done.returncode == 0, done.stderr
    found = documents(done.stdout)
    namespace = label[label.index("namespace") + 1]
    assert patch[patch.index("-n") + 1] == namespace
    monitor = of(found, "PodMonitor", "monitor-sidecars")["spec"]
    assert namespace in monitor["namespaceSelector"]["matchNames"]
    template = json.loads(patch[-1])["spec"]["template"]
    hook = of(found, "MutatingWebhookConfiguration", "monitor-injector")["webhooks"][0]
    key, value = label[-1].split("=")
    asked = hook["namespaceSelector"]["matchExpressions"][0]
    assert (key, [value]) == (asked["key"], asked["values"])
    injector = of(found, "Deployment", "monitor-injector")["spec"]["template"]["spec"]
    environment = {one["name"]: one["value"] for one in injector["containers"][0]["env"]}
    settings = load.load(None, environment).injector
    assert of(found, "ConfigMap", settings.config, namespace)
    pod = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bot", **template["metadata"]},
        "spec": {"containers": [{"name": "bot", "ports": [{"name": "http", "containerPort": 8000}]}]},
    }  # fmt: skip
    defaults = Defaults(image=settings.image, secret=settings.secret, config=settings.config)
    decision = decide(pod, namespace, defaults)
    assert decision.result == "injected"
    assert (decision.secret, decision.config) == ("monitor", "monitor")
    (sidecar,) = applied(pod, decision.patch)["spec"]["initContainers"]
    ports = {one["name"] for one in sidecar["ports"]}
    assert monitor["podMetricsEndpoints"][0]["port"] in ports
    board = of(found, "ConfigMap", "monitor-overview")
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert "monitor_exchanges_total" in board["data"]["monitor-overview.json"]


@needs_helm
def test_the_injector_is_told_the_version_of_the_cluster(tmp_path: Path) -> None:
    """As Helm sees it; a policy is refused where no API server has it."""

    def told(values: dict[str, Any]) -> str:
        found = documents(rendered(tmp_path, values, "--kube-version", "v1.31.4-eks-a1b2c3"))
        pod = of(found, "Deployment", "monitor-injector")["spec"]["template"]["spec"]
        environment = {one["name"]: one["value"] for one in pod["containers"][0]["env"]}
        return environment["MONITOR_INJECTOR_KUBERNETES_MINOR"]

    assert told({}) == "31"
    assert told({"injector": {"kubernetesMinor": 33}}) == "33"
    chosen = ("--set", "injector.mode=policy", "--kube-version", "v1.35.2")
    done = helm(tmp_path, "template", "monitor", str(DIRECTORY), *chosen)
    assert "injector.mode: a policy needs Kubernetes 1.36, and this is v1.35.2" in done.stderr


@needs_helm
def test_the_notes_say_what_is_still_to_do(tmp_path: Path) -> None:
    """And what Helm could not know."""

    def notes(*values: str) -> str:
        chosen = [word for value in values for word in ("--set", value)]
        done = helm(tmp_path, "install", "monitor", str(DIRECTORY), "--dry-run=client", *chosen)
        assert done.returncode == 0, done.stderr
        return done.stdout.partition("NOTES:")[2]

    bare = notes()
    for said in (
        "set `namespaces`", "Nobody scrapes yet", "The store is for trials",
        "the Secret monitor is left out",
    ):  # fmt: skip
        assert said in bare
    whole = notes(
        "namespaces={models}", "podMonitor.enabled=true", "secret.existing=monitor",
        "valkey.enabled=false",
    )  # fmt: skip
    assert "kubectl label namespace models monitor.dev/inject=enabled" in whole
    for said in ("set `namespaces`", "Nobody scrapes", "for trials", "left out"):
        assert said not in whole


WRONG = {
    "replica: 2": "additional properties 'replica' not allowed",
    "analyzer: {replicas: two}": "at '/analyzer/replicas': got string, want integer",
    "settings: {drift: {alfa: 1}}": "at '/settings/drift': additional properties 'alfa' not allowed",
    "settings: {preset: nosuch}": "at '/settings/preset': value must be one of '', 'ecommerce'",
    "endpoint: a b": "at '/endpoint': 'a b' does not match",
    "injector: {mode: magic}": "at '/injector/mode': value must be one of 'webhook', 'policy'",
    "namespaces: [A]": "at '/namespaces/0': 'A' does not match",
    "image: {registry: 'https://a'}": "at '/image/registry': 'https://a' does not match",
    "image: {repository: 'monitor:1'}": "at '/image/repository': 'monitor:1' does not match",
    "image: {pullSecrets: [A_B]}": "at '/image/pullSecrets/0': 'A_B' does not match",
    "valkey: {image: a b}": "at '/valkey/image': 'a b' does not match",
    "injector: {names: [A_B]}": "at '/injector/names/0': 'A_B' does not match",
    "links: {runbook: 'wiki/page'}": "at '/links/runbook': 'wiki/page' does not match",
}
UNFITTING = {
    "settings: {endpoint: x}": "settings.endpoint: set `endpoint` instead",
    "settings: {redis: 'redis://:hunter2@x'}": "settings.redis: set `store.url` instead",
    "settings: {upstream: 'http://a'}": "settings.upstream: the injector sets it",
    "settings: {listen: '127.0.0.1:1'}": "settings.listen: the injector sets it",
    "settings: {admin: '127.0.0.1:1'}": "settings.admin: the chart sets it",
    "settings: {data: /tmp}": "settings.data: the chart sets it",
    "settings: {privacy: {key_file: /k}}": "settings.privacy.key_file: the chart sets it",
    "settings: {otlp: {endpoint: 'https://a:hunter2@b'}}": "settings: a URL has a password in it",
    "{scrapeAnnotations: true, podMonitor: {enabled: true}}": "scrapeAnnotations: our Pods would",
    "valkey: {enabled: false}": "no store: set store.url",
    "secret: {existing: a, key: k1 " + "0" * 64 + "}": "secret.existing: this Secret holds",
    "store: {ca: ''}\nvalkey: {maxMemory: 1gb}\nsecret: {key: hunter2}": "secret.key: is not",
    "store: {url: 'https://a:hunter2@b'}": "store.url: is not redis://",
    "archive: {url: 's3:hunter2'}": "archive.url: is not a URL",
    "store: {ca: hunter2}": "store.ca: is not a certificate",
    "{injector: {mode: policy}, fullnameOverride: other}": "injector.mode: the policy names",
    "injector: {certificates: {mode: existing}}": "injector.certificates.secret: with the mode",
    "injector: {certificates: {caBundle: LS0=}}": "injector.certificates: secret and caBundle",
    "injector: {replicas: 9, autoscaling: {enabled: true}}": "maxReplicas: is below",
    "settings: {access: {tls: {cert: /c, key: /k}}}": "settings.access.tls: the chart's probes",
    "analyzer: {pod: {volumes: []}}": "analyzer.pod.volumes: would take the place",
    "{store: {url: 'redis://a'}, analyzer: {keda: {enabled: true}}}": "analyzer.keda.address: name",
}


@needs_helm
@pytest.mark.parametrize("wrong", [*WRONG, *UNFITTING])
def test_wrong_values_are_refused_with_a_sentence(wrong: str, tmp_path: Path) -> None:
    """It names the value, and shows no secret."""
    file = tmp_path / "values.yaml"
    file.write_text(wrong)
    done = helm(tmp_path, "template", "monitor", str(DIRECTORY), "--values", str(file))
    assert done.returncode == 1
    assert {**WRONG, **UNFITTING}[wrong] in done.stderr
    assert "hunter2" not in done.stderr


def test_the_schema_is_closed_and_explains_each_value() -> None:
    """All maps but those that hold what is not ours; every value has its type and words."""
    found = json.loads((DIRECTORY / "values.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(found)
    jsonschema.validate(yaml.safe_load(VALUES), found)

    def each(place: Object) -> Iterator[Object]:
        for one in place["properties"].values():
            yield from each(one) if "properties" in one else [one]
        assert place["additionalProperties"] is False

    values = list(each(found))
    assert len(values) == len(list(chart.read(VALUES)))
    for one in values:
        assert one["type"] != "object" or "$ref" in one or one["additionalProperties"]
    described = [value.path[-1] for value in chart.read(VALUES) if not (value.said or value.schema)]
    assert set(described) <= {"repository", "image", "tls"}, "their names say it all"


def test_the_schema_knows_the_presets() -> None:
    """Their names, and none; a name that `monitor` would refuse is refused before the Pods start."""
    found = json.loads((DIRECTORY / "values.schema.json").read_text(encoding="utf-8"))
    preset = found["$defs"]["Settings"]["properties"]["preset"]
    assert preset["enum"] == ["", *layers.presets()]


def test_templates_use_each_value_and_no_other() -> None:
    """A value that nothing reads would be set in vain."""
    text = "".join(
        path.read_text(encoding="utf-8") for path in (DIRECTORY / "templates").rglob("*.*")
    )
    used = {tuple(one.split(".")) for one in re.findall(r"\.Values\.([A-Za-z.]*[A-Za-z])", text)}
    known = {value.path for value in chart.read(VALUES)} - {("enabled",)}

    def on_the_way(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
        shorter = min(len(one), len(other))
        return one[:shorter] == other[:shorter]

    for path in known:
        assert any(on_the_way(path, one) for one in used), path
    for one in used:
        assert any(on_the_way(path, one) for path in known), one


class _Cluster(BaseHTTPRequestHandler):
    """As much of an API server as Helm asks while it renders."""

    objects: dict[str, Object] = {}

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        found = {
            "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.0"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
            "/api/v1": {
                "kind": "APIResourceList",
                "groupVersion": "v1",
                "resources": [
                    {"name": f"{kind.lower()}s", "singularName": "", "namespaced": kind != "Namespace",
                     "kind": kind, "verbs": ["get"]}
                    for kind in ("Secret", "ConfigMap", "Namespace")
                ],
            },
            **self.objects,
        }.get(path)  # fmt: skip
        missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound",
                   "code": 404}  # fmt: skip
        body = json.dumps(found or missing).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def cluster() -> Iterator[tuple[str, dict[str, Object]]]:
    """Its address, and the objects that are there, by their path."""
    there: dict[str, Object] = {}
    handler = type("Handler", (_Cluster,), {"objects": there})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", there
        server.shutdown()
        thread.join()


@needs_helm
def test_an_upgrade_keeps_the_key_that_the_install_made(
    cluster: tuple[str, dict[str, Object]], tmp_path: Path
) -> None:
    """Also in a namespace that came later; where the namespace is about to be made there is a key,
    too. Each install draws another one."""
    server, there = cluster
    values = {
        "analyzer": {"enabled": False}, "injector": {"enabled": False},
        "valkey": {"enabled": False}, "store": {"url": "redis://store:6379/0"},
    }  # fmt: skip

    def secrets(*namespaces: str) -> list[Object]:
        text = rendered(
            tmp_path, {**values, "namespaces": list(namespaces)}, "--dry-run=server", "--disable-openapi-validation",
            "--kube-apiserver", server,
        )  # fmt: skip
        return [one for one in documents(text) if one["kind"] == "Secret"]

    there["/api/v1/namespaces/default"] = _object("Namespace", "default")
    first, second = (secrets("models")[0]["data"] for _ in range(2))
    assert first != second
    text = base64.b64decode(first["privacy.key"]).decode()
    assert len(keys.parse(text, "key").current.root) == 32
    del there["/api/v1/namespaces/default"]
    place = "/api/v1/namespaces/monitor-system"
    there[f"{place}/configmaps/kube-root-ca.crt"] = _object("ConfigMap", "kube-root-ca.crt")
    there[f"{place}/secrets/monitor"] = {**_object("Secret", "monitor"), "data": first}
    kept = secrets("models", "later")
    assert [one["metadata"]["namespace"] for one in kept] == ["monitor-system", "models", "later"]
    assert {one["data"]["privacy.key"] for one in kept} == {first["privacy.key"]}
    there.clear()
    assert secrets() == [], "of a cluster that cannot be seen nobody knows what it holds"


def _object(kind: str, name: str) -> Object:
    """As Helm knows its own again."""
    metadata = {
        "name": name,
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {
            "meta.helm.sh/release-name": "monitor",
            "meta.helm.sh/release-namespace": "monitor-system",
        },
    }
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}
