"""A finish reason in its dialect's own word → one of nine, for what counts over all dialects.

The Record keeps the raw word. The words are those of the dialects' references: OpenAI (Chat,
Responses, Realtime), Mistral, vLLM, SGLang, TGI, llama.cpp, Anthropic, Gemini, Bedrock, Cohere and
Ollama.
"""

from __future__ import annotations

from typing import Literal, get_args

FinishReason = Literal[
    "stop", "length", "tool", "filter", "refusal", "error", "pause", "incomplete", "other"
]
NORMAL: tuple[FinishReason, ...] = get_args(FinishReason)

_WORDS: dict[FinishReason, str] = {
    "stop": """
        stop end_turn stop_sequence completed complete finish finished eos eos_token word endoftext
        end_of_text stop_token stopped_eos stopped_word success
        """,
    "length": """
        length max_tokens max_output_tokens max_completion_tokens model_length limit error_limit
        stopped_limit max_length model_context_window_exceeded context_length_exceeded
        """,
    "tool": "tool_calls tool_call tool_use function_call",
    "filter": """
        content_filter content_filtered guardrail_intervened error_toxic safety recitation language
        blocklist prohibited_content spii image_safety image_prohibited_content image_recitation
        model_armor jailbreak escalation
        """,
    "refusal": "refusal",
    "error": """
        error failed timeout malformed_function_call malformed_response malformed_model_output
        malformed_tool_use unexpected_tool_call too_many_tool_calls missing_thought_signature
        insufficient_system_resource
        """,
    "pause": "pause_turn continuation",
    "incomplete": "incomplete",
}
_NORMAL: dict[str, FinishReason] = {
    word: normal for normal, words in _WORDS.items() for word in words.split()
}


def normal(word: str, *, calls_tools: bool = False) -> FinishReason:
    """Return the normal form of a dialect's word, whatever its case; `other` for an unknown one.

    Some dialects end a turn that calls tools as any other (`completed`, `STOP`): with `calls_tools`
    their `stop` is `tool`.

    >>> normal("end_turn"), normal("MAX_TOKENS"), normal("SAFETY"), normal("abort"), normal("")
    ('stop', 'length', 'filter', 'other', 'other')
    >>> normal("completed", calls_tools=True), normal("length", calls_tools=True)
    ('tool', 'length')
    """
    found = _NORMAL.get(word.lower(), "other")
    return "tool" if calls_tools and found == "stop" else found
