"""Our containers → the objects of Kubernetes around them: what `deploy/` is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from monitor.inject import container
from monitor.inject.container import METRICS, NAME, Options
from monitor.inject.decision import Defaults, decide
from monitor.inject.json_patch import applied
from monitor.inject.wishes import PREFIX

Object = dict[str, Any]

ADMIN = 9464
"""The admin port of Pods that are ours alone."""
SYSTEM = "monitor-system"
"""The injector's namespace."""
INJECTOR, ANALYZER = "monitor-injector", "monitor-analyzer"
LABEL = f"{PREFIX}inject"
"""On a namespace it opens the webhook to it, on a Deployment Kustomize's component."""
STORE = "redis://valkey:6379/0"
DNS = [{"port": port, "protocol": kind} for port in (53, 5353) for kind in ("UDP", "TCP")]
"""A policy sees the port of the Pod that answers; OpenShift's resolvers have 5353."""

SETTINGS = """\
# What all sidecars and the analyzer of one endpoint share. Where the sidecar listens and where the
# model is stands in the sidecar's variables.
endpoint: model
upstream: http://127.0.0.1:9000
privacy: {key_file: /etc/monitor-key/privacy.key}
drain: {delay: 5, timeout: 45}
"""


def _named(kind: str, name: str, version: str = "v1", **more: Any) -> Object:
    metadata = {"name": name, "labels": {"app.kubernetes.io/name": name}}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def _deployment(name: str, replicas: int, pod: Object, **more: Any) -> Object:
    labels = {"app.kubernetes.io/name": name}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": replicas, **more, "selector": {"matchLabels": labels}, "template": template}
    return _named("Deployment", name, "apps/v1", spec=spec)


def _security() -> Object:
    """Of a Pod that is ours alone. It names no user: the image's is 10001, and OpenShift gives each
    namespace one."""
    return {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def config_map() -> Object:
    """Return the settings of an endpoint."""
    return _named("ConfigMap", NAME, data={container.CONFIG_FILE: SETTINGS})


def secret() -> Object:
    """Return the Secret of an endpoint, with places for what is secret."""
    data = {
        container.REDIS: STORE,
        container.KEY_FILE: "REPLACE-ME with the line that `monitor keys rotate` wrote\n",
    }
    return _named("Secret", NAME, type="Opaque", stringData=data)


def analyzer() -> Object:
    """Return the Deployment of an analyzer. One of any number of replicas works, by a lease in the
    store, and another takes over within 10 s."""
    pod = analyzer_pod(Options(config=NAME))
    return _deployment(ANALYZER, 1, pod, strategy={"type": "Recreate"})


def analyzer_pod(chosen: Options) -> Object:
    """Return the spec of an analyzer's Pod, with the image, ConfigMap and Secret chosen."""
    options = replace(chosen, admin=ADMIN, memory="256Mi", memory_limit="1Gi")
    return {
        "automountServiceAccountToken": False,
        "securityContext": _security(),
        "containers": [container.analyzer(options)],
        "volumes": container.volumes(options),
    }


def model() -> list[Object]:
    """Return a Service and a Deployment of the demo's model, with the sidecar injected."""
    service, deployment = plain_model()
    template = deployment["spec"]["template"]
    injected = decide(template, "", Defaults(config=NAME, asked=True))
    deployment["spec"]["template"] = applied(template, injected.patch)
    return [service, deployment]


def plain_model() -> list[Object]:
    """Return the same as it is without us: a Service that names the port, and a Deployment."""
    plain = {
        "automountServiceAccountToken": False,
        # Longer than preStop, the longest stream (drain.timeout) and the last flush together.
        "terminationGracePeriodSeconds": 90,
        "securityContext": _security(),
        "containers": [
            {
                "name": "model",
                "image": container.IMAGE.replace(NAME, f"{NAME}-demo-model"),
                "command": ["python", "-m", "monitor.demo.models", "127.0.0.1:9000"],
                "ports": [{"name": "http", "containerPort": 9000, "protocol": "TCP"}],
                # The Pod's endpoints are removed while this sleeps, and the sidecar still serves.
                "lifecycle": {"preStop": {"sleep": {"seconds": 15}}},
                "resources": {
                    "requests": {"cpu": "250m", "memory": "512Mi"},
                    "limits": {"memory": "1Gi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108  in a Pod
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    service = _named(
        "Service",
        "model",
        spec={
            "selector": {"app.kubernetes.io/name": "model"},
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        },
    )
    return [service, _deployment("model", 2, plain)]


def pod_monitor() -> Object:
    """Return what the Prometheus operator scrapes: every Pod with a port of ours."""
    found = _named("PodMonitor", NAME, "monitoring.coreos.com/v1")
    found["metadata"]["labels"]["release"] = "kube-prometheus-stack"
    relabelings = [
        {
            "sourceLabels": ["__meta_kubernetes_pod_container_name"],
            "regex": f"{NAME}|analyzer|injector",
            "action": "keep",
        }
    ]
    found["spec"] = {
        "selector": {},
        "podMetricsEndpoints": [{"port": METRICS, "interval": "15s", "relabelings": relabelings}],
    }
    return found


def sidecar_patch() -> Object:
    """Return Kustomize's patch of a Deployment: the sidecar before a model on port 9000."""
    options = Options(config=NAME, port=9000)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "any"},
        "spec": {
            "template": {
                "spec": {
                    "initContainers": [container.sidecar(options)],
                    "volumes": container.volumes(options),
                }
            }
        },
    }


def valkey() -> list[Object]:
    """Return a store for trials: without a password, a disk or a second one."""
    context = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": {**_security(), "runAsUser": 999},
        "containers": [
            {
                "name": "valkey",
                "image": "docker.io/valkey/valkey:8.1-alpine",
                "args": ["--save", "", "--maxmemory", "1gb", "--maxmemory-policy", "noeviction"],
                "ports": [{"name": "redis", "containerPort": 6379, "protocol": "TCP"}],
                "readinessProbe": {"tcpSocket": {"port": "redis"}, "periodSeconds": 2},
                "resources": {
                    "requests": {"cpu": "100m", "memory": "256Mi"},
                    "limits": {"memory": "1280Mi"},
                },
                "securityContext": context,
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            }
        ],
        "volumes": [{"name": "data", "emptyDir": {"sizeLimit": "2Gi"}}],
    }
    ports = [{"name": "redis", "port": 6379, "targetPort": "redis", "protocol": "TCP"}]
    spec = {"selector": {"app.kubernetes.io/name": "valkey"}, "ports": ports}
    return [_named("Service", "valkey", spec=spec), _deployment("valkey", 1, pod)]


def network_policy() -> Object:
    """Return what the analyzer may talk to: DNS and the store; whoever scrapes may ask it."""
    spec = {
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": ANALYZER}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"ports": [{"port": ADMIN, "protocol": "TCP"}]}],
        "egress": [
            {"ports": DNS},
            {"ports": [{"port": 6379, "protocol": "TCP"}]},
        ],
    }
    return _named("NetworkPolicy", ANALYZER, "networking.k8s.io/v1", spec=spec)


def injector(chosen: Options | None = None) -> list[Object]:
    """Return the injector: two replicas, what they may read, and their Service. What is chosen, the
    image, the ConfigMap and the Secret, is that of the sidecars too."""
    options = replace(
        chosen or Options(),
        endpoint="injector",
        admin=ADMIN,
        cpu="50m",
        memory="96Mi",
        memory_limit="256Mi",
    )
    found = container.injector(options)
    found["readinessProbe"]["httpGet"] = {"path": "/readyz", "port": "webhook", "scheme": "HTTPS"}
    volumes = container.volumes(Options(secret=""))
    for one in volumes:
        if one["name"] == f"{NAME}-data":
            one["emptyDir"] = {"sizeLimit": "16Mi"}
    found["resources"]["requests"]["ephemeral-storage"] = "96Mi"
    tls = {"name": f"{NAME}-tls", "secret": {"secretName": f"{INJECTOR}-tls", "defaultMode": 0o440}}
    pod = {
        "serviceAccountName": INJECTOR,
        "securityContext": _security(),
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 100, "podAffinityTerm": {
                "topologyKey": "kubernetes.io/hostname",
                "labelSelector": {"matchLabels": {"app.kubernetes.io/name": INJECTOR}},
            }}
        ]}},
        "containers": [found],
        "volumes": [*volumes, tls],
    }  # fmt: skip
    selector = {"app.kubernetes.io/name": INJECTOR}
    ports = [{"name": "webhook", "port": 443, "targetPort": "webhook", "protocol": "TCP"}]
    budget = {
        "maxUnavailable": 1,
        # One that is not ready anyway must not keep a node from being emptied.
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": {"matchLabels": selector},
    }
    return [
        _named("ServiceAccount", INJECTOR),
        *_rights(),
        _named("Service", INJECTOR, spec={"selector": selector, "ports": ports}),
        _deployment(INJECTOR, 2, pod),
        _named("PodDisruptionBudget", INJECTOR, "policy/v1", spec=budget),
    ]


def _rights() -> list[Object]:
    """What the injector may read: whether these objects are there, in whichever namespace."""
    rule = {"apiGroups": [""], "resources": ["secrets", "configmaps"], "resourceNames": [NAME],
            "verbs": ["get"]}  # fmt: skip
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": INJECTOR}
    account = {"kind": "ServiceAccount", "name": INJECTOR, "namespace": SYSTEM}
    version = "rbac.authorization.k8s.io/v1"
    return [
        _named("ClusterRole", INJECTOR, version, rules=[rule]),
        _named("ClusterRoleBinding", INJECTOR, version, roleRef=role, subjects=[account]),
    ]


ASKED = f"has(object.metadata.annotations) && '{LABEL}' in object.metadata.annotations"
"""CEL: whether a Pod says anything of a sidecar. A wrong value is for us, too: we warn."""


def webhook() -> Object:
    """Return the webhook's configuration.

    It holds no certificate: cert-manager, or whoever makes the Secret, adds `caBundle`."""
    outside = ["kube-system", "kube-public", "kube-node-lease", SYSTEM]
    hook = {
        "name": "inject.monitor.dev",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {
            "service": {"name": INJECTOR, "namespace": SYSTEM, "path": "/mutate", "port": 443}
        },
        "rules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
             "resources": ["pods"], "scope": "Namespaced"}
        ],
        "namespaceSelector": {"matchExpressions": [
            {"key": LABEL, "operator": "In", "values": ["enabled"]},
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": outside},
        ]},
        "matchConditions": [{"name": "asked", "expression": ASKED}],
        "matchPolicy": "Equivalent",
        "failurePolicy": "Ignore",
        "sideEffects": "None",
        "reinvocationPolicy": "IfNeeded",
        "timeoutSeconds": 2,
    }  # fmt: skip
    version = "admissionregistration.k8s.io/v1"
    return _named("MutatingWebhookConfiguration", INJECTOR, version, webhooks=[hook])


def rotation() -> list[Object]:
    """Return what lets injectors make and renew their certificate.

    They write their own Secret, and the webhook's configuration of their name."""
    version, secret_ = "rbac.authorization.k8s.io/v1", f"{INJECTOR}-tls"
    name = f"{INJECTOR}-rotation"
    account = {"kind": "ServiceAccount", "name": INJECTOR, "namespace": SYSTEM}
    own = [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [secret_],
         "verbs": ["get", "update"]},
    ]  # fmt: skip
    hook = {"apiGroups": ["admissionregistration.k8s.io"],
            "resources": ["mutatingwebhookconfigurations"], "resourceNames": [INJECTOR],
            "verbs": ["get", "patch"]}  # fmt: skip
    found = []
    for kind, rules in (("Role", own), ("ClusterRole", [hook])):
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
        found += [
            _named(kind, name, version, rules=rules),
            _named(f"{kind}Binding", name, version, roleRef=role, subjects=[account]),
        ]
    return found


def rotation_patch() -> Object:
    """Return Kustomize's patch of the injector: no certificate comes from outside."""
    delete = {"$patch": "delete"}
    env = [{"name": f"MONITOR_TLS_{one}", **delete} for one in ("CERT", "KEY")]
    found = {
        "name": "injector",
        "env": [*env, {"name": "MONITOR_INJECTOR_ROTATES", "value": "true"}],
        "volumeMounts": [{"mountPath": container.TLS, **delete}],
    }
    pod = {"containers": [found], "volumes": [{"name": f"{NAME}-tls", **delete}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": INJECTOR},
        "spec": {"template": {"spec": pod}},
    }


def certificates() -> list[Object]:
    """Return what cert-manager makes the injector's certificate from.

    An authority of ten years stays in `caBundle`; leaves of thirty days come and go below it."""
    version, authority = "cert-manager.io/v1", f"{INJECTOR}-ca"
    key = {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"}
    root = {
        "isCA": True,
        "commonName": authority,
        "secretName": authority,
        "duration": "87600h",
        "privateKey": key,
        "issuerRef": {"kind": "Issuer", "name": f"{INJECTOR}-root"},
    }
    leaf = {
        "secretName": f"{INJECTOR}-tls",
        "duration": "720h",
        "renewBefore": "240h",
        "dnsNames": [f"{INJECTOR}.{SYSTEM}.svc", f"{INJECTOR}.{SYSTEM}.svc.cluster.local"],
        "privateKey": key,
        "issuerRef": {"kind": "Issuer", "name": authority},
    }
    return [
        _named("Issuer", f"{INJECTOR}-root", version, spec={"selfSigned": {}}),
        _named("Certificate", authority, version, spec=root),
        _named("Issuer", authority, version, spec={"ca": {"secretName": authority}}),
        _named("Certificate", INJECTOR, version, spec=leaf),
    ]


def namespace() -> Object:
    """Return the injector's namespace, under the Pod Security Standard `restricted`."""
    found = _named("Namespace", SYSTEM)
    found["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "restricted"
    return found
