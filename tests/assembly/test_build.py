"""Settings made into parts."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from monitor.analysis.drift.profiles import dump_profile, profile_of
from monitor.assembly import build
from monitor.edge_cases import EDGE_CASES
from monitor.errors import ConfigError
from monitor.feedback import Statement
from monitor.meters import Meters
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.protocols import PROTOCOLS
from monitor.recorder.capture import Capture
from monitor.rows import Row
from monitor.settings.schema import DimensionSource, Outcomes, Privacy, Reference, Settings
from monitor.types import Exchange, Message, Observation, Outcome, Part, Verdict, encode_record
from monitor.view import View


def test_a_hashed_dimension_is_a_keyed_pseudonym() -> None:
    """The same person is the same token; what the operator says of the segment goes first."""
    segments = {
        "user": DimensionSource(query="user", hash=True),
        "tier": DimensionSource(query="tier", hash=True),
    }
    rules = {"segments.tier": "drop"}
    settings = Settings(segments=segments, privacy=Privacy(paths=rules))
    dimensions, crossed = build.dimensions(settings)
    privacy = build.privacy(settings, Keyring((Key("k1", bytes(range(32))),)))
    capture = Capture("e", PROTOCOLS, dimensions, privacy, Meters("recorder", "e"), crossed=crossed)

    def segment(target: str) -> dict[str, str]:
        head = f"POST {target} HTTP/1.1\r\n\r\n".encode()
        answer = Message(b"HTTP/1.1 200 OK\r\n\r\n", b"{}", 2)
        record, _ = capture.read(Exchange("i", 0.0, 0.0, Message(head), answer, [], Outcome.OK))
        return record.segments

    ada = segment("/a?user=ada&tier=gold")
    assert ada["user"].startswith("<SEGMENT:k1:")
    assert ada["tier"] == "none"
    assert segment("/b?user=ada")["user"] == ada["user"] != segment("/a?user=bob")["user"]
    assert segment("/a")["user"] == "none"


MINE = """
import msgspec
from monitor.interfaces import Check, EdgeCase
from monitor.types import Verdict

class Thresholds(msgspec.Struct, frozen=True):
    share: float = 0.8

LOUD = EdgeCase(
    "whatever",
    lambda given: f"a question of which {given.share:.0%} are capitals",
    lambda view, given: sum(map(str.isupper, view.question)) > given.share * len(view.question),
    Thresholds(),
)
NOT_ONE = 5

class Most(msgspec.Struct, frozen=True):
    most: int = 0

def look(view, given):
    loud = sum(map(str.isupper, "".join(view.answers)))
    return Verdict(loud <= given.most, loud, len("".join(view.answers)))

ANGRY = Check("x", str, look, Most(), complaint=lambda given: 1 / given.most)
QUIET = Check(
    "whatever", lambda given: f"whether at most {given.most} are capitals", look, Most(),
    complaint=lambda given: f"most: {given.most} is below 0" if given.most < 0 else "",
)
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """A package of somebody's own, with modules that hold an edge case, and that fail."""
    (tmp_path / "own_rules").mkdir()
    (tmp_path / "own_rules" / "__init__.py").write_text("")
    (tmp_path / "own_rules" / "rules.py").write_text(MINE)
    (tmp_path / "own_rules" / "bad.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.startswith("own_rules")]:
        del sys.modules[name]


def names(**given: Any) -> list[str]:
    return [one.name for one in build.edge_cases(Settings(edge_cases=given))]


def test_edge_cases_are_on_unless_they_are_switched_off() -> None:
    """Or need what is not there; thresholds are as the settings say, the others as they were."""
    usual = [one.name for one in EDGE_CASES if not one.needs]
    assert names() == usual
    assert names(refusal=None, tool_loop=None) == [
        name for name in usual if name not in ("refusal", "tool_loop")
    ]
    assert names(long_input={}) == usual
    found = build.edge_cases(Settings(edge_cases={"tool_loop": {"turns": 5}}))
    (loop,) = [one for one in found if one.name == "tool_loop"]
    assert loop.thresholds == type(loop.thresholds)(turns=5, polling_turns=10)
    known = build.edge_cases(Settings(reference=Reference(file="usual.json")))
    assert [one.name for one in known] == [one.name for one in EDGE_CASES]


def test_somebodys_own_edge_case_has_the_name_that_the_settings_give_it(mine: None) -> None:
    """With its thresholds beside the module; it comes after the built-in ones."""
    given = {"module": "own_rules.rules:LOUD"}
    assert names(shouting=given)[-1] == "shouting"
    (*_, one) = build.edge_cases(Settings(edge_cases={"shouting": {**given, "share": 0.5}}))
    view = View(inputs=[Part(role="user", text="WHERE is IT")])
    assert one.holds(view, one.thresholds)
    assert not one.holds(view, type(one.thresholds)())
    assert one.words(one.thresholds) == "a question of which 50% are capitals"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"refusl": None}, "edge_cases.refusl: there is no such edge case; did you mean refusal?"),
        ({"mine": {}}, "edge_cases.mine: there is no such edge case; there are empty_output, "),
        ({"long_input": {"token": 1}}, "edge_cases.long_input.token: unknown key; did you mean tokens?"),
        ({"long_input": {"tokens": 0}}, "edge_cases.long_input.tokens: 0 is not a whole number of at least 1"),
        ({"low_confidence": {"below": 2}}, "edge_cases.low_confidence.below: 2 is not a number from 0 to 1"),
        ({"refusal": {"module": "a:B"}}, "edge_cases.refusal.module: unknown key"),
        ({"none": {"module": "own_rules.rules:LOUD"}}, "edge_cases.none: the name of an edge case is a word"),
        ({"a b": {"module": "own_rules.rules:LOUD"}}, "edge_cases.'a b': the name of an edge case is a word"),
        ({"mine": {"module": "own_rules.rules:SILENT"}}, "edge_cases.mine.module: 'own_rules.rules:SILENT' is not "
         "the name of an EdgeCase, as in package.module:NAME"),
        ({"mine": {"module": "own_rules.rules:NOT_ONE"}}, "edge_cases.mine.module: 'own_rules.rules:NOT_ONE' is"),
        ({"mine": {"module": "own_rules.rules"}}, "edge_cases.mine.module: 'own_rules.rules' is not the name"),
        ({"mine": {"module": "nowhere.rules:X"}}, "edge_cases.mine.module: 'nowhere.rules:X' is not the name"),
        ({"mine": {"module": 5}}, "edge_cases.mine.module: 5 is not the name of an EdgeCase"),
        ({"mine": {"module": "own_rules.bad:X"}}, "edge_cases.mine.module: 'own_rules.bad:X': 'own_rules.bad' "
         "raises ZeroDivisionError"),
        ({"mine": {"module": "own_rules.rules:LOUD", "shares": 1}}, "edge_cases.mine.shares: unknown key; did you"),
        ({"mine": {"module": "own_rules.rules:LOUD", "share": "x"}}, "edge_cases.mine.share: 'x' is not a number"),
    ],
)  # fmt: skip
def test_a_wrong_edge_case_is_one_line_that_names_its_key(
    mine: None, given: dict[str, Any], said: str
) -> None:
    """And says what would be right."""
    with pytest.raises(ConfigError) as caught:
        build.edge_cases(Settings(edge_cases=given))
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_what_is_usual_is_read_where_a_rule_asks_for_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the file, which the analyzer may have alone, the recorder says so and goes on."""
    seen = [Row(float(n), {}, [Observation("age", "numeric", n % 90)]) for n in range(2000)]
    file = tmp_path / "usual.json"
    file.write_bytes(dump_profile(profile_of(seen)))
    settings = Settings(reference=Reference(file=str(file)))
    rules = build.edge_cases(settings)
    assert build.usual(settings, rules).keys() == {"age"}
    assert build.usual(settings, rules[:1]) == {}
    assert build.usual(Settings(), rules) == {}
    assert caplog.messages == []
    for text in ("{}", json.dumps({"references": 1})):
        file.write_text(text)
        assert build.usual(settings, rules) == {}
    file.unlink()
    assert build.usual(settings, rules) == {}
    assert len(caplog.messages) == 3
    assert all("unknown_category and out_of_range are not looked for" in m for m in caplog.messages)


def test_checks_are_off_unless_they_are_named() -> None:
    """With thresholds as the settings say, in the order of their list; null names none."""
    assert build.checks(Settings()) == []
    assert build.checks(Settings(checks={"refusal": None})) == []
    given: dict[str, Any] = {"language": {"words": 30}, "refusal": {}}
    refusal, language = build.checks(Settings(checks=given))
    assert (refusal.name, language.name) == ("refusal", "language")
    assert language.thresholds == type(language.thresholds)(words=30)


def test_somebodys_own_check_has_the_name_that_the_settings_give_it(mine: None) -> None:
    """Beside the built-in ones; what it says is wrong with its thresholds is an error."""
    given = {"module": "own_rules.rules:QUIET"}
    refusal, one = build.checks(Settings(checks={"calm": {**given, "most": 3}, "refusal": {}}))
    assert (refusal.name, one.name) == ("refusal", "calm")
    view = View(outputs=[Part(role="assistant", text="THIS is IT")])
    assert one.look(view, one.thresholds) == Verdict(False, 6, 10)
    with pytest.raises(ConfigError) as caught:
        build.checks(Settings(checks={"calm": {**given, "most": -1}}))
    assert str(caught.value) == "checks.calm.most: -1 is below 0"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"refusl": {}}, "checks.refusl: there is no such check; did you mean refusal?"),
        ({"mine": None}, "checks.mine: there is no such check; there are empty, "),
        ({"language": {"word": 1}}, "checks.language.word: unknown key; did you mean words?"),
        ({"language": {"words": 0}}, "checks.language.words: 0 is not a whole number of at least 5"),
        ({"refusal": {"module": "a:B"}}, "checks.refusal.module: unknown key"),
        ({"mine": {"module": "own_rules.rules:ANGRY"}}, "checks.mine: its complaint raises ZeroDivisionError"),
        ({"all": {"module": "own_rules.rules:QUIET"}}, "checks.all: the name of a check is a word other than none"),
        ({"mine": {"module": "own_rules.rules:LOUD"}}, "checks.mine.module: 'own_rules.rules:LOUD' is not "
         "the name of a Check, as in package.module:NAME"),
    ],
)  # fmt: skip
def test_a_wrong_check_is_one_line_that_names_its_key(
    mine: None, given: dict[str, Any], said: str
) -> None:
    """And says what would be right."""
    with pytest.raises(ConfigError) as caught:
        build.checks(Settings(checks=given))
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rule", ["keep", "scan", "drop"])
def test_only_a_rule_that_names_it_goes_before_a_hash(rule: str) -> None:
    """A pattern for all dimensions takes no hash away; a name does, however it is written."""
    keyring = Keyring((Key("k1", bytes(range(32))),))

    def said(path: str) -> str:
        settings = Settings(
            segments={"user": DimensionSource(query="user", hash=True)},
            privacy=Privacy(paths={path: rule}),
        )
        return build.privacy(settings, keyring).segment("user", "ada")

    assert all(said(f"segments.{pattern}").startswith("<SEGMENT:k1:") for pattern in ("*", "u*"))
    assert (
        said("segments.user") == said("segments['user']") == ("none" if rule == "drop" else "ada")
    )


def test_a_rule_for_a_cross_is_refused() -> None:
    """What is crossed has rules; joined values are nobody's to read again."""
    settings = Settings(
        segments={
            "a": DimensionSource(query="a"), "b": DimensionSource(query="b"),
            "c": DimensionSource(cross=["a", "b"]),
        },
        privacy=Privacy(paths={"segments.c": "drop"}),
    )  # fmt: skip
    with pytest.raises(ConfigError, match=r"segments\.c: is crossed from a and b"):
        build.check(settings)


def test_a_recorder_that_waits_for_a_core_redacts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound on the time of a Record is one of work; other processes may go first."""
    at = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: at[0])
    scrub = build.privacy(Settings(), Keyring((Key("k1", bytes(range(32))),))).again()
    at[0] += 3600
    assert scrub.text("write to ada@example.org").startswith("write to <EMAIL_ADDRESS:k1:")


def test_a_business_key_is_in_the_record_as_feedback_names_it() -> None:
    """Read from the body, under the pseudonym that feedback has; absent ones and long ones are left
    out, and nothing raw is kept."""
    paths = {"order": "request.metadata.order", "mail": "request.user", "gone": "response.absent"}
    settings = Settings(outcomes=Outcomes(key=paths))
    privacy = build.privacy(settings, Keyring((Key("k1", bytes(range(32))),)))
    capture = Capture(
        "e", PROTOCOLS, [], privacy, Meters("recorder", "e"), business=build.business(settings)
    )

    def business(order: object) -> dict[str, str]:
        body = json.dumps({"metadata": {"order": order}, "user": "ada@example.com"}).encode()
        request = Message(b"POST / HTTP/1.1\r\n\r\n", body, len(body))
        answer = Message(b"HTTP/1.1 200 OK\r\n\r\n")
        record, _ = capture.read(Exchange("i", 1.0, 0.1, request, answer, [], Outcome.OK))
        assert b"ada@example" not in encode_record(record)
        return record.business

    found = business("o-17")
    for name, value in {"order": "o-17", "mail": "ada@example.com"}.items():
        said = privacy.feedback(Statement(business={name: value}, label="1"))
        assert said.business == {name: found[name]}
    assert found["order"] == "o-17"
    assert "ada" not in found["mail"]
    assert set(found) == {"order", "mail"}
    assert business(17)["order"] == "17"
    assert set(business("x" * 201)) == {"mail"}


@pytest.mark.parametrize(
    ("outcomes", "key"),
    [
        (Outcomes(key={"order": "metadata.order"}), "outcomes.key.order"),
        (Outcomes(prediction="label"), "outcomes.prediction"),
        (Outcomes(score="request.score"), "outcomes.score"),
    ],
)
def test_a_wrong_place_of_outcomes_is_one_line_that_names_its_key(
    outcomes: Outcomes, key: str
) -> None:
    """With an example of what would be right."""
    settings = Settings(outcomes=outcomes)
    part = build.business if outcomes.key else build.prediction_reader
    with pytest.raises(ConfigError, match=rf"^{key}: .*give .* as ") as raised:
        part(settings)
    assert "\n" not in str(raised.value)
