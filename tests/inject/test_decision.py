"""Pods in, decisions out: a golden set, and Pods that nobody would write."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.inject import container
from monitor.inject.capture import FLAGS, VARIABLES
from monitor.inject.decision import Decision, Defaults, decide
from monitor.inject.json_patch import applied
from monitor.inject.reasons import REASONS, UNCAPTURED
from monitor.inject.wishes import KNOWN, PREFIX, STATUS, WAYS
from tests import hostile
from tests.inject import golden

KEYS = ("metadata", "spec", "annotations", "labels", "containers", "initContainers", "volumes", "name",
        "ports", "containerPort", "env", "args", "resources", "limits", "securityContext",
        "readinessProbe", "httpGet", "port", "monitor.dev/inject", "monitor.dev/port", STATUS)  # fmt: skip


@pytest.mark.parametrize("name", golden.NAMES)
def test_a_pod_becomes_what_it_is_to_become(name: str) -> None:
    """`python -m tests.inject.golden` writes the expectations anew, to be read."""
    assert golden.written(golden.decided(name)) == golden.expected(name)


@pytest.mark.parametrize("name", golden.NAMES)
def test_what_comes_out_is_a_pod_that_stays_as_it_is(name: str) -> None:
    """The API server takes it, and asked again says nothing more, byte for byte."""
    before = golden.pod(name)
    kept = copy.deepcopy(before)
    decision = decide(before, "models", Defaults())
    after = applied(before, decision.patch)
    assert before == kept
    kubernetes_validate.validate(after, "1.36", strict=True)
    again = decide(after, "models", Defaults())
    assert again.patch == []
    if decision.result == "injected":
        assert again.reason == "already_injected"
        ours = [one for key in ("initContainers", "containers") for one in after["spec"].get(key, [])
                if one["name"] == container.NAME]  # fmt: skip
        assert len(ours) == 1
        assert [one["name"] for one in after["spec"]["volumes"]].count("monitor-key") == 1
    else:
        assert again.reason == decision.reason
        assert after["spec"] == before["spec"]


def test_every_reason_that_a_pod_can_give_is_in_the_golden_set() -> None:
    """Those besides need a cluster, a body that is none, or an old Kubernetes."""
    found = {golden.expected(name)["reason"] for name in golden.NAMES}
    elsewhere = {"no_secret", "no_config", "invalid_config", "no_answer", "unreadable", "error",
                 "other_object", "kubernetes_too_old"}  # fmt: skip
    assert found - {"", UNCAPTURED} == set(REASONS) - elsewhere


def pod(**annotations: str) -> dict[str, Any]:
    given_ = golden.pod("named-port")
    given_["metadata"]["annotations"] |= {
        f"monitor.dev/{key}": one for key, one in annotations.items()
    }
    return given_


def status(decision: Decision) -> dict[str, Any]:
    return json.loads(next(one["value"] for one in decision.patch if "status" in one["path"]))


def test_services_of_an_old_kubernetes_find_no_named_port_of_a_native_sidecar() -> None:
    """So it is moved behind the number, or said to be unreached; an ordinary container is found."""
    old = Defaults(minor=31)
    found = decide(pod(), "models", old)
    assert (found.result, found.reason, status(found)["capture"]) == (
        "injected",
        UNCAPTURED,
        "none",
    )
    assert "before Kubernetes 1.32" in found.why
    assert status(decide(pod(mode="container"), "models", old))["capture"] == "port-name"
    older = decide(pod(), "models", Defaults(minor=28))
    assert (status(older)["mode"], status(older)["capture"]) == ("container", "port-name")
    refused = decide(pod(mode="native"), "models", Defaults(minor=28))
    assert refused.reason == "kubernetes_too_old"


def test_what_a_pod_does_not_say_is_as_by_default() -> None:
    """Image, Secret and ConfigMap; without a Secret nothing is mounted or needed."""
    defaults = Defaults(image="monitor:9", secret="keys", config="settings")
    found = decide(pod(), "models", defaults)
    assert (found.secret, found.config) == ("keys", "settings")
    ours = applied(pod(), found.patch)["spec"]["initContainers"][0]
    assert ours["image"] == "monitor:9"
    assert "MONITOR_ENDPOINT" not in {one["name"] for one in ours["env"]}, "the ConfigMap says it"
    bare = decide(pod(), "models", Defaults(secret=""))
    assert (bare.secret, bare.config) == ("", "")
    assert "monitor-key" not in json.dumps(bare.patch)


def test_a_person_who_names_a_file_has_asked() -> None:
    """Only an annotation that says no is stronger."""
    asked = Defaults(asked=True)
    assert decide(golden.pod("no-annotations"), "models", asked).result == "injected"
    assert decide(golden.pod("disabled"), "models", asked).reason == "not_asked"


def test_our_own_namespace_is_left_alone() -> None:
    """Whatever the selector says."""
    found = decide(pod(), "monitor-system", Defaults(namespace="monitor-system"))
    assert found.reason == "system_namespace"


@pytest.mark.parametrize(
    "name", ["MONITOR_UPSTREAM", "MONITOR_REDIS", "MONITOR_LISTEN", "A B", "", "1A"]
)
def test_no_annotation_moves_traffic_or_records(name: str) -> None:
    """Where they go is decided in one place."""
    assert decide(pod(**{f"env.{name}": "x"}), "models", Defaults()).reason == "invalid_annotation"


def holds(given_: Any, decision: Decision) -> None:
    """What is true of every decision."""
    if decision.result == "injected":
        assert decision.reason in ("", UNCAPTURED)
    else:
        assert REASONS[decision.reason] == decision.result
    assert len(decision.warnings) <= 8
    assert all(len(one) <= 250 and one.isprintable() for one in decision.warnings)
    after = applied(given_, decision.patch)
    msgspec.json.encode(decision.patch)
    if decision.result != "injected" and decision.patch:
        assert {key: one for key, one in after.items() if key != "metadata"} == {
            key: one for key, one in given_.items() if key != "metadata"
        }
    again = decide(after, "models", Defaults())
    assert again.patch == []


@given(hostile.VALUES)
def test_whatever_a_document_is_there_is_a_decision(value: Any) -> None:
    """Never an exception."""
    holds(value, decide(value, "models", Defaults(asked=True)))


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [at, *(place for key, one in inner for place in places(one, (*at, key)))]


@given(st.sampled_from(golden.NAMES), st.data())
def test_a_pod_with_anything_in_any_place_gets_a_decision(name: str, data: st.DataObject) -> None:
    """What is written applies to it, and changes nothing when it comes again."""
    given_ = golden.pod(name)
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from([one for one in places(given_) if one]))
        inside: Any = given_
        for step in way:
            inside = inside[step]
        values = st.one_of(hostile.VALUES, st.sampled_from(KEYS), st.integers(-1, 70_000))
        inside[last] = data.draw(values)
    holds(given_, decide(given_, "models", Defaults()))


def test_every_reason_and_annotation_is_documented() -> None:
    """With its result, and what to do."""
    page = (Path(__file__).parents[2] / "docs" / "injector.md").read_text(encoding="utf-8")
    reasons, results = (
        page.partition("\n## Reasons\n")[2],
        dict(REASONS, **{UNCAPTURED: "injected"}),
    )
    listed = dict(re.findall(r"^\| `(\w+)` \| (\w+) \| .{10,} \|$", reasons, re.MULTILINE))
    assert listed == results
    for name in KNOWN:
        assert f"{PREFIX}{name}`" in page or f"`{name}`" in page, name
    for way in WAYS[1:]:
        assert f"| `{way}` |" in page
    for word in (*FLAGS, *VARIABLES):
        assert word in page, word
