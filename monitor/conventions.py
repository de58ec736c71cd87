"""The names that OpenTelemetry's GenAI conventions give to what we tell, by version: one table.

https://github.com/open-telemetry/semantic-conventions-genai. Every name there is still in
development and versions rename, so the constants of a library are used nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSIONS = ("1.36", "1.41", "latest")
OPT_IN, LATEST = "OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental"
"""The standard variable, and the word in its list that asks for the latest names."""

Names = tuple[str, str, str]
"""The name in each of VERSIONS, empty where that version has none."""

OPERATIONS = frozenset(
    ("chat", "text_completion", "embeddings", "generate_content", "moderation", "rerank",
     "transcription", "speech", "image")
)  # fmt: skip
"""Operations of generative models. What a classical model does has no conventions."""

_DURATION = (
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
)  # fmt: skip
_FIRST_TOKEN = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip
_PER_TOKEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)


def _all(name: str) -> Names:
    return (name, name, name)


def _since_1_41(name: str) -> Names:
    return ("", name, name)


_METRICS: dict[str, tuple[Names, tuple[float, ...]]] = {
    "monitor_exchange_duration_seconds": (
        (
            "gen_ai.client.operation.duration",
            "gen_ai.client.operation.duration",
            "gen_ai.client.inference.duration",
        ),
        _DURATION,
    ),
    "monitor_time_to_first_token_seconds": (
        _all("gen_ai.server.time_to_first_token"),
        _FIRST_TOKEN,
    ),
    "monitor_time_per_output_token_seconds": (
        _all("gen_ai.server.time_per_output_token"),
        _PER_TOKEN,
    ),
}
"""Our metrics that the conventions know and count in the same way, and their boundaries there.

`monitor_tokens_total` is none: the older versions have a histogram of exchanges, and the latest
counts by modality, which few endpoints say."""

_ATTRIBUTES: dict[str, Names] = {
    "operation": _all("gen_ai.operation.name"),
    "provider": ("gen_ai.system", "gen_ai.provider.name", "gen_ai.provider.name"),
    "request_model": _all("gen_ai.request.model"),
    "max_tokens": _all("gen_ai.request.max_tokens"),
    "temperature": _all("gen_ai.request.temperature"),
    "top_p": _all("gen_ai.request.top_p"),
    "top_k": _all("gen_ai.request.top_k"),
    "frequency_penalty": _all("gen_ai.request.frequency_penalty"),
    "presence_penalty": _all("gen_ai.request.presence_penalty"),
    "stop_sequences": _all("gen_ai.request.stop_sequences"),
    "seed": _all("gen_ai.request.seed"),
    "choices": _all("gen_ai.request.choice.count"),
    "stream": _since_1_41("gen_ai.request.stream"),
    "previous_response": ("", "", "gen_ai.request.previous_response.id"),
    "conversation": _all("gen_ai.conversation.id"),
    "output_type": _all("gen_ai.output.type"),
    "prompt": ("", "", "gen_ai.prompt.name"),
    "response_id": _all("gen_ai.response.id"),
    "response_model": _all("gen_ai.response.model"),
    "finish_reasons": _all("gen_ai.response.finish_reasons"),
    "first_chunk": _since_1_41("gen_ai.response.time_to_first_chunk"),
    "input_tokens": _all("gen_ai.usage.input_tokens"),
    "output_tokens": _all("gen_ai.usage.output_tokens"),
    "cached_tokens": _since_1_41("gen_ai.usage.cache_read.input_tokens"),
    "cache_write_tokens": (
        "",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
    ),
    "reasoning_tokens": _since_1_41("gen_ai.usage.reasoning.output_tokens"),
    "error": _all("error.type"),
    "address": _all("server.address"),
    "port": _all("server.port"),
    "method": _all("http.request.method"),
    "status": _all("http.response.status_code"),
}
"""What is said of an exchange, by our word for it. `prompt` stays under a name of ours where a
version has none, as `_OURS` says."""

_OURS = {
    "prompt": "monitor.template",
    "outcome": "monitor.outcome",
    "protocol": "monitor.protocol",
    "record": "monitor.record.id",
    "edge_cases": "monitor.edge_cases",
    "failed_checks": "monitor.failed_checks",
    "sampling": "monitor.sampling.reason",
    "classical_operation": "monitor.operation",
    "classical_model": "monitor.model",
    "classical_response_model": "monitor.response.model",
}
"""What the conventions have no name for, in all versions of them."""

_LABELS = {"operation": "operation", "model": "request_model"}
"""Labels of our metrics that are attributes of the conventions."""

_PROVIDERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "gcp.gemini",
    "bedrock": "aws.bedrock",
    "cohere": "cohere",
    "ollama": "ollama",
    "sagemaker": "aws.sagemaker",
}
"""The provider by the first word of a protocol's name; what is compatible with one counts as it."""


@dataclass(frozen=True)
class Named:
    """A metric's name and boundaries in a version; no boundaries: its own."""

    name: str
    bounds: tuple[float, ...]


class Conventions:
    """The names of one version.

    >>> [Conventions(version).attribute("provider") for version in ("1.36", "latest")]
    ['gen_ai.system', 'gen_ai.provider.name']
    >>> Conventions("1.36").attribute("reasoning_tokens")
    ''
    >>> Conventions("1.41").metric("monitor_exchange_duration_seconds").name
    'gen_ai.client.operation.duration'
    """

    def __init__(self, version: str = "latest") -> None:
        place = VERSIONS.index(version)
        self.version = version
        self._metrics = {
            ours: Named(names[place], bounds) for ours, (names, bounds) in _METRICS.items()
        }
        theirs = {word: names[place] for word, names in _ATTRIBUTES.items()}
        self._attributes = theirs | {w: theirs.get(w) or ours for w, ours in _OURS.items()}

    def metric(self, ours: str) -> Named | None:
        """What the conventions call a metric of ours; None where they have no such metric."""
        return self._metrics.get(ours)

    def attribute(self, word: str) -> str:
        """The name of an attribute of a span; empty where this version has none."""
        return self._attributes[word]

    def label(self, ours: str) -> str:
        """The name of a label of one of `metric`, as an attribute."""
        word = _LABELS.get(ours)
        return ours if word is None else self._attributes[word]


def words() -> tuple[str, ...]:
    """What can be said of an exchange."""
    return tuple(_ATTRIBUTES | _OURS)


def provider(protocol: str) -> str:
    """Who answers in a dialect; `custom` where it is nobody's in particular.

    >>> provider("openai_responses"), provider("llama_cpp")
    ('openai', 'custom')
    """
    return _PROVIDERS.get(protocol.partition("_")[0], "custom")
