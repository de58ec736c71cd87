"""A Pod → what becomes of it: a JSON patch that adds the sidecar, or why it gets none."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

import monitor
from monitor.errors import ParseError
from monitor.inject import capture, container, pods, wishes
from monitor.inject.capture import Capture
from monitor.inject.json_patch import Operation, add, escaped, replace
from monitor.inject.pods import Pod
from monitor.inject.reasons import UNCAPTURED, Refusal
from monitor.inject.wishes import STATUS, Wishes

SYSTEM = ("kube-system", "kube-public", "kube-node-lease")
OWN = ("monitor-analyzer", "monitor-injector")
"""Values of `app.kubernetes.io/name` of Pods that are ours."""
NATIVE, STABLE = 29, 33
"""Native sidecars are on by default from Kubernetes 1.29 on, and stable from 1.33 on."""
NAMES = ("serving.kserve.io/inferenceservice", "app.kubernetes.io/name", "app")
"""Labels after which an endpoint is called that nobody has named."""
LONGEST_WARNING, MOST_WARNINGS = 250, 8
"""The API server cuts longer ones, and leaves out what is beyond 4 KiB."""

_ENDPOINT = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True)
class Defaults:
    """What holds for Pods that say nothing else.

    - `secret`, `config`: a Secret and a ConfigMap in the Pod's namespace; empty: none.
    - `minor`: of Kubernetes 1.x.
    - `asked`: whether a Pod without an annotation gets a sidecar, as where a person names its file.
    - `namespace`: our own, where no Pod gets one.
    """

    image: str = container.IMAGE
    secret: str = container.NAME
    config: str = ""
    minor: int = STABLE
    asked: bool = False
    namespace: str = ""


@dataclass(frozen=True)
class Decision:
    """What becomes of a Pod.

    `patch` is empty where it stays as it is. `secret` and `config` are what must be in its
    namespace, or it would never start. `why` is a sentence for people, empty where all is well.
    """

    result: str
    reason: str = ""
    why: str = ""
    patch: list[Operation] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    secret: str = ""
    config: str = ""


def decide(document: Any, namespace: str, defaults: Defaults) -> Decision:
    """Return what becomes of a Pod, given as JSON's values, in a namespace. Never raises for any
    document: one that is no Pod is admitted as it is."""
    try:
        pod = pods.read(document)
    except ParseError as error:
        return refused(None, document, Refusal("unreadable", _short(str(error))))
    try:
        return _injected(pod, document, namespace, defaults)
    except Refusal as refusal:
        return refused(pod, document, refusal)


def refused(pod: Pod | None, document: Any, refusal: Refusal) -> Decision:
    """Return that a Pod gets no sidecar. Where somebody asked, the Pod says so in an annotation."""
    if refusal.result == "skipped":
        return Decision("skipped", refusal.reason, refusal.why)
    patch = []
    if pod is not None:
        status = {
            "result": refusal.result, "reason": refusal.reason, "message": _short(refusal.why),
            "version": monitor.__version__,
        }  # fmt: skip
        patch = _status(pod, document, status)
    return Decision(
        refusal.result, refusal.reason, refusal.why, patch, _warnings("not injected", refusal.why)
    )


def missing(document: Any, reason: str, why: str) -> Decision:
    """Return what becomes of a Pod that was to be injected, and lacks something in its namespace,
    or of which that cannot be told."""
    return refused(pods.read(document), document, Refusal(reason, why))


def _injected(pod: Pod, document: Any, namespace: str, defaults: Defaults) -> Decision:
    _skips(pod, namespace, defaults)
    wanted = wishes.read(pod.annotations)
    native = _is_native(pod, wanted, defaults)
    _refuses(pod)
    index = capture.target(pod, wanted.container)
    port = capture.port_of(pod.spec.containers[index], wanted.port)
    taken = pod.taken() | {port.container_port}
    listen = capture.unused(taken, container.LISTEN)
    found = capture.capture(
        pod, index, port, wanted.capture, native=native, minor=defaults.minor, listen=listen
    )
    options = _options(pod, wanted, defaults, found, native=native)
    _fits(pod, options)
    ours = _container(options, found, pod, index)
    warnings = [*wanted.warnings, *found.warnings]
    if found.way == "none":
        warnings.insert(
            0, f"no traffic reaches the sidecar by itself: {found.why}; let clients and Services "
            f"use port {found.listen}",
        )  # fmt: skip
    status: dict[str, Any] = {
        "result": "injected", "version": monitor.__version__, "mode": "native" if native else
        "container", "capture": found.way, "container": _short(pod.spec.containers[index].name),
        "port": port.container_port, "listen": found.listen, "upstream": found.upstream,
        "template": _digest(ours),
    }  # fmt: skip
    if found.way == "none":
        status["reason"] = UNCAPTURED
    if warnings:
        status["warnings"] = [_short(one) for one in warnings[:MOST_WARNINGS]]
    patch = [*found.patch, *_additions(document, ours, options), *_status(pod, document, status)]
    return Decision(
        "injected", UNCAPTURED if found.way == "none" else "", warnings[0] if warnings else "",
        patch, _warnings("injected", *warnings), options.secret, options.config,
    )  # fmt: skip


def _skips(pod: Pod, namespace: str, defaults: Defaults) -> None:
    """Raise Refusal where nobody wants a sidecar, or one is there."""
    if "kubernetes.io/config.mirror" in pod.annotations:
        raise Refusal("mirror_pod", "it mirrors a file on a node")
    if namespace in SYSTEM or (namespace and namespace == defaults.namespace):
        raise Refusal("system_namespace", f"nothing is injected in the namespace {namespace}")
    if pod.labels.get("app.kubernetes.io/name") in OWN:
        raise Refusal("own_pod", "it is one of monitor's own")
    if any(one.name == container.NAME for one in pod.containers()):
        raise Refusal("already_injected", f"a container called {container.NAME} is there")
    asked = wishes.is_asked(pod.annotations)
    if not (defaults.asked if asked is None else asked):
        raise Refusal("not_asked", f"{wishes.PREFIX}inject is not enabled")


def _refuses(pod: Pod) -> None:
    """Raise Refusal where no sidecar can be."""
    spec = pod.spec
    if spec.host_network:
        raise Refusal("host_network", "the Pod uses the node's network, whose ports all Pods share")
    selector = spec.node_selector or {}
    if (spec.os and spec.os.name == "windows") or selector.get("kubernetes.io/os") == "windows":
        raise Refusal("windows", "the sidecar's image is for Linux")
    if spec.resources and (spec.resources.limits or spec.resources.requests):
        raise Refusal(
            "pod_resources", "spec.resources bounds all containers of the Pod; ours may not fit in"
        )


def _is_native(pod: Pod, wanted: Wishes, defaults: Defaults) -> bool:
    is_job = pod.spec.restart_policy in ("Never", "OnFailure") or any(
        one.kind == "Job" for one in pod.metadata.owner_references or ()
    )
    if wanted.mode == "native" and defaults.minor < NATIVE:
        raise Refusal("kubernetes_too_old", f"native sidecars need Kubernetes 1.{NATIVE}")
    native = wanted.mode == "native" or (not wanted.mode and defaults.minor >= NATIVE)
    if is_job and not native:
        raise Refusal("job_needs_native", "an ordinary container would keep a Job from its end")
    return native


def _options(
    pod: Pod, wanted: Wishes, defaults: Defaults, found: Capture, *, native: bool
) -> container.Options:
    given = wanted.quantities
    chosen: dict[str, Any] = {
        field_: given[name]
        for name, field_ in (
            ("cpu-request", "cpu"), ("cpu-limit", "cpu_limit"), ("memory-request", "memory"),
            ("memory-limit", "memory_limit"),
        )
        if name in given
    }  # fmt: skip
    if wanted.spool:
        chosen["spool"] = wanted.spool
    base = container.Options()
    if _is_guaranteed(pod):  # it stays so, or its containers could lose cores of their own
        chosen["cpu"] = chosen["cpu_limit"] = (
            given.get("cpu-limit") or given.get("cpu-request") or "500m"
        )
        chosen["memory"] = chosen["memory_limit"] = (
            given.get("memory-limit") or given.get("memory-request") or base.memory_limit
        )
    elif "memory" in chosen and "memory_limit" not in chosen:
        chosen["memory_limit"] = max(chosen["memory"], base.memory_limit, key=wishes.amount)
    config = wanted.config or defaults.config
    security = pod.spec.security_context or pods.Security()
    # As root the sidecar is not started, and a foreign group could not read the Secret's files.
    user = container.USER if security.run_as_user == 0 else None
    foreign = bool(security.run_as_group) and security.fs_group is None
    taken = pod.taken() | {found.listen, found.upstream}
    return container.Options(
        image=wanted.image or defaults.image,
        endpoint=wanted.endpoint or ("" if config else _endpoint(pod)),
        port=found.upstream,
        listen=found.listen,
        admin=capture.unused(taken, container.ADMIN),
        native=native,
        config=config,
        secret=wanted.secret or defaults.secret,
        user=user,
        group=0 if foreign or user is not None else None,
        env=wanted.env,
        **chosen,
    )


def _is_guaranteed(pod: Pod) -> bool:
    """Whether each container may use exactly what it asks for."""
    for one in pod.containers():
        limits = (one.resources and one.resources.limits) or {}
        requests = (one.resources and one.resources.requests) or {}
        for name in ("cpu", "memory"):
            if name not in limits:
                return False
            if wishes.amount(requests.get(name, limits[name])) != wishes.amount(limits[name]):
                return False
    return True


def _fits(pod: Pod, options: container.Options) -> None:
    """Raise Refusal where the API server would not take what we add."""
    names = {one.name for one in pod.spec.volumes or ()}
    for volume in container.volumes(options):
        if volume["name"] in names:
            raise Refusal("name_taken", f"a volume of the Pod is called {volume['name']}")
    for least, most, name in (
        (options.cpu, options.cpu_limit, "cpu"),
        (options.memory, options.memory_limit, "memory"),
    ):
        if most and wishes.amount(least) > wishes.amount(most):
            raise Refusal(
                "invalid_annotation", f"{name}: the request {least} is above the limit {most}"
            )


def _container(options: container.Options, found: Capture, pod: Pod, index: int) -> dict[str, Any]:
    """Our container, with its port called as the traffic needs it."""
    ours = container.sidecar(options)
    ours["ports"] = [
        {**one, "name": found.name} if one["name"] == container.TRAFFIC else one
        for one in ours["ports"]
        if found.name or one["name"] != container.TRAFFIC
    ]
    life = pod.spec.containers[index].lifecycle
    if not options.native and life and life.pre_stop and life.pre_stop.sleep is not None:
        # The model serves on while its Pod leaves the Service, and so must what is before it.
        ours["lifecycle"] = {"preStop": {"sleep": life.pre_stop.sleep}}
    return ours


def _endpoint(pod: Pod) -> str:
    for label in NAMES:
        if _ENDPOINT.fullmatch(pod.labels.get(label, "")):
            return pod.labels[label]
    return "default"


def _additions(document: Any, ours: dict[str, Any], options: container.Options) -> list[Operation]:
    spec, patch = document["spec"], []
    where = "initContainers" if options.native else "containers"
    if not spec.get(where):
        patch.append(add(f"/spec/{where}", [ours]))
    elif options.native:
        patch.append(add(f"/spec/{where}/0", ours))
    else:  # not the first: KServe and `kubectl logs` take that for the model
        patch.append(add(f"/spec/{where}/-", ours))
    volumes = container.volumes(options)
    if not spec.get("volumes"):
        patch.append(add("/spec/volumes", volumes))
    else:
        patch += [add("/spec/volumes/-", one) for one in volumes]
    return patch


def _status(pod: Pod, document: Any, status: dict[str, Any]) -> list[Operation]:
    """What writes the status, nothing where it is there."""
    text = msgspec.json.encode(status, order="deterministic").decode()
    if pod.annotations.get(STATUS) == text:
        return []
    if not isinstance(document.get("metadata"), dict):
        return [add("/metadata", {"annotations": {STATUS: text}})]
    if document["metadata"].get("annotations") is None:
        return [add("/metadata/annotations", {STATUS: text})]
    path = f"/metadata/annotations/{escaped(STATUS)}"
    return [replace(path, text) if STATUS in pod.annotations else add(path, text)]


def _digest(ours: dict[str, Any]) -> str:
    """A name for what was added, so that a look tells Pods of an older description."""
    return hashlib.sha256(msgspec.json.encode(ours, order="deterministic")).hexdigest()[:12]


def _warnings(result: str, *said: str) -> tuple[str, ...]:
    return tuple(_short(f"monitor: {result}: {one}") for one in said[:MOST_WARNINGS])


def _short(text: str) -> str:
    text = "".join(one if one.isprintable() else "?" for one in text)
    return text if len(text) <= LONGEST_WARNING else f"{text[: LONGEST_WARNING - 1]}…"
