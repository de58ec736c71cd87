"""Structs of documents, and the protocols → the pages of `docs/reference`.

A struct's docstring says what it is, the string below a field what that field means. A protocol's
docstrings say whose dialect it is, what it claims and what it reads.
"""

from __future__ import annotations

import builtins
import datetime
import enum
import inspect
import sys
import types
import typing

import msgspec

from monitor.api.feedback import MAX_BYTES
from monitor.documents import first_paragraph, kinds, meanings
from monitor.feedback import MAX_ITEMS, Statement
from monitor.interfaces import Protocol
from monitor.metrics.labels import REDACTION_REASONS
from monitor.protocols import PROTOCOLS
from monitor.queries import QUERIES
from monitor.queries.query import Query
from monitor.replay.document import Replay
from monitor.types import Record

MADE = (
    "<!-- Made from the documents' structs by `python -m dashboards.build`; change it there. -->\n"
)
_WORDS: dict[object, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
    datetime.datetime: "string (RFC 3339)",
    typing.Any: "any",
}


def record() -> str:
    """The page of the Record."""
    told = """\
# The Record

A Record is what `monitor` keeps of one exchange. It is one JSON document. You meet it

- in the Redis stream `monitor:{ENDPOINT:SHARD}:records`, in the field `record` of each entry
  (the field `v` is `1`);
- as a line of `monitor records list --json`, and as the output of `monitor records show ID`;
- as a line of a JSONL file that `monitor replay` reads.

A pseudonym looks like `<EMAIL_ADDRESS:k1:fbgjaojmigkglnacafjobgaj>`: the entity, the id of the key,
a token. The same value under the same key has the same token, on every replica.

`monitor schema record` prints the JSON Schema, [record-v1.json](../schemas/record-v1.json). New
keys may come in any version. A reader must ignore keys that it does not know.
"""
    reasons = ", ".join(f"`{reason}`" for reason in REDACTION_REASONS)
    return _page(told, Record) + f"\nReasons in `redactions`: {reasons}.\n"


def replay() -> str:
    """The page of the document that `monitor replay --json` writes."""
    told = """\
# The document of replay

`monitor replay SOURCE… --json FILE` writes one JSON document (`-` writes it to standard output).

Times are Unix seconds. For a table without times they are numbers of rows, from 0. Keys
without a value may be left out. New keys may come in any version; a reader must ignore keys that
it does not know. `monitor schema replay` prints the JSON Schema,
[replay-v1.json](../schemas/replay-v1.json).
"""
    return _page(told, Replay)


def feedback() -> str:
    """The page of feedback."""
    told = f"""\
# Feedback

Feedback is what somebody says later of an exchange: what was true, what happened, what a reviewer
thinks. One item is one JSON object:

```json
{{"id": "019ad2b6-6800-7def-9abc-e20000000001", "label": "1", "at": "2026-11-28T10:00:00Z"}}
```

There are three ways in:

- `POST /api/v1/feedback` of the [admin port](api.md): `application/json` with one object or a list,
  or `application/x-ndjson` with an object a line; at most {MAX_ITEMS:,} items and {MAX_BYTES:,}
  bytes. The answer is 202 and `{{"accepted": n, "rejected": [{{"index": i, "error": "…"}}]}}`: what
  is accepted is in the stream. Otherwise nothing is: 400 where nothing can be read, 413 and 415 for
  a body that is too large or of another type, 503 with `Retry-After` while the store is away
  or this command does not have the recorders' key file. The first request takes some seconds, since
  the recognizers of personal data are built for it. After a 503 send the request again; with a
  `key` an item counts once, also where it was there already.
- `monitor feedback load FILE…` reads CSV, JSON lines and Parquet. The columns of a table are the
  keys of below; those inside of an object have a dot, as `business.order` or `verdict.passed`, and
  empty cells say nothing. `--id-column` names the column with the ids of records where it is not
  called `id`. An item without a `key` gets one of its line and content, so a file can be loaded
  again. Each line that is not taken is named as `FILE:LINE`; the exit code is then 1.
- An entry with the fields `v` (`1`) and `feedback` (the JSON) in the stream
  `monitor:{{ENDPOINT}}:feedback`.

Texts, labels, attributes, keys and names are pseudonymized before they are stored, as bodies are: a
value has the pseudonym that it has in the Record. An item in which that is not possible is
rejected. A stored item has the keys of below, `at` in Unix seconds, and three more: `pseudonymized`
(the id of the key that did it), `continues` (as in the Record) and `propensity` (of a verdict from
the review queue). It is kept as long as `stream.max_length` allows: about so many items.

`monitor schema feedback` prints the JSON Schema, [feedback-v1.json](../schemas/feedback-v1.json).
"""
    return _page(told, Statement)


def api() -> str:
    """The page of the admin port."""
    rows = "\n".join(
        f"| `{key}` | {kind} | {meaning} |"
        for key, kind, meaning in (
            ("verdict", "string", "`drift`, `ok` or `insufficient`, as in replay's document"),
            ("records", "integer", "Records that the analyzer has read."),
            (
                "features",
                "list of [Finding](replay-document.md#finding)",
                "Every finding, in every segment.",
            ),
            (
                "together",
                "list of [Together](replay-document.md#together)",
                "Segments in which something drifts.",
            ),
            (
                "changes",
                "list of objects",
                (
                    "What serves that has changed, the last first: 50 at most; `changes` of "
                    "`/api/v1/status` describes them."
                ),
            ),
            (
                "left_out",
                "integer",
                (
                    "Values that had no place of late among the features and segments that are "
                    "looked at (`drift.watches`): above 0 the verdict is never `ok`."
                ),
            ),
        )
    )
    asked = "\n".join(map(_asked, QUERIES))
    return f"""\
{MADE}
# The admin port

`--admin HOST:PORT` says where it is; `127.0.0.1:9464` by default. `/metrics`, `/healthz` and
`/readyz` answer everybody who reaches the port. The rest needs a token with a role where
`access.tokens` is set, and without it answers on a loopback address alone
([Access](../../CONFIGURATION.md#access)). Only `records/{{id}}`, `templates/{{id}}` and the
items of the review queue show texts of requests and answers, pseudonymized. Each reading is logged
in the stream `monitor:{{ENDPOINT}}:access` (`at`, `who`, `what`, `record`). Names of features,
segments, models and categories stand in the other pages, with personal data in them replaced.

| path | role | what it answers |
|---|---|---|
| `GET /metrics` | | Every metric of all processes of this command, as Prometheus text; \
OpenMetrics where `Accept` asks for it. [METRICS.md](../../METRICS.md) lists them. |
| `GET /healthz` | | 200 `ok` while the process of the admin pages lives. |
| `GET /readyz` | | 200 `ready` while the proxies accept connections; 503 `not ready` before, \
and during a drain. It depends neither on the model nor on Redis. |
| `GET /api/drift` | `read` | 200 and what the analyzer found, as JSON. \
`{{}}` where this command runs no analyzer (`monitor sidecar`). |
| `POST /api/v1/feedback` | `feedback` | 202 and what became of the items \
([feedback](feedback.md)). |
| `GET /api/v1/review` | `review` | The [review queue](../review.md) in numbers. |
| `GET /api/v1/review/next?reviewer=NAME` | `review` | 200 and an item that is NAME's for a while: \
`item`, `record`, `reason`, `propensity`, `until` (Unix seconds); \
204 where nothing waits. |
| `POST /api/v1/review/{{item}}` | `review` | \
Takes `{{"reviewer", "passed", "label"?, "note"?}}` or \
`{{"reviewer", "skip": true}}`: 200, or 409 where the answer does not count, 404 for no item. |
| `GET /api/v1/silences`, `GET /api/v1/silences/{{id}}` | `read` | \
[Silences](../notifications.md#silences), as Alertmanager's API v2 has them. \
The list takes `filter`. |
| `POST /api/v1/silences`, `DELETE /api/v1/silences/{{id}}` | `admin` | \
200 and `{{"silenceID"}}`; ends one. |
{asked}
| `GET /api/v1/openapi.json` | `read` | All paths below `/api/v1` with \
their parameters and answers, as OpenAPI 3.1. |
| `GET /` | `read` | The list of these paths, as text. |

Lists come in pages of `limit` items in a stable order. Ask again with the `cursor` of the page
before until it is `null`. Answers have an `ETag`; `If-None-Match` is answered with 304 where
nothing has changed.

What is refused is answered with `{{"error": "one sentence"}}`: 401 without a token that is known,
403 without the role, 400 for a parameter that is wrong or not known, 404 for no such page, 405 for
another method (`Allow` has those that it takes). 429 and 503 come with `Retry-After`: a token's
holder may send 200 requests at once and 50 a second, and 16 requests are under way at a time. Who
signs in to the console without a token takes none of these: an address has the same rate of its
own, and 16 requests are under way at a time, 8 of one address. `/metrics`, `/healthz` and
`/readyz` have no such limits. HEAD is answered as GET without its body.

A scrape waits at most 4 s for a process that does not answer, and then shows what that process
said last.

## The document of `/api/drift`

| key | type | meaning |
|---|---|---|
{rows}
"""


def _asked(query: Query) -> str:
    names = [one for one in meanings(query.asked) if f"{{{one}}}" not in query.path]
    parameters = f" Parameters: {', '.join(f'`{one}`' for one in names)}." if names else ""
    return f"| `GET /api/v1/{query.path}` | `{query.role}` | {query.words}{parameters} |"


OPERATIONS = {
    "chat": "messages in, a message out",
    "text_completion": "a text that is continued",
    "generate_content": "Gemini's word for `chat`",
    "embeddings": "texts as vectors: one tensor `embedding`, a row each",
    "moderation": "a text is judged",
    "rerank": "documents are put in order",
    "transcription": "speech as text, in its own language or in English",
    "speech": "text as speech",
    "image": "images that are made or changed",
    "realtime": "a conversation over a WebSocket, of any number of turns",
    "infer": "tensors or columns in, predictions out",
    "predict": "any other JSON that was posted",
    "retrieve": "an answer that is fetched later, by its id",
    "count_tokens": "the tokens of a request are counted, and none are used",
    "load": "a model is loaded (Ollama); `unload`: it is let go",
    "connection": "any other WebSocket",
    "call": "any other gRPC call",
    "http": "any other request",
}
"""What the label `operation` may be, without what only generic readers say."""


def protocols() -> str:
    """The page of the protocols."""
    rows = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in OPERATIONS.items())
    told = f"""\
{MADE}
# The protocols

A protocol is a dialect in which clients talk to models. The first one below that claims an exchange
reads it; its name is `protocol` in the Record and a label of `monitor_exchanges_total`. Any prefix
may stand in front of a path. Bodies in gzip, deflate, Brotli and zstd are read, and bodies that
were cut as far as they go.

For all of them:

- `tokens.input` is everything read, from a cache or not, and `tokens.output` everything generated,
  reasoning included. The other counts are parts of these two. What an endpoint does not say is left
  out; it is never 0.
- An error inside a 200 is `server_error`. A block or a refusal is a finish reason and no failure. A
  stream that ends before its dialect's end is `upstream_broken`; its finish reason is `incomplete`.
- The finish reasons are the dialect's own words.
- `model` is the answer's; else the request's, else the path's. `requested_model` is the request's
  where the two differ.
- Images, sounds and files stand in texts by kind, type and size: `[image image/png 99 bytes]`.
  `media` of the part has a keyed digest of each that came whole, the same in every dialect.
- What has nothing of its path's dialect is read as any JSON.

| operation | is |
|---|---|
{rows}
"""
    return "\n".join([told, *map(_protocol, PROTOCOLS)])


def _protocol(protocol: Protocol) -> str:
    module = inspect.getdoc(sys.modules[protocol.claims.__module__]) or ""
    what, _, sources = module.removeprefix("Call → Inference for ").partition("\n\n")
    told = [what[:1].upper() + what[1:]]
    told += [f"It claims: {inspect.getdoc(protocol.claims)}", inspect.getdoc(protocol.read) or ""]
    told += [sources] if "://" in sources else []
    paragraphs = "\n\n".join(told)
    return f"## `{protocol.name}`\n\n{paragraphs}\n"


def _page(told: str, root: type[msgspec.Struct]) -> str:
    structs = [kind for kind in kinds(root) if issubclass(kind, msgspec.Struct)]
    return "\n".join([f"{MADE}\n{told}", *map(_section, structs)])


def _section(struct: type[msgspec.Struct]) -> str:
    said = meanings(struct)
    hints = typing.get_type_hints(struct)
    rows = "\n".join(
        f"| `{field.encode_name}` | {_said(hints[field.name])} | {said[field.encode_name]} |"
        for field in msgspec.structs.fields(struct)
    )
    told = first_paragraph(struct)
    return f"## {struct.__name__}\n\n{told}\n\n| key | type | meaning |\n|---|---|---|\n{rows}\n"


def _said(kind: object) -> str:
    """A type in the words of JSON."""
    inner = typing.get_args(kind)
    match typing.get_origin(kind) or kind:
        case builtins.list:
            said = f"list of {_said(inner[0])}"
        case builtins.dict:
            said = f"object of {_said(inner[1])}"
        case typing.Union | types.UnionType:
            said = " or ".join(_said(each) for each in inner)
        case typing.Literal:
            said = ", ".join(f"`{each}`" for each in inner)
        case enum.EnumMeta():
            listed = typing.cast("type[enum.StrEnum]", kind)
            said = ", ".join(f"`{each.value}`" for each in listed)
        case msgspec.StructMeta() as struct:
            said = f"[{struct.__name__}](#{struct.__name__.lower()})"
        case other:
            said = _WORDS[other]
    return said
