"""Inputs and outputs in whatever form a log keeps them are read as a chat completion's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.foreign import chats
from monitor.logged import Logged
from monitor.replay.recording import READING, _call
from monitor.types import Inference


def understood(given: Any, answer: Any) -> Inference:
    said = Logged(
        target=chats.CHAT, request=chats.request(given, "m"), response=chats.response(answer)
    )
    return READING.read(_call(said, 0), {})


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ("Hi", [("user", "Hi")]),
        ([{"role": "system", "content": "S"}, {"role": "user", "content": "U"}], [("system", "S"), ("user", "U")]),
        ({"messages": [{"role": "human", "content": "U"}]}, [("user", "U")]),
        ('[{"role": "user", "content": "U"}]', [("user", "U")]),
        ({"role": "user", "content": "U"}, [("user", "U")]),
        ({"prompt": "P"}, [("user", "P")]),
        (["a", "b"], [("user", "a"), ("user", "b")]),
        ({"question": "Q", "top": 3}, [("user", '{"question":"Q","top":3}')]),
        ([{"role": "user", "parts": [{"type": "text", "content": "a"}, {"type": "text", "content": "b"}]}], [("user", "a\nb")]),
        ([{"type": "text", "text": "T"}], [("user", "T")]),
        (12, [("user", "12")]),
        (None, []),
    ],
)  # fmt: skip
def test_inputs_are_messages(given: Any, parts: object) -> None:
    """Each with who said it."""
    assert [(one.role, one.text) for one in understood(given, None).inputs] == parts


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ("Yes", [("assistant", "Yes")]),
        ({"role": "assistant", "content": "Yes"}, [("assistant", "Yes")]),
        ([{"role": "ai", "content": "Yes"}], [("assistant", "Yes")]),
        ({"choices": [{"message": {"content": "Yes"}}]}, [("assistant", "Yes")]),
        ({"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}, [("tool_call", '{"name":"f","arguments":{}}')]),
        ([{"role": "assistant", "parts": [{"type": "tool_call", "name": "f", "arguments": {"a": 1}}]}], [("tool_call", '{"name":"f","arguments":{"a":1}}')]),
        ([{"role": "assistant", "parts": [{"type": "reasoning", "content": "Hm"}, {"type": "text", "content": "Yes"}]}], [("reasoning", "Hm"), ("assistant", "Yes")]),
        ({"label": "spam"}, [("assistant", '{"label":"spam"}')]),
    ],
)  # fmt: skip
def test_outputs_are_answers(answer: Any, parts: object) -> None:
    """Thoughts and calls of tools are told apart from what was said."""
    assert [(one.role, one.text) for one in understood("Hi", answer).outputs] == parts


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "parts", "type", "messages", "text", "choices", "a"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json, json)
def test_anything_is_read(given: Any, answer: Any) -> None:
    """What is no message is a text."""
    found = understood(given, answer)
    assert found.protocol == "openai_chat"
