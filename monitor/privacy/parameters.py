"""The body of a request → how it asked: numbers, switches and words of a closed list.

They let `monitor redrive` ask again as it was asked. Nothing here is somebody's own text: of a
string only a word of `WORDS` is kept, of tools and stops their number, of an id that there is one.
The names are those of the dialect; a member of an object is `OBJECT.NAME`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

Parameters = dict[str, float | int | bool | str]

LARGEST = 1e7
"""A number of more digits may be a telephone's or a card's, and is scanned like one."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DIALECTS = _words(
    "openai_chat openai_responses anthropic_messages bedrock gemini cohere ollama tgi llama_cpp "
    "rerank"
)
"""Protocols whose members mean what is said here; elsewhere they may be somebody's columns."""

NUMBERS = _words("""
    temperature top_p top_k top_a min_p typical_p top_n n best_of candidate_count seed max_tokens
    max_completion_tokens max_output_tokens max_new_tokens min_tokens n_predict max_length num_ctx
    num_predict presence_penalty frequency_penalty repetition_penalty repeat_penalty
    repeat_last_n length_penalty mirostat mirostat_eta mirostat_tau logprobs top_logprobs
    dimensions output_dimension num_beams beam_width random_seed p k
    topP topK maxOutputTokens candidateCount presencePenalty frequencyPenalty
    responseLogprobs thinkingBudget includeThoughts outputDimensionality maxTokens budget_tokens
    do_sample echo stream parallel_tool_calls return_full_text details
    decoder_input_details raw think ignore_eos skip_special_tokens add_generation_prompt
    return_documents truncate normalize enable_thinking watermark cache_prompt include_usage
""")  # fmt: skip
"""Members that are a number, true or false."""

WORDS = {
    **dict.fromkeys(
        ("reasoning_effort", "effort", "verbosity", "thinkingLevel"),
        frozenset(("none", "minimal", "low", "medium", "high", "xhigh", "max")),
    ),
    "type": frozenset(
        ("text", "json_object", "json_schema", "json", "enabled", "disabled", "adaptive", "regex")
    ),
    "tool_choice": frozenset(("auto", "none", "required", "any")),
    "encoding_format": frozenset(("float", "base64")),
    "format": frozenset(("json",)),
    "responseMimeType": frozenset(("application/json", "text/plain")),
    "input_type": frozenset(
        ("search_document", "search_query", "classification", "clustering", "query", "document")
    ),
    "taskType": frozenset(
        ("RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION",
         "CLUSTERING", "QUESTION_ANSWERING", "FACT_VERIFICATION")
    ),
    "think": frozenset(("low", "medium", "high")),
    "truncation": frozenset(("auto", "disabled")),
}  # fmt: skip
"""Members that are a word, and the words."""

COUNTED = _words("""
    tools functions stop stop_sequences stopSequences toolConfig logit_bias images connectors
    guided_json guided_regex guided_choice guided_grammar structured_outputs json_schema grammar
    responseSchema responseJsonSchema web_search_options mcp_servers modalities audio
    safetySettings safety_settings anthropic_beta
    additionalModelRequestFields guardrailConfig outputConfig promptVariables performanceConfig
""")  # fmt: skip
"""Members of which their number is kept."""

STATEFUL = _words(
    "previous_response_id conversation cachedContent cached_content container conversation_id "
    "session_id thread_id background context"
)
"""Members that go on with what the endpoint remembers; kept is that they are there."""

OBJECTS = _words(
    "response_format stream_options reasoning text generationConfig generation_config "
    "thinkingConfig thinking options parameters output_config inferenceConfig"
)
"""Members that hold such members; two of them may stand in each other."""


UNTOLD = "…"
"""What stands for a member that is there and of which nothing can be kept, as a tool's name."""

MOST = 64
"""Parameters that are kept of a request; no client sends so many."""

_KNOWN = NUMBERS | COUNTED | STATEFUL | OBJECTS | WORDS.keys()
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_value = msgspec.json.decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_DEEPEST = 2


def parameters(body: bytes, is_safe: Callable[[float, str], bool]) -> Parameters:
    """Return how a request asked, by the names of its dialect; nothing of what is no JSON object.

    `is_safe` says of a number of many digits, with its name, that it may be kept.

    >>> parameters(b'{"temperature": 0.2, "tools": [{}], "user": "Eve"}', lambda *_: False)
    {'temperature': 0.2, 'tools': 1}
    >>> parameters(b'{"options": {"num_predict": 9, "seed": 15551234567}}', lambda *_: False)
    {'options.num_predict': 9}
    """
    try:
        given = _members(body)
    except _UNREADABLE:
        return {}
    found: Parameters = {}
    for name, raw in given.items():
        if name not in _KNOWN or len(found) >= MOST:
            continue
        try:
            value = _value(raw)
        except _UNREADABLE:
            continue
        kind = type(value)
        is_number = kind is bool or ((kind is float or kind is int) and -LARGEST < value < LARGEST)
        if is_number and name in NUMBERS:  # as nearly all are
            found[name] = value
        else:
            _read(name, value, is_safe, found)
    return found


def _read(path: str, value: Any, is_safe: Callable[[float, str], bool], found: Parameters) -> None:
    """Put what is known of a member into `found`, under its path."""
    kind, name = type(value), path.rpartition(".")[2]
    if len(found) >= MOST:
        return
    if kind is dict and name in OBJECTS and path.count(".") < _DEEPEST:
        for inner in sorted(value.keys() & _KNOWN):
            _read(f"{path}.{inner}", value[inner], is_safe, found)
    elif name in STATEFUL:
        if value:
            found[path] = True
    elif name in COUNTED:
        if value:
            found[path] = len(value) if kind in (list, dict) else 1
    elif kind is bool or (kind in (int, float) and name in NUMBERS):
        if kind is bool or abs(value) < LARGEST or is_safe(value, name):
            found[path] = value
    elif kind is str and value in WORDS.get(name, ()):
        found[path] = value
    elif kind in (dict, list) and value:
        found[path] = UNTOLD
