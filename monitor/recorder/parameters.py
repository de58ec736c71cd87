"""A request's JSON body → the parameters that a span tells: numbers and names, no content."""

from __future__ import annotations

from typing import Any

import msgspec

from monitor import bodies
from monitor.errors import ParseError

_NUMBERS = {
    "max_tokens": (
        "max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "maxTokens",
        "max_new_tokens", "num_predict", "n_predict",
    ),
    "temperature": ("temperature",),
    "top_p": ("top_p", "topP"),
    "top_k": ("top_k", "topK"),
    "frequency_penalty": ("frequency_penalty", "frequencyPenalty"),
    "presence_penalty": ("presence_penalty", "presencePenalty"),
    "seed": ("seed",),
    "choices": ("n", "candidateCount"),
}  # fmt: skip
"""Our word for a parameter (`conventions`), and what the dialects call it."""
_WHOLE = frozenset(("max_tokens", "top_k", "seed", "choices"))
_STOP = ("stop", "stop_sequences", "stopSequences")
_SECTIONS = ("generationConfig", "options", "inferenceConfig", "parameters")
"""Where a dialect keeps them that does not have them at the top."""
_CONVERSATION = ("conversation", "conversation_id")
MOST_STOPS = 8
"""Stop sequences that are told; no dialect takes many more."""
_INT64 = 1 << 63

_BY_KEY = {key: word for word, keys in _NUMBERS.items() for key in keys}
_FIELDS = [*_BY_KEY, *_STOP, *_SECTIONS, *_CONVERSATION, "stream", "previous_response_id"]
_said = msgspec.json.Decoder(msgspec.defstruct("_Said", [(name, Any, None) for name in _FIELDS]))


class Parameters(msgspec.Struct, frozen=True):
    """`numbers` by our words. `stops`, `conversation` and `previous` are as the client wrote them:
    they must go through privacy."""

    numbers: dict[str, float] = {}
    stops: list[str] = []
    conversation: str = ""
    previous: str = ""
    stream: bool = False


NONE = Parameters()


def read(body: bytes) -> Parameters:
    """Return the parameters in a request's body; what is of another type than the dialects say is
    left out. Never raises.

    >>> read(b'{"model": "m", "max_tokens": 5, "options": {"temperature": 0.5}, "stop": "x"}')
    Parameters(numbers={'max_tokens': 5, 'temperature': 0.5}, stops=['x'], conversation='', \
previous='', stream=False)
    """
    if body.lstrip()[:1] != b"{":
        return NONE
    try:
        said: Any = bodies.decode(body, _said)
    except ParseError:
        return NONE
    numbers: dict[str, float] = {}
    stops: list[str] = []
    at_top = {name: value for name in _FIELDS if (value := getattr(said, name)) is not None}
    for section in (at_top, *(at_top.get(name) for name in _SECTIONS)):
        if isinstance(section, dict):
            _add(section, numbers, stops)
    conversation = at_top.get("conversation") or at_top.get("conversation_id")
    if isinstance(conversation, dict):
        conversation = conversation.get("id")
    return Parameters(
        numbers,
        stops[:MOST_STOPS],
        _text(conversation),
        _text(at_top.get("previous_response_id")),
        at_top.get("stream") is True,
    )


def _add(section: dict[str, Any], numbers: dict[str, float], stops: list[str]) -> None:
    for key, value in section.items():
        word = _BY_KEY.get(key)
        if word is not None:
            if (number := _number(value, whole=word in _WHOLE)) is not None:
                numbers.setdefault(word, number)
        elif key in _STOP:
            given = value if isinstance(value, list) else [value]
            stops += [one for one in given[:MOST_STOPS] if isinstance(one, str)]


def _number(value: Any, *, whole: bool) -> float | None:
    if type(value) is float:
        if not whole:
            return value
        value = int(value) if value.is_integer() else None
    if type(value) is not int or not -_INT64 <= value < _INT64:
        return None
    return value if whole else float(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
