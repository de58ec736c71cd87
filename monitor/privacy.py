"""(Call, Inference) → Record: the only door out of memory, and the only maker of Records."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from monitor.patterns import Scanner
from monitor.pseudonyms import Keyring, Tokens
from monitor.scrub import Bounds, Scrub, Seal
from monitor.types import (
    Call,
    Inference,
    Outcome,
    Part,
    Record,
    RequestSummary,
    ResponseSummary,
)

ALLOWED_HEADERS = frozenset(
    (
        "accept",
        "accept-encoding",
        "accept-language",
        "anthropic-beta",
        "anthropic-version",
        "content-encoding",
        "content-length",
        "content-type",
        "grpc-status",
        "request-id",
        "retry-after",
        "server",
        "traceparent",
        "transfer-encoding",
        "user-agent",
        "x-request-id",
    )
)
"""Headers that a Record keeps, scanned like any text; every other is dropped."""

ALLOWED_PREFIXES = ("anthropic-ratelimit-", "openai-", "x-ratelimit-", "x-stainless-")

_CREDENTIAL = re.compile(
    r"auth|cookie|token(?!s)|secret|passw|credential|api[-_]?key|session|signature"
    r"|^(?:key|sig|code|pwd|jwt)$",
    re.IGNORECASE,
)
"""Names of headers and query fields whose values are never kept, not even as pseudonyms."""

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
_METHOD = re.compile(r"[A-Z]{1,16}")
_MAX_FIELD = 4096
_MAX_LABEL = 200
_MAX_CLEAN = 8192


class Privacy:
    """Makes Records. One per process; holds keys and what it knows to be clean, nothing personal.

    `clock` gives seconds for the time bound of a Record (`time.monotonic`).
    """

    def __init__(
        self,
        *,
        scanner: Scanner,
        keyring: Keyring,
        clock: Callable[[], float],
        tenant: str = "default",
        bounds: Bounds | None = None,
        seal: Seal | None = None,
    ) -> None:
        self._scanner = scanner
        self._keys = frozenset(key for each in scanner.recognizers for key in each.keys)
        self._key = keyring.current.id
        self._tokens = Tokens(keyring.current, tenant)
        previous = keyring.previous
        self._previous = None if previous is None else Tokens(previous, tenant)
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._seal = seal
        self._clean: set[str] = set()

    def record(
        self, call: Call, inference: Inference, *, endpoint: str, segments: Mapping[str, str]
    ) -> Record:
        """What may be kept of an exchange. Total: what cannot be made safe is redacted, counted in
        `redactions`, and the rest stays."""
        scrub = self._scrub()
        exchange = call.exchange
        response = exchange.response
        tokens = inference.tokens
        per_token = None
        if inference.first_token is not None and inference.last_token is not None:
            first, last = inference.first_token, inference.last_token
            if tokens is not None and tokens.output > 1 and last > first:
                per_token = (last - first) / (tokens.output - 1)
        failed = inference.failed and exchange.outcome is Outcome.OK
        return Record(
            id=exchange.id,
            endpoint=endpoint,
            protocol=inference.protocol,
            operation=self._label(scrub, inference.operation),
            model=self._label(scrub, inference.model),
            started=exchange.started,
            duration=exchange.duration,
            time_to_first_token=inference.first_token,
            time_per_output_token=per_token,
            status=call.status,
            outcome=Outcome.SERVER_ERROR if failed else exchange.outcome,
            streamed=inference.streamed,
            segments={name: self._label(scrub, value, name) for name, value in segments.items()},
            request=RequestSummary(
                method=call.method if _METHOD.fullmatch(call.method) else "other",
                path=self._target(scrub, call.path, call.query),
                headers=self._headers(scrub, call.request_headers),
                bytes=exchange.request.size,
                truncated=call.request_truncated,
            ),
            response=ResponseSummary(
                headers=self._headers(scrub, call.response_headers),
                bytes=0 if response is None else response.size,
                truncated=call.response_truncated,
            ),
            inputs=[self._part(scrub, part) for part in inference.inputs],
            outputs=[self._part(scrub, part) for part in inference.outputs],
            tokens=tokens,
            finish_reasons=[self._label(scrub, reason) for reason in inference.finish_reasons],
            trace_id=_trace_id(call.request_headers.get("traceparent", "")),
            pseudonyms=scrub.pseudonyms,
            key=self._key,
            redactions=scrub.redactions,
            continues=scrub.continues,
            sealed=[f"{token} {box}" for token, box in scrub.sealed.items()],
        )

    def scrubbed(self, record: Record) -> Record:
        """A Record from rest, scrubbed again; a Record that this program wrote comes back equal.

        Pseudonyms in it are taken for genuine whatever their key, so this is for logs of our own
        making and for those of others who use it, never for traffic.
        """
        scrub = self._scrub(trusted=True)
        request, response = record.request, record.response
        again = msgspec.structs.replace(
            record,
            model=self._label(scrub, record.model),
            operation=self._label(scrub, record.operation),
            segments={n: self._label(scrub, v, n) for n, v in record.segments.items()},
            request=msgspec.structs.replace(
                request,
                path=scrub.text(request.path),
                headers={name: scrub.text(value, name) for name, value in request.headers.items()},
            ),
            response=msgspec.structs.replace(
                response,
                headers={name: scrub.text(value, name) for name, value in response.headers.items()},
            ),
            inputs=[self._part(scrub, part) for part in record.inputs],
            outputs=[self._part(scrub, part) for part in record.outputs],
            finish_reasons=[self._label(scrub, reason) for reason in record.finish_reasons],
        )
        if not scrub.pseudonyms and not scrub.redactions:
            return again
        return msgspec.structs.replace(
            again,
            pseudonyms=_sum(record.pseudonyms, scrub.pseudonyms),
            redactions=_sum(record.redactions, scrub.redactions),
            sealed=record.sealed + [f"{token} {box}" for token, box in scrub.sealed.items()],
        )

    def label(self, value: str, name: str = "") -> str:
        """A value on its way to a metric's label: scrubbed, bounded in length, one line."""
        return self._label(self._scrub(), value, name)

    def text(self, value: str, hint: str = "") -> str:
        """Any other text on its way out of memory (a log line, an error)."""
        return self._scrub().text(value, hint)

    # --- pieces -------------------------------------------------------------------------------

    def _scrub(self, *, trusted: bool = False) -> Scrub:
        return Scrub(
            scanner=self._scanner,
            keys=self._keys,
            tokens=self._tokens,
            previous=self._previous,
            bounds=self._bounds,
            clock=self._clock,
            seal=self._seal,
            trusted=trusted,
        )

    def _part(self, scrub: Scrub, part: Part) -> Part:
        name = None if part.name is None else self._short(scrub, part.name)
        data: list[Any] | None = None
        if part.data is not None:
            data = scrub.numbers(part.data, part.name or "")
        return Part(
            role=None if part.role is None else self._label(scrub, part.role),
            text=None if part.text is None else scrub.text(part.text, part.name or ""),
            name=name,
            datatype=None if part.datatype is None else self._label(scrub, part.datatype),
            shape=part.shape,
            data=data,
        )

    def _headers(self, scrub: Scrub, headers: Mapping[str, str]) -> dict[str, str]:
        return {
            name: self._short(scrub, value, name)
            for name, value in headers.items()
            if name in ALLOWED_HEADERS
            or (name.startswith(ALLOWED_PREFIXES) and not _CREDENTIAL.search(name))
        }

    def _target(self, scrub: Scrub, path: str, query: str) -> str:
        """Path and query of a request, each value scanned with its name as a hint."""
        path = self._short(scrub, path)
        if not query:
            return path
        fields = []
        for field in query.split("&"):
            name, equals, value = field.partition("=")
            if equals and value and _CREDENTIAL.search(name):
                scrub.redactions["credential"] = scrub.redactions.get("credential", 0) + 1
                value = "<REDACTED:credential>"
            else:
                value = self._short(scrub, value, name)
            fields.append(self._short(scrub, name) + equals + value)
        return f"{path}?{'&'.join(fields)}"

    def _label(self, scrub: Scrub, value: str, name: str = "") -> str:
        if value in self._clean and not name:
            return value
        if len(value) > _MAX_LABEL:
            return scrub.redacted(value, "too_long")
        value = "".join(character if character.isprintable() else " " for character in value)
        return self._short(scrub, value, name)

    def _short(self, scrub: Scrub, value: str, hint: str = "") -> str:
        """A text of which few values make most of the traffic (names, labels, paths, headers).

        Values that nothing was found in are remembered, within bounds; no other ever is.
        """
        known = f"{hint}\0{value}" if hint else value
        if known in self._clean:
            return value
        if len(value) > _MAX_FIELD:
            return scrub.redacted(value, "too_long")
        found = scrub.text(value, hint)
        if found == value and len(value) <= _MAX_LABEL:
            if len(self._clean) >= _MAX_CLEAN:
                self._clean.clear()
            self._clean.add(known)
        return found


def _trace_id(traceparent: str) -> str | None:
    """The trace id of a `traceparent` header (W3C Trace Context), None when it is not valid."""
    match = _TRACEPARENT.fullmatch(traceparent.strip())
    return match[1] if match else None


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
