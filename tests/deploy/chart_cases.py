"""Values of the Helm chart that stand for how it is installed, and what renders them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.deploy.build import SOURCE
from monitor.deploy.chart import CHART

DIRECTORY = SOURCE / CHART
HELM = Path(sys.executable).parent / "helm"

needs_helm = pytest.mark.skipif(
    not HELM.exists(),
    reason="Helm is not installed; `make test` does it on Linux, where PyPI is there",
)

KEY = "k1 " + "0123456789abcdef" * 4
EVERYTHING: dict[str, Any] = {
    "endpoint": "bot",
    "namespaces": ["models", "more-models"],
    "settings": {"stream": {"shards": 3}, "drift": {"alpha": 0.05}},
    "image": {
        "registry": "registry.example:5000",
        "repository": "team/monitor",
        "digest": "sha256:" + "0" * 64,
        "pullSecrets": ["registry"],
    },
    "secret": {"key": KEY},
    "valkey": {"maxMemory": "4gb"},
    "analyzer": {
        "replicas": 2,
        "resources": {"limits": {"memory": "2Gi"}},
        "env": {"MONITOR_LOG": "json", "MONITOR_DATA": "/data"},
        "tokensSecret": "monitor-tokens",
        "volumes": [{"name": "sign", "secret": {"secretName": "sign"}}],
        "volumeMounts": [{"name": "sign", "mountPath": "/etc/monitor-sign", "readOnly": True}],
        "pod": {"nodeSelector": {"disk": "ssd"}, "terminationGracePeriodSeconds": 60},
        "annotations": {"example.org/team": "ml"},
        "keda": {"enabled": True, "authentication": "store"},
    },
    "archive": {"url": "s3://bucket/records", "secret": "s3"},
    "injector": {
        "names": ["other"],
        "autoscaling": {"enabled": True},
        "pod": {"priorityClassName": "system-cluster-critical"},
    },
    "podMonitor": {"enabled": True, "labels": {"release": "kube-prometheus-stack"}},
    "serviceMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True, "labels": {"release": "kube-prometheus-stack"}},
    "dashboards": {"enabled": True, "annotations": {"grafana_folder": "monitor"}},
    "links": {
        "runbook": "https://wiki.example.org/RUNBOOK.md",
        "grafana": "https://grafana.example.org/",
        "console": "https://monitor.example.org/console/",
    },
    "networkPolicy": {"enabled": True, "egress": [{"ports": [{"port": 443, "protocol": "TCP"}]}]},
}
CASES: dict[str, dict[str, Any]] = {
    "default": {},
    "everything": EVERYTHING,
    "external": {
        "store": {
            "url": "rediss://monitor:p%40ss@store.example.org:6380/0?ssl_check_hostname=false",
            "ca": "-----BEGIN CERTIFICATE-----\nMIIB+aa/bb==\n-----END CERTIFICATE-----\n",
        },
        "secret": {"key": KEY},
        "archive": {"url": "s3://bucket/records"},
        "networkPolicy": {"enabled": True, "storePort": 6380},
    },
    "gitops": {
        "secret": {"existing": "monitor"},
        "valkey": {"enabled": False},
        "injector": {
            "certificates": {"mode": "existing", "secret": "hook-tls", "caBundle": "LS0tLQ=="}
        },
        "scrapeAnnotations": True,
    },
    "openshift": {
        "openshift": True,
        "injector": {"certificates": {"mode": "certManager"}},
        "podMonitor": {"enabled": True},
    },
    "policy": {"injector": {"mode": "policy"}, "fullnameOverride": "monitor"},
    "minimal": {
        "analyzer": {"enabled": False},
        "injector": {"enabled": False},
        "valkey": {"enabled": False},
        "secret": {"existing": "monitor"},
        "tests": {"enabled": False},
    },
}
"""Name → values."""


def helm(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Helm, which sees no cluster and no settings of the machine, and collects no garbage in the
    tenth of a second that it takes."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(directory), "KUBECONFIG": os.devnull,
        "GOMAXPROCS": "1", "GOGC": "off",
    }  # fmt: skip
    return subprocess.run(
        [HELM, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def rendered(
    directory: Path,
    values: dict[str, Any],
    *more: str,
    chart: Path = DIRECTORY,
    name: str = "monitor",
) -> str:
    """Return what `helm template` prints for values."""
    file = directory / "values.yaml"
    file.write_text(json.dumps(values), encoding="utf-8")
    done = helm(
        directory, "template", name, str(chart), "--namespace", "monitor-system", "--values",
        str(file), *more,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def documents(text: str) -> list[dict[str, Any]]:
    """Return the objects of a rendering."""
    return [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]


def of(objects_: list[dict[str, Any]], kind: str, name: str, namespace: str = "") -> dict[str, Any]:
    """Return the one object of a kind and a name."""
    (found,) = (
        one
        for one in objects_
        if (one["kind"], one["metadata"]["name"]) == (kind, name)
        and (not namespace or one["metadata"].get("namespace") == namespace)
    )
    return found


def parent(directory: Path) -> Path:
    """Write a chart that has this one twice, under other names, and return it."""
    chart = directory / "platform"
    shutil.copytree(DIRECTORY, chart / "charts" / "monitor")
    version = yaml.safe_load((DIRECTORY / "Chart.yaml").read_text(encoding="utf-8"))["version"]
    one = {"name": "monitor", "version": version, "repository": ""}
    whole = {
        "apiVersion": "v2",
        "name": "platform",
        "version": "1.0.0",
        "dependencies": [
            {**one, "alias": "support", "condition": "support.enabled"},
            {**one, "alias": "ranking", "condition": "ranking.enabled"},
        ],
    }
    (chart / "Chart.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    return chart


SUBCHART: dict[str, Any] = {
    "global": {
        "imageRegistry": "registry.example.org",
        "imagePullSecrets": ["pull"],
        "ours": {"a": 1},
    },
    "support": {"enabled": True, "endpoint": "support", "secret": {"key": KEY}},
    "ranking": {"enabled": True, "endpoint": "ranking", "injector": {"enabled": False}},
}
"""Values of the chart that has this one twice."""
