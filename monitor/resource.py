"""What OpenTelemetry calls the resource: who it is that sends metrics and spans."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote


def attributes(version: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes of this sender. The standard variables OTEL_SERVICE_NAME and
    OTEL_RESOURCE_ATTRIBUTES name it otherwise, and say more of it.

    >>> attributes("1", {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"})
    {'service.name': 'monitor', 'service.version': '1', 'deployment.environment.name': 'test'}
    """
    said = pairs(environment.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    found = {"service.name": "monitor", "service.version": version, **said}
    if name := environment.get("OTEL_SERVICE_NAME", "").strip():
        found["service.name"] = name
    return found


def pairs(text: str) -> dict[str, str]:
    """Read a list of the standard variables; what is no pair is left out.

    >>> pairs("a=1, b=x%20y,none"), pairs("")
    ({'a': '1', 'b': 'x y'}, {})
    """
    found = {}
    for one in text.split(","):
        name, equals, value = one.partition("=")
        if equals and name.strip():
            found[unquote(name.strip())] = unquote(value.strip())
    return found
