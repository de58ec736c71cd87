"""The webhook's certificate: made, renewed and told to the API server by the injectors themselves.

Every injector does the same, and none is a leader. What they share is a Secret, which is written by
who saw its last version (`resourceVersion`); who comes second reads again. An injector shows the
leaf of a new authority one look after the webhook's `caBundle` trusts it: no call fails in between.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from monitor.inject.authority import LONGEST, Draw, Held, made, renewed
from monitor.inject.cluster import Cluster, ConflictError, quoted

INJECTOR = "monitor-injector"
"""The name of the Service and of the webhook's configuration; of the Secret with `-tls`."""
TRIES = 5
"""Times that the Secret is read again because somebody else has written it."""
TURN, AGAIN = 60.0, 2.0
"""Seconds between two looks, and until the next try where one failed."""

_KEYS = {
    "ca.crt": "authorities",
    "ca.key": "authority_key",
    "tls.crt": "leaf",
    "tls.key": "leaf_key",
}
_HOOK = f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{INJECTOR}"


class Rotation:
    """Keeps the certificate in `file`: the leaf and its key, in one PEM file."""

    def __init__(
        self, cluster: Cluster, namespace: str, file: Path, clock: Callable[[], float], draw: Draw
    ) -> None:
        self._cluster = cluster
        self._file = file
        self._clock, self._draw = clock, draw
        self._names = [f"{INJECTOR}.{namespace}.svc", f"{INJECTOR}.{namespace}.svc.cluster.local"]
        self._secrets = f"/api/v1/namespaces/{quoted(namespace)}/secrets"
        self._shown = ""

    def turn(self) -> None:
        """Look whether anything is due, and show what the Secret holds. It blocks.

        Raises whatever `Cluster.ask` raises; the certificate of before then stays.
        """
        held = self._held()
        is_news = self._trust(held.authorities)
        text = held.leaf + held.leaf_key
        if is_news and self._shown:
            return  # API servers hear of it in a moment; the leaf of before is trusted until then
        if text != self._shown:
            new = self._file.with_suffix(".new")
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(text)
            new.replace(self._file)
            self._shown = text

    def _held(self) -> Held:
        """What the Secret holds, after what was due has been written."""
        place = f"{self._secrets}/{INJECTOR}-tls"
        for _ in range(TRIES):
            document = self._cluster.ask("GET", place)
            now = self._clock()
            try:
                if document is None:
                    held = made(self._names, now, self._draw)
                    self._cluster.ask("POST", self._secrets, _secret(held, {}))
                    return held
                known = _read(document)
                after = renewed(known, self._names, now, self._draw)
                if after is None:
                    return known
                if self._cluster.ask("PUT", place, _secret(after, document)) is not None:
                    return after
            except ConflictError:
                continue
        raise ConflictError(place)

    def _trust(self, authorities: str) -> bool:
        """Have API servers trust the authorities, all of them and no other; whether that is new."""
        document = self._cluster.ask("GET", _HOOK)
        if document is None:
            raise ValueError(f"there is no MutatingWebhookConfiguration {INJECTOR}")
        bundle = base64.b64encode(authorities.encode()).decode("ascii")
        hooks = document.get("webhooks")
        patch = [
            {"op": "add", "path": f"/webhooks/{number}/clientConfig/caBundle", "value": bundle}
            for number, hook in enumerate(hooks if isinstance(hooks, list) else [])
            if hook.get("clientConfig", {}).get("caBundle") != bundle
        ]
        if patch:
            self._cluster.ask("PATCH", _HOOK, patch, "application/json-patch+json")
        return bool(patch)


def _secret(held: Held, before: dict[str, Any]) -> dict[str, Any]:
    """The Secret to write; with the version that was read, so that no other one is overwritten."""
    metadata = before.get("metadata") or {"name": f"{INJECTOR}-tls"}
    data = {
        key: base64.b64encode(getattr(held, field).encode()).decode("ascii")
        for key, field in _KEYS.items()
    }
    kind = {"apiVersion": "v1", "kind": "Secret", "type": before.get("type", "kubernetes.io/tls")}
    return {**kind, "metadata": metadata, "data": data}


def _read(document: dict[str, Any]) -> Held:
    """What a Secret holds; a key that is not there, or no text, is empty."""
    data = document.get("data") or {}
    found = {}
    for key, field in _KEYS.items():
        try:
            found[field] = base64.b64decode(str(data.get(key, "")))[:LONGEST].decode("ascii")
        except (binascii.Error, ValueError):
            found[field] = ""
    return Held(**found)
