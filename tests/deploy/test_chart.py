"""The Helm chart: rendered by Helm for the ways in which it is installed, and what comes out."""

from __future__ import annotations

import base64
import gzip
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kubernetes_validate
import pytest
import yaml

from monitor.commands.files import CONSOLE, GRAFANA, RUNBOOK
from monitor.deploy import objects
from monitor.deploy.build import SOURCE
from monitor.inject import container
from monitor.inject.container import Options
from monitor.inject.decision import OWN
from monitor.privacy import keys
from monitor.settings import load
from tests.deploy.chart_cases import (
    CASES,
    DIRECTORY,
    KEY,
    SUBCHART,
    documents,
    needs_helm,
    of,
    parent,
    rendered,
)

Object = dict[str, Any]
CUSTOM = {
    "PodMonitor", "ServiceMonitor", "PrometheusRule", "ScaledObject", "Certificate", "Issuer"
}  # fmt: skip
"""Kinds of operators, whose schemas are not here."""
EVERY = [*CASES, "subchart"]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What `helm template` prints, by the case."""
    directory = tmp_path_factory.mktemp("helm")
    found = {name: rendered(directory, values) for name, values in CASES.items()}
    platform = parent(directory)
    found["subchart"] = rendered(directory, SUBCHART, chart=platform, name="platform")
    return found


@pytest.fixture(scope="module")
def cases(texts: dict[str, str]) -> dict[str, list[Object]]:
    """The objects of each case."""
    return {name: documents(text) for name, text in texts.items()}


def pods(objects_: list[Object]) -> Iterator[tuple[Object, Object]]:
    """Yield each object that makes Pods, with the spec of these."""
    for one in objects_:
        if one["kind"] == "Pod":
            yield one, one["spec"]
        elif "template" in one.get("spec", {}):
            yield one, one["spec"]["template"]["spec"]


@cache
def valid(text: str, version: str) -> bool:
    """Whether Kubernetes takes an object, in JSON, and knows all its fields. Raises if not."""
    kubernetes_validate.validate(json.loads(text), version, strict=True)
    return True


@needs_helm
@pytest.mark.parametrize("case", EVERY)
def test_every_object_is_valid(case: str, cases: dict[str, list[Object]]) -> None:
    """To Kubernetes, which takes no unknown field; with everything on to the oldest version, too."""
    for one in cases[case]:
        if one["kind"] not in CUSTOM:
            assert valid(json.dumps(one), "1.36")
            assert case != "everything" or valid(json.dumps(one), "1.29")


@needs_helm
@pytest.mark.parametrize("case", EVERY)
def test_every_pod_meets_the_restricted_standard(case: str, cases: dict[str, list[Object]]) -> None:
    """And names what it mounts; only injectors ask the API server."""
    for owner, pod in pods(cases[case]):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        injector = "serviceAccountName" in pod
        assert injector == (owner["metadata"]["name"] == "monitor-injector")
        assert injector or pod["automountServiceAccountToken"] is False
        (one,) = pod["containers"]
        assert one["securityContext"]["allowPrivilegeEscalation"] is False
        assert one["securityContext"]["readOnlyRootFilesystem"] is True
        assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= one["resources"]["requests"].keys()
        assert "memory" in one["resources"]["limits"]
        mounted = {mount["name"] for mount in one.get("volumeMounts", [])}
        assert mounted == {volume["name"] for volume in pod.get("volumes", [])}
        assert owner["kind"] == "Pod" or "readinessProbe" in one


@needs_helm
def test_it_renders_twice_to_the_byte(texts: dict[str, str], tmp_path: Path) -> None:
    """GitOps compares: nothing is drawn where the cluster cannot be seen."""
    for name in ("default", "everything"):
        assert rendered(tmp_path, CASES[name]) == texts[name]


@needs_helm
@pytest.mark.parametrize("case", EVERY)
def test_names_are_short_and_none_is_there_twice(case: str, cases: dict[str, list[Object]]) -> None:
    """63 characters are the most of a label, 52 of a StatefulSet's name."""
    found = [
        (one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"])
        for one in cases[case]
    ]
    assert len(found) == len(set(found))
    for kind, _, name in found:
        assert len(name) <= (52 if kind == "StatefulSet" else 63)


@needs_helm
def test_a_long_name_is_cut(tmp_path: Path) -> None:
    """Labels and names stay those that Kubernetes takes."""
    values = {"dashboards": {"enabled": True}, "valkey": {"maxMemory": "2gb"}}
    name = "a-release-whose-name-has-fifty-three-characters-in-it"
    assert len(name) == 53
    found = documents(rendered(tmp_path, values, name=name))
    for one in found:
        assert len(one["metadata"]["name"]) <= (52 if one["kind"] == "StatefulSet" else 63)
        assert all(len(label) <= 63 for label in one["metadata"]["labels"].values())


@needs_helm
def test_a_name_of_digits_stays_a_text(tmp_path: Path) -> None:
    """YAML would take it for a number."""
    text = rendered(tmp_path, {"namespaces": ["1e3"]}, "--namespace", "007", name="123")
    for one in documents(text):
        metadata = one["metadata"]
        texts = [metadata.get("namespace", ""), *metadata["labels"].values()]
        texts += [subject["namespace"] for subject in one.get("subjects", [])]
        assert all(isinstance(one, str) for one in texts)


@needs_helm
def test_containers_are_those_of_the_one_description(cases: dict[str, list[Object]]) -> None:
    """With the release's names: no container is described a second time."""
    cases = deepcopy(cases)
    chosen = Options(config="monitor", secret="monitor")
    found = of(cases["default"], "StatefulSet", "monitor-analyzer")["spec"]["template"]["spec"]
    for one in found["containers"]:
        assert one.pop("imagePullPolicy") == "IfNotPresent"
    assert found == objects.analyzer_pod(chosen)
    (injector,) = of(cases["openshift"], "Deployment", "monitor-injector")["spec"]["template"][
        "spec"
    ]["containers"]
    environment = {one.pop("name"): one for one in injector.pop("env")}
    assert environment.pop("MONITOR_INJECTOR_KUBERNETES_MINOR")
    assert injector.pop("imagePullPolicy")
    (deployment,) = (one for one in objects.injector(chosen) if one["kind"] == "Deployment")
    (described,) = deployment["spec"]["template"]["spec"]["containers"]
    assert environment == {one.pop("name"): one for one in described.pop("env")}
    assert injector == described


@needs_helm
@pytest.mark.parametrize("case", EVERY)
def test_variables_and_settings_are_those_of_monitor(
    case: str, cases: dict[str, list[Object]], tmp_path: Path
) -> None:
    """A misspelt variable would be ignored, and a misspelt key keep the analyzer from starting."""
    for _, pod in pods(cases[case]):
        names = {one["name"]: "" for one in pod["containers"][0].get("env", [])}
        assert load.unknown_variables(names) == []
        # The chart's own store is a new one at each start; another one is not.
        is_its_own = case == "everything" and "MONITOR_ARCHIVE_URL" in names
        assert ("MONITOR_ARCHIVE_FOLLOWS" in names) == is_its_own
    for number, one in enumerate(cases[case]):
        if text := one.get("data", {}).get(container.CONFIG_FILE):
            file = tmp_path / f"{number}.yaml"
            file.write_text(text)
            settings = load.load(str(file), {})
            if case == "everything":
                assert (settings.endpoint, settings.stream.shards) == ("bot", 3)
    if case == "everything":
        (container_,) = of(cases[case], "StatefulSet", "monitor-analyzer")["spec"]["template"][
            "spec"
        ]["containers"]
        environment = {one["name"]: one.get("value", "") for one in container_["env"]}
        archive = load.load(None, environment).archive
        assert (archive.url, archive.follows) == ("s3://bucket/records", "any")
        assert environment["MONITOR_ACCESS_TOKENS"] == "/etc/monitor-access/tokens"
        assert container_["envFrom"] == [{"secretRef": {"name": "s3"}}]


@needs_helm
@pytest.mark.parametrize("case", EVERY)
def test_what_is_selected_is_there(case: str, cases: dict[str, list[Object]]) -> None:
    """Each Service, budget and policy selects the Pods of one workload, whose labels the injector
    knows; what is named is rendered, or given by the user."""
    made = [one["spec"]["template"] for one in cases[case] if "template" in one.get("spec", {})]
    for one in cases[case]:
        spec = one.get("spec", {})
        selector = {
            "Service": lambda spec: spec["selector"],
            "PodDisruptionBudget": lambda spec: spec["selector"]["matchLabels"],
            "NetworkPolicy": lambda spec: spec["podSelector"]["matchLabels"],
            "StatefulSet": lambda spec: spec["selector"]["matchLabels"],
            "Deployment": lambda spec: spec["selector"]["matchLabels"],
        }.get(one["kind"])
        if selector is None:
            continue
        matched = [
            pod for pod in made if selector(spec).items() <= pod["metadata"]["labels"].items()
        ]
        assert len(matched) == 1, one["metadata"]["name"]
        ports = {port["name"] for port in matched[0]["spec"]["containers"][0]["ports"]}
        if one["kind"] == "Service":
            assert {port["targetPort"] for port in spec["ports"]} <= ports
    for owner, pod in pods(cases[case]):
        if (
            owner["kind"] in ("StatefulSet", "Deployment")
            and "valkey" not in owner["metadata"]["name"]
        ):
            assert owner["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] in OWN
            for volume in pod["volumes"]:
                if name := volume.get("configMap", {}).get("name"):
                    assert of(cases[case], "ConfigMap", name, "monitor-system")


@needs_helm
def test_no_pod_is_scraped_twice(cases: dict[str, list[Object]]) -> None:
    """With a ServiceMonitor the PodMonitor leaves the analyzer out; sidecars are found by their
    container, in the namespaces of the release alone."""
    kinds = [
        (one["kind"], one["metadata"]["name"])
        for one in cases["everything"]
        if one["kind"] in ("PodMonitor", "ServiceMonitor")
    ]
    assert sorted(kinds) == [("PodMonitor", "monitor-sidecars"), ("ServiceMonitor", "monitor")]
    sidecars = of(cases["everything"], "PodMonitor", "monitor-sidecars")["spec"]
    assert sidecars["namespaceSelector"]["matchNames"] == [
        "monitor-system", "models", "more-models"
    ]  # fmt: skip
    (endpoint,) = sidecars["podMetricsEndpoints"]
    (keep,) = endpoint["relabelings"]
    kept = re.compile(keep["regex"])
    assert kept.fullmatch(container.NAME)
    assert not kept.fullmatch("analyzer")
    assert not kept.fullmatch("injector")
    own = of(cases["openshift"], "PodMonitor", "monitor")["spec"]["selector"]["matchLabels"]
    for owner, pod in pods(cases["openshift"]):
        if owner["kind"] != "Pod" and "valkey" not in owner["metadata"]["name"]:
            assert own.items() <= owner["spec"]["template"]["metadata"]["labels"].items()
            assert endpoint["port"] in {one["name"] for one in pod["containers"][0]["ports"]}
    annotated = of(cases["gitops"], "StatefulSet", "monitor-analyzer")["spec"]["template"]
    assert annotated["metadata"]["annotations"]["prometheus.io/port"] == "9464"
    assert not any(one["kind"].endswith("Monitor") for one in cases["gitops"])


@needs_helm
def test_rules_and_dashboards_are_the_committed_ones(
    cases: dict[str, list[Object]], program: Callable[[str], str], tmp_path: Path
) -> None:
    """With links to where the values say; promtool takes the rules."""
    found = [one for one in cases["everything"] if one["kind"] == "PrometheusRule"]
    sources = {path.name: path for path in (SOURCE / "alerts").glob("*.rules.yml")}
    assert {f"{one['metadata']['name'].removeprefix('monitor-')}.rules.yml" for one in found} == {
        *sources
    }
    files = []
    for one in found:
        assert one["metadata"]["labels"]["release"] == "kube-prometheus-stack"
        path = tmp_path / f"{one['metadata']['name']}.yml"
        path.write_text(yaml.safe_dump(one["spec"]), encoding="utf-8")
        files.append(path)
        source = sources[f"{one['metadata']['name'].removeprefix('monitor-')}.rules.yml"]
        assert one["spec"] == yaml.load(
            _linked(source.read_text(encoding="utf-8")), yaml.CSafeLoader
        )
    for path in (SOURCE / "dashboards").glob("*.json"):
        one = of(cases["everything"], "ConfigMap", f"monitor-{path.stem}")
        assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
        (board,) = one["data"].values()
        assert json.loads(board) == json.loads(_linked(path.read_text(encoding="utf-8")))
    done = subprocess.run(
        [program("promtool"), "check", "rules", *map(str, files)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def _linked(text: str) -> str:
    links = CASES["everything"]["links"]
    text = text.replace(RUNBOOK, links["runbook"]).replace(CONSOLE, links["console"])
    return text.replace(GRAFANA, links["grafana"].rstrip("/"))


@needs_helm
def test_a_release_fits_into_its_secret(texts: dict[str, str]) -> None:
    """Helm keeps the chart and what was rendered in a Secret, which holds 1 MiB: packed, in base64,
    its files in base64 before."""
    files = [
        base64.b64encode(path.read_bytes()).decode()
        for path in DIRECTORY.rglob("*")
        if path.is_file()
    ]
    whole = json.dumps({"chart": files, "manifest": texts["everything"]}).encode()
    assert len(base64.b64encode(gzip.compress(whole))) < 2**19


@needs_helm
def test_the_store_is_where_the_secret_says(cases: dict[str, list[Object]]) -> None:
    """The chart's Valkey by its Service's name, from any namespace; a store outside with its
    password and the authority of its certificate."""
    external = of(cases["external"], "Secret", "monitor")["data"]
    url = base64.b64decode(external["redis"]).decode()
    options = parse_qs(urlsplit(url).query)
    assert options["ssl_ca_data"] == [CASES["external"]["store"]["ca"]]
    assert options["ssl_check_hostname"] == ["false"]
    assert not any("valkey" in one["metadata"]["name"] for one in cases["external"])
    policy = of(cases["external"], "NetworkPolicy", "monitor-analyzer")["spec"]["egress"]
    assert {"ports": [{"port": 6380, "protocol": "TCP"}]} in policy
    assert {"ports": objects.DNS} in policy
    for namespace in ("monitor-system", "models", "more-models"):
        one = of(cases["everything"], "Secret", "monitor", namespace)["data"]
        host = base64.b64decode(one["redis"]).decode()
        assert host == "redis://monitor-valkey.monitor-system.svc:6379/0"
        text = base64.b64decode(one["privacy.key"]).decode()
        assert keys.parse(text, "key").current.id == KEY.split()[0]
        assert of(cases["everything"], "ConfigMap", "monitor", namespace)


@needs_helm
def test_the_chart_s_store_has_a_quarter_more_than_its_data(cases: dict[str, list[Object]]) -> None:
    """Else whoever gives it more data has it killed."""
    for case, limit in (("default", "1280Mi"), ("everything", "5120Mi")):
        (container,) = of(cases[case], "Deployment", "monitor-valkey")["spec"]["template"]["spec"][
            "containers"
        ]
        assert container["resources"]["limits"]["memory"] == limit


@needs_helm
def test_openshift_chooses_the_users(cases: dict[str, list[Object]]) -> None:
    """No object names one."""
    assert "runAsUser" in json.dumps(cases["default"])
    words = set(re.findall(r"[A-Za-z]+", json.dumps(cases["openshift"])))
    assert not {"runAsUser", "runAsGroup", "fsGroup"} & words


@needs_helm
def test_certificates_come_from_where_the_values_say(cases: dict[str, list[Object]]) -> None:
    """Helm makes none: another one at each rendering would be trusted by nobody."""
    kind, name = "MutatingWebhookConfiguration", "monitor-injector"

    def settings(case: str) -> tuple[Object, set[str], Object]:
        pod = of(cases[case], "Deployment", name)["spec"]["template"]["spec"]
        environment = {one["name"]: one["value"] for one in pod["containers"][0]["env"]}
        volumes = {one["secret"]["secretName"] for one in pod["volumes"] if "secret" in one}
        return environment, volumes, of(cases[case], kind, name)

    environment, volumes, hook = settings("default")
    assert environment["MONITOR_INJECTOR_ROTATES"] == "true"
    assert "MONITOR_TLS_CERT" not in environment
    assert not volumes
    assert "caBundle" not in hook["webhooks"][0]["clientConfig"]
    environment, volumes, hook = settings("openshift")
    assert environment["MONITOR_TLS_CERT"] == f"{container.TLS}/tls.crt"
    assert volumes == {"monitor-injector-tls"}
    assert hook["metadata"]["annotations"] == {
        "cert-manager.io/inject-ca-from": "monitor-system/monitor-injector"
    }
    assert of(cases["openshift"], "Certificate", name)["metadata"]["namespace"] == "monitor-system"
    environment, volumes, hook = settings("gitops")
    assert volumes == {"hook-tls"}
    assert hook["webhooks"][0]["clientConfig"]["caBundle"] == "LS0tLQ=="
    assert not any(one["kind"] == "Role" for one in cases["gitops"])


@needs_helm
def test_the_policy_needs_no_webhook(cases: dict[str, list[Object]]) -> None:
    """It carries the release's image, and nothing of it stays a placeholder."""
    kinds = {one["kind"] for one in cases["policy"]}
    assert {"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"} <= kinds
    assert not {"MutatingWebhookConfiguration", "ClusterRole"} & kinds
    assert f"'{container.IMAGE}'" in json.dumps(
        of(cases["policy"], "MutatingAdmissionPolicy", "monitor-injector")
    )


@needs_helm
def test_no_placeholder_is_left(texts: dict[str, str]) -> None:
    """Neither of names nor of links."""
    for text in texts.values():
        assert not re.search(r"%[A-Z]+%", text)


@needs_helm
def test_as_a_subchart_it_is_there_twice(cases: dict[str, list[Object]]) -> None:
    """Under the names that the other chart gives it, with its registry and passwords."""
    found = {
        one["metadata"]["name"]: one["spec"]["template"]
        for one in cases["subchart"]
        if one["kind"] == "StatefulSet"
    }
    assert found.keys() == {"platform-support-analyzer", "platform-ranking-analyzer"}
    for pod in found.values():
        assert pod["spec"]["containers"][0]["image"].startswith("registry.example.org/monitor:")
        assert pod["spec"]["imagePullSecrets"] == [{"name": "pull"}]
    assert len({json.dumps(pod["metadata"]["labels"]) for pod in found.values()}) == 2


@needs_helm
def test_analyzers_beyond_the_first_stand_by(cases: dict[str, list[Object]]) -> None:
    """They start at once, one may be taken away at a time; KEDA counts them by each shard's lag."""
    found = of(cases["everything"], "StatefulSet", "monitor-analyzer")["spec"]
    assert "replicas" not in found, "KEDA's number would be written over"
    assert found["podManagementPolicy"] == "Parallel"
    assert of(cases["everything"], "PodDisruptionBudget", "monitor-analyzer")
    scaled = of(cases["everything"], "ScaledObject", "monitor-analyzer")["spec"]
    assert scaled["maxReplicaCount"] == 2
    streams = [one["metadata"]["stream"] for one in scaled["triggers"]]
    assert streams == [f"monitor:{{bot:{shard}}}:records" for shard in range(3)]
    assert of(cases["default"], "StatefulSet", "monitor-analyzer")["spec"]["replicas"] == 1
