"""The sidecar → a MutatingAdmissionPolicy (Kubernetes 1.36): no webhook, and no certificate.

CEL looks nothing up and gives no reasons. So the policy injects the Pods that are plain: the first
port of the first container has a name, and nothing else is asked for. It leaves all others as they
are. What it injects is what `decide` makes of the same Pod, but for the status.

An expression is written twice: as Kubernetes compiles it, with its types, and for an evaluator that
knows only maps, by which the tests hold both ways to the same Pods.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

import monitor
from monitor.inject import container
from monitor.inject.capture import KSERVE, QUEUE
from monitor.inject.container import NAME, Options
from monitor.inject.decision import NAMES, OWN, SYSTEM
from monitor.inject.json_patch import escaped
from monitor.inject.wishes import ASKED, PREFIX, STATUS

POLICY = "monitor-injector"
LABELLED = "object.metadata.labels"
FIRST = "object.spec.containers[0]"
PORT = f"{FIRST}.ports[0]"
MAPS = ("requests", "limits")
"""Fields that hold any keys; all other objects have types."""
LONGEST = 9
"""Characters of a port's name to which `-model` can be added."""


class Expression(str):
    """CEL within values that stand for themselves."""

    __slots__ = ()


def conditions() -> dict[str, str]:
    """Return when a Pod is injected, by name: all must be true."""
    every = f"(object.spec.containers + ({_has('object.spec.initContainers')} ? "
    every += "object.spec.initContainers : []))"
    options = Options()
    volumes = json.dumps([one["name"] for one in container.volumes(options)])
    taken = f"{every}.exists(c, has(c.ports) && c.ports.exists(p, p.containerPort == {{}} || "
    taken += "has(p.hostPort) && p.hostPort == {}))"
    security = "object.spec.securityContext"
    others = json.dumps([NAME, QUEUE, "kserve-container", "transformer-container"])
    labelled = f"!has({LABELLED}) || "
    model = f"{PORT}.name + '-model'"
    noted, inject = "object.metadata.annotations", f"{PREFIX}inject"
    form = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
    return {
        "asked": f"has({noted}) && '{inject}' in {noted} && "
        f"{noted}['{inject}'] in {json.dumps(ASKED)}",
        "nothing-else": f"{noted}.all(k, "
        f"!k.startsWith('{PREFIX}') || k in {json.dumps([inject, STATUS])}) && "
        f"!('kubernetes.io/config.mirror' in {noted})",
        "namespace": f"!(request.namespace in {json.dumps(SYSTEM)})",
        "not-ours": f"{labelled}!('app.kubernetes.io/name' in {LABELLED}) || "
        f"!({LABELLED}['app.kubernetes.io/name'] in {json.dumps(OWN)})",
        "no-kserve": f"{labelled}!('{KSERVE}' in {LABELLED})",
        "containers": f"!{every}.exists(c, c.name in {others})",
        "volumes": "!has(object.spec.volumes) || "
        f"!object.spec.volumes.exists(v, v.name in {volumes})",
        "ports": " && ".join(
            f"!{taken.format(number, number)}" for number in (options.listen, options.admin)
        ),
        "named-port": f"has({FIRST}.ports) && size({FIRST}.ports) > 0 && has({PORT}.name) && "
        f"size({PORT}.name) <= {LONGEST} && {PORT}.name.matches('{form}') && "
        f"(!has({PORT}.protocol) || {PORT}.protocol == 'TCP') && "
        f"!{FIRST}.ports.exists(p, has(p.name) && p.name == {model})",
        "linux": "!(has(object.spec.hostNetwork) && object.spec.hostNetwork) && "
        "!(has(object.spec.os) && object.spec.os.name == 'windows') && "
        "!(has(object.spec.nodeSelector) && 'kubernetes.io/os' in object.spec.nodeSelector && "
        "object.spec.nodeSelector['kubernetes.io/os'] == 'windows')",
        "resources": "!has(object.spec.resources) && object.spec.containers.exists(c, "
        "!has(c.resources) || !has(c.resources.limits) || "
        "!('cpu' in c.resources.limits) || !('memory' in c.resources.limits))",
        "users": f"!has({security}) || "
        f"(!(has({security}.runAsUser) && {security}.runAsUser == 0) && "
        f"(!has({security}.runAsGroup) || {security}.runAsGroup == 0 || has({security}.fsGroup)))",
    }


def mutation(*, typed: bool) -> str:
    """Return the patch: `typed` as Kubernetes compiles it, else with maps."""
    value = _Writer(typed=typed)
    options = Options(endpoint="of its labels")
    ours = container.sidecar(options)
    ours["ports"] = [
        {**one, "name": Expression(f"{PORT}.name")} if one["name"] == container.TRAFFIC else one
        for one in ours["ports"]
    ]
    of_the_pod = {
        "MONITOR_UPSTREAM": Expression(f"'http://127.0.0.1:' + string({PORT}.containerPort)"),
        "MONITOR_ENDPOINT": Expression(_endpoint()),
    }
    for one in ours["env"]:
        if one["name"] in of_the_pod:
            one["value"] = of_the_pod[one["name"]]
    sidecar = value.of(ours, "spec.initContainers")
    volumes = [value.of(one, "spec.volumes") for one in container.volumes(options)]
    ends = ", ".join(value.patch("add", "/spec/volumes/-", one) for one in volumes)
    renamed = value.patch("replace", "/spec/containers/0/ports/0/name", f"{PORT}.name + '-model'")
    first = value.patch("add", "/spec/initContainers/0", sidecar)
    alone = value.patch("add", "/spec/initContainers", f"[{sidecar}]")
    all_ = value.patch("add", "/spec/volumes", f"[{', '.join(volumes)}]")
    status = f"/metadata/annotations/{escaped(STATUS)}"
    parts = [
        f"[{renamed}]",
        *(_probe(value, place) for place in _PLACES),
        f"({_has('object.spec.initContainers')} ? [{first}] : [{alone}])",
        f"({_has('object.spec.volumes')} ? [{ends}] : [{all_}])",
        f"[{value.patch('add', status, _status())}]",
    ]
    return " +\n".join(parts)


_PLACES = [
    f"{where}.{action}"
    for where in (
        "livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart",
        "lifecycle.preStop",
    )
    for action in ("httpGet", "tcpSocket")
]  # fmt: skip


def _probe(value: _Writer, place: str) -> str:
    """What writes the number where a probe or a hook names the port."""
    steps = place.split(".")
    paths = [f"{FIRST}.{'.'.join(steps[: count + 1])}" for count in range(len(steps))]
    there = " && ".join(f"has({path})" for path in paths)
    path = "/spec/containers/0/" + "/".join(steps) + "/port"
    number = value.patch("replace", path, f"{PORT}.containerPort")
    return f"({there} && {paths[-1]}.port == {PORT}.name ? [{number}] : [])"


def _has(path: str) -> str:
    return f"has({path}) && size({path}) > 0"


def _endpoint() -> str:
    """CEL: the first label that can name an endpoint."""
    found = "'default'"
    for label in reversed(NAMES[1:]):
        named = f"{LABELLED}['{label}']"
        form = "^[A-Za-z0-9._-]{1,100}$"
        found = (
            f"(has({LABELLED}) && '{label}' in {LABELLED} && {named}.matches('{form}') "
            f"? {named} : {found})"
        )
    return found


def _status() -> str:
    said = {"capture": "port-name", "mode": "native", "policy": POLICY, "result": "injected",
            "version": monitor.__version__}  # fmt: skip
    return _quoted(msgspec.json.encode(said).decode())


def _quoted(text: str) -> str:
    return "'" + re.sub(r"(['\\])", r"\\\1", text) + "'"


class _Writer:
    """Values → CEL, with Kubernetes' types or as maps."""

    def __init__(self, *, typed: bool) -> None:
        self._typed = typed

    def patch(self, operation: str, path: str, value: str) -> str:
        """Return an operation of JSON Patch."""
        if self._typed:
            return f'JSONPatch{{op: "{operation}", path: "{path}", value: {value}}}'
        return f'{{"op": "{operation}", "path": "{path}", "value": {value}}}'

    def of(self, value: Any, place: str) -> str:
        """Return a value that stands at a place of the Pod, as `spec.volumes`."""
        match value:
            case Expression():
                return f"({value!s})" if " " in value else str(value)
            case str():
                return _quoted(value)
            case bool():
                return "true" if value else "false"
            case list():
                return f"[{', '.join(self.of(one, place) for one in value)}]"
            case dict():
                return self._object(value, place)
        return str(value)

    def _object(self, value: dict[str, Any], place: str) -> str:
        is_map = not self._typed or place.rpartition(".")[2] in MAPS
        members = ", ".join(
            f"{_quoted(key) if is_map else key}: {self.of(one, f'{place}.{key}')}"
            for key, one in value.items()
        )
        return f"{{{members}}}" if is_map else f"Object.{place}{{{members}}}"


def objects() -> list[dict[str, Any]]:
    """Return the policy and its binding."""
    version = "admissionregistration.k8s.io/v1"
    labels = {"app.kubernetes.io/name": POLICY}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
            "resources": ["pods"], "scope": "Namespaced"}  # fmt: skip
    spec = {
        "failurePolicy": "Ignore",
        "reinvocationPolicy": "IfNeeded",
        "matchConstraints": {"resourceRules": [rule], "matchPolicy": "Equivalent"},
        "matchConditions": [
            {"name": name, "expression": expression} for name, expression in conditions().items()
        ],
        "mutations": [
            {"patchType": "JSONPatch", "jsonPatch": {"expression": mutation(typed=True)}}
        ],
    }
    asked = {"key": f"{PREFIX}inject", "operator": "In", "values": ["enabled"]}
    binding = {
        "policyName": POLICY,
        "matchResources": {"namespaceSelector": {"matchExpressions": [asked]}},
    }
    metadata = {"name": POLICY, "labels": labels}
    kinds = {"MutatingAdmissionPolicy": spec, "MutatingAdmissionPolicyBinding": binding}
    return [
        {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": one}
        for kind, one in kinds.items()
    ]
