"""The files that `monitor init` writes are read by those who are meant to read them."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
import yaml

from monitor.commands import init_files
from monitor.commands.init_files import Wishes
from monitor.inject.container import IMAGE
from monitor.settings import layers, load, strict_yaml
from monitor.settings.circumstances import Circumstances

DOMAINS = layers.presets()
EVERY = Circumstances(True, 0.25, True, True, True)


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_configuration_says_what_was_said(domain: str) -> None:
    """And sets nothing else: the rest is the preset's."""
    for answers in (Circumstances(), EVERY):
        text = init_files.configuration(Wishes(domain, answers, "https://model.example", "bot"))
        tree = strict_yaml.load(text, "f")
        assert tree == {
            "preset": domain,
            "circumstances": init_files.said(answers),
            "endpoint": "bot",
            "upstream": "https://model.example",
            "listen": "127.0.0.1:8080",
            "admin": "127.0.0.1:9464",
        }
        assert load.checked(tree).circumstances == answers
        assert all("#" in line for line in text.splitlines() if line and line[-1] != ":")


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_it_offers_works_once_the_marks_are_taken_away(domain: str) -> None:
    """Segments, arms, receivers: the examples of the file are examples of that domain."""
    text = init_files.configuration(Wishes(domain, EVERY))
    keys = r"(?m)^# (?=(?:segments|edits|experiments|notify):|  - |  \w+: \{)"
    tree = strict_yaml.load(re.sub(keys, "", text), "f")
    assert {"segments", "edits", "experiments", "notify"} <= tree.keys()
    found = load.checked(tree)
    assert {one.control for one in found.experiments} == {"a"}
    assert [one.name for one in found.notify] == ["oncall", "team"]
    before = load.checked(strict_yaml.load(text, "f"))
    assert found.segments == before.segments
    assert [one.name for one in found.experiments] == [one.name for one in before.experiments]


@pytest.mark.parametrize(
    ("upstream", "inside"),
    [
        ("http://127.0.0.1:9000", "http://host.docker.internal:9000"),
        ("http://[::1]:9000", "http://host.docker.internal:9000"),
        ("http://model:8000", "http://model:8000"),
        ("https://api.example.com", "https://api.example.com"),
    ],
)
def test_a_compose_file_finds_the_model_and_the_configuration(upstream: str, inside: str) -> None:
    """A model on this machine is somewhere else for a container. It is confined as ours are."""
    found = yaml.safe_load(init_files.compose(Wishes("legal", upstream=upstream), "my conf.yaml"))
    service: dict[str, Any] = found["services"]["monitor"]
    assert service["environment"]["MONITOR_UPSTREAM"] == inside
    assert ("extra_hosts" in service) is ("docker" in inside)
    assert service["volumes"] == ["./my conf.yaml:/etc/monitor/monitor.yaml:ro", "data:/data"]
    assert (service["image"], service["command"]) == (IMAGE, ["run"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    variables = {name: str(value) for name, value in service["environment"].items()}
    variables.pop("MONITOR_CONFIG")
    assert load.load(None, variables).upstream == inside


def test_values_hold_the_same_settings() -> None:
    """Under `settings`, which the chart puts into monitor.yaml."""
    for domain, answers in itertools.product(DOMAINS, (Circumstances(), EVERY)):
        found = yaml.safe_load(init_files.values(Wishes(domain, answers, endpoint="yes")))
        assert found == {
            "endpoint": "yes",
            "settings": {"preset": domain, "circumstances": init_files.said(answers)},
        }
        assert load.checked(found["settings"]).circumstances == answers


def test_hostile_findings_stay_in_their_comment() -> None:
    """What an upstream says of itself sets no key."""
    text = init_files.configuration(Wishes("legal", found=("speaks x: {a: [\\n", "#preset: y")))
    assert strict_yaml.load(text, "f")["preset"] == "legal"
