"""Paths and rules: what the operator says about a place is what happens there, and nowhere else."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, quote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import bodies
from monitor.dimensions import dimension
from monitor.errors import ConfigError
from monitor.meters import Meters
from monitor.privacy.patterns import Scanner
from monitor.privacy.policies import Policy, generalise
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.recognizers import select
from monitor.recorder import calls
from monitor.recorder.capture import Capture
from monitor.settings import layers
from monitor.types import Exchange, Message, Outcome, Record, encode_record

SCANNER = Scanner(select())
TOKEN = re.compile(r"<[A-Z_]+:k1:[a-p]{24}>")
HASH = re.compile(r"<REDACTED:policy:[a-p]{24}:\d+>")


def head(start: str, fields: dict[str, str]) -> bytes:
    return (start + "\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields.items()) + "\r\n").encode()


def watcher(paths: dict[str, str]) -> Capture:
    privacy = Privacy(
        scanner=SCANNER,
        keyring=Keyring((Key("k1", bytes(32)),)),
        clock=lambda: 0.0,
        policy=Policy(paths),
    )
    dimensions = [dimension("population", "header", ["x-population"])]
    return Capture("e", PROTOCOLS, dimensions, privacy, Meters("recorder", "e"))


def exchange(
    body: Any = None,
    answer: Any = None,
    *,
    target: str = "/any",
    headers: dict[str, str] | None = None,
) -> Exchange:
    sent, got = (
        one if isinstance(one, bytes) else json.dumps(one or {}).encode() for one in (body, answer)
    )
    kind = {"content-type": "application/json"}
    events = {"content-type": "text/event-stream"} if isinstance(answer, bytes) else {}
    return Exchange(
        "id", 1.0, 0.1,
        Message(head(f"POST {target} HTTP/1.1", {**kind, **(headers or {})}), sent, len(sent)),
        Message(head("HTTP/1.1 200 OK", {**kind, "x-region": "eu", **events}), got, len(got)),
        [(0.1, len(got))], Outcome.OK,
    )  # fmt: skip


def record(
    paths: dict[str, str],
    body: Any = None,
    answer: Any = None,
    *,
    target: str = "/any",
    headers: dict[str, str] | None = None,
) -> Record:
    return watcher(paths).read(exchange(body, answer, target=target, headers=headers))[0]


def columns(found: Record) -> dict[str | None, Any]:
    return {part.name or part.role: part.data or part.text for part in found.inputs}


def test_each_rule_does_what_it_says_to_a_place_in_a_body() -> None:
    """Columns come out as the rule says; what no path names is scanned."""
    body = {
        "patient": {"name": "Ada Lovelace", "born": "1984-05-06", "age": 93, "zip": "02139"},
        "note": "kept@example.org",
        "free": "scanned@example.org",
        "id": 17,
        "gone": "x",
        "card_hash": "abc",
    }
    found = record(
        {
            "request.patient.name": "token(PERSON)",
            "request.patient.born": "generalise(year)",
            "request.patient.age": "generalise(age)",
            "request.patient.zip": "generalise(prefix3)",
            "request.note": "keep",
            "request.gone": "drop",
            "request.*_hash": "hash_whole",
        },
        body,
    )
    values = columns(found)
    assert TOKEN.fullmatch(values["patient.name"][0])
    assert values["patient.born"] == ["1984"]
    assert values["patient.age"] == [90]
    assert values["patient.zip"] == ["021*"]
    assert values["note"] == ["kept@example.org"]
    assert TOKEN.fullmatch(values["free"][0])
    assert values["id"] == [17]
    assert "gone" not in values
    assert HASH.fullmatch(values["card_hash"][0])
    assert found.pseudonyms == {"PERSON": 1, "EMAIL_ADDRESS": 1}
    assert found.redactions == {}


def test_a_place_in_a_chat_and_the_same_value_in_a_header_are_one_token() -> None:
    """A token is the value's, wherever a rule made it."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Ada Lovelace"}]}
    found = record(
        {
            "request.messages[*].content": "token(PERSON)",
            "request.headers.X-Patient": "token(PERSON)",
        },
        body,
        target="/v1/chat/completions",
        headers={"X-Patient": "Ada Lovelace"},
    )
    assert found.inputs[0].text == found.request.headers["x-patient"]
    assert TOKEN.fullmatch(found.inputs[0].text or "")


def test_the_first_path_wins_also_deeper_down() -> None:
    """An exception stands before its rule; a rule covers what is inside."""
    body = {"user": {"id": 7, "name": "Ada", "tags": ["a", "b"]}, "x": 1}
    assert columns(record({"request.user.id": "scan", "request.user": "drop"}, body)) == {
        "user.id": [7], "x": [1],
    }  # fmt: skip
    assert columns(record({"request.user": "drop", "request.user.id": "scan"}, body)) == {"x": [1]}
    assert columns(record({"request.**.name": "drop"}, body)).keys() == {
        "user.id",
        "user.tags",
        "x",
    }
    assert columns(record({"request.user.tags[1]": "drop"}, body))["user.tags"] == ["a"]


def test_columns_and_roles_are_places_too() -> None:
    """As Records name them, also into the JSON that a text holds."""
    body = {"rows": [{"age": 41, "who": "Ada"}, {"age": 52, "who": "Bo"}]}
    found = record({"inputs.rows.age": "generalise(decade)", "inputs.*.who": "token(PERSON)"}, body)
    values = columns(found)
    assert values["rows.age"] == [40, 50]
    assert all(TOKEN.fullmatch(item) for item in values["rows.who"])
    call = {"name": "send", "arguments": json.dumps({"to": "Ada", "of": "me@example.org"})}
    chat = {
        "model": "m",
        "messages": [
            {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": call}]}
        ],
    }
    found = record(
        {"inputs.assistant.arguments.to": "token(PERSON)"}, chat, target="/v1/chat/completions"
    )
    arguments = json.loads(found.inputs[0].text or "")["arguments"]
    assert TOKEN.fullmatch(arguments["to"])
    assert TOKEN.fullmatch(arguments["of"])
    answer = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "secret plan"}}]}
    found = record({"outputs.assistant": "drop"}, chat, answer, target="/v1/chat/completions")
    assert [part.text for part in found.outputs] == [None]


PRIVATE = ["ada@example.org", "+1 212-555-0187", "4012 8888 8888 1881", "536-22-1234"]
PLACES = [
    "request.member.mail", "request.copy", "request.rows[*].who", "response.to", "response.said",
    "request.headers.x-one", "request.headers.user-agent", "response.headers.server",
    "request.query.q", "request.query.r", "segments.population",
]  # fmt: skip


def everywhere(value: str) -> Exchange:
    """An exchange with the value in every one of PLACES."""
    one = exchange(
        {"member": {"mail": value}, "copy": value, "rows": [{"who": value}, {"who": "Bo"}]},
        {"to": value, "said": value},
        target=f"/any?q={quote(value)}&r={quote(value)}",
        headers={"x-one": value, "user-agent": value, "x-population": value},
    )
    assert one.response is not None
    said = msgspec.structs.replace(
        one.response,
        head=head("HTTP/1.1 200 OK", {"content-type": "application/json", "server": value}),
    )
    return msgspec.structs.replace(one, response=said)


def standing(found: Record, value: str) -> set[str]:
    """The places of PLACES where a record of `everywhere` holds the value as it is."""
    inputs = {part.name: part.data or [] for part in found.inputs}
    outputs = {part.name: part.data or [] for part in found.outputs}
    query = parse_qs(found.request.path.partition("?")[2])
    there: dict[str, Any] = {
        "request.member.mail": inputs["member.mail"],
        "request.copy": inputs["copy"],
        "request.rows[*].who": inputs["rows.who"],
        "response.to": outputs["to"],
        "response.said": outputs["said"],
        "request.headers.x-one": [found.request.headers.get("x-one")],
        "request.headers.user-agent": [found.request.headers["user-agent"]],
        "response.headers.server": [found.response.headers["server"]],
        "request.query.q": query["q"],
        "request.query.r": query["r"],
        "segments.population": [found.segments["population"]],
    }
    assert list(there) == PLACES
    return {place for place, values in there.items() if value in values}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PRIVATE), st.sets(st.sampled_from(PLACES)))
def test_what_a_rule_keeps_in_one_place_is_kept_there_alone(value: str, kept: set[str]) -> None:
    """In the record itself and in every later one: what is kept is a place, never a value."""
    capture = watcher(dict.fromkeys(sorted(kept), "keep"))
    for _ in range(2):
        found, _ = capture.read(everywhere(value))
        assert standing(found, value) == kept
    later, _ = capture.read(exchange({"other": value}, target="/o", headers={"accept": value}))
    assert value.encode() not in encode_record(later)


@pytest.mark.parametrize(
    ("target", "body", "path"),
    [
        (
            "/v1/chat/completions",
            {"messages": [{"role": "user", "content": "ada@example.org"}]},
            "request.messages[*].content",
        ),
        (
            "/v1/chat/completions",
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "ada@example.org"}]}]},
            "request.messages[*].content",
        ),
        ("/v1/completions", {"prompt": "ada@example.org"}, "request.prompt"),
        ("/v1/embeddings", {"input": ["ada@example.org"]}, "request.input"),
        (
            "/v1/messages",
            {"messages": [{"role": "user", "content": "ada@example.org"}]},
            "request.messages[*].content",
        ),
        (
            "/v1/messages",
            {"system": [{"type": "text", "text": "ada@example.org"}], "messages": []},
            "request.system",
        ),
        (
            "/v2/models/m/infer",
            {"inputs": [{"name": "a", "shape": [1], "datatype": "BYTES", "data": ["ada@example.org"]}]},
            "request.inputs[*].data",
        ),
        ("/v1/responses", {"model": "m", "input": "ada@example.org"}, "request.input"),
        (
            "/v1/responses",
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": "ada@example.org"}]}]},
            "request.input",
        ),
        ("/v1/responses", {"model": "m", "instructions": "ada@example.org"}, "request.instructions"),
        (
            "/v1beta/models/m:generateContent",
            {"contents": [{"parts": [{"text": "ada@example.org"}]}]},
            "request.contents[*].parts[*].text",
        ),
        (
            "/api/chat",
            {"model": "m", "messages": [{"role": "user", "content": "ada@example.org"}]},
            "request.messages[*].content",
        ),
        ("/api/generate", {"model": "m", "prompt": "ada@example.org"}, "request.prompt"),
        ("/api/v1.0/predictions", {"strData": "ada@example.org"}, "request.strData"),
        (
            "/api/v1.0/predictions",
            {"data": {"names": ["a"], "ndarray": [["ada@example.org"]]}},
            "request.data.ndarray",
        ),
        ("/v1/models/m:predict", {"instances": ["ada@example.org"]}, "request.instances"),
        ("/invocations", {"instances": ["ada@example.org"]}, "request.instances"),
        ("/any", {"columns": ["a"], "data": [["ada@example.org"]]}, "request.data"),
    ],
)  # fmt: skip
def test_every_dialect_hands_a_kept_text_on(target: str, body: Any, path: str) -> None:
    """What is all of a text comes out as it is; the same text in a header does not."""
    found = record({path: "keep"}, body, target=target, headers={"user-agent": "ada@example.org"})
    assert [part.text or part.data for part in found.inputs] in (
        ["ada@example.org"],
        [["ada@example.org"]],
    )
    assert TOKEN.fullmatch(found.request.headers["user-agent"])


@pytest.mark.parametrize(
    ("target", "answer", "path"),
    [
        ("/v1/chat/completions", {"choices": [{"message": {"content": "ada@example.org"}}]},
         "response.choices[*].message.content"),
        ("/v1/messages", {"content": [{"type": "text", "text": "ada@example.org"}]}, "response.content"),
        ("/v1/responses", {"output": [{"type": "message", "content": [{"text": "ada@example.org"}]}]},
         "response.output"),
        ("/v1beta/models/m:generateContent",
         {"candidates": [{"content": {"parts": [{"text": "ada@example.org"}]}}]}, "response.candidates"),
        ("/api/chat", {"message": {"content": "ada@example.org"}, "done": True}, "response.message.content"),
        ("/v2/models/m/generate", {"text_output": "ada@example.org"}, "response.text_output"),
    ],
)  # fmt: skip
def test_every_dialect_hands_a_kept_answer_on(target: str, answer: Any, path: str) -> None:
    """As it does with a question; an answer that nobody keeps is scanned."""
    body = {"model": "m", "input": "x"}
    (part,) = record({path: "keep"}, body, answer, target=target).outputs
    assert part.text == "ada@example.org"
    (part,) = record({"request.x": "keep"}, body, answer, target=target).outputs
    assert TOKEN.fullmatch(part.text or "")


def test_a_kept_text_that_is_only_a_part_of_one_is_scanned() -> None:
    """Joined with others it is no longer what the rule spoke of."""
    pieces = [{"type": "text", "text": "ada@example.org"}, {"type": "text", "text": "and Bo"}]
    found = record(
        {"request.messages[*].content[0].text": "keep"},
        {"messages": [{"role": "user", "content": pieces}]},
        target="/v1/chat/completions",
    )
    assert "ada@example.org" not in (found.inputs[0].text or "")


def test_a_name_and_its_value_are_not_mistaken_for_one_text() -> None:
    """What was clean as one text is looked at again where half of it is the name of the field."""
    capture = watcher({})
    capture.read(exchange({"ssn\0536221234": 1}))
    found, _ = capture.read(exchange(target="/a?ssn=536221234"))
    assert found.pseudonyms == {"US_SSN": 1}


def test_the_names_of_headers_are_scanned() -> None:
    """A client may write anything into a name that a prefix or a wildcard lets through."""
    found = record(
        {"request.headers.x-own-*": "keep"},
        headers={
            "x-stainless-4111111111111111": "1",
            "x-stainless-os": "Linux",
            "x-own-ada@example.org": "2",
        },
    )
    kept = found.request.headers
    assert kept["x-stainless-os"] == "Linux"
    assert not re.search("4111|ada@", " ".join(kept))
    assert found.pseudonyms["CREDIT_CARD"] == 1


def test_query_path_headers_and_segments() -> None:
    """A header that a rule names is kept; dropped query fields and segments leave nothing."""
    found = record(
        {
            "request.path": "hash_whole",
            "request.query.who": "token(PERSON)",
            "request.query.gone": "drop",
            "request.headers.x-tenant": "scan",
            "request.headers.user-agent": "drop",
            "response.headers.x-region": "keep",
            "segments.population": "drop",
        },
        target="/users/ada?who=Ada&gone=1&n=2",
        headers={"x-tenant": "a@example.org", "user-agent": "me", "x-population": "p"},
    )
    path, query = found.request.path.split("?")
    assert HASH.fullmatch(path)
    assert re.fullmatch(r"who=<PERSON:k1:[a-p]{24}>&n=2", query)
    assert TOKEN.fullmatch(found.request.headers["x-tenant"])
    assert "user-agent" not in found.request.headers
    assert found.response.headers["x-region"] == "eu"
    assert found.segments == {"population": "none"}


@pytest.mark.parametrize(
    "name", ["patient_id", "Patient_ID", "patientId", "PATIENT-ID", "patientid", "patient id"]
)
def test_a_name_in_any_spelling(name: str) -> None:
    """A tilde before a step takes every spelling of its name, and no other name."""
    policy = Policy({"inputs.**.~patient_id": "token(PERSON)", "request.~patient_id.x": "drop"})
    assert policy.place("inputs", "a", name).rule is not None
    assert policy.column("inputs", f"rows.{name}").rule is not None
    assert policy.place("request", "body", name).goes_on
    assert policy.place("inputs", "a", f"{name}s").rule is None
    assert Policy({f"inputs.{name}": "drop"}).place("inputs", f"~{name}").rule is None


@pytest.mark.parametrize("preset", layers.presets())
def test_what_a_preset_makes_coarse_stands_nowhere_in_clear(preset: str) -> None:
    """Not in the columns of either side, in whatever dialect and spelling, nor in the query."""
    paths = layers.layer(layers.PRESETS, preset).tree["privacy"]["paths"]
    names = [path.partition("~")[2] for path in paths if path.startswith("inputs.")]
    for name in names:
        first, *others = name.split("_")
        said = "93" if name == "age" else "1931-07-24" if "birth" in name else "QX77401X"
        for key in (name, name.upper(), first + "".join(map(str.title, others)), name.title()):
            row = {key: said, "a": 1}
            chat = {"choices": [{"message": {"role": "assistant", "content": json.dumps(row)}}]}
            asked = {"messages": [{"role": "user", "content": json.dumps(row)}], "model": "m"}
            tensor = {"name": key, "shape": [1], "datatype": "BYTES", "data": [said]}
            for target, body, answer in (
                ("/predict", row, {"prediction": 1, **row}),
                ("/v1/models/m:predict", {"instances": [row]}, {"predictions": [row]}),
                ("/v2/models/m/infer", {"inputs": [tensor]}, {"outputs": [tensor]}),
                ("/v1/chat/completions", asked, chat),
            ):
                found = record(paths, body, answer, target=f"{target}?{quote(key)}={said}")
                assert said not in encode_record(found).decode(), (key, target)


def test_credentials_are_never_kept_by_a_wildcard() -> None:
    """A path that happens to cover them drops them; a mark forged in a kept text is marked so."""
    found = record(
        {"request.headers.*": "keep", "request.query.*": "keep"},
        target="/a?api_key=s3cret&x=1",
        headers={"authorization": "Bearer s3cret", "x-a": "<PERSON:k1:aaaaaaaaaaaaaaaaaaaaaaaa>"},
    )
    assert b"s3cret" not in encode_record(found)
    assert found.request.path == "/a?x=1"
    assert found.request.headers["x-a"] == "<LIT:PERSON:k1:aaaaaaaaaaaaaaaaaaaaaaaa>"


@pytest.mark.parametrize(
    "body",
    [b'{"name": "Ada", ', b"[" * 500 + b'"Ada"', b'{"a":' * 99 + b'{"name":"Ada"}' + b"}" * 99],
)
def test_a_body_in_which_places_cannot_be_found_is_not_kept(body: bytes) -> None:
    """Fail closed: the name might stand anywhere in it."""
    found = record({"request.**.name": "drop"}, body)
    assert b"Ada" not in encode_record(found)
    assert found.redactions == {"unparsable": 1}


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ("[1] The log of the run; readings: 21.5 mV, 22 mV.\n[2] Another one.", True),
        ("[INST] Summarize this. [/INST]", True),
        ("{{greeting}} How are you?", True),
        ("[Chart] weight 20 kg, dose 125 mg", True),
        ('[{"name": "Ada", "note": "cut o', False),
        ("{'name': 'Ada'}", False),
        ("{name: Ada}", False),
        ('{\\"name\\": \\"Ada\\"', False),
        ('{"name": "Ada"}\n{"name": "Ada"}', False),
        ("[{\u201cname\u201d : \u201cAda\u201d}]", False),
    ],
)
def test_a_message_that_begins_with_a_bracket_may_be_prose(text: str, is_kept: bool) -> None:
    """Under a rule for places in messages, too: sources are numbered so, and prompts marked. What
    looks like a part of an object is not kept, since the name might stand anywhere in it."""
    asked = {"model": "m", "messages": [{"role": "user", "content": text}]}
    found = record(
        {"inputs.**.~name": "drop"}, json.dumps(asked).encode(), target="/v1/chat/completions"
    )
    assert found.redactions == ({} if is_kept else {"unparsable": 1})
    assert (json.dumps(text)[1:-1] in encode_record(found).decode()) is is_kept


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ('["Ada", "Bo', False),
        ("['Ada', 'Bob']", False),
        ("[ Ada, 47", False),
        ("[1] The log.", True),
    ],
)
def test_a_list_that_was_cut_is_not_kept_where_a_rule_is_about_its_elements(
    text: str, is_kept: bool
) -> None:
    """It has no names of members that would tell it from prose."""
    found = record({"outputs.text[*]": "drop"}, {}, {"text": text})
    assert found.redactions == ({} if is_kept else {"unparsable": 1})


def test_what_no_path_is_about_may_be_as_deep_as_it_likes() -> None:
    """It is read as without rules, while the place that a rule names is found."""
    deep = b'{"name": "Ada", "rest": ' + b"[" * 99 + b"]" * 99 + b"}"
    found = record({"request.name": "drop"}, deep)
    assert b"Ada" not in encode_record(found)
    assert found.redactions == {}


@pytest.mark.parametrize(
    ("action", "rest", "kind"),
    [
        ("drop", b'"plan": "pro"', bodies.Body),
        ("token(PERSON)", b'"plan": "pro"', bodies.Body),
        ("keep", b'"plan": "pro"', bodies.Document),
        ("drop", b'"score": null', bodies.Body),
        ("drop", b'"score": NaN', bodies.Document),
        ("drop", b'"score": 1e999', bodies.Document),
        ("drop", b'"score": -' + b"9" * 400 + b".0", bodies.Document),
    ],
)
def test_a_protocol_reads_bytes_where_they_tell_all(
    action: str, rest: bytes, kind: type[bodies.Body]
) -> None:
    """No bytes tell what may stay as it is, or a number that no JSON has."""
    privacy = Privacy(
        scanner=SCANNER, keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0,
        policy=Policy({"request.name": action}),
    )  # fmt: skip
    call = calls.read(exchange())
    body = bodies.Body(b'{"name": "Ada", ' + rest + b"}")
    ruled, _ = privacy.ruled(msgspec.structs.replace(call, request_body=body))
    assert type(ruled.request_body) is kind
    assert (b"Ada" in ruled.request_body) == (action == "keep")


def test_a_streamed_answer_is_addressed_by_its_role() -> None:
    """Deltas are joined before the rule is applied."""
    deltas = [
        {"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in ("Ada Lo", "velace")
    ]
    events = "".join(f"data: {json.dumps(delta)}\n\n" for delta in deltas).encode()
    privacy = {"outputs.assistant": "token(PERSON)"}
    found = record(
        privacy,
        {"model": "m", "stream": True, "messages": []},
        events,
        target="/v1/chat/completions",
    )
    assert [bool(TOKEN.fullmatch(part.text or "")) for part in found.outputs] == [True]


@pytest.mark.parametrize(
    ("path", "rule", "message"),
    [
        ("reqest.a", "drop", "did you mean request?"),
        ("", "drop", "a path begins with"),
        ("request.[", "drop", "cannot be read as a path"),
        ("request.a", "burn", "a rule is one of keep, drop"),
        ("request.a", "token", "token needs an entity"),
        ("request.a", "token(person)", "token needs an entity"),
        ("request.a", "drop(x)", "takes nothing in brackets"),
        ("request.a", "generalise(week)", "generalise takes one of"),
        ("request.headers.Authorization", "keep", "holds credentials"),
        ("request.query.~key", "keep", "holds credentials"),
        ("inputs.~", "drop", "~ goes before a whole name"),
        ("inputs.~a*", "drop", "~ goes before a whole name"),
    ],
)
def test_a_wrong_path_or_rule_is_named(path: str, rule: str, message: str) -> None:
    """The line names the key and what would be right."""
    with pytest.raises(ConfigError) as caught:
        Policy({path: rule})
    assert str(caught.value).startswith(f"privacy.paths: {path}")
    assert message in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
rules = st.sampled_from(
    ["keep", "drop", "scan", "scan_json", "hash_whole", "token(PERSON)", "token(IBAN_CODE)",
     "token(PHONE_NUMBER)", "generalise(year)", "generalise(decade)", "generalise(prefix2)"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    json_values,
    st.dictionaries(
        st.sampled_from(["request.**", "request.a", "inputs.*", "inputs.a.b", "request[*]"]),
        rules,
        max_size=3,
    ),
)
def test_any_body_makes_a_record_under_any_rules(body: Any, paths: dict[str, str]) -> None:
    """Rules never raise, whatever stands in their places."""
    assert record(paths, body).id == "id"


@given(st.sampled_from(["year", "month", "decade", "age", "domain", "prefix3"]), json_values)
def test_generalising_never_raises_and_never_gives_all_of_a_long_value(
    kind: str, value: Any
) -> None:
    """Coarser, or nothing."""
    coarse = generalise(kind, value)
    assert coarse is None or len(str(coarse)) <= max(8, len(str(value)))
