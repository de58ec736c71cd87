"""The files that `monitor init` writes are read by those who are meant to read them."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.commands import init_files
from monitor.commands.init_files import Wishes
from monitor.inject.container import IMAGE
from monitor.settings import layers, load, strict_yaml
from monitor.settings.circumstances import Circumstances

ROOT = Path(__file__).parents[2]
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
        lines = [line for line in text.splitlines() if line]
        for before, line in itertools.pairwise(lines):
            assert "#" in line or line[-1] == ":" or "#" in before, "each line has its reason"


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
    assert service["volumes"] == [
        {"type": "bind", "source": "./my conf.yaml", "target": "/etc/monitor/monitor.yaml",
         "read_only": True},
        {"type": "volume", "source": "data", "target": "/data"},
    ]  # fmt: skip
    assert (service["image"], service["command"]) == (IMAGE, ["run"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    variables = {name: str(value) for name, value in service["environment"].items()}
    variables.pop("MONITOR_CONFIG")
    assert load.load(None, variables).upstream == inside


@pytest.mark.parametrize("name", ["a:b.yaml", "a$HOME.yaml", "é {x}, #1 'q' \"r\".yaml", "😀.yaml"])
def test_any_name_of_a_file_is_a_volume(name: str) -> None:
    """A colon parts nothing, and no variable is put in."""
    found = yaml.safe_load(init_files.compose(Wishes("legal"), name))
    source = found["services"]["monitor"]["volumes"][0]["source"]
    assert source.replace("$$", "") == f"./{name}".replace("$", "")
    assert source.count("$") == 2 * name.count("$")


def test_a_compose_file_offers_tokens() -> None:
    """Without them the console and the feedback API are shut, since the address is no loopback."""
    text = init_files.compose(Wishes("legal"), "m.yaml")
    found = yaml.safe_load(re.sub(r"# (?=MONITOR_ACCESS|- \{type)", "", text))
    service = found["services"]["monitor"]
    tokens = service["environment"]["MONITOR_ACCESS_TOKENS"]
    assert tokens in [one["target"] for one in service["volumes"]]
    assert load.load(None, {"MONITOR_ACCESS_TOKENS": tokens}).access.tokens == tokens


@pytest.mark.parametrize("domain", DOMAINS)
def test_how_bad_alerts_are_is_as_the_preset_says(domain: str) -> None:
    """And the lines are settings, once the marks are taken away."""
    text = init_files.configuration(Wishes(domain))
    keys = r"(?m)^# (?=alerts:|  severities:|    Monitor)"
    found = load.checked(strict_yaml.load(re.sub(keys, "", text), "f"))
    assert found.alerts == load.checked({"preset": domain}).alerts
    assert len(re.findall(r"(?m)^#     Monitor\w+: ", text)) == len(found.alerts.severities)
    assert f"with these rows: {', '.join(found.dashboards.rows)}." in text


@pytest.mark.parametrize(
    "text", ["http://h:", "a: b", "null", "Yes", "~", "1e3", "😀", "a\nb", "x:"]
)
def test_a_text_is_read_as_it_was_written(text: str) -> None:
    """Whatever YAML could make of it."""
    assert yaml.safe_load(f"[{init_files._text(text)}]") == [text]


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
    text = init_files.configuration(Wishes("legal", found=("x: {a: [\n- b", "#preset: y")))
    assert strict_yaml.load(text, "f")["preset"] == "legal"
