"""Options → our containers and their volumes, as Kubernetes wants them.

This is the one description of them. The injector, the manifests, Kustomize and the chart take it
from here. It meets the Pod Security Standard `restricted` whatever the Pod around it says.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import monitor

NAME = "monitor"
"""The sidecar's container; who finds one of that name in a Pod has found an injected Pod."""
IMAGE = f"monitor:{monitor.__version__}"
"""What `make image` builds."""

TRAFFIC, METRICS = "traffic", "metrics"
"""The names of the sidecar's ports. A Service that names `traffic` reaches it."""
LISTEN, ADMIN = 15080, 15464
"""Their numbers in a Pod. 8080 is the usual port of model servers, 9464 that of OpenTelemetry's
exporter: containers of one Pod share the ports."""

USER = 10001
"""The image's user. The containers name none: OpenShift gives each namespace users of its own."""

DATA, TMP = "/data", "/tmp"  # noqa: S108  a volume of the container's own
CONFIG, KEYS = "/etc/monitor", "/etc/monitor-key"
CONFIG_FILE, KEY_FILE = "monitor.yaml", "privacy.key"
"""Keys in the ConfigMap and in the Secret, and the names of their files."""
TLS = "/etc/monitor-tls"
WEBHOOK = 10250
"""The injector's port, one that the API servers of private clusters may reach (on GKE not 8443
and 9443)."""
EVERYWHERE = "[::]"
"""Of both families: a Pod of a cluster with IPv6 alone has no address of IPv4."""
REDIS = "redis"
"""The Secret's key with the URL of the store."""

SPOOL_SLACK = 256 * 2**20
"""Bytes in the data volume besides the spool: scanner, templates, and what is being written."""


@dataclass(frozen=True)
class Options:
    """What a user can choose of a container; the defaults suit a chat model of some 100 requests/s.

    - `endpoint`: empty leaves it to the ConfigMap.
    - `port`: the model's, on the Pod's loopback interface.
    - `native`: an init container that restarts (Kubernetes 1.29), else an ordinary container, which
      is told to stop together with the model and so goes on for 5 s.
    - `config`: a ConfigMap with `monitor.yaml`; empty: none.
    - `secret`: a Secret with `redis` and `privacy.key`; empty: both must be in the ConfigMap.
    - `user`, `group`: only where the Pod's own would keep us from starting: root is refused, and a
      group that may not read the Secret cannot read the key.
    - `cpu_limit`: empty sets none, since a limit delays requests; a Pod of the class Guaranteed
      stays one if it is `cpu` and `memory_limit` is `memory`.
    - `spool`: bytes on the node's disk that records may take while the store is away.
    - `env`: more variables, and other values for those set here.
    """

    image: str = IMAGE
    pull_policy: str = ""
    endpoint: str = ""
    port: int = 9000
    listen: int = LISTEN
    admin: int = ADMIN
    native: bool = True
    config: str = ""
    secret: str = NAME
    user: int | None = None
    group: int | None = None
    cpu: str = "100m"
    cpu_limit: str = ""
    memory: str = "256Mi"
    memory_limit: str = "512Mi"
    spool: int = 2**30
    env: dict[str, str] = field(default_factory=dict)


def sidecar(options: Options) -> dict[str, Any]:
    """Return the container of proxy and recorder: of `initContainers` if it is native, else of
    `containers`."""
    env = {
        **({"MONITOR_ENDPOINT": options.endpoint} if options.endpoint else {}),
        "MONITOR_UPSTREAM": f"http://127.0.0.1:{options.port}",
        "MONITOR_LISTEN": f"{EVERYWHERE}:{options.listen}",
        "MONITOR_SPOOL_MAX_BYTES": str(options.spool),
        **({} if options.native else {"MONITOR_DRAIN_DELAY": "5"}),
    }
    ports = [
        {"name": TRAFFIC, "containerPort": options.listen, "protocol": "TCP"},
        {"name": METRICS, "containerPort": options.admin, "protocol": "TCP"},
    ]
    container = _container(NAME, "sidecar", env, ports, options)
    # The spool's room is asked for, and bounded by the volume. A limit here would bound the whole
    # Pod if the model has none: the kubelet evicts by the sum of the limits that are there.
    container["resources"]["requests"]["ephemeral-storage"] = _mebi(options.spool + SPOOL_SLACK)
    return {**container, **({"restartPolicy": "Always"} if options.native else {})}


def analyzer(options: Options) -> dict[str, Any]:
    """Return the container of an analyzer, for a Pod of its own."""
    env = {"MONITOR_ENDPOINT": options.endpoint} if options.endpoint else {}
    ports = [{"name": METRICS, "containerPort": options.admin, "protocol": "TCP"}]
    return _container("analyzer", "analyze", env, ports, options)


def injector(options: Options) -> dict[str, Any]:
    """Return the container of an injector, for a Pod of its own.

    It keeps nothing and needs no store. The Pods that it changes get its own image."""
    alone = replace(options, secret="", config="")
    env = {
        "MONITOR_LISTEN": f"{EVERYWHERE}:{WEBHOOK}",
        "MONITOR_TLS_CERT": f"{TLS}/tls.crt",
        "MONITOR_TLS_KEY": f"{TLS}/tls.key",
        "MONITOR_INJECTOR_IMAGE": options.image,
        "MONITOR_INJECTOR_SECRET": options.secret,
        "MONITOR_INJECTOR_CONFIG": options.config,
        "MONITOR_DRAIN_DELAY": "5",
        **({"MONITOR_ENDPOINT": options.endpoint} if options.endpoint else {}),
    }
    ports = [
        {"name": "webhook", "containerPort": WEBHOOK, "protocol": "TCP"},
        {"name": METRICS, "containerPort": options.admin, "protocol": "TCP"},
    ]
    found = _container("injector", "injector", env, ports, alone)
    found["volumeMounts"].append({"name": f"{NAME}-tls", "mountPath": TLS, "readOnly": True})
    return found


def volumes(options: Options) -> list[dict[str, Any]]:
    """Return the volumes that these containers mount, with names that are ours in a Pod."""
    size = _mebi(options.spool + SPOOL_SLACK)
    found: list[dict[str, Any]] = [
        {"name": f"{NAME}-data", "emptyDir": {"sizeLimit": size}},
        {"name": f"{NAME}-tmp", "emptyDir": {"sizeLimit": "64Mi"}},
    ]
    if options.config:
        found.append({"name": f"{NAME}-config", "configMap": {"name": options.config}})
    if options.secret:
        # 0440: the group is the Pod's fsGroup, or 0, which is the image's group.
        secret = {
            "secretName": options.secret,
            "defaultMode": 0o440,
            "items": [{"key": KEY_FILE, "path": KEY_FILE}],
        }
        found.append({"name": f"{NAME}-key", "secret": secret})
    return found


def _container(
    name: str, command: str, env: dict[str, str], ports: list[dict[str, Any]], options: Options
) -> dict[str, Any]:
    """What all containers have; `env` beats what is set here, and the user's beats `env`."""
    admin = next(one["containerPort"] for one in ports if one["name"] == METRICS)
    values = {
        "MONITOR_ADMIN": f"{EVERYWHERE}:{admin}",
        "MONITOR_DATA": DATA,
        **({"MONITOR_CONFIG": f"{CONFIG}/{CONFIG_FILE}"} if options.config else {}),
        **({"MONITOR_PRIVACY_KEY_FILE": f"{KEYS}/{KEY_FILE}"} if options.secret else {}),
        **env,
        **options.env,
    }
    variables: list[dict[str, Any]] = [
        {"name": variable, "value": value} for variable, value in values.items()
    ]
    if options.secret and "MONITOR_REDIS" not in options.env:
        source = {"secretKeyRef": {"name": options.secret, "key": REDIS}}
        variables.append({"name": "MONITOR_REDIS", "valueFrom": source})
    pull = {"imagePullPolicy": options.pull_policy} if options.pull_policy else {}
    return {
        "name": name,
        "image": options.image,
        **pull,
        "args": [command],
        "env": variables,
        "ports": ports,
        **_probes(),
        "resources": _resources(options),
        "securityContext": _security(options),
        "volumeMounts": _mounts(options),
    }


def _probes() -> dict[str, Any]:
    """No startupProbe: the sidecar waits for nothing, and a model should not wait for it."""
    return {
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": METRICS}, "periodSeconds": 2},
        "livenessProbe": {
            "httpGet": {"path": "/healthz", "port": METRICS},
            "initialDelaySeconds": 10,
            "periodSeconds": 10,
            "timeoutSeconds": 5,
        },
    }


def _resources(options: Options) -> dict[str, Any]:
    limits = {"cpu": options.cpu_limit} if options.cpu_limit else {}
    return {
        "requests": {"cpu": options.cpu, "memory": options.memory},
        "limits": {**limits, "memory": options.memory_limit},
    }


def _security(options: Options) -> dict[str, Any]:
    """The Pod Security Standard `restricted`, of the container's own."""
    ids = {"runAsUser": options.user, "runAsGroup": options.group}
    return {
        "runAsNonRoot": True,
        **{key: number for key, number in ids.items() if number is not None},
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _mounts(options: Options) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": f"{NAME}-data", "mountPath": DATA},
        {"name": f"{NAME}-tmp", "mountPath": TMP},
    ]
    if options.config:
        found.append({"name": f"{NAME}-config", "mountPath": CONFIG, "readOnly": True})
    if options.secret:
        found.append({"name": f"{NAME}-key", "mountPath": KEYS, "readOnly": True})
    return found


def _mebi(count: int) -> str:
    """Bytes as a quantity of Kubernetes, rounded up to a MiB."""
    return f"{-(-count // 2**20)}Mi"
