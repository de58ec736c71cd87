"""A model's port → how its traffic comes to the sidecar, and what must change for that.

Services cannot be seen from a Pod. Where one names the model's port, the sidecar takes the name:
EndpointSlices then hold the sidecar's number. Where one has the number, the sidecar must listen on
it, and the model is moved to another, if its arguments or variables say where it listens.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from monitor.inject import pods
from monitor.inject.json_patch import Operation, add, replace
from monitor.inject.pods import Container, Pod, Port
from monitor.inject.reasons import Refusal

NAMED_PORTS = 32
"""Services find named ports of native sidecars from Kubernetes 1.32 on (kubernetes#127976)."""
RESERVED = {8012, 8013, 8022, 9090, 9091}
"""Ports of Knative's queue-proxy."""
UNPRIVILEGED = 1024
MOVED = 10_000
"""How far a model is moved: 8080 becomes 18080."""
LONGEST_NAME = 15
_PORT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?")

FLAGS = ("--port", "--http_port", "--http-port", "--server-port", "--server_port")
"""Arguments of model servers that say where they listen."""
VARIABLES = ("PORT", "UVICORN_PORT", "BENTOML_PORT", "MLSERVER_HTTP_PORT")
"""Variables that do. VLLM_PORT is none: it is for vLLM's own processes."""
USUAL = (
    (re.compile(r"(.*/)?vllm/vllm-openai(:.*|@.*)?"), 8000, "--port"),
    (re.compile(r"(.*/)?kserve/(sklearn|xgb|lgb|paddle|pmml|huggingface)server(:.*|@.*)?"),
     8080, "--http_port"),
)  # fmt: skip
"""(image, port without an argument, argument) of servers whose entrypoint takes arguments."""

KSERVE = "serving.kserve.io/inferenceservice"
QUEUE = "queue-proxy"


@dataclass(frozen=True)
class Capture:
    """How the traffic comes. `listen` is the sidecar's port, `upstream` the model's; the sidecar's
    port is called `name`, empty where it is not to be listed. `why` says why nothing comes."""

    way: str
    listen: int
    upstream: int
    name: str = ""
    patch: tuple[Operation, ...] = ()
    warnings: tuple[str, ...] = ()
    why: str = ""


def target(pod: Pod, name: str) -> int:
    """Return which container is the model: the one called `name`; else KServe's; else the first.

    Raises Refusal.
    """
    names = [one.name for one in pod.spec.containers]
    if name:
        if name not in names:
            known = ", ".join(names[:5])[:120]
            raise Refusal(
                "unknown_container", f"monitor.dev/container: {name[:60]!r} is none of {known}"
            )
        return names.index(name)
    for known in ("transformer-container", "kserve-container"):
        if known in names:
            return names.index(known)
    others = [index for index, each in enumerate(names) if each != QUEUE]
    if not others:
        raise Refusal("unknown_container", "the Pod has no container")
    return others[0]


def port_of(container: Container, said: str) -> Port:
    """Return the model's port: `said` by name or number, else its first. Raises Refusal."""
    ports = [one for one in container.ports or () if one.is_tcp and 0 < one.container_port < 65536]
    if not said:
        if not ports:
            raise Refusal(
                "no_port",
                f"container {container.name[:60]!r} lists no port; give monitor.dev/port",
            )
        return ports[0]
    for one in ports:
        if said in (one.name, str(one.container_port)):
            return one
    if re.fullmatch(r"[1-9][0-9]{0,4}", said) and int(said) < 65536:
        return Port(container_port=int(said))
    named = ", ".join(one.name or str(one.container_port) for one in ports[:5]) or "none"
    raise Refusal("no_port", f"monitor.dev/port: {said[:60]!r} is none of its ports ({named})")


def unused(taken: Collection[int], wanted: int) -> int:
    """Return the first port from `wanted` on that nobody has taken.

    >>> unused({15080}, 15080)
    15081
    """
    port = wanted
    while port in taken or port in RESERVED:
        port += 1
    return port


def capture(
    pod: Pod, index: int, port: Port, wanted: str, *, native: bool, minor: int, listen: int
) -> Capture:
    """Return how the traffic of a port of container `index` comes, as `wanted` or as it can.

    `minor` is that of Kubernetes 1.x; `listen` a port that nobody has taken. Raises Refusal where
    what is wanted cannot be.
    """
    container, number = pod.spec.containers[index], port.container_port
    if any(one.name == QUEUE for one in pod.spec.containers) and wanted == "auto":
        return _behind_queue(pod, number, listen)
    why = ""
    if wanted == "port-name" or (wanted == "auto" and port.name and KSERVE not in pod.labels):
        why = _no_name(port, native=native, minor=minor)
        if not why:
            return _by_name(pod, index, port, listen)
        if wanted == "port-name":
            raise Refusal("no_port", why)
    if wanted in ("auto", "port-swap"):
        why = _no_swap(number) or why
        to = unused(pod.taken() | {listen}, number + MOVED if number + MOVED < 65536 else 18_000)
        moves = [] if _no_swap(number) else list(_moves(container, index, number, to))
        if moves:
            return _by_number(pod, index, port, to, moves)
        why = why or f"nothing that is known says where container {container.name[:60]!r} listens"
        if wanted == "port-swap":
            raise Refusal("unmovable", why)
    return Capture(
        "none", listen, number, "traffic", why=why or "monitor.dev/capture: none",
    )  # fmt: skip


def _no_name(port: Port, *, native: bool, minor: int) -> str:
    if not _PORT_NAME.fullmatch(port.name or ""):
        return f"port {port.container_port} has no name that a Service could use"
    if native and minor < NAMED_PORTS:
        return f"before Kubernetes 1.{NAMED_PORTS} Services find no named port of a native sidecar"
    return ""


def _no_swap(number: int) -> str:
    if number < UNPRIVILEGED:
        return f"the sidecar is not root and may not listen on port {number}"
    return ""


def _by_name(pod: Pod, index: int, port: Port, listen: int) -> Capture:
    """The sidecar takes the port's name, and the model's port another."""
    container, place = pod.spec.containers[index], f"/spec/containers/{index}"
    name = port.name or ""
    others = {one.name for one in container.ports or ()}
    other = f"{name[: LONGEST_NAME - len('-model')].rstrip('-')}-model"
    if other in others:
        raise Refusal("name_taken", f"a port of the Pod is called {other!r}, which we need")
    ports = container.ports or []
    at = next(at for at, one in enumerate(ports) if one is port)
    patch = [replace(f"{place}/ports/{at}/name", other)]
    for path, _, action in pods.handlers(container, place):
        if action.port == name:  # it is looked up in the probe's own container
            patch.append(replace(path, port.container_port))
    return Capture("port-name", listen, port.container_port, name, tuple(patch))


def _by_number(pod: Pod, index: int, port: Port, to: int, moves: list[Operation]) -> Capture:
    """The sidecar takes the port's number; the model listens on `to`, and is probed there."""
    container, place = pod.spec.containers[index], f"/spec/containers/{index}"
    number, warnings = port.container_port, []
    for path, _, action in pods.handlers(container, place):
        if action.port in (number, str(number)) or (port.name and action.port == port.name):
            moves.append(replace(path, to))
    life = container.lifecycle or pods.LifeCycle()
    for one in (container.liveness_probe, container.readiness_probe, container.startup_probe,
                life.post_start, life.pre_stop):  # fmt: skip
        if one is not None and one.exec is not None and str(number) in str(one.exec):
            warnings.append(f"a command of a probe or hook names port {number}, now the sidecar's")
            break
    return Capture("port-swap", number, to, "", tuple(moves), tuple(warnings))


def _moves(container: Container, index: int, number: int, to: int) -> Iterator[Operation]:
    """Yield what moves a server: each argument and variable that says where it listens."""
    place, found = f"/spec/containers/{index}", False
    for key, words in (("command", container.command or []), ("args", container.args or [])):
        for at, word in enumerate(words):
            flag, equals, value = word.partition("=")
            if flag not in FLAGS:
                continue
            if equals and value == str(number):
                found = True
                yield replace(f"{place}/{key}/{at}", f"{flag}={to}")
            elif not equals and words[at + 1 : at + 2] == [str(number)]:
                found = True
                yield replace(f"{place}/{key}/{at + 1}", str(to))
    for at, variable in enumerate(container.env or ()):
        if variable.name in VARIABLES and variable.value == str(number):
            found = True
            yield replace(f"{place}/env/{at}/value", str(to))
    if found or container.command:
        return
    given = container.args or []
    for image, usual, flag in USUAL:
        says = any(word.partition("=")[0] == flag for word in given)
        if number == usual and image.fullmatch(container.image or "") and not says:
            argument = f"{flag}={to}"
            yield (
                add(f"{place}/args/-", argument)
                if container.args
                else add(f"{place}/args", [argument])
            )


def _behind_queue(pod: Pod, number: int, listen: int) -> Capture:
    """Knative: the queue-proxy is told that the sidecar is the user's port, as KServe's agent does.

    Its readiness probe has the model's own number and stays.
    """
    for index, one in enumerate(pod.spec.containers):
        for at, variable in enumerate(one.env or ()):
            if one.name == QUEUE and variable.name == "USER_PORT" and variable.value:
                upstream = int(variable.value) if variable.value.isdecimal() else number
                path = f"/spec/containers/{index}/env/{at}/value"
                return Capture(
                    "user-port", listen, upstream, "", (replace(path, str(listen)),)
                )  # fmt: skip
    return Capture("none", listen, number, "traffic", why="queue-proxy names no USER_PORT")
