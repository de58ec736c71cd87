"""The objects around our containers: valid, restricted, and fitting together."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest

from monitor.deploy import objects
from monitor.deploy.objects import INJECTOR, LABEL, SYSTEM
from monitor.inject import container
from monitor.settings import load

OURS = [
    objects.config_map(), objects.secret(), objects.analyzer(), *objects.model(), *objects.plain_model(),
    *objects.valkey(), objects.network_policy(), *objects.injector(), objects.webhook(),
    *objects.rotation(),
    objects.namespace(),
]  # fmt: skip
PODS = [one for one in OURS if one["kind"] == "Deployment"]


def name(one: dict[str, Any]) -> str:
    return f"{one['kind']}-{one['metadata']['name']}"


@pytest.mark.parametrize("one", OURS, ids=name)
def test_an_object_is_valid(one: dict[str, Any]) -> None:
    """Unknown fields are errors; custom resources have no schema here."""
    kubernetes_validate.validate(one, "1.36", strict=True)


@pytest.mark.parametrize("one", PODS, ids=name)
def test_a_pod_meets_the_restricted_standard(one: dict[str, Any]) -> None:
    """Non-root, no privileges, no capabilities, read-only, nothing unbounded."""
    pod = one["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert (pod.get("automountServiceAccountToken") is False) != (
        one["metadata"]["name"] == INJECTOR
    )
    volumes = {volume["name"] for volume in pod["volumes"]}
    for each in [*pod.get("initContainers", []), *pod["containers"]]:
        context = each["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= each["resources"]["requests"].keys()
        assert "memory" in each["resources"]["limits"]
        assert {mount["name"] for mount in each["volumeMounts"]} <= volumes


def test_a_service_reaches_a_port_of_its_pods() -> None:
    """By the labels and the name that it has."""
    pods = [one["spec"]["template"] for one in PODS]
    for service in (one for one in OURS if one["kind"] == "Service"):
        selector = service["spec"]["selector"]
        found = [pod for pod in pods if selector.items() <= pod["metadata"]["labels"].items()]
        assert found
        for pod in found:
            spec = pod["spec"]
            each = [*spec["containers"], *spec.get("initContainers", [])]  # as Kubernetes looks
            names = [port["name"] for one in each for port in one["ports"]]
            assert {port["targetPort"] for port in service["spec"]["ports"]} <= set(names)


def test_the_injector_starts_with_what_it_is_given() -> None:
    """Every variable is a setting, and the certificate is where it looks."""
    (deployment,) = (one for one in objects.injector() if one["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (found,) = pod["containers"]
    environment = {one["name"]: one["value"] for one in found["env"]}
    assert load.unknown_variables(environment) == []
    settings = load.load(None, environment)
    assert settings.injector.image == container.IMAGE
    assert settings.injector.secret == container.NAME
    assert settings.listen == f"[::]:{container.WEBHOOK}"
    mounts = {mount["mountPath"] for mount in found["volumeMounts"]}
    assert {settings.tls.cert, settings.tls.key} == {
        f"{container.TLS}/tls.crt", f"{container.TLS}/tls.key"
    }  # fmt: skip
    assert {container.TLS, settings.data} <= mounts


def test_the_webhook_can_keep_no_pod_from_starting() -> None:
    """It is asked about Pods of namespaces that asked, two seconds long, and ignored when it fails."""
    (hook,) = objects.webhook()["webhooks"]
    assert (hook["failurePolicy"], hook["timeoutSeconds"], hook["sideEffects"]) == (
        "Ignore",
        2,
        "None",
    )
    asked, outside = hook["namespaceSelector"]["matchExpressions"]
    assert asked == {"key": LABEL, "operator": "In", "values": ["enabled"]}
    assert {"kube-system", SYSTEM} <= set(outside["values"])
    assert hook["clientConfig"] == {
        "service": {"name": INJECTOR, "namespace": SYSTEM, "path": "/mutate", "port": 443}
    }, "no certificate stands in a manifest"
    (rule,) = hook["rules"]
    assert (rule["operations"], rule["resources"]) == (["CREATE"], ["pods"])


def test_the_injector_may_read_two_objects_and_change_none() -> None:
    """By their name, in whichever namespace."""
    rules = [rule for one in objects.injector() if "rules" in one for rule in one["rules"]]
    assert rules == [
        {"apiGroups": [""], "resources": ["secrets", "configmaps"], "resourceNames": ["monitor"],
         "verbs": ["get"]}
    ]  # fmt: skip


def test_certificates_are_for_the_name_that_api_servers_call() -> None:
    """Below an authority that outlives them."""
    found = {
        one["metadata"]["name"]: one["spec"]
        for one in objects.certificates()
        if one["kind"] == "Certificate"
    }
    assert f"{INJECTOR}.{SYSTEM}.svc" in found[INJECTOR]["dnsNames"]
    assert found[INJECTOR]["secretName"] == f"{INJECTOR}-tls"
    assert found[f"{INJECTOR}-ca"]["isCA"] is True
