"""What a user wants → the files that `monitor init` writes, as texts."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import yaml

import monitor
from monitor.inject.container import IMAGE
from monitor.logs import plain
from monitor.settings import layers
from monitor.settings.addresses import is_loopback
from monitor.settings.circumstances import Circumstances

UPSTREAM = "http://127.0.0.1:9000"
"""Where the model is, as long as nobody says otherwise."""
COLUMN = 34
"""Where comments begin."""
WIDTH = 79
"""Columns of a sentence."""
CONFIG = "/etc/monitor/monitor.yaml"
TOKENS = "/etc/monitor-access/tokens"
HOST = "host.docker.internal"
"""What Docker calls the machine, seen from a container."""
CHART = "deploy/helm/monitor"
_PLAIN = re.compile(r"https?://(?:[A-Za-z0-9._/:-]*[A-Za-z0-9/])?|[A-Za-z][A-Za-z0-9._-]*")
_WORDS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
"""Texts that some reader of YAML takes for something else."""


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
        """The settings that name the preset and the answers, as YAML has them."""
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
        *(f"# {plain(one)}" for one in wishes.found),
        "",
        _line(f"preset: {wishes.preset}", about["title"]),
        "circumstances:",
        *_answers(wishes.answers, "  "),
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
        *_who_hears(lower),
    ]
    return "\n".join(lines) + "\n"


def _who_hears(lower: dict[str, Any]) -> Iterator[str]:
    """Lines about how bad alerts are, who hears of them, and how the rules get to know."""
    severities: dict[str, str] = lower["alerts"]["severities"]
    yield "# How bad alerts are: critical wakes somebody, warning waits for morning, info is news."
    yield "# The preset says so of these; all others are as RUNBOOK.md lists them. Yours go before:"
    yield "# alerts:"
    yield "#   severities:"
    for name, severity in severities.items():
        yield f"#     {name}: {severity}"
    yield "# `monitor files DIRECTORY --config FILE` writes rules for Prometheus that say so, and a"
    yield f"# dashboard `first` with these rows: {', '.join(lower['dashboards']['rows'])}."
    yield "# Without a Prometheus monitor itself tells people:"
    yield "# notify:"
    yield '#   - {name: oncall, url: "https://hooks.example.com/x", severities: [critical]}'
    yield (
        '#   - {name: team, url: "https://hooks.example.com/y", severities: [critical, warning]}'
    )


def compose(wishes: Wishes, name: str) -> str:
    """Return a file for Docker Compose; `name` is that of the configuration beside it."""
    parts = urlsplit(wishes.upstream)
    inside = wishes.upstream
    hosts: list[str] = []
    # In the long form a colon parts nothing; Compose puts variables in the place of a single `$`.
    source = _text(f"./{name}".replace("$", "$$"))
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
        f"      MONITOR_CONFIG: {CONFIG}",
        _line(f"      MONITOR_UPSTREAM: {_text(inside)}", "the model, seen from the container"),
        '      MONITOR_LISTEN: "[::]:8080"',
        '      MONITOR_ADMIN: "[::]:9464"',
        "      MONITOR_DATA: /data",
        "      # Without tokens port 9464 answers /metrics and probes alone. For the console, the",
        "      # API and feedback make a file `tokens` (CONFIGURATION.md, Access), and take the",
        "      # marks of comments away, here and below:",
        f"      # MONITOR_ACCESS_TOKENS: {TOKENS}",
        *hosts,
        "    volumes:",
        f"      - {{type: bind, source: {source}, target: {CONFIG}, read_only: true}}",
        f"      # - {{type: bind, source: ./tokens, target: {TOKENS}, read_only: true}}",
        "      - {type: volume, source: data, target: /data}",
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
        "# With the operator of Prometheus, and with Grafana, take these marks away:",
        "# podMonitor: {enabled: true, labels: {release: kube-prometheus-stack}}",
        "# prometheusRule: {enabled: true, labels: {release: kube-prometheus-stack}}",
        "# dashboards: {enabled: true}",
        f"endpoint: {_text(wishes.endpoint)}",
        _line("settings:", "goes into monitor.yaml of sidecars and analyzer"),
        f"  preset: {wishes.preset}",
        "  circumstances:",
        *_answers(wishes.answers, "    "),
    ]
    return "\n".join(lines) + "\n"


def _answers(answers: Circumstances, indent: str) -> Iterator[str]:
    """Lines of the five answers, each with what follows from it."""
    for name, answer in said(answers).items():
        yield from textwrap.wrap(
            consequence(name, answer),
            WIDTH,
            initial_indent=f"{indent}# ",
            subsequent_indent=f"{indent}# ",
            break_on_hyphens=False,
        )
        yield f"{indent}{name}: {scalar(answer)}"


def _line(text: str, why: str) -> str:
    return f"{text:<{COLUMN}} # {why}"


def scalar(answer: bool | float | None) -> str:
    """An answer as YAML has it.

    >>> scalar(True), scalar(None), scalar(0.25), scalar(2.0), scalar(1e-7)
    ('true', 'null', '0.25', '2', '1.0e-07')
    """
    if isinstance(answer, bool) or answer is None:
        return json.dumps(answer)
    text = f"{answer:.12g}"
    return yaml.safe_dump(answer).split()[0] if "e" in text else text


def _text(text: str) -> str:
    """A text as YAML has it, in quotes where it may be read as something else.

    >>> _text("support-bot"), _text("http://127.0.0.1:9000"), _text("1e3"), _text("no")
    ('support-bot', 'http://127.0.0.1:9000', '"1e3"', '"no"')
    """
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return yaml.safe_dump(text, default_style='"', width=math.inf).strip()
