"""The API server → whether a Secret and a ConfigMap are there with the keys that a sidecar needs.

Without them the kubelet would wait for them for ever, and the Pod would never start. The service
account may `get` objects of these names, and nothing else. Answers are kept for a moment, since the
Pods of a Deployment come together.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from monitor.inject.container import CONFIG_FILE, KEY_FILE, REDIS

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
PATIENCE = 1.0
"""Seconds that the API server may take: it waits 2 s for us."""
KEPT, KEPT_BAD = 30.0, 3.0
"""Seconds that an answer holds: that all is there, and that something is not."""
MOST = 1000
LARGEST = 4 * 2**20

Found = tuple[str, str] | None
"""A reason and a sentence; None where all is there."""


class ConflictError(Exception):
    """Somebody else has written the object since it was read, or made it."""


class Cluster:
    """Asks the API server at `url` as the service account of `directory`.

    `clock` is in seconds; `flaw_of` returns what is wrong with the text of a configuration file.
    """

    def __init__(
        self,
        url: str,
        directory: Path = ACCOUNT,
        *,
        clock: Callable[[], float],
        flaw_of: Callable[[str], str],
    ) -> None:
        self._url = url.rstrip("/")
        self._directory = directory
        self._clock = clock
        self._flaw_of = flaw_of
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between a Pod and its API server
        self._kept: OrderedDict[tuple[str, str, str], tuple[float, Found]] = OrderedDict()

    @classmethod
    def around(
        cls,
        environment: Mapping[str, str],
        directory: Path = ACCOUNT,
        *,
        clock: Callable[[], float],
        flaw_of: Callable[[str], str],
    ) -> Cluster | None:
        """Return the one that this process runs in; None where it runs in none, or was given no
        service account."""
        host = environment.get("KUBERNETES_SERVICE_HOST")
        port = environment.get("KUBERNETES_SERVICE_PORT", "443")
        if not host or not (directory / "token").exists():
            return None
        url = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        return cls(url, directory, clock=clock, flaw_of=flaw_of)

    def known(self, namespace: str, secret: str, config: str) -> tuple[Found] | None:
        """Return in a tuple what was found a moment ago; None where nothing was."""
        kept = self._kept.get((namespace, secret, config))
        return (kept[1],) if kept and self._clock() < kept[0] else None

    def lacks(self, namespace: str, secret: str, config: str) -> Found:
        """Return what is not in a namespace, or cannot be told. It blocks; it never raises."""
        try:
            found = self._secret(namespace, secret) if secret else None
            if not found and config:
                found = self._config(namespace, config)
        except PermissionError as error:
            found = "no_answer", f"{error} in {namespace}; its role must name it"
        except (requests.RequestException, OSError, ValueError) as error:
            found = "no_answer", f"the API server did not say what is there: {type(error).__name__}"
        kept = KEPT if found is None else KEPT_BAD
        self._kept[namespace, secret, config] = self._clock() + kept, found
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return found

    def _secret(self, namespace: str, name: str) -> Found:
        document = self._object(namespace, "secrets", name)
        here = f"Secret {name} in namespace {namespace}"
        if document is None:
            return "no_secret", f"{here} is not there"
        keys = set(document.get("data") or {})
        for key in (KEY_FILE, REDIS):
            if key not in keys:
                return "no_secret", f"{here} has no key {key}"
        return None

    def _config(self, namespace: str, name: str) -> Found:
        document = self._object(namespace, "configmaps", name)
        here = f"ConfigMap {name} in namespace {namespace}"
        if document is None:
            return "no_config", f"{here} is not there"
        text = (document.get("data") or {}).get(CONFIG_FILE)
        if not isinstance(text, str):
            return "no_config", f"{here} has no key {CONFIG_FILE}"
        flaw = self._flaw_of(text)
        return ("invalid_config", f"{here}, {CONFIG_FILE}: {flaw}") if flaw else None

    def _object(self, namespace: str, kind: str, name: str) -> dict[str, Any] | None:
        """An object, None where there is none. Raises as `ask`."""
        document = self.ask("GET", f"/api/v1/namespaces/{quoted(namespace)}/{kind}/{quoted(name)}")
        if document is not None and not isinstance(document.get("data") or {}, dict):
            raise ValueError("no object")
        return document

    def ask(
        self, method: str, path: str, document: Any = None, kind: str = "application/json"
    ) -> dict[str, Any] | None:
        """Return what is answered, None where nothing is there.

        Raises ConflictError where somebody else was first, PermissionError where it is not
        allowed, and RequestException, OSError or ValueError where there is no such answer.
        """
        token = (self._directory / "token").read_text(encoding="ascii").strip()
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        if document is not None:
            headers["content-type"] = kind
        with self._session.request(
            method,
            self._url + path,
            headers=headers,
            data=None if document is None else json.dumps(document),
            verify=str(self._directory / "ca.crt"),
            timeout=PATIENCE,
            allow_redirects=False,
            stream=True,
        ) as answer:
            if answer.status_code == requests.codes.not_found:
                return None
            if answer.status_code == requests.codes.conflict:
                raise ConflictError(path)
            if answer.status_code in {requests.codes.unauthorized, requests.codes.forbidden}:
                place = "/".join(path.split("/")[-2:])
                raise PermissionError(f"the injector may not {method.lower()} {place}")
            answer.raise_for_status()
            body = answer.raw.read(LARGEST, decode_content=True)
        found = json.loads(body)
        if not isinstance(found, dict):
            raise ValueError("no object")  # noqa: TRY004  it is caught as one that cannot be read
        return found


def quoted(name: str) -> str:
    """Return a name as a step of a path."""
    return quote(name, safe="")
