"""What flows: Exchange → Call → Inference → Record → Observation → Window → Measurement.

Times are Unix seconds or seconds as float, sizes are bytes as int. Everything is frozen.
`Exchange`, `Call` and `Inference` hold raw traffic and live in memory only; `Record` is the first
noun that may be written down, and only `monitor.privacy` makes one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

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


class Fate(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What became of an exchange; the recorder's acknowledgement to the proxy's ledger.

    `state` is `appended`, `lost` (then `reason` says why) or `spooled`. A later Fate with the
    same id and `appended` or `lost` settles a spooled one. `protocol`, `operation`, `model` and
    `outcome` are the labels under which the ledger counts the exchange; safe and bounded.
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


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """A piece of input or output: text (`role`, `text`) or tensor (`name` … `data`).

    `data` is the flat list of values in row-major order, `shape` its dimensions (KServe V2).
    """

    role: str | None = None
    text: str | None = None
    name: str | None = None
    datatype: str | None = None
    shape: list[int] | None = None
    data: list[Any] | None = None


class Tokens(msgspec.Struct, frozen=True):
    """Token counts as the endpoint reported them: everything read, from a cache or not, and
    everything generated; None for what it did not say."""

    input: int | None
    output: int | None


class Inference(msgspec.Struct, frozen=True):
    """What an exchange meant, raw: in memory only.

    `first_token` and `last_token` are seconds since the start to the arrival of the first and last
    *content-bearing* event of a streamed answer, None when nothing was streamed. `failed` says that
    a 2xx response carried an error inside (an SSE error event, a gRPC status), which turns the
    outcome to `server_error`; `incomplete` that it ended well in HTTP and not in its dialect, which
    turns it to `upstream_broken`.
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


# --- what we may keep ------------------------------------------------------------------------


class RequestSummary(msgspec.Struct, frozen=True):
    """The request of a Record without its content; `path` has safe query values only."""

    method: str
    path: str
    headers: dict[str, str]
    bytes: int
    truncated: bool


class ResponseSummary(msgspec.Struct, frozen=True):
    """The response of a Record without its content."""

    headers: dict[str, str]
    bytes: int
    truncated: bool


class Record(msgspec.Struct, frozen=True):
    """What we keep of an exchange: pseudonymized. Only `monitor.privacy` constructs it from
    traffic; sources may construct it from other people's logs through `monitor.privacy` too.

    The JSON document of the stream is this struct, field by field (see `encode` / `decode`).

    `redactions` counts texts replaced whole, by reason. `sealed` are `PSEUDONYM BOX` lines that
    only `monitor reveal` opens. `continues` says, during a key rotation, which pseudonym of the
    key before each new one takes the place of.
    """

    id: str
    endpoint: str
    protocol: str
    operation: str
    model: str
    started: float
    duration: float
    time_to_first_token: float | None
    time_per_output_token: float | None
    status: int | None
    outcome: Outcome
    streamed: bool
    segments: dict[str, str]
    request: RequestSummary
    response: ResponseSummary
    inputs: list[Part]
    outputs: list[Part]
    tokens: Tokens | None
    finish_reasons: list[str]
    pseudonyms: dict[str, int]
    key: str
    trace_id: str | None
    redactions: dict[str, int] = {}
    sealed: list[str] = []
    continues: dict[str, str] = {}


encode_record = msgspec.json.Encoder().encode
decode_record = msgspec.json.Decoder(Record).decode


class Segment(msgspec.Struct, frozen=True, order=True):
    """A slice of the traffic; the whole of it is `Segment("all", "all")`."""

    dimension: str
    value: str


WHOLE = Segment("all", "all")
ABSENT = "none"
"""The value of a dimension that an exchange does not state."""


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


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was observed at one moment, of a Record or of a row of somebody's table.

    `at` is Unix seconds; of a table without times it is the number of the row, from 0. `segments`
    are values by dimension, without the whole. What an endpoint refused is not `accepted`.
    """

    at: float
    segments: dict[str, str]
    observations: list[Observation]
    accepted: bool = True


SPECIAL = ("missing", "not finite", "wrong type")
"""The cells every window has after its ordinary ones, in this order."""


class Window(msgspec.Struct, frozen=True):
    """How often each cell of one feature was hit: the ordinary cells, then those of `SPECIAL`.

    What is compared stands on the same cells. An ordered (numeric) feature has `points`, one for
    each ordinary cell and rising: the mean of the reference values in it, the outermost edges for
    the first cell (below the reference's range) and the last (above it); `scale` is the standard
    deviation of the reference values, 0 for a constant. Unordered features have no points, and
    their last ordinary cell takes the values that were not seen when the cells were made. Vectors
    have `waves`: sums of random Fourier features over all in ordinary cells
    (`analysis.drift.fourier_features`).
    `excess` is how far the values in the outer cells lie from the points of these, all added up.
    """

    counts: tuple[int, ...]
    points: tuple[float, ...] = ()
    scale: float = 0.0
    waves: tuple[float, ...] = ()
    excess: float = 0.0

    @property
    def samples(self) -> int:
        """Values in the window."""
        return sum(self.counts)


Status = Literal["ok", "drift", "insufficient"]


class Moved(msgspec.Struct, frozen=True):
    """A cell whose share changed: what it holds, in words, and its share before and now."""

    cell: str
    before: float
    after: float


class Driver(msgspec.Struct, frozen=True):
    """A segment's part of a change of the whole, among the segments of its dimension, 0 to 1."""

    dimension: str
    value: str
    share: float


class Finding(msgspec.Struct, frozen=True):
    """What the analysis says of one feature in one segment.

    `scores` are distances by measure, `log_evidence` the natural logarithm of the evidence against
    `nothing changed`. `changed` says that it is believed, `status` whether it also matters.
    `since` is the Unix time of the likeliest change, None while nothing is believed. `moved` are
    the cells that changed most, `drivers` the segments that a drift of the whole came from, largest
    first; `words` is one sentence for a person. `against` is what it was compared with where that
    is not a fixed reference: another segment, or the same hour of the week. `bins` are all cells in
    order, with their shares before and now, where a change is believed; `mix` are segments that
    came more or less often when the whole drifted. `reason` says why nothing could be judged.
    """

    feature: str
    dimension: str
    value: str
    samples: int
    reference_samples: int
    scores: dict[str, float]
    log_evidence: float
    status: Status
    changed: bool = False
    since: float | None = None
    moved: list[Moved] = []
    words: str = ""
    drivers: list[Driver] = []
    against: str = ""
    bins: list[Moved] = []
    mix: list[Moved] = []
    reason: str = ""


class Together(msgspec.Struct, frozen=True):
    """Features that drift in one segment; `since` is when the first of them began, in Unix time."""

    dimension: str
    value: str
    since: float | None
    features: list[str]


class Estimate(msgspec.Struct, frozen=True):
    """How well a binary classifier does on so many records; None where it would divide by 0."""

    records: int
    accuracy: float | None
    precision: float | None
    recall: float | None
    auc: float | None


class Performance(msgspec.Struct, frozen=True):
    """What is to be expected of the current scores without labels, what came true where there are
    labels, and what was true of the reference."""

    estimated: Estimate
    realized: Estimate | None
    reference: Estimate


class Chunk(msgspec.Struct, frozen=True, omit_defaults=True):
    """The analysis of consecutive rows; times in Unix seconds, or numbers of rows without times."""

    index: int
    start: float
    end: float
    records: int
    verdict: Status
    features: list[Finding]
    performance: Performance | None = None


class Unreadable(msgspec.Struct, frozen=True):
    """What could not be read of a source: where (the first place), why, and how many rows, lines or
    cells of that kind."""

    place: str
    error: str
    count: int = 1


class Replay(msgspec.Struct, frozen=True, omit_defaults=True):
    """The document that `replay --json` writes.

    `columns` say how each column of a table was read, `remarks` what a reader of the verdict should
    know.
    """

    verdict: Status
    records: int
    features: list[Finding]
    chunks: list[Chunk] | None = None
    performance: Performance | None = None
    together: list[Together] = []
    columns: dict[str, str] = {}
    remarks: list[str] = []
    unreadable: list[Unreadable] = []


# --- what the world is told ------------------------------------------------------------------


class Measurement(msgspec.Struct, frozen=True, array_like=True):
    """One sample of one metric, named as Prometheus names samples (`…_bucket`, `…_total`).

    Measurements with equal name and labels from several processes add up.
    """

    name: str
    labels: dict[str, str]
    value: float
