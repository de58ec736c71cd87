"""A Pod's JSON → the parts of it that decide whether and how it gets a sidecar.

Only what is read is described here; all else passes by. A Pod is never written from these: an old
description would drop fields that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from monitor.errors import ParseError


class Port(msgspec.Struct, rename="camel"):
    """A port that a container says it listens on."""

    container_port: int = 0
    name: str | None = None
    protocol: str | None = None
    host_port: int | None = None

    @property
    def is_tcp(self) -> bool:
        """Whether a proxy of connections can stand before it."""
        return self.protocol in (None, "", "TCP")


class Action(msgspec.Struct):
    """What a probe or a hook of the life cycle asks, and at which port."""

    port: int | str | None = None


class Asking(msgspec.Struct, rename="camel"):
    """A probe, or a hook."""

    http_get: Action | None = None
    tcp_socket: Action | None = None
    grpc: Action | None = None
    exec: Any = None
    sleep: Any = None


class LifeCycle(msgspec.Struct, rename="camel"):
    """The hooks of a container."""

    post_start: Asking | None = None
    pre_stop: Asking | None = None


class Variable(msgspec.Struct, rename="camel"):
    """A variable of the environment; `value` is None where it comes from elsewhere."""

    name: str
    value: str | None = None


class Resources(msgspec.Struct):
    """What a container asks for and may use at most, as quantities."""

    requests: dict[str, str | int | float] | None = None
    limits: dict[str, str | int | float] | None = None


class Container(msgspec.Struct, rename="camel"):
    """A container, of whichever list."""

    name: str = ""
    image: str | None = None
    command: list[str] | None = None
    args: list[str] | None = None
    ports: list[Port] | None = None
    env: list[Variable] | None = None
    resources: Resources | None = None
    lifecycle: LifeCycle | None = None
    liveness_probe: Asking | None = None
    readiness_probe: Asking | None = None
    startup_probe: Asking | None = None


class Named(msgspec.Struct):
    """Anything of which only the name counts, such as a volume or the Pod's system."""

    name: str = ""


class Security(msgspec.Struct, rename="camel"):
    """The Pod's users and groups."""

    run_as_user: int | None = None
    run_as_group: int | None = None
    fs_group: int | None = None


class Spec(msgspec.Struct, rename="camel"):
    """What a Pod is to be."""

    containers: list[Container]
    init_containers: list[Container] | None = None
    volumes: list[Named] | None = None
    host_network: bool | None = None
    restart_policy: str | None = None
    node_selector: dict[str, str] | None = None
    os: Named | None = None
    resources: Resources | None = None
    security_context: Security | None = None


class Owner(msgspec.Struct):
    """What made a Pod."""

    kind: str = ""


class Metadata(msgspec.Struct, rename="camel"):
    """What a Pod is called, and what is written on it."""

    name: str | None = None
    namespace: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[Owner] | None = None


class Pod(msgspec.Struct):
    """A Pod, or a template of one."""

    spec: Spec
    metadata: Metadata = msgspec.field(default_factory=Metadata)

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations of the Pod; none is an empty map."""
        return self.metadata.annotations or {}

    @property
    def labels(self) -> dict[str, str]:
        """The labels by which Services select the Pod; none is an empty map."""
        return self.metadata.labels or {}

    def containers(self) -> Iterator[Container]:
        """Yield the containers of both lists."""
        yield from self.spec.containers
        yield from self.spec.init_containers or ()

    def taken(self) -> set[int]:
        """Return the ports that its containers say they listen on."""
        found = {port.container_port for one in self.containers() for port in one.ports or ()}
        for one in self.containers():
            found |= {port.host_port for port in one.ports or () if port.host_port}
        return found


def read(document: object) -> Pod:
    """Return the Pod that a document is. Raises ParseError, which names what does not fit."""
    if isinstance(document, dict) and document.get("metadata", 0) is None:
        document = {**document, "metadata": {}}
    try:
        return msgspec.convert(document, Pod)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ParseError(f"is no Pod: {_no_text(document) or error}") from None
    except UnicodeError:
        raise ParseError("is no Pod: halves of characters are no text") from None


def _no_text(document: Any) -> str:
    """The first annotation or label whose value is no text, as of `8000` without quotes; of keys
    the library's own message says nothing."""
    metadata = document.get("metadata") if isinstance(document, dict) else None
    for kind in ("annotation", "label"):
        found = metadata.get(f"{kind}s") if isinstance(metadata, dict) else None
        for name, value in found.items() if isinstance(found, dict) else ():
            if not isinstance(value, str):
                is_short = isinstance(value, int | float) and abs(value) < 1 << 62
                right = f', as "{msgspec.json.encode(value).decode()}"' if is_short else ""
                return f"the {kind} {str(name)[:100]} is no text; write its value in quotes{right}"
    return ""


def handlers(container: Container, place: str) -> Iterator[tuple[str, str, Action]]:
    """Yield (where its port stands, kind, action) of probes and hooks that ask a port.

    `place` is the container's JSON pointer; the kind is `http`, `tcp`, `grpc`.
    """
    life = container.lifecycle or LifeCycle()
    for name, one in (
        ("livenessProbe", container.liveness_probe),
        ("readinessProbe", container.readiness_probe),
        ("startupProbe", container.startup_probe),
        ("lifecycle/postStart", life.post_start),
        ("lifecycle/preStop", life.pre_stop),
    ):
        if one is None:
            continue
        for key, kind, action in (
            ("httpGet", "http", one.http_get),
            ("tcpSocket", "tcp", one.tcp_socket),
            ("grpc", "grpc", one.grpc),
        ):
            if action is not None and action.port is not None:
                yield f"{place}/{name}/{key}/port", kind, action
