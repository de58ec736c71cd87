"""A Pod's annotations → what its owner wants, checked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from monitor.inject.container import SPOOL_SLACK
from monitor.inject.reasons import Refusal

PREFIX = "monitor.dev/"
STATUS = f"{PREFIX}status"
"""Written by us."""

Way = Literal["auto", "port-name", "port-swap", "none"]
ASKED, UNASKED = ("enabled", "true"), ("disabled", "false")
WAYS = ("auto", "port-name", "port-swap", "none")
MODES = ("native", "container")
KNOWN = (
    "inject", "port", "container", "endpoint", "config", "mode", "status", "capture", "secret",
    "image", "cpu-request", "cpu-limit", "memory-request", "memory-limit",
    "ephemeral-storage",
)  # fmt: skip
"""All annotations, without the prefix; `env.NAME` besides."""
FIXED = ("MONITOR_LISTEN", "MONITOR_ADMIN", "MONITOR_UPSTREAM", "MONITOR_REDIS", "MONITOR_DATA")
"""Variables that no annotation sets: where traffic and records go is decided here."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_ENDPOINT = re.compile(r"[A-Za-z0-9._-]{1,100}")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,499}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,200}")
_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_SCALE = {
    "m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip


@dataclass(frozen=True)
class Wishes:
    """What the annotations say; empty where they say nothing."""

    asked: bool = False
    port: str = ""
    container: str = ""
    endpoint: str = ""
    config: str = ""
    secret: str = ""
    image: str = ""
    mode: str = ""
    capture: str = "auto"
    quantities: dict[str, str] = field(default_factory=dict)
    spool: int = 0
    env: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def is_asked(annotations: Mapping[str, str]) -> bool | None:
    """Return whether a sidecar is wanted; None where nobody says. Raises Refusal."""
    said = annotations.get(f"{PREFIX}inject")
    if said is None:
        return None
    if said.strip().lower() in ASKED:
        return True
    if said.strip().lower() in UNASKED:
        return False
    raise _wrong("inject", said, "enabled or disabled")


def read(annotations: Mapping[str, str]) -> Wishes:
    """Return what they say. Raises Refusal where a value is none: who wrote it meant something,
    and nobody knows what."""
    ours = {
        name.removeprefix(PREFIX): value.strip()
        for name, value in annotations.items()
        if name.startswith(PREFIX)
    }
    quantities: dict[str, str] = {
        name: _checked(ours, name, _QUANTITY, "a quantity, as 250m or 256Mi")
        for name in ("cpu-request", "cpu-limit", "memory-request", "memory-limit")
        if name in ours
    }
    env, warnings = _variables(ours)
    return Wishes(
        asked=is_asked(annotations) is True,
        port=ours.get("port", ""),
        container=ours.get("container", ""),
        endpoint=_checked(ours, "endpoint", _ENDPOINT, "up to 100 letters, digits, `.`, `_`, `-`"),
        config=_checked(ours, "config", _NAME, "the name of a ConfigMap"),
        secret=_checked(ours, "secret", _NAME, "the name of a Secret"),
        image=_checked(ours, "image", _IMAGE, "the name of an image"),
        mode=_one_of(ours, "mode", MODES, ""),
        capture=_one_of(ours, "capture", WAYS, "auto"),
        quantities=quantities,
        spool=_spool(ours),
        env=env,
        warnings=tuple(warnings),
    )


def amount(quantity: object) -> float:
    """Return the number that a quantity of Kubernetes is; 0 where it is none.

    >>> amount("250m"), amount("1Gi"), amount(2), amount("much")
    (0.25, 1073741824.0, 2.0, 0.0)
    """
    found = _QUANTITY.fullmatch(str(quantity))
    return float(found[1]) * _SCALE[found[2] or ""] if found else 0.0


def _spool(ours: Mapping[str, str]) -> int:
    said = _checked(ours, "ephemeral-storage", _QUANTITY, "a quantity, as 2Gi")
    if not said:
        return 0
    room = int(amount(said)) - SPOOL_SLACK
    if room <= 0:
        raise _wrong("ephemeral-storage", said, f"more than {SPOOL_SLACK >> 20}Mi")
    return room


def _variables(ours: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    env: dict[str, str] = {}
    warnings = []
    for name, value in ours.items():
        if name.startswith("env."):
            variable = name.removeprefix("env.")
            if not _VARIABLE.fullmatch(variable) or variable in FIXED:
                raise _wrong(name, value, "a variable other than " + ", ".join(FIXED))
            env[variable] = value
        elif name not in KNOWN:
            near = difflib.get_close_matches(name, KNOWN, 1)
            hint = f"; did you mean {PREFIX}{near[0]}?" if near else ""
            warnings.append(f"{PREFIX}{name[:60]} is no annotation of ours and is ignored{hint}")
    return env, warnings


def _checked(ours: Mapping[str, str], name: str, form: re.Pattern[str], right: str) -> str:
    said = ours.get(name, "")
    if name in ours and not form.fullmatch(said):
        raise _wrong(name, said, right)
    return said


def _one_of(ours: Mapping[str, str], name: str, known: tuple[str, ...], default: str) -> str:
    said = ours.get(name, default)
    if said != default and said not in known:
        raise _wrong(name, said, "one of " + ", ".join(known))
    return said


def _wrong(name: str, said: str, right: str) -> Refusal:
    return Refusal("invalid_annotation", f"{PREFIX}{name}: {said[:60]!r} is not {right}")
