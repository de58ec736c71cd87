"""The pages of docs/works-with: what they show is valid, and comes out as they say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from monitor.inject.container import NAME
from monitor.inject.decision import Decision, Defaults
from monitor.inject.manifests import injected, written
from monitor.inject.wishes import PREFIX, STATUS

DIRECTORY = Path(__file__).parent.parent.parent / "docs" / "works-with"
PAGES = sorted(DIRECTORY.glob("*.md"))
KNOWN = ("v1", "apps/v1")
"""Versions of objects whose schemas are here; those of operators are not."""

Object = dict[str, Any]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def shown(page: Path) -> list[Object]:
    """All documents that a page shows."""
    return [one for text in blocks(page, "yaml") for one in yaml.load_all(text, yaml.CSafeLoader)]


def parts(tree: Any) -> Iterator[Object]:
    """Yield each map, and those in it."""
    if isinstance(tree, dict):
        yield tree
    for one in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from parts(one)


def templates(page: Path) -> list[Object]:
    """What a page shows that holds the spec of a Pod: a workload as it is, a template in an object
    of an operator as a Pod."""
    found = []
    for one in shown(page):
        if one.get("apiVersion") in KNOWN and any("containers" in part for part in parts(one)):
            found.append(one)
        elif one.get("apiVersion") not in KNOWN:
            found += [
                {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", **part["metadata"]},
                 "spec": part["spec"]}
                for part in parts(one)
                if {"metadata", "spec"} <= part.keys() and "containers" in part["spec"]
            ]  # fmt: skip
    return found


def pod(one: Object) -> Object:
    return one if one["kind"] == "Pod" else one["spec"]["template"]


@cache
def come_out(page: Path) -> list[Object]:
    """The same as the webhook would have them."""
    said: list[Decision] = []
    text = "---\n".join(written(one) for one in templates(page))
    found = injected(text, Defaults(), lambda _, decision: said.append(decision))
    assert {one.result for one in said} == {"injected"}, [one.why for one in said]
    return list(yaml.load_all(found, yaml.CSafeLoader))


def port_of(one: Object, target: str | int) -> tuple[str, int]:
    """Which container a Service's `targetPort` leads to, and at which number: as Kubernetes looks,
    through the containers first."""
    spec = pod(one)["spec"]
    for each in [*spec["containers"], *spec.get("initContainers", [])]:
        for port in each.get("ports", []):
            if target == port["name" if isinstance(target, str) else "containerPort"] and (
                isinstance(target, str) or each["name"] == NAME
            ):
                return each["name"], port["containerPort"]
    return "", 0


def test_every_server_has_a_page() -> None:
    """And each page is linked from the injector's."""
    assert [page.stem for page in PAGES] == [
        "bentoml", "deployment", "kserve", "ray-serve", "seldon", "triton", "vllm"
    ]  # fmt: skip
    injector = (DIRECTORY.parent / "injector.md").read_text(encoding="utf-8")
    for page in PAGES:
        assert f"(works-with/{page.name})" in injector


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_shows_is_valid(page: Path) -> None:
    """Before and after the injection, where the schema is here."""
    for one in [*shown(page), *come_out(page)]:
        if one.get("apiVersion") in KNOWN:
            kubernetes_validate.validate(one, "1.36", strict=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_it_comes_out_as_the_page_says(page: Path) -> None:
    """The status of each Pod, in order."""
    promised = [json.loads(text) for text in blocks(page, "json")]
    found = [json.loads(pod(one)["metadata"]["annotations"][STATUS]) for one in come_out(page)]
    told = [{key: one.get(key) for key in says} for one, says in zip(found, promised, strict=True)]
    assert told == promised
    for one in promised:
        assert {"result", "capture", "container", "port", "listen", "upstream"} <= one.keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_user_writes_is_what_the_pods_have(page: Path) -> None:
    """An annotation in the operator's object is one of the Pod that it makes."""
    found = {
        json.dumps({key: text for key, text in part.items() if key.startswith(PREFIX)})
        for part in parts(shown(page))
        if f"{PREFIX}inject" in part
    }
    assert len(found) == 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_service_leads_to_the_sidecar(page: Path) -> None:
    """By name or by number; probes still ask the model."""
    services = [one for one in shown(page) if one.get("kind") == "Service"]
    pods = come_out(page)
    for service in services:
        selector = service["spec"]["selector"].items()
        chosen = [
            one for one in pods
            if selector <= {**pod(one)["metadata"]["labels"], "ray.io/serve": "true"}.items()
        ]  # fmt: skip
        assert chosen
        for one in chosen:
            targets = [port_of(one, port["targetPort"]) for port in service["spec"]["ports"]]
            status = json.loads(pod(one)["metadata"]["annotations"][STATUS])
            if status["capture"] == "port-swap":  # the sidecar lists no port; it has the number
                assert status["listen"] in [port["targetPort"] for port in service["spec"]["ports"]]
            else:
                assert (NAME, status["listen"]) in targets
    for one in pods:
        status = json.loads(pod(one)["metadata"]["annotations"][STATUS])
        (model,) = (
            each for each in pod(one)["spec"]["containers"] if each["name"] == status["container"]
        )
        asked = [
            probe[way]["port"]
            for kind in ("readinessProbe", "livenessProbe", "startupProbe")
            for probe in [model.get(kind, {})]
            for way in ("httpGet", "tcpSocket")
            if way in probe
        ]
        assert set(asked) <= {status["upstream"]}
