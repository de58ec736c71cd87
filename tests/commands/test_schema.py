"""`monitor schema`."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import msgspec
import pytest

from monitor.cli import main
from monitor.commands.schema import DOCUMENTS, WORDS
from monitor.damage import Unreadable
from monitor.feedback import read
from monitor.findings import Finding
from monitor.replay.document import Chunk, Replay
from monitor.types import Outcome, Part, Record, RequestSummary, ResponseSummary, Tokens
from tests.reports.test_page import everything

RECORD = Record(
    "01a2211b-8a6d-70ba-808d-a20000000256", "default", "openai_chat", "chat", "m", 1.5, 0.5, 0.1,
    None, 200, Outcome.OK, True, {"population": "south"},
    RequestSummary("POST", "/v1/chat/completions", {"accept": "*/*"}, 12, False),
    ResponseSummary({}, 40, False), [Part(role="user", text="hello")],
    [Part(name="y", datatype="FP64", shape=[2], data=[0.5, None])], Tokens(1, None), ["stop"],
    {"EMAIL_ADDRESS": 1}, "k1", None,
)  # fmt: skip
FINDING = Finding("age", "all", "all", 10, 20, {"psi": 0.1}, 3.0, "ok")
REPLAY = Replay(
    "ok", 10, [FINDING], [Chunk(0, 0.0, 1.0, 10, "ok", [FINDING])], columns={"age": "numbers"},
    unreadable=[Unreadable("today.csv:3", "3 fields where the header has 2")],
)  # fmt: skip


def test_help_says_what_each_document_is(capsys: pytest.CaptureFixture[str]) -> None:
    """None is left out."""
    with pytest.raises(SystemExit):
        main(["schema", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert all(f"{name}: {WORDS[name]}" in text for name in DOCUMENTS)


def printed(document: str, capsys: pytest.CaptureFixture[str]) -> Any:
    assert main(["schema", document]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("name", "document"), [("record", RECORD), ("replay", REPLAY), ("replay", everything())]
)
def test_a_document_fits_its_schema(
    name: str, document: msgspec.Struct, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is a schema; the document fits, also with a key of a later version, and one that lacks a
    key or has it in another type does not."""
    schema = printed(name, capsys)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    read = json.loads(msgspec.json.encode(document))
    validator.validate({**read, "key_of_tomorrow": 1})
    root = schema["$defs"][type(document).__name__]
    assert set(read) <= set(root["properties"])
    for key in root["required"]:
        assert not validator.is_valid({one: said for one, said in read.items() if one != key})
        assert not validator.is_valid({**read, key: {"another": ["type"]}}), key


def test_feedback_that_fits_its_schema_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    """A key that there is none of does not fit, unlike in what we write ourselves."""
    validator = jsonschema.Draft202012Validator(printed("feedback", capsys))
    item = {"id": "a", "label": "1", "name": "label", "at": "2026-11-28T10:00:00Z", "key": "k"}
    verdict = {"reviewer": "kim", "passed": True, "label": 2, "note": "no"}
    for right in (item, {"business": {"order": "o-17"}, "verdict": verdict, "at": 17.5}):
        validator.validate(right)
        assert read(json.dumps(right).encode())
    for wrong in ({"lable": "1"}, {"label": [1]}, {"trace_id": "x"}, {"at": -1}, {"id": "a" * 201}):
        assert not validator.is_valid({**item, **wrong})


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_key_is_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In words, at every level."""
    for struct in printed(name, capsys)["$defs"].values():
        assert struct["description"]
        assert all(field["description"] for field in struct.get("properties", {}).values())


def test_another_document_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It names those that there are."""
    with pytest.raises(SystemExit) as left:
        main(["schema", "recrod"])
    assert left.value.code == 2
    shown = capsys.readouterr().err
    assert "'recrod' is not one of record, feedback, replay, redrive; did you mean record?" in shown
    assert len(shown.splitlines()) == 1
