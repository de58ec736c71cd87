"""Attributes of OpenTelemetry's GenAI spans, old names and new, and of OpenInference's → what they
say of an exchange.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
https://arize-ai.github.io/openinference/spec/attributes/semantic-conventions.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.counts import count
from monitor.foreign import chats
from monitor.foreign.fields import name, named, positive, span, tokens
from monitor.logged import Logged
from monitor.types import Outcome, Tokens

AGENTS = {"invoke_agent", "create_agent", "execute_tool", "invoke_workflow", "retrieval"}
"""Operations that call models, whose spans say again what the spans of these calls say."""

_TARGETS = {"chat": chats.CHAT, "text_completion": chats.COMPLETION,
            "embeddings": chats.EMBEDDINGS, "generate_content": chats.CHAT}  # fmt: skip
_KIND = "openinference.span.kind"
_CALLS = {"LLM": "chat", "EMBEDDING": "embeddings"}
_OTHERS = {
    "llm.request.model_name": "request.model", "llm.response.model_name": "response.model",
    "llm.model_name": "request.model", "embedding.model_name": "request.model",
    "llm.provider": "provider.name", "llm.system": "provider.name",
    "agent.name": "agent.name", "llm.token_count.prompt": "usage.input_tokens",
    "llm.token_count.completion": "usage.output_tokens",
    "llm.token_count.prompt_details.cache_read": "usage.cache_read.input_tokens",
    "llm.token_count.prompt_details.cache_write": "usage.cache_write.input_tokens",
    "llm.token_count.completion_details.reasoning": "usage.reasoning.output_tokens",
}  # fmt: skip
"""OpenInference's names, as Phoenix collects them, and what comes behind `gen_ai.` for the same;
the first of several counts."""
_REASONS = "gen_ai.response.finish_reasons"
_TIMEOUTS = ("timeout", "deadline")


def exchange(
    said: Mapping[str, Any],
    *,
    events: Sequence[tuple[str, Mapping[str, Any]]] = (),
    started: float | None,
    ended: float | None,
    has_failed: bool,
    error: str = "",
    trace_id: str = "",
    segments: Mapping[str, Any],
) -> Logged | None:
    """The exchange of a span with these attributes and events, by name; None where it is no call of
    a model. Times are Unix seconds."""
    if _KIND in said and "gen_ai.operation.name" not in said:
        if name(said[_KIND]) not in _CALLS:
            return None
        said = _of_openinference(said)
    operation = name(said.get("gen_ai.operation.name")) or _old_operation(said)
    provider = said.get("gen_ai.provider.name", said.get("gen_ai.system"))
    asked = name(said.get("gen_ai.request.model"))
    is_call = operation not in AGENTS and bool(operation or asked)
    if not is_call or not (provider or asked or "gen_ai.operation.name" in said):
        return None
    model = name(said.get("gen_ai.response.model")) or asked
    given, answer = _texts(said, events)
    reasons = chats.parsed(said.get(_REASONS))
    reasons = [one for one in reasons if isinstance(one, str)] if isinstance(reasons, list) else []
    kind = name(said.get("error.type"))
    status = count(said.get("http.response.status_code", kind))
    status = status if status is not None and 100 <= status < 600 else None
    outcome = Outcome.OK
    if has_failed or kind:
        is_late = any(one in kind.lower() for one in _TIMEOUTS)
        outcome = Outcome.UPSTREAM_TIMEOUT if is_late else Outcome.SERVER_ERROR
    first = positive(said.get("gen_ai.response.time_to_first_chunk"))
    duration = span(started, ended)
    response = chats.response(answer, model, reasons[0] if reasons else None)
    if not response and (has_failed or kind):
        response = chats.failure(error or kind or None)
    is_streamed = said.get("gen_ai.request.stream") is True or first is not None
    return Logged(
        started=started,
        duration=duration,
        first_token=first,
        streamed=is_streamed,
        status=status,
        outcome=None if status is not None and status >= 400 else outcome,
        target=_TARGETS.get(operation, chats.CHAT),
        request=chats.request(given, asked),
        response=response,
        operation=operation,
        model=model,
        tokens=_tokens(said),
        finish_reasons=reasons,
        segments=named(
            provider=provider, agent=said.get("gen_ai.agent.name"),
            prompt_name=said.get("gen_ai.prompt.name"), **segments,
        ),
        trace_id=trace_id,
        id=name(said.get("gen_ai.response.id")),
    )  # fmt: skip


def is_told(said: Mapping[str, Any]) -> bool:
    """Whether the attributes of a span are of a kind that can say something of a model."""
    return any(one.startswith(("gen_ai.", "llm.")) or one == _KIND for one in said)


def _of_openinference(said: Mapping[str, Any]) -> dict[str, Any]:
    """The same attributes by the names of OpenTelemetry."""
    found: dict[str, Any] = {"gen_ai.operation.name": _CALLS[said[_KIND]]}
    for theirs, ours in _OTHERS.items():
        if theirs in said:
            found.setdefault(f"gen_ai.{ours}", said[theirs])
    for theirs, ours in (("input", "prompt"), ("output", "completion")):
        for key, value in said.items():
            head, _, field = key.partition("_messages.")
            if head == f"llm.{theirs}":
                number, _, field = field.partition(".message.")
                if field in ("role", "content"):
                    found[f"gen_ai.{ours}.{number}.{field}"] = value
                elif field.startswith("contents.") and field.endswith(".message_content.text"):
                    place = f"gen_ai.{ours}.{number}.content"
                    found[place] = "\n".join(filter(None, (found.get(place), str(value))))
    return {**found, **said}


def _old_operation(said: Mapping[str, Any]) -> str:
    """OpenLLMetry's name of an operation, from before there was one."""
    kind = said.get("llm.request.type")
    return {"completion": "text_completion", "embedding": "embeddings"}.get(
        kind if isinstance(kind, str) else "", name(kind)
    )


def _tokens(said: Mapping[str, Any]) -> Tokens | None:
    def pick(*names: str) -> Any:
        return next(
            (said[f"gen_ai.usage.{one}"] for one in names if f"gen_ai.usage.{one}" in said), None
        )

    return tokens(
        pick("input_tokens", "prompt_tokens"),
        pick("output_tokens", "completion_tokens"),
        cached=pick("cache_read.input_tokens", "cache_read_input_tokens"),
        cache_write=pick("cache_write.input_tokens", "cache_creation.input_tokens",
                         "cache_creation_input_tokens"),
        reasoning=pick("reasoning.output_tokens", "reasoning_tokens"),
    )  # fmt: skip


def _texts(
    said: Mapping[str, Any], events: Sequence[tuple[str, Mapping[str, Any]]]
) -> tuple[Any, Any]:
    """What was asked and answered: as attributes, in one event of details, or an event each."""
    known: dict[str, Any] = dict(said)
    messages: list[Any] = []
    answers: list[Any] = []
    for event, about in events:
        if event in ("gen_ai.client.inference.operation.details", "gen_ai.content.prompt",
                     "gen_ai.content.completion"):  # fmt: skip
            known.update(about)
        elif event == "gen_ai.choice":
            message = chats.parsed(about.get("message", about.get("content")))
            answers.append(message)
        elif event.startswith("gen_ai.") and event.endswith(".message"):
            role = event.removeprefix("gen_ai.").removesuffix(".message")
            messages.append({"role": role, **{k: chats.parsed(v) for k, v in about.items()}})
    given: Any = chats.parsed(known.get("gen_ai.input.messages", known.get("gen_ai.prompt")))
    answer: Any = chats.parsed(known.get("gen_ai.output.messages", known.get("gen_ai.completion")))
    system = chats.parsed(known.get("gen_ai.system_instructions"))
    given = given if given is not None else messages or _numbered(known, "gen_ai.prompt.")
    answer = answer if answer is not None else answers or _numbered(known, "gen_ai.completion.")
    if system and isinstance(given, list):
        parts = system if isinstance(system, list) else [system]
        given = [{"role": "system", "parts": parts}, *given]
    return given or None, answer or None


def _numbered(said: Mapping[str, Any], prefix: str) -> list[dict[str, Any]]:
    """Messages that OpenLLMetry writes as `gen_ai.prompt.0.role`, `gen_ai.prompt.0.content`."""
    found: dict[int, dict[str, Any]] = {}
    for key, value in said.items():
        if key.startswith(prefix):
            number, _, field = key[len(prefix) :].partition(".")
            if (
                number.isascii()
                and number.isdigit()
                and len(number) < 5
                and field in ("role", "content")
            ):
                found.setdefault(int(number), {})[field] = chats.parsed(value)
    return [found[number] for number in sorted(found)]
