"""Nine words for how an answer ended, whatever its dialect calls it."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.finish_reasons import _WORDS, NORMAL, normal

GEMINI = {
    "STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "filter", "RECITATION": "filter",
    "LANGUAGE": "filter", "BLOCKLIST": "filter", "PROHIBITED_CONTENT": "filter", "SPII": "filter",
    "IMAGE_SAFETY": "filter", "IMAGE_PROHIBITED_CONTENT": "filter", "IMAGE_RECITATION": "filter",
    "MODEL_ARMOR": "filter", "ESCALATION": "filter", "JAILBREAK": "filter",
    "MALFORMED_FUNCTION_CALL": "error", "MALFORMED_RESPONSE": "error", "UNEXPECTED_TOOL_CALL": "error",
    "TOO_MANY_TOOL_CALLS": "error", "MISSING_THOUGHT_SIGNATURE": "error", "CONTINUATION": "pause",
    "OTHER": "other", "IMAGE_OTHER": "other", "FINISH_REASON_UNSPECIFIED": "other",
}  # fmt: skip
OTHERS = {
    "max_output_tokens": "length", "failed": "error", "completed": "stop", "cancelled": "other",
    "model_length": "length", "abort": "other", "repetition": "other", "eos_token": "stop",
    "eos": "stop", "word": "stop", "limit": "length", "guardrail_intervened": "filter",
    "content_filtered": "filter", "malformed_model_output": "error", "malformed_tool_use": "error",
    "COMPLETE": "stop", "TOOL_CALL": "tool", "ERROR": "error", "ERROR_TOXIC": "filter",
    "ERROR_LIMIT": "length", "USER_CANCEL": "other", "TIMEOUT": "error", "load": "other",
    "unload": "other", "incomplete": "incomplete", "": "other",
}  # fmt: skip


@pytest.mark.parametrize(("word", "right"), [*GEMINI.items(), *OTHERS.items()])
def test_a_word_of_any_dialect_has_one_form(word: str, right: str) -> None:
    """Gemini's in capitals, a block as a filter, what went wrong as an error."""
    assert normal(word) == right


def listed(package: str, file: str, name: str) -> list[str]:
    """The words of a Literal, read in its file: to import a client takes two seconds."""
    found = importlib.util.find_spec(package)
    assert found
    assert found.origin
    module = ast.parse((Path(found.origin).parent / file).read_text(encoding="utf-8"))
    (said,) = (
        node
        for node in ast.walk(module)
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id == name
    )
    literal = said.value or said.annotation
    assert isinstance(literal, ast.Subscript)
    words: tuple[str, ...] = ast.literal_eval(literal.slice)
    return list(words)


def test_every_word_of_the_clients_is_known() -> None:
    """OpenAI's and Anthropic's types list them."""
    words = listed("anthropic", "types/stop_reason.py", "StopReason")
    assert {word: normal(word) for word in words} == {
        "end_turn": "stop", "max_tokens": "length", "stop_sequence": "stop", "tool_use": "tool",
        "pause_turn": "pause", "refusal": "refusal", "model_context_window_exceeded": "length",
    }  # fmt: skip
    words = listed("openai", "types/chat/chat_completion.py", "finish_reason")
    assert {word: normal(word) for word in words} == {
        "stop": "stop", "length": "length", "tool_calls": "tool", "content_filter": "filter",
        "function_call": "tool",
    }  # fmt: skip


def test_no_word_stands_twice() -> None:
    """A word means one thing."""
    words = [word for words in _WORDS.values() for word in words.split()]
    assert len(words) == len(set(words))


def test_a_finished_turn_that_calls_tools_is_a_tool_turn() -> None:
    """Where the dialect's word does not say so; a cut one stays cut."""
    assert [normal(word, calls_tools=True) for word in ("STOP", "completed", "max_tokens", "x")] == [
        "tool", "tool", "length", "other",
    ]  # fmt: skip


@given(st.text(max_size=40), st.booleans())
def test_any_text_has_a_form(word: str, calls_tools: bool) -> None:
    """A closed list."""
    assert normal(word, calls_tools=calls_tools) in NORMAL
