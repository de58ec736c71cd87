"""Objects → the manifests, the Kustomize files and the chart below `deploy/`.

`python -m monitor.deploy.build` writes them; with `--check` it exits 1 when a committed file is not
what the code makes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitor.deploy import chart, objects
from monitor.deploy.objects import INJECTOR, LABEL, SYSTEM, Object
from monitor.inject import policy
from monitor.inject.container import ADMIN, IMAGE, NAME
from monitor.inject.manifests import written

ROOT = SOURCE = Path(__file__).parent.parent.parent
"""Where files are written, and where what they are made of is."""
MADE = "# Written by `python -m monitor.deploy.build`; change monitor/deploy instead."

KEY = """\
# Make your own key, the same for all sidecars and analyzers of an endpoint, or a person has another
# pseudonym on each:
#   monitor keys rotate --data /tmp/new && cat /tmp/new/privacy.key"""
SECRET = f"""\
# It needs a Secret in its namespace:
#   monitor keys rotate --data /tmp/new
#   kubectl -n NAMESPACE create secret generic {NAME} --from-literal=redis={objects.STORE} \\
#     --from-file=privacy.key=/tmp/new/privacy.key"""

ANALYZER = """\
# An analyzer for an endpoint, wherever it runs. It keeps its state in the store. One of any number
# of replicas works; the others stand by, and one of them takes over within 10 s."""
MODEL = """\
# A model with the sidecar, as `monitor inject` adds it. The Service names the port, which is the
# sidecar's now (Kubernetes 1.32 or later; before, set its targetPort to 15080)."""
POD_MONITOR = """\
# For the Prometheus operator. kube-prometheus-stack selects objects with `release: NAME`."""
SIDECAR = f"""\
# The sidecar in each Deployment with the label `{LABEL}: enabled`, before a model on port
# 9000; patch MONITOR_UPSTREAM for another. Services reach it at port 15080, or by the name
# `traffic` (Kubernetes 1.32). `monitor inject` and the webhook find the model's port themselves."""
WEBHOOK = f"""\
# The webhook. It needs a certificate for {INJECTOR}.{SYSTEM}.svc in the Secret
# {INJECTOR}-tls."""
POLICY = f"""\
# A MutatingAdmissionPolicy (Kubernetes 1.36): sidecars without a webhook, for plain Pods alone. It
# cannot see whether the Secret is there: create it before the namespace gets `{LABEL}`."""
OWN_CERTIFICATE = f"""\
# The webhook with a certificate of yours: put tls.crt and tls.key into the Secret
# {INJECTOR}-tls, and its authority, in base64, into `clientConfig.caBundle` by a patch:
#   patches:
#     - target: {{kind: MutatingWebhookConfiguration, name: {INJECTOR}}}
#       patch: '[{{op: add, path: /webhooks/0/clientConfig/caBundle, value: LS0t…}}]'"""


def files() -> dict[str, str]:
    """Return all files by their path from the root of the repository."""
    plain = {f"deploy/{path}": text for path, text in {**_plain(), **_kustomize()}.items()}
    return {**plain, **chart.files(SOURCE)}


def _plain() -> dict[str, str]:
    return {
        "kubernetes/config.yaml": _file(
            f"# What all sidecars and the analyzer of one endpoint share.\n{KEY}",
            objects.config_map(),
            objects.secret(),
        ),
        "kubernetes/analyzer.yaml": _file(
            ANALYZER,
            _scraped(objects.analyzer(), objects.ADMIN),
        ),
        "kubernetes/sidecar.yaml": _file(
            MODEL,
            *(_scraped(one, ADMIN) for one in objects.model()),
        ),
        "kubernetes/podmonitor.yaml": _file(
            POD_MONITOR,
            objects.pod_monitor(),
        ),
    }


def _kustomize() -> dict[str, str]:
    return {**_base(), **_components(), **_overlays()}


def _base() -> dict[str, str]:
    return {
        "kustomize/base/kustomization.yaml": _kustomization(
            f"# The analyzer of an endpoint and its settings.\n{SECRET}",
            resources=["analyzer.yaml", "config.yaml"],
        ),
        "kustomize/base/analyzer.yaml": _file("", objects.analyzer()),
        "kustomize/base/config.yaml": _file("", objects.config_map()),
    }


def _components() -> dict[str, str]:
    """What an overlay takes in, each a directory."""
    deployment = {"kind": "Deployment", "labelSelector": f"{LABEL}=enabled"}
    inject_ca = [
        {"op": "add", "path": "/metadata/annotations", "value": {
            "cert-manager.io/inject-ca-from": f"{SYSTEM}/{INJECTOR}"}}
    ]  # fmt: skip
    hook = {"kind": "MutatingWebhookConfiguration", "name": INJECTOR}
    return {
        "kustomize/components/sidecar/kustomization.yaml": _component(
            SIDECAR,
            patches=[{"path": "sidecar.yaml", "target": deployment}],
        ),
        "kustomize/components/sidecar/sidecar.yaml": _file("", objects.sidecar_patch()),
        "kustomize/components/valkey/kustomization.yaml": _component(
            "# A store for trials: its records are gone when its Pod is.", resources=["valkey.yaml"]
        ),
        "kustomize/components/valkey/valkey.yaml": _file("", *objects.valkey()),
        "kustomize/components/pod-monitor/kustomization.yaml": _component(
            "# For the Prometheus operator.", resources=["podmonitor.yaml"]
        ),
        "kustomize/components/pod-monitor/podmonitor.yaml": _file("", objects.pod_monitor()),
        "kustomize/components/network-policy/kustomization.yaml": _component(
            "# The analyzer reaches DNS and a store on port 6379, and is asked on its admin port.",
            resources=["networkpolicy.yaml"],
        ),
        "kustomize/components/network-policy/networkpolicy.yaml": _file(
            "", objects.network_policy()
        ),
        "kustomize/components/injector/kustomization.yaml": _component(
            WEBHOOK,
            resources=["injector.yaml", "webhook.yaml"],
        ),
        "kustomize/components/injector/injector.yaml": _file("", *objects.injector()),
        "kustomize/components/injector/webhook.yaml": _file("", objects.webhook()),
        "kustomize/components/rotation/kustomization.yaml": _component(
            "# The injectors make and renew their certificate by themselves.",
            resources=["rights.yaml"],
            patches=[{"path": "deployment.yaml"}],
        ),
        "kustomize/components/rotation/rights.yaml": _file("", *objects.rotation()),
        "kustomize/components/rotation/deployment.yaml": _file("", objects.rotation_patch()),
        "kustomize/components/cert-manager/kustomization.yaml": _component(
            "# The injector's certificate, made and renewed by cert-manager.",
            resources=["certificates.yaml"],
            patches=[{"target": hook, "patch": written(inject_ca)}],
        ),
        "kustomize/components/cert-manager/certificates.yaml": _file("", *objects.certificates()),
        "kustomize/components/policy/kustomization.yaml": _component(
            POLICY, resources=["policy.yaml"]
        ),
        "kustomize/components/policy/policy.yaml": _file("", *policy.objects()),
    }


def _overlays() -> dict[str, str]:
    """What is applied as it is, or copied and changed."""
    two = [
        {"op": "replace", "path": "/spec/replicas", "value": 2},
        {"op": "replace", "path": "/spec/strategy", "value": {"type": "RollingUpdate"}},
    ]
    return {
        "kustomize/overlays/policy/kustomization.yaml": _kustomization(
            "# Sidecars without a webhook.", components=["../../components/policy"]
        ),
        "kustomize/overlays/trial/kustomization.yaml": _kustomization(
            f"# Everything to look at: a model, its sidecar, an analyzer, a store.\n{SECRET}",
            namespace="monitor-trial",
            resources=["namespace.yaml", "../../base", "model.yaml"],
            components=["../../components/valkey", "../../components/sidecar"],
        ),
        "kustomize/overlays/trial/namespace.yaml": _file(
            "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitor-trial"}}
        ),
        "kustomize/overlays/trial/model.yaml": _file("", *_trial()),
        "kustomize/overlays/production/kustomization.yaml": _kustomization(
            f"# Two analyzers, of which one stands by, scraped and fenced in.\n{SECRET}",
            resources=["../../base"],
            components=["../../components/pod-monitor", "../../components/network-policy"],
            patches=[
                {"target": {"kind": "Deployment", "name": objects.ANALYZER}, "patch": written(two)}
            ],
        ),
        **_webhook(
            "injector",
            "# The webhook, which makes and renews its certificate by itself.",
            "injector",
            "rotation",
        ),
        **_webhook(
            "injector-cert-manager",
            "# The webhook with cert-manager, which must be there.",
            "injector",
            "cert-manager",
        ),
        **_webhook("injector-own-certificate", OWN_CERTIFICATE, "injector"),
    }


def _webhook(overlay: str, said: str, *components: str) -> dict[str, str]:
    """The files of an overlay with the webhook."""
    top = f"kustomize/overlays/{overlay}"
    return {
        f"{top}/kustomization.yaml": _kustomization(
            said, namespace=SYSTEM, resources=["namespace.yaml"],
            components=[f"../../components/{one}" for one in components], **_image(),
        ),
        f"{top}/namespace.yaml": _file("", objects.namespace()),
    }  # fmt: skip


def _image() -> dict[str, Any]:
    """One place for two images: the injector's own, and that of the sidecars, a variable."""
    name, tag = IMAGE.split(":")
    deployment = {"kind": "Deployment", "name": INJECTOR}
    found = "spec.template.spec.containers.[name=injector]"
    target = f"{found}.env.[name=MONITOR_INJECTOR_IMAGE].value"
    return {
        "images": [{"name": name, "newName": name, "newTag": tag}],
        "replacements": [
            {
                "source": {**deployment, "fieldPath": f"{found}.image"},
                "targets": [{"select": deployment, "fieldPaths": [target]}],
            }
        ],
    }


def _scraped(one: Object, port: int) -> Object:
    """With the annotations by which a Prometheus without the operator finds Pods."""
    if one["kind"] == "Deployment":
        found = {"prometheus.io/scrape": "true", "prometheus.io/port": str(port)}
        metadata = one["spec"]["template"]["metadata"]
        metadata["annotations"] = {**found, **metadata.get("annotations", {})}
    return one


def _trial() -> list[Object]:
    """The demo's model as it is before anything is injected, with the label of the component."""
    service, deployment = objects.plain_model()
    deployment["metadata"]["labels"][LABEL] = "enabled"
    service["spec"]["ports"][0]["targetPort"] = 15080
    return [service, deployment]


def _file(comment: str, *documents: Object) -> str:
    head = "\n".join(part for part in (comment, MADE) if part)
    return head + "\n" + "---\n".join(written(one) for one in documents)


def _kustomization(comment: str, **fields: Any) -> str:
    kind = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    return _file(comment, {**kind, **fields})


def _component(comment: str, **fields: Any) -> str:
    kind = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
    return _file(comment, {**kind, **fields})


def stale() -> list[str]:
    """Return the files that are not as they would be written, or that nobody writes any more."""
    made = files()
    wrong = [name for name, text in made.items() if _read(ROOT / name) != text]
    there = {
        str(path.relative_to(ROOT))
        for place in ("deploy/kustomize", f"{chart.CHART}/files")
        for path in (ROOT / place).rglob("*.*")
    }
    return sorted({*wrong, *(there - made.keys())})


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(arguments: Sequence[str]) -> int:
    """Write, or with `--check` compare; return the exit code."""
    if list(arguments) == ["--check"]:
        wrong = stale()
        for name in wrong:
            print(f"{name}: stale; run python -m monitor.deploy.build", file=sys.stderr)
        return 1 if wrong else 0
    if arguments:
        print("usage: python -m monitor.deploy.build [--check]", file=sys.stderr)
        return 2
    for name, text in files().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
