"""What can be sent again asks what was asked; of everything else the reason is told."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import columns
from monitor.protocols import PROTOCOLS
from monitor.redrive.report import warnings
from monitor.redrive.requests import REASONS, Selection, renamed, select
from monitor.types import Outcome, Part, Record, RequestSummary
from tests.privacy.test_records import Recorder
from tests.protocols.goldens.files import Golden, goldens
from tests.redrive.models import chat, prediction


def selected(*records: Record, **more: Any) -> Selection:
    return select(records, PROTOCOLS, limit=100, **more)


def why(record: Record, **more: Any) -> str:
    """Why a record is left out, empty where it is not."""
    return next(iter(selected(record, **more).left_out), "")


def body(record: Record) -> Any:
    """What would be sent."""
    return json.loads(selected(record).chosen[0].body)


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return Recorder()


SENT = """
    anthropic_messages/paused anthropic_messages/overloaded-in-stream bedrock/guardrail
    bedrock/invoke-claude-stream cohere/embed cohere/v1-stream
    gemini/blocked llama_cpp/completion llama_cpp/stream mlflow/records mlflow/served-records
    ollama/embed ollama/error-in-stream ollama/generate openai_chat/completion-echo
    openai_chat/embeddings-base64 openai_chat/refusal openai_chat/stream openai_moderations/two-texts
    rerank/cohere-v2 rerank/tei tgi/stream torchserve/json triton_generate/generate
"""


def test_real_requests_are_rebuilt_or_left_out_for_a_reason(recorder: Recorder) -> None:
    """Of each dialect that a Record holds enough of some can be sent again; none raises."""
    found = {}
    for golden in goldens():
        record = recorder.read(golden.call().exchange)
        selection = selected(record)
        assert selection.left_out.keys() <= REASONS.keys()
        assert len(selection.chosen) + selection.left_out.total() == 1
        found[golden.name] = selection
    assert not [name for name in SENT.split() if not found[name].chosen]


@pytest.mark.parametrize(
    "golden", [one for one in goldens() if one.name in SENT.split()], ids=lambda one: one.name
)
def test_what_is_rebuilt_is_what_was_sent(recorder: Recorder, golden: Golden) -> None:
    """Every member that is sent was there, with the same value, but for a dialect's other spelling."""
    asked = json.loads(golden.request[1])
    sent = body(recorder.read(golden.call().exchange))
    spelt_otherwise = ("system", "contents", "model", "prompt", "chat_history")
    for name, value in sent.items() if isinstance(sent, dict) else ():
        if name not in spelt_otherwise:
            assert value == asked[name], name


LEFT = {
    "replay": {"lineage": {"replay": "r1"}},
    "refused": {"outcome": Outcome.CLIENT_ERROR, "status": 400},
    "no body": {"inputs": []},
    "truncated": {"request": RequestSummary("POST", "/v1/chat/completions", {}, 9, True)},
    "redacted": {"inputs": [Part(role="user", text="<REDACTED:timeout:abcdefgh>")]},
    "secret": {"inputs": [Part(role="user", text="key <SECRET:k1:abcdefghijklmnop>")]},
    "media": {"inputs": [Part(role="user", text="See\n[image image/png 6 bytes]")]},
    "tools": {"parameters": {"tools": 2}},
    "stateful": {"parameters": {"previous_response_id": True}},
    "parameters": {"parameters": {"stop": 1}},
    "path": {
        "request": RequestSummary(
            "POST", "/u/<EMAIL_ADDRESS:k1:abc>/chat/completions", {}, 9, False
        )
    },
    "dialect": {"operation": "speech"},
    "role": {"inputs": [Part(role="critic", text="Hm.")]},
    "operation": {"protocol": "generic_json", "operation": "predict"},
}


@pytest.mark.parametrize("reason", LEFT)
def test_what_cannot_be_sent_is_left_out(reason: str) -> None:
    """One record a reason; the same without it is sent."""
    assert why(chat(1, **LEFT[reason])) == reason
    assert why(chat(1)) == ""


@pytest.mark.parametrize(
    "given", [{"withheld": {"inputs": ["user"]}}, {"inputs": [Part(role="user")]}]
)
def test_what_a_rule_left_something_out_of_is_not_sent(given: dict[str, Any]) -> None:
    assert why(chat(1, **given)) == "redacted"


def test_what_came_over_grpc_goes_out_as_json(recorder: Recorder) -> None:
    """Where V2 of the protocol has the same call over HTTP, which is said; streams, memory that is
    shared, and other servers' calls are left out."""
    sent, left = {}, {}
    for golden in goldens():
        record = recorder.read(golden.call().exchange)
        if not record.request.headers.get("content-type", "").startswith("application/grpc"):
            continue
        selection = selected(record)
        assert selection.over_http == len(selection.chosen)
        (warning,) = warnings(selection)
        assert ("came over gRPC" in warning) == bool(selection.chosen)
        for one in selection.chosen:
            sent[golden.name] = one.target
            assert one.headers["content-type"] == "application/json"
            tensors = json.loads(one.body)["inputs"]
            assert [each["data"] for each in tensors] == [part.data for part in record.inputs]
        left |= dict.fromkeys(selection.left_out, golden.name)
    assert sent == dict.fromkeys(
        ("kserve_v2/grpc-contents", "kserve_v2/grpc-infer", "kserve_v2/grpc-exhausted"),
        "/v2/models/churn/infer",
    )
    assert left.keys() <= {"dialect", "refused", "no body"}


def test_a_path_that_writes_nothing_may_be_named() -> None:
    """JSON of no dialect goes out where its path says that it predicts, or its owner does."""
    data = b'{"age":41,"plan":"pro"}'
    fields: dict[str, Any] = {
        "protocol": "generic_json", "operation": "predict", "parameters": {},
        "inputs": columns.parts(data, {}, "user"),
    }  # fmt: skip
    order = chat(1, **fields, request=RequestSummary("POST", "/orders", {}, len(data), False))
    assert why(order) == "operation"
    assert why(order, send=["/orders"]) == ""
    assert (
        why(chat(1, **fields, request=RequestSummary("POST", "/v1/predict", {}, len(data), False)))
        == ""
    )


def test_pseudonyms_go_out_as_surrogates_and_parameters_as_they_were() -> None:
    """So the endpoint sees a text of the same form, asked for in the same way."""
    sent = body(
        chat(7, requested_model="alias", parameters={"temperature": 0, "reasoning.effort": "low"})
    )
    assert sent["model"] == "alias"
    assert (sent["temperature"], sent["reasoning"]) == (0, {"effort": "low"})
    assert sent["messages"][0] == {"role": "system", "content": "Be brief."}
    assert sent["messages"][1]["content"].endswith("@example.com?")
    assert body(chat(7)) == body(chat(7))


def test_a_record_without_parameters_still_streams() -> None:
    """Older records do not say how they were asked; how many there are is counted."""
    assert body(chat(1, parameters={}, streamed=True))["stream"] is True
    assert "stream" not in body(chat(1, parameters={}))
    assert selected(chat(1, parameters={}), chat(2)).untold == 1


SCALARS = st.one_of(
    st.integers(-99, 99), st.booleans(), st.sampled_from(["pro", "free", ""]), st.floats(-9, 9)
)
ROWS = st.lists(st.fixed_dictionaries({"age": SCALARS, "plan": SCALARS}), min_size=2, max_size=4)
FORMS = st.one_of(
    st.fixed_dictionaries({"age": SCALARS, "plan": SCALARS}),
    ROWS,
    ROWS.map(lambda rows: {"instances": rows}),
    ROWS.map(lambda rows: {"model": "m", "inputs": {"rows": rows}}),
    st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=2, max_size=3).map(
        lambda rows: {"instances": rows}
    ),
    st.lists(SCALARS, min_size=2, max_size=3).map(
        lambda one: {"columns": ["a", "b"], "data": [one[:2]] * 2}
    ),
)


@settings(max_examples=100)
@given(FORMS, st.sampled_from([(",", ":"), (", ", ": ")]))
def test_a_table_goes_out_in_the_form_in_which_it_came(
    document: Any, separators: tuple[str, str]
) -> None:
    """Of the forms that its columns may have had it is the one that has as many bytes, whoever wrote it;
    where two have, what is sent still reads as the same columns."""
    data = json.dumps(document, separators=separators).encode()
    parts = columns.parts(data, {}, "user")
    record = chat(
        1, protocol="generic_json", operation="predict", parameters={}, inputs=parts,
        request=RequestSummary("POST", "/predict", {}, len(data), False),
    )  # fmt: skip
    sent = selected(record).chosen[0].body
    assert columns.parts(sent, {}, "user") == parts
    assert len(json.dumps(json.loads(sent), separators=separators)) == len(data)


def test_a_table_whose_form_is_unknown_is_left_out() -> None:
    """No form has as many bytes. What others of the same columns were, it is taken to be as well."""
    odd = msgspec.structs.replace(
        prediction(1), request=RequestSummary("POST", "/v1/models/m:predict", {}, 7, False)
    )
    assert why(odd) == "layout"
    assert len(selected(odd, prediction(2), prediction(3)).chosen) == 3


def test_another_model_is_asked_for_in_the_body_or_the_path() -> None:
    """`--model` renames what the dialect calls the model."""
    one = renamed(selected(chat(1)).chosen[0], "new")
    assert json.loads(one.body)["model"] == "new"
    two = renamed(selected(prediction(1)).chosen[0], "new")
    assert two.target == "/v1/models/new:predict"
    three = renamed(selected(bedrock()).chosen[0], "eu.amazon.nova-lite-v1:0")
    assert three.target == "/model/eu.amazon.nova-lite-v1%3A0/converse"


def bedrock(
    model: str = "eu.amazon.nova-pro-v1%3A0", verb: str = "converse", **more: Any
) -> Record:
    """A chat with Bedrock on record."""
    path = f"/model/{model}/{verb}"
    usual = {"protocol": "bedrock", "request": RequestSummary("POST", path, {}, 99, False)}
    return chat(1, **(usual | more))


def test_bedrock_is_asked_again_by_converse_and_for_anthropics_models() -> None:
    """With its parameters. Tools, fields of a model's own, stored prompts, and bodies of other families are
    left out."""
    sent = body(bedrock(parameters={"inferenceConfig.maxTokens": 9}))
    assert sent["system"] == [{"text": "Be brief."}]
    assert sent["messages"][0]["content"][0]["text"].startswith("Where is parcel 1")
    assert sent["inferenceConfig"] == {"maxTokens": 9}
    claude = body(bedrock("anthropic.claude-1%3A0", "invoke", parameters={"max_tokens": 9}))
    assert (claude["anthropic_version"], claude["max_tokens"]) == ("bedrock-2023-05-31", 9)
    assert "model" not in claude
    assert why(bedrock(parameters={"toolConfig": 1})) == "tools"
    assert why(bedrock(parameters={"additionalModelRequestFields": 1})) == "parameters"
    assert why(bedrock("arn%3Aaws%3Abedrock%3Aeu%3A1%3Aprompt%2FP1")) == "dialect"
    assert why(bedrock("meta.llama3", "invoke")) == "dialect"


@settings(max_examples=100)
@given(
    st.lists(
        st.builds(
            Part, role=st.sampled_from([None, "user", "system", "document"]), text=st.one_of(st.none(), st.text()),
            name=st.sampled_from([None, "a", "a.b", "b"]), shape=st.one_of(st.none(), st.lists(st.integers(-1, 3))),
            data=st.one_of(st.none(), st.lists(SCALARS, max_size=4)),
        ),
        max_size=4,
    ),
    st.sampled_from([one.name for one in PROTOCOLS]),
    st.sampled_from(["chat", "infer", "embeddings", "rerank", "predict", "text_completion"]),
    st.sampled_from(["/v1/chat", "/api/generate", "/v2/embed", "/predict", "/v1/models/m:predict"]),
)  # fmt: skip
def test_no_record_makes_it_fail(
    parts: list[Part], protocol: str, operation: str, path: str
) -> None:
    """Others write records, too: each is sent or left out."""
    record = chat(
        1, inputs=parts, protocol=protocol, operation=operation,
        request=RequestSummary("POST", path, {}, 20, False),
    )  # fmt: skip
    found = selected(record, record)
    assert len(found.chosen) + found.left_out.total() == 2
