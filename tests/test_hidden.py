"""What privacy has left out is not looked at: it is neither well nor ill, in no check, edge case or
feature, whichever rule left it out and wherever the rule is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from monitor.checks import CHECKS
from monitor.edge_cases import EDGE_CASES
from monitor.features import FEATURES, MORE
from monitor.hidden import ALL, MOST
from monitor.meters import Meters
from monitor.prices.pricing import Pricing
from monitor.privacy.policies import Policy
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.recorder.agreements import Agreements
from monitor.recorder.capture import Capture
from monitor.recorder.repeats import Repeats
from monitor.redrive.requests import Left, check
from monitor.types import Part, Record, decode_record, encode_record
from monitor.view import View
from tests.recorder.test_capture import SCANNER, exchange

GIVEN = (
    "You are the clerk of a mill and answer in English. The mill at Ulm made 12,480 tonnes of board "
    "in spring, after 11,900 tonnes in winter. Water came to 9.8 m3 per tonne. Sales were EUR 14.25 "
    "million, of which 61.5% went abroad. Energy was 3.42 MWh per tonne, and the plant ran on 88 of "
    "92 days. Two fires were put out within 15 minutes. [1] Report of the mill. [2] Report of the town."
)
FINE = (
    "The mill made 12,480 tonnes of board, after 11,900 tonnes, as the report says [1]. It ran on 88 "
    "of the 92 days, and sales were EUR 14.25 million, of which 61.5% went abroad and none to us."
)
WRONG = "The mill made 77,123 tonnes and 51,999 more [9]. So 2 + 2 = 5, dear {{name}}. I can't help with that."
ASKED = (
    "How much board has the mill made in spring, and did it make more of it than it had in winter?"
)


def reader(paths: Mapping[str, str]) -> Capture:
    """A recorder that has been told these rules; with all checks and edge cases."""
    privacy = Privacy(
        scanner=SCANNER, keyring=Keyring((Key("k1", bytes(range(32))),)), clock=lambda: 0.0,
        policy=Policy(paths),
    )  # fmt: skip
    checks = [replace(one, thresholds=one.tried or one.thresholds) for one in CHECKS]
    return Capture(
        "e", PROTOCOLS, [], privacy, Meters("recorder", "e"), edge_cases=EDGE_CASES, checks=checks,
        repeats=Repeats(b"key"), agreements=Agreements(b"key"), pricing=Pricing(),
    )  # fmt: skip


def chat(said: str | None, **more: Any) -> tuple[bytes, bytes]:
    messages = [{"role": "system", "content": GIVEN}, {"role": "user", "content": ASKED}]
    message: dict[str, Any] = {"role": "assistant", "content": said, **more}
    answer = {"id": "c", "model": "m", "choices": [{"message": message, "finish_reason": "stop"}]}
    asked = {"model": "m", "user": "u-1", "messages": messages}
    return json.dumps(asked).encode(), json.dumps(answer).encode()


def read(paths: Mapping[str, str], said: str | None) -> Record:
    """The second Record of the same exchange, so that it may be one that comes again."""
    capture = reader(paths)
    capture.read(exchange(*chat(FINE)))
    return decode_record(encode_record(capture.read(exchange(*chat(said)))[0]))


def observed(record: Record) -> set[str]:
    return {one.feature for feature in (*FEATURES, *MORE) for one in feature.observe(record)}


OUTPUTS = (
    "outputs.**",
    "outputs.assistant",
    "response.**",
    "response.choices",
    "response.choices[*].message.content",
)
INPUTS = ("inputs.**", "request.messages", "request.messages[*].content")
RULES = ("drop", "hash_whole", "token(TEXT)")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("path", OUTPUTS)
def test_of_an_answer_that_is_not_kept_nothing_is_said(path: str, rule: str) -> None:
    """Not that it is empty, nor that it is fine. How it ended is known still, unless that is not kept
    either."""
    for said in (FINE, WRONG):
        record = read({path: rule}, said)
        assert set(record.checks) <= {"truncated"}, (said, record.checks)
        assert set(record.edge_cases) <= {"repeated_request"}, said
        told = {one for one in observed(record) if one.startswith("output")}
        assert told <= {"output_columns", "output_tokens"} or rule.startswith("token"), told


@pytest.mark.parametrize("path", OUTPUTS)
def test_an_answer_of_which_there_was_nothing_to_leave_out_is_empty(path: str) -> None:
    """Where the rest of its body can be read still."""
    checks = read({path: "drop"}, "").checks
    assert "empty" not in checks if path == "response.choices" else not checks["empty"].passed


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("path", INPUTS)
def test_an_answer_is_not_held_against_what_is_not_kept(path: str, rule: str) -> None:
    """Its numbers, sources, quotes, language and instructions stand there, or not; what is in the
    answer itself is judged as ever. Requests that are alike on record may be different ones."""
    beside = {"unsupported_number", "citation", "quote", "language", "unfilled_slot", "leak_system"}
    whole = {said: read({}, said) for said in (FINE, WRONG)}
    assert whole[WRONG].checks.keys() >= {"unsupported_number", "citation", "unfilled_slot"}
    for said in (FINE, WRONG):
        record = read({path: rule}, said)
        assert beside.isdisjoint(record.checks), record.checks
        alone = {name: one for name, one in whole[said].checks.items() if name not in beside}
        if rule == "drop":
            assert "repeated_request" not in record.edge_cases
            assert not record.checks.get("consistency") or said == WRONG
        else:
            assert "repeated_request" in record.edge_cases
            assert record.checks == alone
        told = {one for one in observed(record) if one.startswith("input")}
        assert told <= {"input_tokens"} or rule.startswith("token"), told


def test_what_nobody_says_may_go_and_all_is_looked_at() -> None:
    """A rule about a part of a body that holds no text of the talk costs no check."""
    beside = {
        "request.user": "drop",
        "response.id": "drop",
        "request.**.customer_id": "token(CUSTOMER)",
    }
    for said in (FINE, WRONG, ""):
        record, whole = read(beside, said), read({}, said)
        assert record.checks == whole.checks
        assert record.edge_cases == whole.edge_cases
        assert not record.withheld


def test_a_record_says_of_whom_something_is_left_out_without_a_mark() -> None:
    """By role, in words that are scanned as any."""
    record = read({"request.messages[*].content": "drop"}, FINE)
    assert record.withheld == {"inputs": ["system", "user"]}
    assert read({"outputs.**": "drop"}, FINE).withheld == {}  # an empty part says so
    inside = read({"outputs.**.secret": "drop"}, '{"secret": 1, "said": 2}')
    assert inside.withheld == {"outputs": ["assistant"]}
    assert inside.outputs == [Part(role="assistant", text='{"said":2}')]
    assert inside.checks["empty"].passed
    born = {"outputs.**.born": "generalise(year)"}
    assert read(born, '{"born": "1979-03-02"}').withheld == {"outputs": ["assistant"]}
    assert read(born, '{"born": "1979"}').withheld == {}


def table(paths: Mapping[str, str]) -> Record:
    row = {"age": 44, "born": "1979-03-02", "plan": "gold"}
    asked, told = json.dumps({"instances": [row]}), json.dumps({"predictions": [0.3]})
    target = "/v1/models/m:predict"
    return reader(paths).read(exchange(asked.encode(), told.encode(), target=target))[0]


@pytest.mark.parametrize("where", ["inputs.instances", "request.instances[*]"])
def test_a_column_that_is_coarser_than_it_was_is_named_and_not_sent_again(where: str) -> None:
    """As a text is; a mark in the place of a value, or no values, tell by themselves."""
    record = table({f"{where}.born": "generalise(year)"})
    assert record.withheld == {"inputs": ["instances.born"]}
    with pytest.raises(Left, match="redacted"):
        check(record)
    assert table({f"{where}.born": "hash_whole", f"{where}.plan": "token(PLAN)"}).withheld == {}
    assert table({f"{where}.born": "generalise(year)", f"{where}.age": "keep"}).checks
    check(table({}))


def test_of_more_roles_than_are_named_anybody_may_lack_something() -> None:
    """Else who comes late in the alphabet, as the user does, would be taken for whole."""
    others = [{"role": f"a{number:02}", "content": "x"} for number in range(40)]
    asked, told = (json.loads(one) for one in chat(WRONG))
    asked["messages"] += others
    capture = reader({"request.messages[*].content": "drop"})
    record = capture.read(exchange(json.dumps(asked).encode(), json.dumps(told).encode()))[0]
    assert record.withheld["inputs"][:2] == [ALL, "a00"]
    assert len(record.withheld["inputs"]) == MOST
    assert {"unfilled_slot", "language", "leak_system"}.isdisjoint(record.checks)


HIDDEN = {
    "an empty part": lambda part: Part(role=part.role, name=part.name),
    "a digest": lambda part: Part(
        role=part.role, text="<REDACTED:policy:abcdefghijklmnopabcdefgh:40>"
    ),
    "a pseudonym": lambda part: Part(role=part.role, text="<TEXT:k1:oeoicfmkhghdcaepkjnhepda>"),
}


@pytest.mark.parametrize("how", HIDDEN)
@pytest.mark.parametrize("check", CHECKS, ids=[one.name for one in CHECKS])
def test_no_check_judges_by_an_answer_that_is_not_there(check: Any, how: str) -> None:
    """Its own examples, with each answer left out: no verdict but by how the answer ended."""
    hide = HIDDEN[how]
    for view in (*check.passing, *check.failing, *check.skipped):
        outputs = [hide(part) for part in view.outputs]
        if not outputs:
            continue
        gone = msgspec.structs.replace(view, outputs=outputs)
        verdict = check.look(gone, check.tried or check.thresholds)
        assert verdict is None or check.name == "truncated" or _is_refused(gone), view


def _is_refused(view: View) -> bool:
    """Whether that is said beside the text."""
    roles = {part.role for part in view.outputs}
    return "refusal" in roles or not {"filter", "refusal"}.isdisjoint(view.finish)
