"""Tests of rules → the same tests, one a file, with the rules that can tell something in it.

promtool evaluates each rule at each step. So a test is run twice: step by step with the rules that
what it asks for is made of, and with all of them at every tenth step, where none may fail.
"""

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
_LENGTH = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_EITHER = {"or", "unless"}
_OURS = re.compile(r"monitor_|.*:")
_OF_PROMTOOL = {"ALERTS", "ALERTS_FOR_STATE"}

Rule = dict[str, Any]


def recording(groups: list[dict[str, Any]], told: Collection[str]) -> list[dict[str, Any]]:
    """The groups without each rule whose record is empty when only the series `told` are there.

    An expression without `absent` and its like is empty when all its series are, and without `or`
    and `unless` when one of ours is. What any rule kept may record is there for the others. Rules
    that alert are all kept.
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
    if not names or _FROM_NOTHING.search(expression):
        return True
    needed = set() if names & _EITHER else set(filter(_OURS.match, names))
    return needed <= there and not names.isdisjoint(there)


def asked(groups: list[dict[str, Any]], test: dict[str, Any]) -> list[dict[str, Any]]:
    """The groups without each rule that what a test asks for is not made of."""
    alerts = {one["alertname"] for one in test.get("alert_rule_test", ())}
    read = [one["expr"] for one in test.get("promql_expr_test", ())]
    rules = [rule for group in groups for rule in group["rules"]]
    kept: list[Rule] = []
    while True:
        names = {name for one in read for name in _NAME.findall(_STRING.sub("", one))}
        if names & _OF_PROMTOOL or any("__name__" in one for one in read):
            return groups
        needed = [one for one in rules if one.get("alert") in alerts or one.get("record") in names]
        if needed == kept:
            break
        kept, read = needed, read + [one["expr"] for one in needed]
    return [
        {**group, "rules": [one for one in group["rules"] if one in kept]}
        for group in groups
        if any(one in kept for one in group["rules"])
    ]


def _seconds(time: str) -> int:
    return sum(int(number) * _SECONDS[unit] for number, unit in _LENGTH.findall(time))


def _at_every_tenth_step(document: dict[str, Any], test: dict[str, Any]) -> dict[str, Any]:
    """The same story, of which nothing is asked but that no rule fails until its end."""
    asking = [*test.get("alert_rule_test", ()), *test.get("promql_expr_test", ())]
    end = max((one["eval_time"] for one in asking), key=_seconds)
    told = {"expr": "vector(1)", "eval_time": end, "exp_samples": [{"labels": "{}", "value": 1}]}
    story = {name: said for name, said in test.items() if name != "alert_rule_test"}
    return {
        **document,
        "evaluation_interval": f"{10 * _seconds(document['evaluation_interval'])}s",
        "tests": [{**story, "promql_expr_test": [told]}],
    }


def taken_apart(path: Path, into: Path) -> list[Path]:
    """Write each test of a file of promtool into two files, one of what it asks for and one of all
    rules that can tell something in it; returns those files."""
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
        for name, kept, alone in (
            (f"{number}-asked", asked(groups, test), {**document, "tests": [test]}),
            (f"{number}-all", groups, _at_every_tenth_step(document, test)),
        ):
            rules = into / f"{name}.rules.yml"
            rules.write_text(json.dumps({"groups": kept}, ensure_ascii=False), encoding="utf-8")
            files.append(into / f"{name}.test.yml")
            alone["rule_files"] = [str(rules)]
            files[-1].write_text(json.dumps(alone, ensure_ascii=False), encoding="utf-8")
    return files
