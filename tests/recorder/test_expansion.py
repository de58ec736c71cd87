"""A law of whole Records, with pseudonyms, seals and a key rotation: 8 bytes for each that crossed
the wire, 32 where it was compressed, and a fixed allowance."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.meters import Meters
from monitor.privacy.patterns import Scanner
from monitor.privacy.policies import Policy
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.privacy.sealing import make_pair, sealer
from monitor.protocols import PROTOCOLS
from monitor.recognizers import select
from monitor.recorder.capture import Capture
from monitor.types import Exchange, Message, Outcome, Record, encode_record

SCANNER = Scanner(select())
KEYS = Keyring((Key("k1", bytes(range(32))), Key("k0", bytes(32))))
JSON, EVENTS, LINES, CSV = (
    "application/json", "text/event-stream", "application/x-ndjson", "text/csv",
)  # fmt: skip

ALLOWANCE = 4096
LINKED = 256
LINK = 2 * 50 + 6
"""Bytes of one pair of `continues`."""
BOX = 50 + (50 + 48 + 64) * 4 // 3 + 8
"""Bytes of one line of `sealed`, with a value of 64 bytes."""


@pytest.fixture(scope="module")
def privacy(tmp_path_factory: pytest.TempPathFactory) -> Privacy:
    """With everything on that adds to a Record."""
    public, _ = make_pair(tmp_path_factory.mktemp("keys") / "pair", lambda count: b"\x07" * count)
    return Privacy(
        scanner=SCANNER, keyring=KEYS, clock=lambda: 0.0, seal=sealer(Path(public))
    )  # fmt: skip


def exchange(
    body: bytes,
    answer: bytes = b"{}",
    *,
    path: str = "/any",
    kind: str = JSON,
    reply: str = JSON,
    fields: str = "",
    coding: str = "",
) -> Exchange:
    coded = {"": bytes, "gzip": gzip.compress, "br": brotli.compress}[coding]
    fields += f"content-encoding: {coding}\r\n" if coding else ""
    request = f"POST {path} HTTP/1.1\r\ncontent-type: {kind}\r\n{fields}\r\n".encode()
    response = f"HTTP/1.1 200 OK\r\ncontent-type: {reply}\r\n{fields}\r\n".encode()
    body, answer = coded(body), coded(answer)
    return Exchange(
        "id", 1.0, 1.0, Message(request, body, len(body)), Message(response, answer, len(answer)),
        [(0.5, len(answer))], Outcome.OK,
    )  # fmt: skip


def recorded(privacy: Privacy, asked: Exchange) -> Record:
    """The record, once it is known to be small enough."""
    record, _ = Capture("e", PROTOCOLS, [], privacy, Meters("recorder", "e")).read(asked)
    assert len(record.continues) <= LINKED
    assert len(record.sealed) <= LINKED
    allowed = ALLOWANCE + len(record.continues) * LINK + len(record.sealed) * BOX
    for message in (asked.request, asked.response):
        assert message is not None
        allowed += 8 * len(message.head)
        is_coded = b"content-encoding" in message.head
        allowed += 32 * len(message.body) + 16384 if is_coded else 8 * len(message.body)
    assert len(encode_record(record)) <= allowed
    return record


def packed(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


SHORT = ["::1"] * 1000
DISTINCT = [f"::{number:x}" for number in range(1, 1000)]
MAILS = [f"{number}@b.co" for number in range(1000)]


KINDS = {"one": SHORT, "distinct": DISTINCT, "mails": MAILS}
CODED = [(kind, coding) for coding in ("", "gzip") for kind in KINDS] + [("one", "br")]
"""Brotli differs from gzip in what is smallest: a value that comes again and again."""


@pytest.mark.parametrize(("name", "coding"), CODED)
def test_many_short_values_are_bounded(privacy: Privacy, name: str, coding: str) -> None:
    """In a text, in texts, in a column, in columns, as names, in events, under every coding."""
    values = KINDS[name]
    spaced = " ".join(values)
    events = b"".join(
        b"data: " + packed({"choices": [{"delta": {"content": f"{one} "}}]}) + b"\n\n"
        for one in values[:1000]
    )
    for path, body, kind in (
        ("/any", packed({"note": spaced}), JSON),
        ("/any", packed(values), JSON),
        ("/any", packed([{"a": one} for one in values]), JSON),
        ("/any", packed(dict.fromkeys(values[:200], 1)), JSON),
        ("/any", "\n".join(values).encode(), CSV),
        ("/any", "\n".join(values).encode(), LINES),
        ("/any", spaced.encode(), "text/plain"),
        ("/v1/completions", packed({"prompt": values}), JSON),
        ("/v1/chat/completions", packed({"messages": [{"content": spaced}]}), JSON),
        ("/v1/chat/completions", packed({"messages": [{"content": one} for one in values]}), JSON),
        ("/v1/chat/completions", packed({"messages": [{"role": one} for one in values]}), JSON),
        ("/v1/models/m:predict", packed({"instances": values}), JSON),
    ):
        recorded(privacy, exchange(body, path=path, kind=kind, coding=coding))
        recorded(privacy, exchange(b"{}", body, path=path, reply=kind, coding=coding))
    path = "/v1/chat/completions"
    recorded(privacy, exchange(b"{}", events, path=path, reply=EVENTS, coding=coding))


def test_a_text_that_would_grow_too_large_is_a_digest(privacy: Privacy) -> None:
    """It alone: its neighbours keep theirs, and what grows less keeps its pseudonyms."""
    texts = [" ".join(SHORT[:200]), "mail jo@example.org please", " ".join(["10.20.30.40"] * 200)]
    body = packed({"model": "m", "messages": [{"role": "user", "content": one} for one in texts]})
    record = recorded(privacy, exchange(body, path="/v1/chat/completions"))
    first, second, third = (part.text or "" for part in record.inputs)
    assert first.startswith("<REDACTED:expansion:")
    assert second.startswith("mail <EMAIL_ADDRESS:k1:")
    assert third.count("<IP_ADDRESS:k1:") == 200
    assert record.redactions == {"expansion": 1}


def test_a_side_that_would_grow_too_large_is_a_digest(privacy: Privacy) -> None:
    """Where no text is long and all of them together are; the other side stays."""
    body = packed({"prompt": SHORT})
    answer = packed({"choices": [{"text": "from ::1"}]})
    record = recorded(privacy, exchange(body, answer, path="/v1/completions"))
    (part,) = record.inputs
    assert (part.role, (part.text or "")[:20]) == ("user", "<REDACTED:expansion:")
    assert [(one.text or "")[:17] for one in record.outputs] == ["from <IP_ADDRESS:"]
    assert record.redactions["expansion"] == 1


def test_links_and_seals_are_bounded_and_what_is_left_out_is_said(privacy: Privacy) -> None:
    """The first 256 values have them; every value has its pseudonym."""
    text = " ".join(f"person{number}@example.org" for number in range(300))
    record = recorded(privacy, exchange(packed({"note": text})))
    assert (record.inputs[0].text or "").count("<EMAIL_ADDRESS:k1:") == 300
    assert len(record.continues) == len(record.sealed) == LINKED
    assert record.redactions == {"continues": 44, "sealed": 44}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("".join(f"x-ratelimit-{number}: {'::1,' * 25}::1\r\n" for number in range(300)), 2),
        ("".join(f"openai-{number}@b.co: 1\r\n" for number in range(300)), 0),
        (f"user-agent: {'::1 ' * 1000}\r\n", 2),
    ],
    ids=["values", "names", "long"],
)
def test_heads_are_bounded(privacy: Privacy, fields: str, said: int) -> None:
    """Of both messages; what was too large is said."""
    record = recorded(privacy, exchange(b"{}", fields=fields))
    assert record.redactions.get("expansion", 0) == said


@pytest.mark.parametrize(
    "path",
    ["/a" + "/::1" * 900, "/a?" + "::1&" * 900, "/a?" + "a=::1&" * 900, "/a?a=" + "::1+" * 900],
)
def test_targets_are_bounded(privacy: Privacy, path: str) -> None:
    """Path, names and values of a query."""
    recorded(privacy, exchange(b"{}", path=path))


@pytest.mark.parametrize("rule", ["token(PERSON)", "hash_whole", "keep", "scan_json"])
@pytest.mark.parametrize("place", ["request.*", "request.**", "inputs.*", "request.headers.*"])
def test_rules_are_bounded(rule: str, place: str) -> None:
    """What an operator has written in place of short values grows as a coding would."""
    policy = Policy({place: rule})
    ruled = Privacy(scanner=SCANNER, keyring=KEYS, clock=lambda: 0.0, policy=policy)
    asked = exchange(packed({"rows": [{"a": str(number)} for number in range(3000)]}))
    record, _ = Capture("e", PROTOCOLS, [], ruled, Meters("recorder", "e")).read(asked)
    allowed = ALLOWANCE + 16384 + 32 * len(asked.request.body) + LINKED * LINK
    assert len(encode_record(record)) <= allowed


def test_a_bomb_is_small_on_record(privacy: Privacy) -> None:
    """Of a body that compresses better than any real one, a part of its text is there."""
    bomb = packed([0] * 2_000_000)
    record = recorded(privacy, exchange(bomb, coding="gzip"))
    assert record.redactions["expansion"] == 1
    assert (record.inputs[0].text or "").startswith("[0,0,0")


def test_a_real_compressed_body_loses_nothing(privacy: Privacy) -> None:
    """Rows alike but for their numbers become some ten times smaller."""
    rows = [{"age": number % 90, "plan": "basic", "score": number / 7} for number in range(5000)]
    asked = exchange(packed({"instances": rows}), coding="gzip")
    assert asked.request.size * 5 < len(packed({"instances": rows}))
    record = recorded(privacy, asked)
    assert [part.name for part in record.inputs] == [
        "instances.age",
        "instances.plan",
        "instances.score",
    ]
    assert record.redactions == {}


VALUES = st.sampled_from(
    ["::1", "1.1.1.1", "a@b.co", "078-05-1120", "4111111111111111", 4111111111111111, "<LIT:", "\x00",
     "<PERSON:k1:abcdefghijklmnop>", "AKIAIOSFODNN7EXAMPLE", "DE89370400440532013000", "", "é"]
)  # fmt: skip
SHAPES = st.sampled_from(
    [lambda values: " ".join(map(str, values)), lambda values: values,
     lambda values: [{"a": one} for one in values], lambda values: [[one] for one in values],
     lambda values: [{"role": "user", "content": one} for one in values],
     lambda values: {f"{one}.{place}": one for place, one in enumerate(values)}]
)  # fmt: skip
MEMBERS = st.sampled_from(
    ["messages", "prompt", "input", "instances", "choices", "contents", "rows"]
)
PATHS = st.sampled_from(
    ["/any", "/v1/chat/completions", "/v1/completions", "/v1/messages", "/v1/responses", "/api/chat",
     "/v1beta/models/m:generateContent", "/v1/models/m:predict", "/v2/models/m/infer", "/::1/::1"]
)  # fmt: skip


@settings(max_examples=80)
@given(
    st.tuples(PATHS, MEMBERS, st.sampled_from(["", "gzip", "br"])),
    st.lists(VALUES, min_size=1, max_size=6), st.integers(1, 200), SHAPES,
)  # fmt: skip
def test_any_body_is_bounded(
    privacy: Privacy, where: tuple[str, str, str], values: list[Any], times: int, shape: Any
) -> None:
    """As question and as answer, whatever is found in it."""
    path, member, coding = where
    body = packed({member: shape(values * times), "model": values[0]})
    recorded(privacy, exchange(body, body, path=path, coding=coding))
