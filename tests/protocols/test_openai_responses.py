"""OpenAI's Responses, plain and streamed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from monitor.protocols.openai_responses import PROTOCOL
from monitor.types import Call, Tokens
from tests.protocols.dialects import named

Make = Callable[..., Call]

ITEMS: list[dict[str, Any]] = [
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Think."}]},
    {"type": "function_call", "name": "find", "call_id": "c", "arguments": '{"at": "Ulm"}'},
    {"type": "custom_tool_call", "name": "sql", "input": "SELECT 1"},
    {"type": "web_search_call", "action": {"query": "Ulm"}},
    {"type": "code_interpreter_call", "code": "1 + 1"},
    {"type": "message", "role": "assistant", "content": [
        {"type": "output_text", "text": "On the Danube."}, {"type": "refusal", "refusal": "No more."}]},
]  # fmt: skip
TEXTS = [
    ("reasoning", "Think."),
    ("tool_call", '{"name":"find","arguments":{"at":"Ulm"}}'),
    ("tool_call", '{"name":"sql","arguments":"SELECT 1"}'),
    ("tool_call", '{"name":"web_search","arguments":{"query":"Ulm"}}'),
    ("tool_call", '{"name":"code_interpreter","arguments":"1 + 1"}'),
    ("assistant", "On the Danube."), ("refusal", "No more."),
]  # fmt: skip
FUNCTION: dict[str, Any] = {"type": "function_call", "name": "today", "arguments": ""}
DELTAS: list[dict[str, Any]] = [
    {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning"}},
    {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "Hm."},
    {"type": "response.output_item.added", "output_index": 1, "item": {**FUNCTION, "name": "find"}},
    {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": '{"at":'},
    {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": '"Ulm"}'},
    {"type": "response.output_text.delta", "output_index": 2, "delta": "On the "},
    {"type": "response.output_text.delta", "output_index": 2, "delta": "Danube."},
    {"type": "response.output_text.done", "output_index": 2, "text": "On the Danube."},
    {"type": "response.refusal.delta", "output_index": 3, "delta": "No."},
    {"type": "response.output_item.added", "output_index": 4, "item": FUNCTION},
]  # fmt: skip


def texts(parts: list[Any]) -> list[tuple[str, str]]:
    return [(part.role, part.text) for part in parts]


def test_every_kind_of_item_is_a_part(call: Make) -> None:
    """Of the input as of the output."""
    asked = {
        "model": "m", "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Where?"}]}, ITEMS[1],
            {"type": "function_call_output", "call_id": "c", "output": "48.4 N"},
        ],
    }  # fmt: skip
    answer = {"model": "m-1", "status": "completed", "output": ITEMS, "usage": {"input_tokens": 9}}
    made = call("/openai/v1/responses", json.dumps(asked).encode(), json.dumps(answer).encode())
    assert PROTOCOL.claims(made)
    found = PROTOCOL.read(made)
    assert texts(found.inputs) == [
        ("system", "Be brief."),
        ("user", "Where?"),
        TEXTS[1],
        ("tool", "48.4 N"),
    ]
    assert texts(found.outputs) == TEXTS
    assert (found.model, found.tokens, found.finish_reasons) == (
        "m-1",
        Tokens(9, None),
        ["completed"],
    )


def test_without_its_last_event_a_stream_is_what_came(call: Make) -> None:
    """Fragments by item; an item that is done takes their place."""
    right = [("reasoning", "Hm."), TEXTS[1], ("assistant", "On the Danube."), ("refusal", "No."),
             ("tool_call", '{"name":"today","arguments":{}}')]  # fmt: skip
    for more, last in (
        ([], right[-1]),
        ([{"type": "response.output_item.done", "output_index": 4, "item": ITEMS[2]}], TEXTS[2]),
    ):
        made = call("/v1/responses", b"{}", named(*DELTAS, *more), answer_type="text/event-stream")
        found = PROTOCOL.read(made)
        assert texts(found.outputs) == [*right[:-1], last]
        assert found.incomplete


def test_items_may_be_told_apart_by_their_ids_alone(call: Make) -> None:
    """Two calls whose fragments interleave."""
    kind = "response.function_call_arguments.delta"
    events = named(
        *({"type": "response.output_item.added", "item": {**FUNCTION, "id": id_, "name": id_}} for id_ in "fg"),
        {"type": kind, "item_id": "f", "delta": '{"a"'}, {"type": kind, "item_id": "g", "delta": '{"b":2}'},
        {"type": kind, "item_id": "f", "delta": ":1}"},
    )  # fmt: skip
    found = PROTOCOL.read(call("/v1/responses", b"{}", events, answer_type="text/event-stream"))
    assert [part.text for part in found.outputs] == [
        '{"name":"f","arguments":{"a":1}}', '{"name":"g","arguments":{"b":2}}',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("completed", "completed"),
        ("incomplete", "max_output_tokens"),
        ("cancelled", "cancelled"),
        ("failed", "failed"),
    ],
)
def test_the_last_event_has_the_whole(call: Make, end: str, reason: str) -> None:
    """Whichever of the four it is (ai-gateway 2184); a bound that was reached is no failure."""
    response = {
        "model": "m-1", "status": end, "output": ITEMS, "usage": {"input_tokens": 9, "output_tokens": 4},
        "incomplete_details": {"reason": reason} if end == "incomplete" else None,
    }  # fmt: skip
    events = named(*DELTAS, {"type": f"response.{end}", "response": response})
    found = PROTOCOL.read(call("/v1/responses", b"{}", events, answer_type="text/event-stream"))
    assert texts(found.outputs)[: len(TEXTS)] == TEXTS
    assert (found.model, found.tokens, found.finish_reasons) == ("m-1", Tokens(9, 4), [reason])
    assert found.failed == (end == "failed")
    assert not found.incomplete


def test_other_paths_that_end_so_are_not_claimed(call: Make) -> None:
    """A form's responses are no model's."""
    assert not PROTOCOL.claims(call("/forms/7/responses", b'{"answers": [1, 2]}'))


def test_events_of_somebody_in_between_cost_nothing(call: Make) -> None:
    """Pings, and a first event that was cut."""
    events = named({"type": "ping"}, *DELTAS, {"type": "keepalive"})
    found = PROTOCOL.read(call("/v1/responses", b"{}", events, answer_type="text/event-stream"))
    assert "On the Danube." in [part.text for part in found.outputs]
    idle = call("/v1/responses", b"{}", b": keepalive\n\n", answer_type="text/event-stream")
    assert PROTOCOL.read(idle).incomplete
    cut = b'event: response.created\ndata: {"type": "respon'
    assert PROTOCOL.read(
        call("/v1/responses", b"{}", cut, answer_type="text/event-stream")
    ).incomplete


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(b'{"stored": 7}', "application/json"), (b'data: {"text": "hi"}\n\n', "text/event-stream")],
)
def test_an_answer_of_somebody_else_is_read_as_any_json(
    call: Make, answer: bytes, kind: str
) -> None:
    """Nothing of it would be seen otherwise, and it would look cut."""
    found = PROTOCOL.read(call("/responses", b'{"input": "x"}', answer, answer_type=kind))
    assert not found.incomplete
    assert found.outputs != []
    assert all(part.role != "error" for part in found.outputs)


def test_what_is_said_beside_the_texts(call: Make) -> None:
    """Parts of the tokens, id, tier, the stored prompt with its variables, schema, tools, weights."""
    schema = {"type": "object"}
    asked = {
        "prompt": {"id": "pmpt_1", "version": "3", "variables": {"city": "Ulm", "more": {"type": "input_text", "text": "Brief."}}},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": True}},
        "tools": [{"type": "function", "name": "find", "parameters": schema}, {"type": "web_search"}],
    }  # fmt: skip
    said = {"type": "output_text", "text": "{}", "logprobs": [{"logprob": -0.5}, {"logprob": -1.5}]}
    search = {"type": "web_search_call", "status": "completed"}
    answer = {
        "id": "resp_1", "model": "m-1", "status": "completed", "service_tier": "flex",
        "output": [{**search, "action": {"type": "search", "query": "Ulm"}},
                   {**search, "action": {"type": "open_page", "url": "https://example.com"}},
                   {"type": "image_generation_call", "result": "YWI=", "output_format": "png"},
                   {"type": "message", "role": "assistant", "content": [said]}],
        "usage": {"input_tokens": 9, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2},
                  "output_tokens_details": {"reasoning_tokens": 3}},
    }  # fmt: skip
    found = PROTOCOL.read(
        call("/v1/responses", json.dumps(asked).encode(), json.dumps(answer).encode())
    )
    assert found.tokens == Tokens(9, 4, cached=5, cache_write=2, reasoning=3)
    assert (found.response_id, found.service_tier, found.prompt) == ("resp_1", "flex", "pmpt_1@3")
    assert texts(found.inputs) == [("user", "Ulm"), ("user", "Brief.")]
    assert (found.schema, found.wants_json, found.tools) == (schema, True, {"find": schema})
    assert found.confidence == pytest.approx(math.exp(-1))
    assert found.confidence_min == pytest.approx(math.exp(-1.5))
    assert found.units == {"searches": 1, "images": 1}
    assert ("assistant", "[image png 2 bytes]") in texts(found.outputs)


@pytest.mark.parametrize(
    ("kind", "delta", "right"),
    [
        ("output_text", "a", ("assistant", "a")), ("refusal", "a", ("refusal", "a")),
        ("reasoning_text", "a", ("reasoning", "a")), ("reasoning_summary_text", "a", ("reasoning", "a")),
        ("audio.transcript", "a", ("assistant", "a")), ("audio", "YWI=", ("assistant", "[audio 2 bytes]")),
        ("function_call_arguments", "{}", ("tool_call", '{"name":"","arguments":{}}')),
        ("mcp_call_arguments", "{}", ("tool_call", '{"name":"","arguments":{}}')),
        ("custom_tool_call_input", "a", ("tool_call", '{"name":"","arguments":"a"}')),
        ("code_interpreter_call_code", "a", ("tool_call", '{"name":"","arguments":"a"}')),
        ("shell_call_command", "ls", ("tool_call", '{"name":"","arguments":"ls"}')),
        ("shell_call_output_content", {"stdout": "a", "stderr": None}, ("tool", "a")),
    ],
)  # fmt: skip
def test_every_delta_bears_content(
    call: Make, kind: str, delta: Any, right: tuple[str, str]
) -> None:
    """Each goes where the whole item would; a stream that ends with it is cut."""
    events = named({"type": f"response.{kind}.delta", "output_index": 0, "delta": delta})
    found = PROTOCOL.read(call("/v1/responses", b"{}", events, answer_type="text/event-stream"))
    assert texts(found.outputs) == [right]
    assert found.first_token == 0.5
    assert found.incomplete


def test_weights_come_with_the_deltas_or_with_the_whole(call: Make) -> None:
    """Never twice."""
    delta = {
        "type": "response.output_text.delta",
        "output_index": 0,
        "delta": "a",
        "logprobs": [{"logprob": -1.0}],
    }
    said = {"type": "output_text", "text": "a", "logprobs": [{"logprob": -2.0}]}
    whole = {
        "status": "completed",
        "output": [{"type": "message", "role": "assistant", "content": [said]}],
    }
    end = {"type": "response.completed", "response": whole}
    for events, right in ((named(delta), -1.0), (named(delta, end), -2.0)):
        found = PROTOCOL.read(call("/v1/responses", b"{}", events, answer_type="text/event-stream"))
        assert found.confidence == pytest.approx(math.exp(right))


@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_response_that_is_fetched_is_counted_once(
    call: Make, background: bool, is_streamed: bool
) -> None:
    """Its tokens are those of the request that made it, unless that had none to tell yet."""
    response = {"id": "resp_1", "status": "completed", "background": background, "model": "m",
                "output": ITEMS, "usage": {"input_tokens": 9, "output_tokens": 4}}  # fmt: skip
    body, kind = json.dumps(response).encode(), "application/json"
    if is_streamed:
        body, kind = (
            named({"type": "response.completed", "response": response}),
            "text/event-stream",
        )
    made = call("/v1/responses/resp_1", b"", body, answer_type=kind, method="GET")
    assert PROTOCOL.claims(made)
    found = PROTOCOL.read(made)
    assert (found.operation, found.model, found.response_id) == ("retrieve", "m", "resp_1")
    assert texts(found.outputs) == TEXTS
    assert found.tokens == (Tokens(9, 4) if background else None)
    assert found.units == {}


def test_what_is_made_in_the_background_has_no_end_yet(call: Make) -> None:
    """Its answer is whole, says nothing and is no success of anything."""
    answer = (
        b'{"id": "resp_1", "status": "queued", "output": [], "usage": null, "background": true}'
    )
    found = PROTOCOL.read(call("/v1/responses", b'{"model": "m", "background": true}', answer))
    assert (found.finish_reasons, found.tokens, found.outputs) == ([], None, [])
    assert not found.incomplete


def test_counting_tokens_is_another_operation(call: Make) -> None:
    """It uses none."""
    answer = b'{"object": "response.input_tokens", "input_tokens": 11}'
    made = call("/v1/responses/input_tokens", b'{"model": "m", "input": "Where?"}', answer)
    found = PROTOCOL.read(made)
    assert (found.operation, found.tokens) == ("count_tokens", None)
    assert ("input_tokens", [11]) in [(part.name, part.data) for part in found.outputs]


@pytest.mark.parametrize(
    "path", ["/v1/responses/resp_1/input_items", "/v1/responses", "/forms/7/responses/8"]
)
def test_other_gets_are_not_claimed(call: Make, path: str) -> None:
    """Lists, and what is not OpenAI's."""
    assert not PROTOCOL.claims(call(path, method="GET"))
