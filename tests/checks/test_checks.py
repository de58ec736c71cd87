"""Every check by its own examples; no check raises, or takes long, on anything."""

from __future__ import annotations

import json
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.assembly import build
from monitor.checks import CHECKS, leak_system, schema, sections
from monitor.edge_cases import repetition
from monitor.errors import ConfigError
from monitor.interfaces import Check
from monitor.settings.schema import Settings
from monitor.types import Part, Verdict
from monitor.view import View
from tests.edge_cases.test_edge_cases import HOSTILE, VIEWS, shown
from tests.pace import is_within

NAMES = [one.name for one in CHECKS]


def verdicts(view: View) -> dict[str, Verdict]:
    looked = {one.name: one.look(view, one.tried or one.thresholds) for one in CHECKS}
    return {name: verdict for name, verdict in looked.items() if verdict is not None}


def is_sound(verdict: Verdict) -> bool:
    """A share of what was looked at; what passed has nothing wrong, or less than a threshold."""
    return type(verdict.passed) is bool and 0 <= verdict.count <= verdict.of and verdict.of > 0


def test_names_are_words_of_their_own() -> None:
    """They are labels, keys of settings and parts of the names of features."""
    assert len(set(NAMES)) == len(NAMES)
    assert all(name.isidentifier() and name.islower() for name in NAMES)


@pytest.mark.parametrize("check", CHECKS, ids=NAMES)
def test_a_check_judges_its_examples_as_they_say(check: Check) -> None:
    """With the defaults; it has some that pass, that fail, and that it does not apply to."""
    assert check.passing
    assert check.failing
    assert check.skipped
    thresholds = check.tried or check.thresholds
    for view in (*check.passing, *check.failing):
        verdict = check.look(view, thresholds)
        assert verdict is not None, shown(view)
        assert is_sound(verdict)
        assert verdict.passed is (view in check.passing), shown(view)
        assert verdict.passed or verdict.count, shown(view)
    for view in check.skipped:
        assert check.look(view, thresholds) is None, shown(view)


@pytest.mark.parametrize("check", CHECKS, ids=NAMES)
def test_a_check_says_in_words_what_it_looks_at(check: Check) -> None:
    """One phrase, with the thresholds in it; with its defaults nothing is wrong."""
    said = check.words(check.tried or check.thresholds)
    assert said[0].islower()
    assert not said.endswith(".")
    assert "\n" not in said
    assert check.complaint(check.tried or check.thresholds) == ""


# --- anything ------------------------------------------------------------------------------------


@given(VIEWS)
def test_any_view_has_sound_verdicts(view: View) -> None:
    """No check raises, whatever an exchange is, and it says the same when asked again."""
    found = verdicts(view)
    assert all(map(is_sound, found.values()))
    assert found == verdicts(view)


TWICE: dict[str, Any] = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(40)}
EXPONENTIAL = {"$defs": {**TWICE, "a40": {}}, "$ref": "#/$defs/a0"}


def talk(said: str, system: str = "", **more: Any) -> View:
    inputs = [Part(role="system", text=system), Part(role="user", text="Hello?")]
    view = View(inputs=inputs, outputs=[Part(role="assistant", text=said)], finish=["stop"])
    return msgspec.structs.replace(view, **more)


MORE: dict[str, View] = {
    "a schema that doubles": talk("[1]", wants_json=True, schema=EXPONENTIAL),
    "1 MB of JSON": talk(json.dumps(list(range(150_000))), schema={"items": {"type": "integer"}}),
    "10,000 calls of tools": View(
        outputs=[Part(role="tool_call", text='{"name":"find","arguments":{"a":1}}')] * 10_000,
        tools={"find": EXPONENTIAL},
    ),
    "1 MB of headings": talk("# Findings\n# Impression\n" * 45_000),
    "1 MB of fences and headings": talk("```\n# Findings\n~~~\n" * 50_000),
    "1 MB of line ends": talk("\n" * 1_000_000),
    "1 MB of slots": talk("Dear {{name}}, {{ {{ ${a <INSERT A `" * 28_000),
    "1 MB of half a slot": talk("{{ " * 300_000, system="${" * 100_000),
    "1 MB of ticks": talk("`{{name}}" * 110_000),
    "1 MB of instructions": talk("you must never " * 60_000, system="you must never " * 60_000),
    "words that nearly follow": talk(
        " ".join(f"you{n % 25}" for n in range(100_000)),
        system=" ".join(f"you{n % 24}" for n in range(100_000)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", [*HOSTILE, *MORE])
def test_what_is_hostile_takes_a_bounded_time(name: str) -> None:
    """Less than what is read of a body of that size takes; each check by itself is linear."""
    view = (HOSTILE | MORE)[name]
    for check in CHECKS:
        begun = time.process_time()
        check.look(view, check.tried or check.thresholds)
        assert is_within(time.process_time() - begun, 0.5), check.name


# --- what settings may name ----------------------------------------------------------------------


def test_what_an_edge_case_and_a_check_ask_is_worked_out_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even if other exchanges come between, and again for another threshold or View."""
    asked: list[int] = []
    monkeypatch.setattr(repetition, "_repeats", lambda _, least: bool(asked.append(least)))
    views = [talk(f"It is late, for the {number}th time.") for number in range(99)]
    rule = repetition.EDGE_CASE
    check = next(one for one in CHECKS if one.name == "repetition")
    assert not any(rule.holds(view, rule.thresholds) for view in views)
    assert not any(check.look(view, check.thresholds) for view in views)
    assert len(asked) == 99
    check.look(views[0], repetition.Thresholds(words=50))
    check.look(msgspec.structs.replace(views[0]), check.thresholds)
    assert asked[99:] == [50, 60]


def test_a_schema_may_stand_in_a_file(tmp_path: Path) -> None:
    """It is then that of all answers, and goes before that of a request."""
    file = tmp_path / "answer.schema.json"
    file.write_text('{"type": "object", "required": ["city"]}')
    (one,) = build.checks(Settings(checks={"schema": {"file": str(file)}}))
    assert one.look(talk('{"city": "Ulm"}'), one.thresholds) == Verdict(True, 0, 1)
    assert one.look(talk("{}", schema={"type": "object"}), one.thresholds) == Verdict(False, 1, 1)
    assert one.look(talk("Ulm"), one.thresholds) == Verdict(False, 1, 1)
    assert one.words(one.thresholds) == f"whether an answer fits the JSON Schema {file}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read: no such file or directory"),
        ("{", "cannot be read: it is no json"),
        ("[]", "is no JSON Schema that answers can be held against: a schema is an object"),
        ("true", "is no JSON Schema: it is no object"),
        ('{"$ref": "https://example.org"}', "held against: a reference leads out of it"),
        ('{"unevaluatedItems": false}', "held against: it has unevaluatedItems"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_schema_is_an_error(tmp_path: Path, text: str | None, said: str) -> None:
    """At the start, in one line that names the key and the file."""
    file = tmp_path / "some.json"
    if text is not None:
        file.write_text(text)
    schema._read.cache_clear()
    with pytest.raises(ConfigError) as caught:
        build.checks(Settings(checks={"schema": {"file": str(file)}}))
    assert str(caught.value).startswith(f"checks.schema.file: {file} ")
    assert str(caught.value).endswith(said)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "checks.sections.required: name the headings, as [Findings, Impression]"),
        ({"required": ["##"]}, "checks.sections.required: a heading has a letter"),
        ({"required": "Findings"}, "checks.sections.required: 'Findings' is not a list"),
        ({"required": ["a"] * 51}, "checks.sections.required: "),
    ],
)
def test_sections_have_to_be_named(given: dict[str, Any], said: str) -> None:
    """Without any the check would look at nothing."""
    with pytest.raises(ConfigError) as caught:
        build.checks(Settings(checks={"sections": given}))
    assert str(caught.value).startswith(said)


WORDS = st.lists(st.sampled_from(["never", "a", "ab", "b"]), max_size=60)


@given(WORDS, WORDS, WORDS, st.integers(0, 60))
def test_a_leak_is_a_run_of_so_many_words(
    told: list[str], said: list[str], more: list[str], cut: int
) -> None:
    """Wherever it stands, and no shorter one; the same is found by looking at every run."""
    answer = [*said, *told[cut:], *more]
    system = " ".join(["never"] * 50 + ["z"] + told)
    verdict = leak_system.look(talk(" ".join(answer), system), leak_system.Thresholds(12))
    runs = [answer[start : start + 12] for start in range(len(answer) - 11)]
    leaks = any(f" {' '.join(run)} " in f" {system} " and "never" in run for run in runs)
    assert (verdict is None) == (not runs)
    assert verdict is None or verdict.passed is not leaks


@given(st.lists(st.sampled_from("abcd"), max_size=9))
def test_sections_in_order_are_the_longest_common_subsequence(found: list[str]) -> None:
    """By trying all."""
    best = max(
        len(some)
        for count in range(5)
        for some in combinations("abcd", count)
        if any(some == other for other in combinations(found, count))
    )
    assert sections._in_order(list("abcd"), found) == best


def test_how_many_sections_are_missing_or_out_of_order_is_counted() -> None:
    """The least that would have to be moved or written."""
    four = sections.Thresholds(["One", "Two", "3. Three", "Four: more"])

    def wrong(text: str) -> int:
        verdict = sections.look(talk(text), four)
        assert verdict is not None
        assert verdict.of == 4
        return verdict.count

    assert wrong("# One\n# Two\n# 3. Three\n# Four: more\n") == 0
    assert wrong("# One\n# 3. Three\n# Two\n# Four: more\n") == 1
    assert wrong("# Four: more\n# One\n") == 3
    assert wrong("nothing") == 4
