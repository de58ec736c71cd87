"""The guides of docs/domains say of each preset what it says itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from monitor.assembly import build, experiments
from monitor.assembly import reviewing as reviewer
from monitor.commands import init_files
from monitor.settings import layers, load
from monitor.settings.circumstances import Circumstances

ROOT = Path(__file__).parent.parent
GUIDES = ROOT / "docs" / "domains"
DOMAINS = layers.presets()
HEADINGS = (
    "What can go wrong", "What is watched", "What an alert means, and what to do", "What regulators",
    "How to fine-tune",
)  # fmt: skip


def guide(domain: str) -> str:
    return (GUIDES / f"{domain}.md").read_text(encoding="utf-8")


def preset(domain: str) -> layers.Layer:
    return layers.layer(layers.PRESETS, domain)


def test_each_domain_has_a_guide_and_the_index_has_each() -> None:
    """A preset more is a page more."""
    assert sorted(one.stem for one in GUIDES.glob("*.md")) == sorted(["README", *DOMAINS])
    index = (GUIDES / "README.md").read_text(encoding="utf-8")
    assert all(f"]({domain}.md)" in index for domain in DOMAINS)


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_guide_answers_every_question(domain: str) -> None:
    """In the same order everywhere, and without giving legal advice."""
    text = guide(domain)
    places = [text.index(f"\n## {heading}") for heading in HEADINGS]
    assert places == sorted(places)
    assert "No legal advice" in text


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_guide_explains_each_alert_and_each_check_of_its_preset(domain: str) -> None:
    """Alerts with a link to what to do first; and no check that the preset has not."""
    text = guide(domain)
    about = preset(domain).about
    meaning = text.partition("## What an alert means")[2].partition("\n## ")[0]
    for alert in preset(domain).tree["alerts"]["severities"]:
        assert f"[{alert}](../../RUNBOOK.md#{alert.lower()})" in meaning
    watched = text.partition("## What is watched")[2].partition("\n## ")[0]
    told = re.findall(r"\w+", " ".join(re.findall(r"checks? ((?:`\w+`,? ?)+)", watched)))
    assert told
    assert set(told) <= preset(domain).tree["checks"].keys()
    assert all(event in text for event in re.findall(r"`(\w+)`", about["labels"]))


def _at(tree: Any, path: str) -> Any:
    for step in path.split("."):
        tree = tree[step]
    return tree


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_numbers_of_a_guide_are_those_of_its_preset(domain: str) -> None:
    """What stands under What is watched as `key: number`."""
    watched = guide(domain).partition("## What is watched")[2].partition("\n## ")[0]
    said = re.findall(r"`([a-z_]+(?:\.[a-z_]+)+): ([0-9.]+)`", watched)
    assert said
    for key, number in said:
        assert _at(preset(domain).tree, key) == float(number), key


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_examples_of_a_guide_work(domain: str) -> None:
    """They are laid over the preset, and change what they say."""
    blocks = re.findall(r"```yaml\n(.*?)```", guide(domain), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        tree = yaml.safe_load(block)
        assert tree["preset"] == domain
        found = load.checked(tree)
        build.checks(found)
        build.edge_cases(found)
        build.dimensions(found)
        build.prediction_reader(found)
        experiments.experiments_of(found)
        reviewer.policy_of(found)
        assert len(tree) > 1


def test_the_index_says_how_bad_alerts_are_with_each_preset() -> None:
    """A line for each alert of which a preset says something, with the domains by severity."""
    index = (GUIDES / "README.md").read_text(encoding="utf-8")
    told = {
        (domain, alert, severity)
        for domain in DOMAINS
        for alert, severity in preset(domain).tree["alerts"]["severities"].items()
    }
    listed = set()
    for alert, critical, warning in re.findall(
        r"(?m)^   \| `(\w+)` \|[^|]*\|([^|]*)\|([^|]*)\|$", index
    ):
        for severity, domains in (("critical", critical), ("warning", warning)):
            listed |= {(one, alert, severity) for one in re.findall(r"[a-z]+", domains)}
    assert listed == told


def test_values_for_helm_are_values_of_the_chart() -> None:
    """Its schema takes what `monitor init` writes."""
    chart = ROOT / init_files.CHART
    schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
    usual = yaml.safe_load((chart / "values.yaml").read_text(encoding="utf-8"))
    wishes = init_files.Wishes(DOMAINS[0], Circumstances(latency_budget=0.5), endpoint="bot")
    text = init_files.values(wishes)
    jsonschema.validate({**usual, **yaml.safe_load(text)}, schema)
    offered = yaml.safe_load(re.sub(r"(?m)^# (?=\w+: \{)", "", text))
    assert {"podMonitor", "prometheusRule", "dashboards"} <= offered.keys()
    for key, one in offered.items():
        assert not isinstance(one, dict) or key == "settings" or one.keys() <= usual[key].keys()
    merged = {key: {**usual[key], **one} if isinstance(one, dict) else one
              for key, one in offered.items()}  # fmt: skip
    jsonschema.validate({**usual, **merged}, schema)
