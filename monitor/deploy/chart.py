"""Objects, rules, dashboards and the comments of values.yaml → generated files of the Helm chart.

The templates are written by hand. What they are made of is not: containers, rights and the webhook
are the objects of the manifests, with the names of a release in place of ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

import monitor
from monitor.deploy import objects
from monitor.deploy.objects import SYSTEM, Object
from monitor.inject import policy
from monitor.inject.container import IMAGE, Options
from monitor.inject.manifests import written
from monitor.settings import layers
from monitor.settings.schema import Settings

CHART = "deploy/helm/monitor"
RELEASE = Options(image="%IMAGE%", config="%CONFIG%", secret="%SECRET%")  # noqa: S106  a name
NAMESPACE = "%NAMESPACE%"
"""What the templates replace by the names of a release. YAML quotes it, so all stay texts."""

README = """\
# The Helm chart

It brings the analyzer of an endpoint, the injector, a store for trials, and what Prometheus and
Grafana need.
[deploy/README.md](../../README.md#helm) says how to install it.

<!-- Written by `python -m monitor.deploy.build` from values.yaml. -->

| value | default | |
|---|---|---|
"""


@dataclass(frozen=True)
class Value:
    """A key of values.yaml: where, its default, what its comment says, and more of its schema."""

    path: tuple[str, ...]
    default: Any
    said: str
    schema: dict[str, Any]


def files(root: Path) -> dict[str, str]:
    """Return the chart's generated files by their path from the root of the repository."""
    values = (root / CHART / "values.yaml").read_text(encoding="utf-8")
    found = {
        "Chart.yaml": _chart(),
        "README.md": _readme(values),
        "values.schema.json": json.dumps(schema(values), indent=1) + "\n",
        "files/analyzer.yaml": written(objects.analyzer_pod(RELEASE)),
        "files/injector.yaml": written(_renamed(_injector())),
        "files/valkey.yaml": written(objects.valkey()[1]["spec"]["template"]["spec"]),
    }
    for path in sorted((root / "alerts").glob("*.rules.yml")):
        found[f"files/rules/{path.name}"] = path.read_text(encoding="utf-8")
    for path in sorted((root / "dashboards").glob("*.json")):
        found[f"files/boards/{path.name}"] = path.read_text(encoding="utf-8")
    return {f"{CHART}/{name}": text for name, text in found.items()}


def _injector() -> dict[str, list[Object] | Object]:
    return {
        "injector": objects.injector(RELEASE),
        "webhook": objects.webhook(),
        "rotation": objects.rotation(),
        "certManager": objects.certificates(),
        "policy": policy.objects(),
    }


def _renamed(value: Any) -> Any:
    """The same with the release's namespace and image, wherever in a text they stand."""
    match value:
        case str():
            return value.replace(SYSTEM, NAMESPACE).replace(IMAGE, RELEASE.image)
        case list():
            return [_renamed(one) for one in value]
        case dict():
            return {key: _renamed(one) for key, one in value.items()}
    return value


def _chart() -> str:
    return written(
        {
            "apiVersion": "v2",
            "name": "monitor",
            "description": "A sidecar that watches a model endpoint: traffic, tails and drift.",
            "type": "application",
            "version": monitor.__version__,
            "appVersion": monitor.__version__,
            "kubeVersion": ">=1.29.0-0",
            "home": "https://monitor.example/monitor",
            "keywords": ["observability", "drift", "llm", "sidecar", "prometheus"],
            "annotations": {
                "artifacthub.io/license": "Apache-2.0",
                "artifacthub.io/category": "monitoring-logging",
            },
        }
    )


def read(text: str) -> Iterator[Value]:
    """Yield the keys of values.yaml that hold something, in order.

    A map whose keys have comments is described by these; any other map is a value itself.
    """
    comments = _comments(text)

    def below(tree: dict[str, Any], at: tuple[str, ...]) -> Iterator[Value]:
        for key, default in tree.items():
            path = (*at, key)
            if isinstance(default, dict) and any(
                one[: len(path)] == path != one for one in comments
            ):
                yield from below(default, path)
            else:
                said, more = comments[path]
                yield Value(path, default, said, more)

    yield from below(yaml.safe_load(text), ())


def _comments(text: str) -> dict[tuple[str, ...], tuple[str, dict[str, Any]]]:
    """Keys that stand on a line of their own → their comment and their schema."""
    found = {}
    at: list[str] = []
    said: list[str] = []
    more: dict[str, Any] = {}
    for line in text.splitlines():
        if not line.strip():
            said, more = [], {}
        elif comment := re.fullmatch(r"\s*# @ (.*)", line):
            more = yaml.safe_load(comment[1])
        elif comment := re.fullmatch(r"\s*# ?(.*)", line):
            said.append(comment[1])
        elif key := re.match(r"( *)([A-Za-z]+):", line):
            at = [*at[: len(key[1]) // 2], key[2]]
            found[tuple(at)] = " ".join(said), more
            said, more = [], {}
    return found


_KINDS = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}


def schema(text: str) -> dict[str, Any]:
    """Return the JSON Schema of the values: maps are closed, `global` is for all charts, and
    `settings` are what `monitor` takes."""
    # A text's end is `\\Z` to Python, and `$` to Helm, whose expressions are Go's.
    settings = json.loads(json.dumps(msgspec.json.schema(Settings)).replace("\\\\Z", "$"))
    preset = settings["$defs"]["Settings"]["properties"]["preset"]
    preset["enum"] = [preset["default"], *layers.presets()]
    whole: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": settings["$defs"],
        **_closed(),
    }
    for value in read(text):
        place = whole
        for step in value.path[:-1]:
            place = place["properties"].setdefault(step, _closed())
        said = {"description": value.said} if value.said else {}
        one = {"type": _KINDS[type(value.default)], **said, **value.schema}
        if value.path == ("settings",):
            one |= {"$ref": settings["$ref"]}
        place["properties"][value.path[-1]] = one
    return whole


def _closed() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def _readme(text: str) -> str:
    rows = []
    for value in read(text):
        default = json.dumps(value.default) if value.default != "" else ""
        choices = value.schema.get("enum")
        said = value.said or (f"One of {', '.join(choices)}." if choices else "")
        shown = f"`{default}`" if default else ""
        rows.append(
            f"| `{'.'.join(value.path)}` | {shown} | {said.replace('|', chr(92) + '|')} |\n"
        )
    return README + "".join(rows)
