"""The policy does to a Pod what the webhook does, or nothing.

What is evaluated is the expression with maps: no API server is at hand to compile the one with types.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import cel
import kubernetes_validate
import pytest

from monitor.inject import policy
from monitor.inject.decision import Defaults, decide
from monitor.inject.json_patch import applied
from monitor.inject.wishes import STATUS
from tests.inject import golden

CONDITIONS = {name: cel.compile(one) for name, one in policy.conditions().items()}
MUTATION = cel.compile(policy.mutation(typed=False))
PLAIN = {"named-port", "job", "openshift"}
"""The Pods of the golden set that the policy takes."""


def mutated(pod: dict[str, Any]) -> dict[str, Any] | None:
    """What the policy makes of a Pod; None where a condition is not met."""
    known = {"object": pod, "request": {"namespace": pod["metadata"]["namespace"]}}
    for one in CONDITIONS.values():
        if one.execute(known) is not True:  # as the API server, the first that fails is the last
            return None
    return applied(pod, MUTATION.execute(known))


def without_status(pod: dict[str, Any]) -> dict[str, Any]:
    pod = copy.deepcopy(pod)
    pod["metadata"]["annotations"].pop(STATUS, None)
    return pod


def holds(pod: dict[str, Any]) -> bool:
    """Whether the policy takes a Pod; then it becomes what the webhook makes of it."""
    found = mutated(pod)
    if found is None:
        return False
    decision = decide(pod, pod["metadata"]["namespace"], Defaults())
    assert decision.result == "injected"
    assert without_status(found) == without_status(applied(pod, decision.patch))
    kubernetes_validate.validate(found, "1.36", strict=True)
    assert json.loads(found["metadata"]["annotations"][STATUS])["result"] == "injected"
    assert mutated(found) is None, "twice is as once"
    return True


def test_the_policy_and_the_webhook_agree_about_the_golden_set() -> None:
    """On every Pod that the policy takes; it takes no other than the plain ones."""
    assert {name for name in golden.NAMES if holds(golden.pod(name))} == PLAIN


def varied(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> dict[str, Any]:
    pod = golden.pod("named-port")
    change(pod, pod["spec"]["containers"][0])
    return pod


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        (lambda pod, _: pod["metadata"].pop("labels"), True),
        (lambda pod, _: pod["metadata"].update(labels={"app": "bot", "x": "y"}), True),
        (lambda pod, _: pod["metadata"]["labels"].update({"app.kubernetes.io/name": ""}), True),
        (
            lambda pod, _: pod["metadata"]["annotations"].update({"monitor.dev/inject": "true"}),
            True,
        ),
        (lambda pod, _: pod["metadata"]["annotations"].update({STATUS: "{}", "x": "y"}), True),
        (lambda pod, _: pod["spec"].update(initContainers=[{"name": "i", "image": "i"}]), True),
        (lambda pod, _: pod["spec"].update(initContainers=[], volumes=[]), True),
        (lambda pod, _: pod["spec"].update(volumes=[{"name": "v", "emptyDir": {}}]), True),
        (lambda pod, _: pod["spec"].update(securityContext={"runAsGroup": 0}), True),
        (lambda pod, _: pod["spec"].update(securityContext={"runAsGroup": 5, "fsGroup": 6}), True),
        (lambda _, model: model["ports"][0].update(name="ninechars", protocol="TCP"), True),
        (lambda _, model: model["ports"].append({"containerPort": 9, "name": "x"}), True),
        (lambda _, model: model.update(livenessProbe={"httpGet": {"port": 8000}}), True),
        (lambda _, model: model.update(resources={"limits": {"cpu": "1"}}), True),
        (lambda pod, _: pod["spec"]["containers"].append({"name": "b", "image": "b"}), True),
        (lambda _, model: model["ports"][0].update(name="ten-chars-"), False),
        (lambda _, model: model["ports"][0].update(name="tencharsxx"), False),
        (lambda _, model: model["ports"][0].update(protocol="UDP"), False),
        (lambda _, model: model["ports"].append({"containerPort": 9, "name": "http-model"}), False),
        (lambda _, model: model["ports"].append({"containerPort": 15080}), False),
        (lambda _, model: model["ports"][0].update(hostPort=15464), False),
        (lambda _, model: model.pop("ports"), False),
        (lambda pod, _: pod["spec"].update(nodeSelector={"kubernetes.io/os": "windows"}), False),
        (lambda pod, _: pod["spec"].update(securityContext={"runAsUser": 0}), False),
        (
            lambda pod, _: pod["spec"].update(initContainers=[{"name": "monitor", "image": "i"}]),
            False,
        ),
    ],
)
def test_they_agree_about_other_pods(change: Any, taken: bool) -> None:
    """Those that nearly are plain, and those that nearly are not."""
    assert holds(varied(change)) is taken


@pytest.mark.parametrize("one", policy.objects(), ids=lambda one: one["kind"])
def test_it_is_an_object_of_kubernetes(one: dict[str, Any]) -> None:
    """Whose schema says nothing of CEL."""
    kubernetes_validate.validate(one, "1.36", strict=True)
    assert len(json.dumps(one)) < 100_000


def test_the_expression_with_types_says_the_same() -> None:
    """Without the names of its types, and with its fields in quotes, it is the one that is evaluated."""
    typed = policy.mutation(typed=True)
    assert "Object.spec.initContainers{name: 'monitor'" in typed
    bare = re.sub(r"Object(?:\.\w+)+(?=\{)|JSONPatch(?=\{)", "", typed)
    bare = re.sub(r"([{ ])(\w+): ", r"\1'\2': ", bare)
    plain = re.sub(r'"(\w+)": ', r"'\1': ", policy.mutation(typed=False))
    # Colons of conditions stand between blanks, those of members do not.
    assert bare == plain


def test_it_can_keep_no_pod_from_starting() -> None:
    """What fails is ignored; namespaces ask for it."""
    spec, binding = (one["spec"] for one in policy.objects())
    assert (spec["failurePolicy"], spec["reinvocationPolicy"]) == ("Ignore", "IfNeeded")
    (asked,) = binding["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert asked == {"key": "monitor.dev/inject", "operator": "In", "values": ["enabled"]}


def test_the_webhook_s_own_condition_asks_for_the_annotation() -> None:
    """Whatever its value is: a wrong one is to be warned of."""
    from monitor.deploy.objects import ASKED

    asked = cel.compile(ASKED)
    for name in golden.NAMES:
        pod = golden.pod(name)
        assert asked.execute({"object": pod}) is ("annotations" in pod["metadata"])
