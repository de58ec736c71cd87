"""What flows: Exchange → Call → Inference → Record → Observation → Window → Measurement.

Times are Unix seconds or seconds as float, sizes are bytes as int. Everything is frozen.
`Exchange`, `Call` and `Inference` hold raw traffic and live in memory only; `Record` is the first
noun that may be written down, and only `monitor.privacy` makes one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec


class Outcome(StrEnum):
    """How an exchange ended; a closed list."""

    OK = "ok"
    CLIENT_ERROR = "client_error"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    CLIENT_GONE = "client_gone"
    UPSTREAM_REFUSED = "upstream_refused"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    UPSTREAM_BROKEN = "upstream_broken"


# --- what crossed the wire -------------------------------------------------------------------


class Message(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One HTTP message as it crossed the wire.

    `head` is the start line and the fields as HTTP/1.1 writes them, up to and with the blank line;
    the HTTP/2 observer writes its heads the same way (version `HTTP/2`). `body` has the transfer
    coding removed, the content coding not, and is cut at the capture bound; `size` is the true
    length. `trailers` are field lines as in `head`.
    """

    head: bytes
    body: bytes = b""
    size: int = 0
    trailers: bytes = b""


class Exchange(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A copy of one request and its response, assembled by an observer in the proxy.

    `chunks` are the arrivals of response body bytes as `(seconds since started, body bytes so
    far)`; consecutive reads may be merged once the capture bound is reached. `upgraded` is the
    protocol after a 101 (`websocket`), whose messages stand one per line in the bodies as JSON
    (`{"type": "text"|"binary"|"close", "data": text or base64, "at": seconds}`).
    """

    id: str
    started: float
    duration: float
    request: Message
    response: Message | None
    chunks: list[tuple[float, int]]
    outcome: Outcome
    upgraded: str = ""


class Receipt(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The recorder's acknowledgement of an exchange to the proxy's ledger: what became of it.

    `state` is `appended`, `lost` (`reason` says why) or `spooled`. A spooled exchange gets a final
    Receipt later: `appended` or `lost`. `protocol`, `operation`, `model` and `outcome` are the
    labels under which the ledger counts the exchange; they are safe to show and few.
    """

    id: str
    state: str
    reason: str = ""
    protocol: str = ""
    operation: str = ""
    model: str = ""
    outcome: str = ""


# --- what it meant ---------------------------------------------------------------------------


class Call(msgspec.Struct, frozen=True):
    """An Exchange made readable: heads parsed, content coding removed. What protocols read.

    Header names are lower case; a repeated field is joined with `, `. `arrivals` are the chunk
    times in offsets of the *decoded* response body. `status` is None when no response came.
    """

    exchange: Exchange
    method: str
    path: str
    query: str
    request_headers: dict[str, str]
    request_body: bytes
    request_truncated: bool
    status: int | None
    response_headers: dict[str, str]
    response_body: bytes
    response_truncated: bool
    arrivals: list[tuple[float, int]]
    trailers: dict[str, str]


class Part(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A piece of input or output: text (`role`, `text`) or tensor (`name` … `data`). What it does
    not have is left out."""

    role: str | None = None
    """Who said a text: `system`, `user`, `assistant`, `tool` or what the dialect calls it."""
    text: str | None = None
    """The text, pseudonymized in a Record."""
    name: str | None = None
    """The tensor's or column's name."""
    datatype: str | None = None
    """KServe V2's type: `FP64`, `INT64`, `BOOL`, `BYTES` …"""
    shape: list[int] | None = None
    """The dimensions of the tensor."""
    data: list[Any] | None = None
    """The values, flat, in row-major order."""
    media: list[str] | None = None
    """Images, sounds and files in the text or among the values, in their order, each as
    `<MEDIA:TYPE:SIZE:DIGEST>`: the size in bytes and a keyed digest of them. One that was cut or
    has an address has none, and so has one for which a rule of `privacy` is."""


class Tokens(msgspec.Struct, frozen=True, omit_defaults=True):
    """Token counts as the endpoint reported them; null, or left out, for what it did not say.

    One convention for all dialects, which is OpenTelemetry's too: `input` is everything read and
    `output` everything generated. The others are parts of these two, never added to them.
    """

    input: int | None
    """Tokens read, from a cache or not."""
    output: int | None
    """Tokens generated, reasoning included."""
    cached: int | None = None
    """Those of the input that came from a cache."""
    cache_write: int | None = None
    """Those of the input that were written to a cache."""
    cache_write_1h: int | None = None
    """Those of `cache_write` that are kept for an hour, which some sell at a price of their own."""
    reasoning: int | None = None
    """Those of the output that are reasoning."""
    audio_input: int | None = None
    """Those of the input that are sound."""
    audio_output: int | None = None
    """Those of the output that are sound."""
    estimated: bool = False
    """Whether the endpoint said none and these were estimated from the texts."""


class Cost(msgspec.Struct, frozen=True):
    """What an exchange cost, by the prices that held when it began."""

    amount: float
    """All of it, in units of the currency, to a billionth of one."""
    currency: str
    """The currency's code (ISO 4217)."""
    priced_as: str
    """Whose price was taken, as `openai/gpt-4o`; `own/NAME` from `costs.file`."""
    input: float = 0.0
    """What of it was paid for tokens that were read."""
    output: float = 0.0
    """What of it was paid for tokens that were generated; the rest was paid for units."""


class Template(msgspec.Struct, frozen=True):
    """The prompt template that an exchange was made of."""

    id: str
    """Its name as the request declared it, or the id that it was given when it was found."""
    declared: bool
    """Whether the request declared it; else it was found in the texts."""


class Inference(msgspec.Struct, frozen=True):
    """What an exchange meant, raw: in memory only.

    `first_token` and `last_token` are seconds since the start to the arrival of the first and last
    *content-bearing* event of a streamed answer, None when nothing was streamed. `failed` says that
    a 2xx response carried an error inside (an SSE error event, a gRPC status), which turns the
    outcome to `server_error`, or to `rate_limited` where `throttled`; `incomplete` that it ended
    well in HTTP and not in its dialect, which turns it to `upstream_broken`; `finished` that a
    stream came to the end that its dialect knows and said why, so that who leaves it then has all
    of it: `client_gone` turns to `ok`.

    `requested_model` is the name that the request gave where the answer gave another one. `units`
    are what is paid for beside tokens, by name: `searches`, `seconds`, `characters`, `images`,
    `pages`. `confidence` is 0 to 1: of a text exp(mean log-probability of its tokens), with
    `confidence_min` that of the least likely one; of a classifier its largest probability.
    `prompt` is the id of a stored prompt that the request names, with its version as `ID@VERSION`.
    What was asked for beside the texts, in memory only: `tools` are the JSON Schemas of arguments
    by tool, `schema` is the JSON Schema that the answer was to have, `wants_json` whether it was to
    be JSON at all.
    """

    protocol: str
    operation: str
    model: str
    inputs: list[Part] = []
    outputs: list[Part] = []
    tokens: Tokens | None = None
    finish_reasons: list[str] = []
    streamed: bool = False
    first_token: float | None = None
    last_token: float | None = None
    failed: bool = False
    incomplete: bool = False
    finished: bool = False
    throttled: bool = False
    requested_model: str = ""
    response_id: str = ""
    service_tier: str = ""
    units: dict[str, float] = {}
    confidence: float | None = None
    confidence_min: float | None = None
    prompt: str = ""
    cost: Cost | None = None
    tools: dict[str, Any] = {}
    schema: Any = None
    wants_json: bool = False

    @property
    def per_token(self) -> float | None:
        """Seconds for each output token after the first, None where that is unknown."""
        written = 0 if self.tokens is None else self.tokens.output or 0
        if self.first_token is None or self.last_token is None or written <= 1:
            return None
        spent = self.last_token - self.first_token
        return spent / (written - 1) if spent > 0 else None

    def asking(self, inputs: list[Part]) -> Inference:
        """The same exchange with other inputs."""
        return msgspec.structs.replace(self, inputs=inputs)

    def saying(self, outputs: list[Part]) -> Inference:
        """The same exchange with other outputs."""
        return msgspec.structs.replace(self, outputs=outputs)

    def ended(self, outcome: Outcome, status: int | None = None) -> Outcome:
        """Return how the exchange ended whose `outcome` and `status` the proxy saw. What a redirect
        says beside where to go is no answer that could have failed (RFC 9110, section 15.4)."""
        if outcome is Outcome.CLIENT_GONE and self.finished:
            outcome = Outcome.OK  # some clients close at `[DONE]`, before the end of the body
        if outcome is not Outcome.OK or (status is not None and 300 <= status < 400):
            return outcome
        if self.failed:
            return Outcome.RATE_LIMITED if self.throttled else Outcome.SERVER_ERROR
        return Outcome.UPSTREAM_BROKEN if self.incomplete else outcome


# --- what we may keep ------------------------------------------------------------------------


_REFUSED = 300
"""Statuses from here on say that the endpoint did not take the request."""


class RequestSummary(msgspec.Struct, frozen=True):
    """The request of a Record without its content."""

    method: str
    """The HTTP method."""
    path: str
    """The path, with the query values that are safe to keep."""
    headers: dict[str, str]
    """The header fields that are safe to keep, by name in lower case."""
    bytes: int
    """The true length of the body on the wire, in bytes."""
    truncated: bool
    """Whether the body was longer than `capture.max_body_bytes`, so that its end was not read."""


class ResponseSummary(msgspec.Struct, frozen=True):
    """The response of a Record without its content."""

    headers: dict[str, str]
    """The header fields that are safe to keep, by name in lower case."""
    bytes: int
    """The true length of the body on the wire, in bytes."""
    truncated: bool
    """Whether the body was longer than `capture.max_body_bytes`, so that its end was not read."""


class Verdict(msgspec.Struct, frozen=True):
    """What a check says of an answer. What a check does not apply to has no verdict."""

    passed: bool
    """Whether the answer passed."""
    count: Annotated[int, msgspec.Meta(ge=0)]
    """How many of the things that the check looked at are wrong."""
    of: Annotated[int, msgspec.Meta(ge=0)]
    """How many things it looked at, as the numbers in an answer, or its citations."""


class Summary(msgspec.Struct, frozen=True):
    """What the traffic metrics count of an exchange: labels that are safe to show, and numbers.

    Each field is as in the Record that is made of the same exchange, or would be.
    """

    protocol: str
    operation: str
    model: str
    duration: float
    time_to_first_token: float | None
    time_per_output_token: float | None
    status: int | None
    outcome: Outcome
    segments: dict[str, str]
    tokens: Tokens | None
    cost: Cost | None = None


REPLAY = "replay"
"""The fact of a Record's lineage that names the run of `monitor redrive` that sent it."""
REPLAY_HEADER = "x-monitor-replay"
"""The header of a request that says so."""


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """What we keep of an exchange: pseudonymized. Only `monitor.privacy` makes one, of traffic and
    of other people's logs.

    The JSON document in the stream is this struct, field by field (`encode_record`,
    `decode_record`).
    """

    id: str
    """A time-ordered unique id (UUIDv7)."""
    endpoint: str
    """The setting `endpoint` of the sidecar that recorded it."""
    protocol: str
    """The dialect that the recorder read, as `openai_chat`."""
    operation: str
    """What was asked: `chat`, `embeddings`, `infer` …"""
    model: str
    """The model's name as the exchange states it; `unknown` in metrics where it states none."""
    started: float
    """When the request began, in Unix seconds."""
    duration: float
    """Seconds from the start to the end of the exchange; 0 where somebody's log does not tell."""
    time_to_first_token: float | None
    """Seconds to the first event with content; null when nothing was streamed."""
    time_per_output_token: float | None
    """Seconds for each output token after the first; null where that is unknown."""
    status: int | None
    """The HTTP or gRPC status; null when no response came."""
    outcome: Outcome
    """How the exchange ended."""
    streamed: bool
    """Whether the answer came in events."""
    segments: dict[str, str]
    """The value of each dimension; `none` where the request states none."""
    request: RequestSummary
    """The request without its content."""
    response: ResponseSummary
    """The response without its content."""
    inputs: list[Part]
    """What the model was given, pseudonymized."""
    outputs: list[Part]
    """What it answered, pseudonymized."""
    tokens: Tokens | None
    """Token counts as the endpoint reported them; null where it did not."""
    finish_reasons: list[str]
    """Why the model stopped, one for each choice; `incomplete` for a stream that broke off."""
    pseudonyms: dict[str, int]
    """How many values were replaced, by entity."""
    key: str
    """The id of the key that made the pseudonyms."""
    trace_id: str | None
    """The 32 hex digits of the request's `traceparent`; null without one."""
    redactions: dict[str, int] = {}
    """How many texts were replaced whole, by reason."""
    sealed: list[str] = []
    """`PSEUDONYM BOX` lines that only `monitor reveal` opens; at most 256."""
    continues: dict[str, str] = {}
    """During a key rotation: the new pseudonym, and the one of the key before that it takes the
    place of; at most 256."""
    requested_model: str | None = None
    """The model that the request named, where the answer names another one."""
    response_id: str | None = None
    """The id that the endpoint gave its answer; feedback may name an exchange by it."""
    service_tier: str | None = None
    """The class of service of the answer, as `priority` or `batch`."""
    units: dict[str, float] = {}
    """What is paid for beside tokens: `searches`, `seconds`, `characters`, `images`, `pages`."""
    confidence: float | None = None
    """How sure the model was, 0 to 1: of a text exp(mean log-probability of its tokens), of a
    classifier the largest probability of a row, in the mean of its rows; left out where the answer
    has no probabilities."""
    confidence_min: float | None = None
    """That of the least likely token of a text, of the least sure row of a classifier."""
    cost: Cost | None = None
    """What it cost; left out where no price is known, which is never a cost of 0."""
    sampled: Annotated[float, msgspec.Meta(ge=1e-9, le=1)] = 1.0
    """The share of exchanges like this one that was recorded when it ended, 0 to 1; below 1 only
    where `capture.sample_over` was exceeded. The Record stands for 1 / `sampled` exchanges."""
    edge_cases: list[str] = []
    """The names of the edge cases that it is of, in the order of their list; left out where it is
    of none."""
    checks: dict[str, Verdict] = {}
    """The verdicts of the checks that apply to its answer, by the name of the check; left out where
    the configuration names no check that does."""
    template: Template | None = None
    """The prompt template, where `segments` has a dimension with `mine`; left out where it is
    neither declared nor known."""
    business: dict[str, str] = {}
    """The application's own names of the exchange, by key, as `outcomes.key` says; feedback may
    name it by them. Pseudonymized."""
    lineage: dict[str, str] = {}
    """What served and recorded it, by fact: what the setting `lineage` states, `config` and
    `policy` (digests of the configuration and of its privacy), `monitor` (the version), `replay`
    (the run of `monitor redrive` that sent it, which leaves it out of all judgements)."""
    oversampled: bool = False
    """Whether it was recorded beyond an even sample of all exchanges, because failed exchanges have
    a part of the sample of their own. Drift does not count it."""
    parameters: dict[str, float | int | bool | str] = {}
    """How it was asked, in the names of its dialect: numbers, switches and words of a closed list,
    as `temperature`; of tools and stops how many there were. Left out where nothing was said."""
    withheld: dict[str, list[str]] = {}
    """By side, roles and columns of which a rule left out or coarsened something without a mark."""

    @property
    def is_redriven(self) -> bool:
        """Whether `monitor redrive` sent it; then it is no traffic, and nothing is judged by it."""
        return REPLAY in self.lineage

    @property
    def is_accepted(self) -> bool:
        """Whether the endpoint took the request and answered it."""
        return self.outcome is Outcome.OK and (self.status or 0) < _REFUSED


encode_record = msgspec.json.Encoder().encode
decode_record = msgspec.json.Decoder(Record).decode


class Segment(msgspec.Struct, frozen=True, order=True):
    """A slice of the traffic; the whole of it is `Segment("all", "all")`."""

    dimension: str
    value: str


WHOLE = Segment("all", "all")
ABSENT = "none"
"""The value of a dimension that an exchange does not state."""
EDGE_CASE = "edge_case"
"""The one dimension of which an exchange may have several values: each of its edge cases."""

WatchKey = tuple[str, str, str]
"""(feature, dimension, value): a feature in a segment."""


# --- what we look at -------------------------------------------------------------------------


Kind = Literal["numeric", "categorical", "boolean", "datetime", "duration", "vector", "words"]


class Observation(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One value of one feature, read off a Record.

    `value` by `kind`: numeric → float or int, categorical → str, boolean → bool, datetime → Unix
    seconds (watched as how long ago), duration → seconds of somebody's time (watched in large
    steps), vector → list of floats, words → bytes of hashed words (`monitor.texts.hashed`; watched
    is how many are new); None is a missing value, whatever the kind. What is of no kind
    (an object where a number was expected) goes by as it is and is counted as a wrong type.
    """

    feature: str
    kind: Kind
    value: Any


SPECIAL = ("missing", "not finite", "wrong type")
"""The bins every window has after its ordinary ones, in this order."""


class Window(msgspec.Struct, frozen=True):
    """How often each bin of one feature was hit: the ordinary bins, then those of `SPECIAL`.

    What is compared stands on the same bins. An ordered (numeric) feature has `points`, one for
    each ordinary bin and rising: the mean of the reference values in it, the outermost edges for
    the first bin (below the reference's range) and the last (above it); `scale` is the standard
    deviation of the reference values, 0 for a constant. Unordered features have no points, and
    their last ordinary bin takes the values that were not seen when the bins were made. Vectors
    have `fourier`: sums of random Fourier features over all in ordinary bins
    (`analysis.drift.fourier_features`).
    `excess` is how far the values in the outer bins lie from the points of these, all added up.
    """

    counts: tuple[int, ...]
    points: tuple[float, ...] = ()
    scale: float = 0.0
    fourier: tuple[float, ...] = ()
    excess: float = 0.0

    @property
    def samples(self) -> int:
        """Values in the window."""
        return sum(self.counts)


# --- what the world is told ------------------------------------------------------------------


class Exemplar(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An exchange that a bucket of a histogram counted, and whose span was exported.

    `value` is what was counted, `at` when the exchange ended, in Unix seconds; `record_id` is empty
    where it left no Record.
    """

    trace_id: str
    record_id: str
    value: float
    at: float


class Measurement(msgspec.Struct, frozen=True, array_like=True, gc=False, repr_omit_defaults=True):
    """One sample of one metric, named as Prometheus names samples (`…_bucket`, `…_total`).

    Measurements with equal name and labels from several processes add up. One of a bucket may have
    an `exemplar`.
    """

    name: str
    labels: dict[str, str]
    value: float
    exemplar: Exemplar | None = None
