"""Attributes of spans in any state of the conventions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.foreign import semconv
from monitor.types import Outcome, Tokens


def exchange(said: dict[str, Any], **fields: Any) -> Any:
    usual: dict[str, Any] = {"started": 1.0, "ended": 2.0, "has_failed": False, "segments": {}}
    return semconv.exchange(said, **usual | fields)


@pytest.mark.parametrize("operation", ["invoke_agent", "execute_tool", "create_agent", ""])
def test_what_calls_no_model_is_no_exchange(operation: str) -> None:
    """Agents and tools, however many tokens they say were used."""
    assert (
        exchange(
            {
                "gen_ai.operation.name": operation,
                "gen_ai.usage.input_tokens": 3,
                "gen_ai.system": "openai",
            }
        )
        is None
    )


def test_a_failure_without_a_status_is_one() -> None:
    """A timeout is told apart."""
    asked = {"gen_ai.operation.name": "chat"}
    assert exchange(asked, has_failed=True).ended is Outcome.SERVER_ERROR
    assert (
        exchange(asked | {"error.type": "openai.APITimeoutError"}, has_failed=True).ended
        is Outcome.UPSTREAM_TIMEOUT
    )
    assert exchange(asked | {"error.type": "503"}, has_failed=True).status == 503
    assert exchange(asked, ended=1.0).duration is None


names = st.sampled_from([
    "gen_ai.operation.name", "gen_ai.request.model", "gen_ai.prompt", "gen_ai.completion", "gen_ai.input.messages", "gen_ai.system_instructions",
    "gen_ai.response.finish_reasons", "error.type", "gen_ai.usage.input_tokens", "gen_ai.prompt.0.content", "gen_ai.prompt.x.role", "llm.request.type",
])  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.just("chat"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "parts", "content", "type"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(names, values, max_size=8), st.lists(st.tuples(st.sampled_from(["gen_ai.choice", "gen_ai.user.message", "gen_ai.content.prompt"]), st.dictionaries(names, values, max_size=3)), max_size=3))  # fmt: skip
def test_anything_is_read(said: dict[str, Any], events: list[Any]) -> None:
    """Whatever stands in them."""
    found = exchange(said, events=events)
    assert found is None or isinstance(found.request, bytes)


def test_the_names_of_openinference_are_known() -> None:
    """As Phoenix collects them: calls of models and embeddings alone, whose texts stand in one
    attribute or in several."""
    said = {
        "openinference.span.kind": "LLM",
        "llm.system": "openai",
        "llm.model_name": "gpt-4o",
        "llm.token_count.prompt": 40,
        "llm.token_count.completion": 20,
        "llm.token_count.prompt_details.cache_read": 8,
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.contents.0.message_content.type": "text",
        "llm.input_messages.0.message.contents.0.message_content.text": "Where is",
        "llm.input_messages.0.message.contents.1.message_content.text": "parcel 7?",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "Soon.",
    }
    found = exchange(said, ended=3.0)
    assert (found.model, found.operation, found.duration) == ("gpt-4o", "chat", 2.0)
    assert found.tokens == Tokens(40, 20, cached=8)
    assert found.segments == {"provider": "openai"}
    assert b"Where is\\nparcel 7?" in found.request
    assert b"Soon." in found.response
    found = exchange({"openinference.span.kind": "EMBEDDING", "embedding.model_name": "e"})
    assert (found.model, found.operation) == ("e", "embeddings")
    kinds: list[Any] = ["CHAIN", "AGENT", "TOOL", "RETRIEVER", 7, None, []]
    for kind in kinds:
        assert exchange(said | {"openinference.span.kind": kind}) is None
