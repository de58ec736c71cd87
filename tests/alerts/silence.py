"""Tests of rules → the same tests, one a file, without the recording rules that record nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

_STRING = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_NAME = re.compile(r"[A-Za-z_:][\w:]*")
_FROM_NOTHING = re.compile(r"\babsent\w*\b|\bvector\b|\bscalar\b|\btime\b|__name__|\(\s*\)")
"""What has a value where nothing was measured, or may be any series."""
_OF_PROMTOOL = {"ALERTS", "ALERTS_FOR_STATE"}

Rule = dict[str, Any]


def recording(groups: list[dict[str, Any]], told: Collection[str]) -> list[dict[str, Any]]:
    """The groups without each rule whose record is empty when only the series `told` are there.

    An expression without `absent` and its like is empty when all its series are. What any rule
    kept may record is there for the others. Rules that alert are all kept.
    """
    there = {*told, *_OF_PROMTOOL}
    while True:
        kept = [
            {**group, "rules": [rule for rule in group["rules"] if _may_tell(rule, there)]}
            for group in groups
        ]
        records = {rule["record"] for one in kept for rule in one["rules"] if "record" in rule}
        if records <= there:
            return [group for group in kept if group["rules"]]
        there |= records


def _may_tell(rule: Rule, there: Collection[str]) -> bool:
    if "alert" in rule:
        return True
    expression = rule["expr"]
    names = set(_NAME.findall(_STRING.sub("", expression)))
    return not names or not names.isdisjoint(there) or bool(_FROM_NOTHING.search(expression))


def taken_apart(path: Path, into: Path) -> list[Path]:
    """Write each test of a file of promtool into a file of its own, with the rules that can tell
    something in it; returns those files."""
    document = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    sources = [
        yaml.load((path.parent / name).read_bytes(), yaml.CSafeLoader)["groups"]
        for name in document["rule_files"]
    ]
    files = []
    for number, test in enumerate(document["tests"]):
        told = {
            match[0]
            for one in test.get("input_series", ())
            if (match := _NAME.match(one["series"]))
        }  # fmt: skip
        groups = recording([group for source in sources for group in source], told)
        rules = into / f"{number}.rules.yml"
        rules.write_text(json.dumps({"groups": groups}, ensure_ascii=False), encoding="utf-8")
        alone = {**document, "rule_files": [str(rules)], "tests": [test]}
        files.append(into / f"{number}.test.yml")
        files[-1].write_text(json.dumps(alone, ensure_ascii=False), encoding="utf-8")
    return files
