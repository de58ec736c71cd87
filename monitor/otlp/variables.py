"""OpenTelemetry's variables OTEL_EXPORTER_OTLP_… → headers, files and switches of a transport.

https://opentelemetry.io/docs/specs/otel/protocol/exporter/: those of one signal, as in
OTEL_EXPORTER_OTLP_TRACES_HEADERS, go before those for all.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import SplitResult, unquote

from monitor import resource

PREFIX = "OTEL_EXPORTER_OTLP_"
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_VALUE = re.compile(r"[\x20-\x7e\t]{0,8192}")


class Variables:
    """What they say of a signal."""

    def __init__(
        self, environment: Mapping[str, str], signal: Literal["TRACES", "METRICS", "LOGS"]
    ) -> None:
        self._environment = environment
        self._signal = signal
        self.is_gzip = self._said("COMPRESSION").strip().lower() == "gzip"
        self.is_insecure = self._said("INSECURE").strip().lower() == "true"
        self.authorities = self._said("CERTIFICATE")
        self.certificate = self._said("CLIENT_CERTIFICATE")
        self.key = self._said("CLIENT_KEY")

    def headers(self, url: SplitResult) -> dict[str, str]:
        """Return the headers that are said, and the user of `url`; those that could not be sent
        are left out."""
        found = {}
        if url.username is not None:
            pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
            found["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        for name, value in resource.pairs(self._said("HEADERS")).items():
            if _TOKEN.fullmatch(name) and _VALUE.fullmatch(value):
                found = replaced(found, name, value)
        return found

    def _said(self, name: str) -> str:
        own = self._environment.get(f"{PREFIX}{self._signal}_{name}", "")
        return own or self._environment.get(PREFIX + name, "")


def replaced(headers: Mapping[str, str], name: str, value: str) -> dict[str, str]:
    """Return `headers` with this one instead of that of the same name, whatever its case.

    >>> replaced({"A": "1", "b": "2"}, "a", "3")
    {'b': '2', 'a': '3'}
    """
    others = {known: said for known, said in headers.items() if known.lower() != name.lower()}
    return {**others, name: value}
