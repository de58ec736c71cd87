"""(Call, Inference, Record) → a span of OpenTelemetry, for the exchanges that are sampled.

One exchange is one CLIENT span, so nothing has to be waited for or put together. It tells names,
numbers and ids, pseudonymized as in the Record, and no content. What it is called is in
`conventions`; https://github.com/open-telemetry/semantic-conventions-genai says what it means.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from monitor import conventions, traceparents
from monitor.conventions import Conventions
from monitor.privacy.parameters import LARGEST
from monitor.recorder import parameters, span_fields
from monitor.recorder.span_fields import flag, key, number, text, texts
from monitor.types import (
    ABSENT,
    Call,
    Exchange,
    Exemplar,
    Inference,
    Outcome,
    Record,
    Summary,
)

_REMEMBERED = 512
"""Kinds of exchanges, and sets of parameters, that are remembered in their encoded form."""
_LATELY = 64
"""Exchanges counted last of which is known that they are: more than are read together."""
_MOST_NAMES = 32
"""Finish reasons of one span, and edge cases."""
_CLIENT = b"\x30\x03"
_FAILED = b"\x7a\x02\x18\x02"  # Status.code: STATUS_CODE_ERROR
_FLAGS = {False: b"\x85\x01\x01\x01\x00\x00", True: b"\x85\x01\x01\x03\x00\x00"}
"""Sampled; by whether the parent is in another process."""
_METHODS = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")
)
_AT_THE_PROXY = frozenset(
    (
        Outcome.CLIENT_GONE,
        Outcome.UPSTREAM_REFUSED,
        Outcome.UPSTREAM_TIMEOUT,
        Outcome.UPSTREAM_BROKEN,
    )
)
"""How an exchange ends without, or before the end of, an answer of the endpoint."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The decision to make a span of an exchange, and why: `error`, `slow`, `parent` or `ratio`."""

    exchange: Exchange
    trace_id: str
    span_id: bytes
    parent: traceparents.Parent | None
    reason: str

    def exemplar(self, known: Summary | Record, value: float | None = None) -> Exemplar:
        """What a bucket shows that counted `value` of this exchange, or how long it took."""
        one = self.exchange
        record_id = one.id if isinstance(known, Record) else ""
        shown = one.duration if value is None else value
        return Exemplar(self.trace_id, record_id, shown, one.started + one.duration)


class Tracer:
    """Makes the spans of one recorder. `offer` takes an encoded one, and returns whether it did.

    Of exchanges without a valid `traceparent` it samples the share `sample`, by a hash of their
    ids; with one, its sampled flag decides. Those that take longer than `slow` seconds, and with
    `errors` those that fail, are always sampled. `name` makes a name in the traffic safe. `server`
    is where the endpoint is; an empty name leaves it out. `template` is the dimension of the prompt
    template.

    Every exchange is counted once: `unsampled`, `dropped` (no span could be made, or `offer` took
    none), or offered.
    """

    def __init__(
        self,
        names: Conventions,
        *,
        sample: float,
        slow: float = math.inf,
        errors: bool = True,
        name: Callable[[str], str],
        offer: Callable[[bytes], bool],
        server: tuple[str, int] = ("", 0),
        template: str = "",
    ) -> None:
        self._below = int(sample * (1 << 64))
        self._slow = slow
        self._errors = errors
        self._name = name
        self._offer = offer
        self._template = template
        self._keys = {word: key(names.attribute(word)) for word in conventions.words()}
        host, port = server
        self._server = (
            text(self._keys["address"], host) + number(self._keys["port"], port) if host else b""
        )
        self._kinds: dict[object, bytes] = {}
        self._counted = deque[str](maxlen=_LATELY)
        self.unsampled = self.dropped = 0

    def begin(self, call: Call, outcome: Outcome) -> Trace | None:
        """Decide about an exchange; None, and it is counted, where it gets no span."""
        exchange = call.exchange
        said = call.request_headers.get("traceparent")
        parent = traceparents.read(said) if said else None
        digest = hashlib.blake2b(exchange.id.encode(), digest_size=16).digest()
        if self._errors and outcome is not Outcome.OK:
            reason = "error"
        elif exchange.duration > self._slow:
            reason = "slow"
        elif parent is not None and parent.is_sampled:
            reason = "parent"
        elif parent is None and int.from_bytes(digest[:8]) < self._below:
            reason = "ratio"
        else:
            self.unsampled += 1
            self._counted.append(exchange.id)
            return None
        own = exchange.id.replace("-", "")
        return Trace(exchange, parent.trace_id if parent else own, digest[8:], parent, reason)

    def end(
        self, trace: Trace, call: Call, inference: Inference, known: Summary | Record, model: str
    ) -> None:
        """Make the span of an exchange and offer it. `model` is the label under which its model is
        counted, one of few: what a span is called by."""
        exchange, parent = trace.exchange, trace.parent
        start = int(exchange.started * 1e9)
        parts = [b"\x0a\x10", bytes.fromhex(trace.trace_id), b"\x12\x08", trace.span_id]
        if parent is not None:
            if state := self._state(call):
                parts.append(span_fields.block(b"\x1a", state.encode()))
            parts += (b"\x22\x08", bytes.fromhex(parent.span_id))
        parts += (
            _CLIENT,
            span_fields.times(0x39, start, 0x41, start + int(exchange.duration * 1e9)),
            self._server,
            self._kind(trace, call, inference, known, model),
            *self._own(call, inference, known),
            _FLAGS[parent is not None],
        )
        self._count(trace, span_fields.block(b"\x12", b"".join(parts)))

    def missed(self, id_: str) -> None:
        """Count an exchange of which no span could be made, unless it is counted already."""
        if id_ not in self._counted:
            self.dropped += 1
            self._counted.append(id_)

    def _count(self, trace: Trace, span: bytes) -> None:
        self._counted.append(trace.exchange.id)
        if not self._offer(span):
            self.dropped += 1

    def _state(self, call: Call) -> str:
        """The `tracestate`, which goes along with a `traceparent`; nothing where something in it
        may be personal."""
        said = call.request_headers.get("tracestate")
        state = traceparents.state(said) if said else ""
        return state if state and all(self._name(one) == one for one in state.split(",")) else ""

    # --- attributes ---------------------------------------------------------------------------

    def _kind(
        self, trace: Trace, call: Call, inference: Inference, known: Summary | Record, model: str
    ) -> bytes:
        """What many exchanges have in common, with the name: encoded once."""
        record = known if isinstance(known, Record) else None
        template = self._template_of(known)
        kind = (
            known.protocol, known.operation, model, known.model, known.outcome, known.status,
            call.method, trace.reason, template, inference.wants_json,
            record.requested_model if record else None,
            tuple(record.finish_reasons) if record else (),
        )  # fmt: skip
        found = self._kinds.get(kind)
        if found is None:
            found = self._remember(kind, self._encoded(trace, call, inference, known, model))
        return found

    def _encoded(
        self,
        trace: Trace,
        call: Call,
        inference: Inference,
        known: Summary | Record,
        model: str,
    ) -> bytes:
        keys, record = self._keys, known if isinstance(known, Record) else None
        is_generative = known.operation in conventions.OPERATIONS
        called = f"{known.operation} {model}" if known.model else known.operation
        parts = [
            span_fields.block(b"\x2a", called.encode("utf-8", "replace")),
            text(keys["protocol"], known.protocol),
            text(keys["outcome"], known.outcome.value),
            text(keys["sampling"], trace.reason),
            text(keys["method"], call.method if call.method in _METHODS else "_OTHER"),
        ]
        asked = (record.requested_model if record else None) or known.model
        answered = known.model if record and record.is_accepted else ""
        if is_generative:
            parts.append(text(keys["operation"], known.operation))
            parts.append(text(keys["provider"], conventions.provider(known.protocol)))
            models = (("request_model", asked), ("response_model", answered))
        else:
            parts.append(text(keys["classical_operation"], known.operation))
            models = (("classical_model", asked), ("classical_response_model", answered))
        parts += [text(keys[word], said) for word, said in models if said]
        if known.status is not None and known.status >= 100:  # below it is gRPC's
            parts.append(number(keys["status"], known.status))
        if known.outcome is not Outcome.OK:
            parts += (text(keys["error"], _error(known)), _FAILED)
        if template := self._template_of(known):
            parts.append(text(keys["prompt"], template))
        if is_generative and inference.wants_json:
            parts.append(text(keys["output_type"], "json"))
        if record and record.finish_reasons:
            parts.append(texts(keys["finish_reasons"], record.finish_reasons[:_MOST_NAMES]))
        return b"".join(parts)

    def _own(self, call: Call, inference: Inference, known: Summary | Record) -> list[bytes]:
        """What each exchange has for itself."""
        keys = self._keys
        parts = self._usage(known)
        if known.operation in conventions.OPERATIONS:
            parts += self._parameters(call, inference)
        if known.time_to_first_token is not None:
            parts.append(number(keys["first_chunk"], float(known.time_to_first_token)))
        if isinstance(known, Record):
            parts.append(text(keys["record"], known.id))
            if known.response_id:
                parts.append(text(keys["response_id"], known.response_id))
            if known.edge_cases:
                parts.append(texts(keys["edge_cases"], known.edge_cases[:_MOST_NAMES]))
            failed = [name for name, verdict in known.checks.items() if not verdict.passed]
            if failed:
                parts.append(texts(keys["failed_checks"], failed[:_MOST_NAMES]))
        return parts

    def _usage(self, known: Summary | Record) -> list[bytes]:
        """Tokens as the endpoint counted them; none that were estimated."""
        tokens = known.tokens
        if tokens is None or tokens.estimated:
            return []
        counted = (
            ("input_tokens", tokens.input),
            ("output_tokens", tokens.output),
            ("cached_tokens", tokens.cached),
            ("cache_write_tokens", tokens.cache_write),
            ("reasoning_tokens", tokens.reasoning),
        )
        return [number(self._keys[word], count) for word, count in counted if count is not None]

    def _parameters(self, call: Call, inference: Inference) -> list[bytes]:
        keys, said = self._keys, parameters.read(call.request_body)
        parts = [self._chosen(said.numbers, said.stops)]
        if said.stream or inference.streamed:
            parts.append(flag(keys["stream"], True))
        if said.conversation:
            parts.append(text(keys["conversation"], self._name(said.conversation)))
        if said.previous:
            parts.append(text(keys["previous_response"], self._name(said.previous)))
        return parts

    def _chosen(self, numbers: dict[str, float], stops: list[str]) -> bytes:
        """Parameters, which an application has few sets of: encoded once, but for those with
        something personal, which other keys replace otherwise."""
        chosen = (*numbers.items(), *stops)
        found = self._kinds.get(chosen)
        if found is not None:
            return found
        safe = [self._name(one) for one in stops]
        told = {word: value for word, value in numbers.items() if self._is_safe(value)}
        parts = [
            number(self._keys[word], value)
            for word, value in told.items()
            if word != "choices" or value != 1
        ]
        if safe:
            parts.append(texts(self._keys["stop_sequences"], safe))
        encoded = b"".join(parts)
        return self._remember(chosen, encoded) if (told, safe) == (numbers, stops) else encoded

    def _is_safe(self, value: float) -> bool:
        """Whether a number is nothing personal, such as a card's: as in a Record."""
        if abs(value) < LARGEST:
            return True
        digits = str(value) if isinstance(value, int) else f"{value:f}"
        return self._name(digits) == digits

    def _remember(self, kind: object, encoded: bytes) -> bytes:
        if len(self._kinds) >= _REMEMBERED:
            self._kinds.clear()
        self._kinds[kind] = encoded
        return encoded

    def _template_of(self, known: Summary | Record) -> str:
        if isinstance(known, Record) and known.template is not None:
            return known.template.id
        said = known.segments.get(self._template, ABSENT)
        return "" if said == ABSENT else said


def _error(known: Summary | Record) -> str:
    """`error.type`: the status that the endpoint answered, else how the exchange ended."""
    if known.outcome in _AT_THE_PROXY or known.status is None or known.status < 400:
        return known.outcome.value
    return str(known.status)
