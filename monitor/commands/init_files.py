"""What a user wants → the files that `monitor init` writes, as texts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import monitor
from monitor.inject.container import IMAGE
from monitor.settings import layers
from monitor.settings.addresses import is_loopback
from monitor.settings.circumstances import Circumstances

UPSTREAM = "http://127.0.0.1:9000"
"""Where the model is, as long as nobody says otherwise."""
COLUMN = 34
"""Where comments begin."""
HOST = "host.docker.internal"
"""What Docker calls the machine, seen from a container."""
CHART = "deploy/helm/monitor"


@dataclass(frozen=True)
class Wishes:
    """What the user said: the domain, the five answers, and where the model is. `found` are lines
    about what was found out."""

    preset: str
    answers: Circumstances = field(default_factory=Circumstances)
    upstream: str = UPSTREAM
    endpoint: str = "default"
    found: tuple[str, ...] = ()

    @property
    def tree(self) -> dict[str, Any]:
        """The settings that say so."""
        return {"preset": self.preset, "circumstances": said(self.answers)}


def said(answers: Circumstances) -> dict[str, Any]:
    """The five answers as settings, by their names."""
    return {name: getattr(answers, name) for name in answers.__struct_fields__}


def consequence(name: str, answer: object) -> str:
    """What follows from an answer, in a sentence."""
    about = layers.layer(layers.MODIFIERS, name).about
    follows: str = about["if_no" if answer is None or answer is False else "if_yes"]
    return follows


def configuration(wishes: Wishes) -> str:
    """Return a file for `--config`: what was said, what follows, and what only the user can add."""
    about = layers.layer(layers.PRESETS, wishes.preset).about
    lower = layers.under(wishes.tree)
    lines = [
        f"# Written by `monitor init` ({monitor.__version__}).",
        "# `monitor check --config FILE` says what every key means, what the preset adds, and why.",
        "# What you set here goes before the preset and the answers.",
        *(f"# {one}" for one in wishes.found),
        "",
        _line(f"preset: {wishes.preset}", about["title"]),
        "circumstances:",
        *(
            _line(f"  {name}: {scalar(answer)}", consequence(name, answer))
            for name, answer in said(wishes.answers).items()
        ),
        "",
        _line(f"endpoint: {_text(wishes.endpoint)}", "the model's name in every key and metric"),
        _line(f"upstream: {_text(wishes.upstream)}", "where the model is"),
        _line("listen: 127.0.0.1:8080", "where clients connect from now on"),
        _line("admin: 127.0.0.1:9464", "/metrics, the API and the console"),
        "",
        "# What only you can say. Take the `#` away and change what stands there.",
        "#",
        "# Whose traffic it is: let clients send these headers, or name your own.",
        "# segments:",
        *(
            f"#   {name}: {{header: {source['header']}}}"
            for name, source in lower["segments"].items()
            if "header" in source
        ),
        "#",
        f"# Labels: {about['labels']}.",
        "# They come by POST /api/v1/feedback or `monitor feedback load`, and name an exchange by",
        "# the id of its record, which answers then carry:",
        "# edits: {exchange_id: true}",
        "#",
        "# Your arms, where you compare two versions (the preset's is called control):",
        "# experiments:",
        *(
            f"#   - {{name: {one['name']}, control: a, allocation: {{a: 0.5, b: 0.5}}}}"
            for one in lower["experiments"]
        ),
        "#",
        f"# Who is woken up ({', '.join(about['page'])}),",
        f"# and who hears of the rest ({', '.join(about['ticket'])}):",
        "# notify:",
        '#   - {name: oncall, url: "https://hooks.example.com/x", severities: [critical]}',
        '#   - {name: team, url: "https://hooks.example.com/y", severities: [critical, warning]}',
    ]
    return "\n".join(lines) + "\n"


def compose(wishes: Wishes, name: str) -> str:
    """Return a file for Docker Compose; `name` is that of the configuration beside it."""
    parts = urlsplit(wishes.upstream)
    inside = wishes.upstream
    hosts: list[str] = []
    if is_loopback(parts.hostname or ""):
        port = f":{parts.port}" if parts.port else ""
        inside = f"{parts.scheme}://{HOST}{port}"
        hosts = [f'    extra_hosts: ["{HOST}:host-gateway"]']
    lines = [
        "# Written by `monitor init`. Clients connect to port 8080; the model stays where it is.",
        "services:",
        "  monitor:",
        _line(f"    image: {IMAGE}", "`make image` builds it"),
        "    command: [run]",
        "    environment:",
        "      MONITOR_CONFIG: /etc/monitor/monitor.yaml",
        _line(f"      MONITOR_UPSTREAM: {_text(inside)}", "the model, seen from the container"),
        "      MONITOR_LISTEN: 0.0.0.0:8080",
        "      MONITOR_ADMIN: 0.0.0.0:9464",
        "      MONITOR_DATA: /data",
        *hosts,
        f"    volumes: [{_text(f'./{name}:/etc/monitor/monitor.yaml:ro')}, data:/data]",
        '    ports: ["127.0.0.1:8080:8080", "127.0.0.1:9464:9464"]',
        "    read_only: true",
        "    tmpfs: [/tmp]",
        "    cap_drop: [ALL]",
        '    security_opt: ["no-new-privileges:true"]',
        "    restart: unless-stopped",
        "    stop_grace_period: 60s",
        "volumes: {data: {}}",
    ]
    return "\n".join(lines) + "\n"


def values(wishes: Wishes) -> str:
    """Return a file of values for the chart; Pods choose the sidecar by their annotation."""
    lines = [
        f"# Written by `monitor init`, for the chart {CHART}. A model's Pod gets the sidecar by",
        "# the annotation `monitor.dev/inject: enabled`, so its address is not said here.",
        f"endpoint: {_text(wishes.endpoint)}",
        _line("settings:", "goes into monitor.yaml of sidecars and analyzer"),
        f"  preset: {wishes.preset}",
        "  circumstances:",
        *(
            _line(f"    {name}: {scalar(answer)}", consequence(name, answer))
            for name, answer in said(wishes.answers).items()
        ),
    ]
    return "\n".join(lines) + "\n"


def _line(text: str, why: str) -> str:
    return f"{text:<{COLUMN}} # {why}"


def scalar(answer: bool | float | None) -> str:
    """An answer as YAML has it.

    >>> scalar(True), scalar(None), scalar(0.25), scalar(2.0)
    ('true', 'null', '0.25', '2')
    """
    if isinstance(answer, bool) or answer is None:
        return json.dumps(answer)
    return f"{answer:.12g}"


def _text(text: str) -> str:
    """A text as YAML has it, in quotes where it may be read as something else.

    >>> _text("support-bot"), _text("http://127.0.0.1:9000"), _text("1e3"), _text("no")
    ('support-bot', 'http://127.0.0.1:9000', '"1e3"', '"no"')
    """
    is_plain = text.startswith(("http://", "https://")) or (
        text[:1].isalpha() and text.lower() not in ("yes", "no", "on", "off", "true", "false")
    )
    is_safe = all(one.isascii() and (one.isalnum() or one in "-._/:") for one in text)
    return text if is_plain and is_safe and text != "null" else json.dumps(text)
