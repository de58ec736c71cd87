"""The same picture has the same digest however it was sent, and nobody without the key can tell which one it is."""

from __future__ import annotations

import base64
import functools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.media import Media, WithMedia, joined, size_of, spelled
from monitor.meters import Meters
from monitor.privacy.policies import Policy
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.recorder.capture import Capture
from monitor.recorder.repeats import Repeats
from monitor.types import Exchange, Record, decode_record, encode_record
from tests.privacy.test_records import chat, exchange, privacy, sse

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 6 + b"!"
OTHER = PICTURE[:-1] + b"?"
FORM = {"content-type": "multipart/form-data; boundary=b"}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def url(data: bytes) -> str:
    return f"data:image/png;base64,{b64(data)}"


def seen(data: bytes, **more: Any) -> str:
    """A chat about one picture."""
    picture = {"type": "image_url", "image_url": {"url": url(data)}}
    return chat([{"type": "text", "text": "What is this?"}, picture], **more)


def form(
    data: bytes, kind: str = "image/png", *, name: str = "image", is_whole: bool = True
) -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\nContent-Type: {kind}\r\n\r\n'
    return head.encode() + data + (b"\r\n--b--\r\n" if is_whole else b"")


def parts(content: Any, key: str = "parts") -> str:
    return json.dumps({"contents": [{"role": "user", key: content}]})


def tensor(data: bytes) -> Exchange:
    packed = len(data).to_bytes(4, "little") + data
    one = {
        "name": "t",
        "datatype": "BYTES",
        "shape": [1],
        "parameters": {"binary_data_size": len(packed)},
    }
    document = json.dumps({"inputs": [one]})
    length = {"inference-header-content-length": str(len(document))}
    return exchange(document.encode() + packed, target="/v2/models/m/infer", asked=length)


ANSWERED = json.dumps({"choices": [{"message": {"role": "assistant", "content": "A bird."}}]})
ASKED = {
    "OpenAI's chat": lambda d: exchange(seen(d), ANSWERED),
    "OpenAI's responses": lambda d: exchange(
        json.dumps({"model": "m", "input": [{"role": "user", "content": [{"type": "input_image", "image_url": url(d)}]}]}),
        target="/v1/responses",
    ),
    "Anthropic's messages": lambda d: exchange(
        chat([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": b64(d)}}], max_tokens=9),
        target="/v1/messages",
    ),
    "a tool's result": lambda d: exchange(
        chat([{"type": "tool_result", "tool_use_id": "t", "content": [
            {"type": "text", "text": "seen"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": b64(d)}},
        ]}], max_tokens=9),
        target="/v1/messages",
    ),
    "Gemini": lambda d: exchange(
        parts([{"text": "?"}, {"inlineData": {"mimeType": "image/png", "data": b64(d)}}]),
        target="/v1beta/models/m:generateContent",
    ),
    "Bedrock's Converse": lambda d: exchange(
        json.dumps({"messages": [{"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": b64(d)}}}]}]}),
        target="/model/m/converse",
    ),
    "a form": lambda d: exchange(form(d), target="/v1/images/edits", asked=FORM),
    "TorchServe": lambda d: exchange(d, target="/predictions/m", asked={"content-type": "image/png"}),
    "base64 in a text": lambda d: exchange(chat(f"Look: {url(d)}")),
    "URL-safe base64": lambda d: exchange(seen(d).replace(b64(d), base64.urlsafe_b64encode(d).decode().rstrip("="))),
}  # fmt: skip
OF_UNSAID_TYPE = {
    "Ollama": lambda d: exchange(
        json.dumps({"model": "m", "messages": [{"role": "user", "content": "?", "images": [b64(d)]}]}),
        target="/api/chat",
    ),
    "a drawn picture": lambda d: exchange(
        '{"prompt":"a bird"}', json.dumps({"data": [{"b64_json": b64(d)}]}), target="/v1/images/generations"
    ),
    "sound in pieces": lambda d: exchange(
        chat("Speak"), sse(*({"audio": {"data": b64(one)}} for one in (d[:100], d[100:]))),
        said={"content-type": "text/event-stream"},
    ),
    "sound in a chat": lambda d: exchange(
        chat("Speak"), json.dumps({"choices": [{"message": {"audio": {"data": b64(d)}}}]})
    ),
    "a sound as it is": lambda d: exchange(
        '{"input":"hi","model":"m"}', d, target="/v1/audio/speech", said={"content-type": "audio/mpeg"}
    ),
    "a sound in a form": lambda d: exchange(form(d, "audio/wav", name="file"), target="/v1/audio/transcriptions", asked=FORM),
    "a message of a WebSocket": lambda d: exchange(
        json.dumps({"type": "binary", "data": b64(d), "at": 0.1}) + "\n", b"", target="/ws", upgraded="websocket"
    ),
    "an element of a tensor": tensor,
}  # fmt: skip


def marks(record: Record) -> list[str]:
    """Of parts, and of texts."""
    found = [mark for part in (*record.inputs, *record.outputs) for mark in part.media or ()]
    texts = [part.text or "" for part in record.inputs if "<MEDIA:" in (part.text or "")]
    return found + [text[text.index("<MEDIA:") :] for text in texts]


def digest(mark: str) -> str:
    return mark.rstrip(">").rpartition(":")[2]


def recorded(given: Exchange, door: Privacy | None = None) -> Record:
    return Capture("e", PROTOCOLS, [], door or privacy(), Meters("recorder", "e")).read(given)[0]


@functools.cache
def mark_of_picture() -> str:
    return marks(recorded(ASKED["OpenAI's chat"](PICTURE)))[0]


@pytest.mark.parametrize("way", ASKED)
def test_a_picture_is_one_however_it_was_sent(way: str) -> None:
    """Type, size and digest are the same; another picture of its size has another digest."""
    assert marks(recorded(ASKED[way](PICTURE))) == [mark_of_picture()]
    assert mark_of_picture().startswith(f"<MEDIA:image/png:{len(PICTURE)}:")
    (other,) = marks(recorded(ASKED[way](OTHER)))
    assert other.startswith(f"<MEDIA:image/png:{len(PICTURE)}:")
    assert other != mark_of_picture()


@pytest.mark.parametrize("way", OF_UNSAID_TYPE)
def test_media_of_another_or_no_type_have_the_digest_of_their_bytes(way: str) -> None:
    """Also sounds that come in pieces, each of which is base64 of its own."""
    (mark,) = marks(recorded(OF_UNSAID_TYPE[way](PICTURE)))
    assert f":{len(PICTURE)}:" in mark
    assert digest(mark) == digest(mark_of_picture())


def test_nothing_of_the_bytes_is_written_and_the_text_stays_what_it_was() -> None:
    """The Record can be written and read, and old ones have no media."""
    record = recorded(ASKED["OpenAI's chat"](PICTURE))
    written = encode_record(record)
    assert decode_record(written) == record
    assert b64(PICTURE)[:16].encode() not in written
    assert record.inputs[0].text == f"What is this?\n[image image/png {len(PICTURE)} bytes]"
    assert type(record.inputs[0].text) is str
    assert b'"media"' not in encode_record(recorded(exchange(chat("hello"))))


def test_a_digest_is_keyed() -> None:
    """Nobody without the key can look for a picture that they have, and another key ends it."""
    found = {
        digest(marks(recorded(ASKED["Gemini"](PICTURE), one))[0])
        for one in (privacy(), privacy(bytes(32)), privacy(tenant="b"))
    }
    assert len(found) == 3


@pytest.mark.parametrize(
    "asked",
    [
        exchange(chat([{"type": "image_url", "image_url": {"url": "https://example.com/a.png?sig=x"}}])),
        exchange(seen(PICTURE)[:900], size=5000),
        exchange(form(PICTURE, is_whole=False), target="/v1/images/edits", asked=FORM, size=5000),
        exchange(PICTURE, target="/predictions/m", asked={"content-type": "image/png"}, size=5000),
        exchange(chat([{"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}])),
    ],
    ids=["an address", "a cut body", "a cut form", "a cut picture", "nothing"],
)  # fmt: skip
def test_what_is_not_all_there_has_no_digest(asked: Exchange) -> None:
    """One of its beginning would be equal to no other."""
    record = recorded(asked)
    assert record.inputs
    assert not marks(record)


@pytest.mark.parametrize(
    "kind",
    [
        "image/4012888888881881",
        "4012888888881881/x",
        "image/" + "x" * 99,
        "a b>c",
        f"<MEDIA:x:1:{'a' * 24}>",
    ],
)
def test_a_type_tells_nothing_personal(kind: str) -> None:
    """It comes from outside as any text; what is none is not said."""
    source = {"type": "base64", "media_type": kind, "data": b64(PICTURE)}
    body = chat([{"type": "image", "source": source}], max_tokens=9)
    record = recorded(exchange(body, target="/v1/messages"))
    assert marks(record)[:1] == [mark_of_picture().replace("image/png", "application/octet-stream")]
    text = recorded(exchange(chat(f"Look: data:{kind};base64,{b64(PICTURE)}")))
    for one in (record, text):
        assert b"4012888888881881" not in encode_record(one)


def test_requests_with_other_pictures_are_not_the_same() -> None:
    """Of one size, and of the same words."""
    repeats = Repeats(b"key")
    for data, is_known in ((PICTURE, False), (OTHER, False), (PICTURE, True), (OTHER, True)):
        assert (repeats.after(recorded(ASKED["OpenAI's chat"](data))) is not None) is is_known


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4))
def test_pieces_are_what_they_are_together(pieces: list[bytes]) -> None:
    """In base64, in another spelling of it, or as bytes."""
    whole = b"".join(pieces)
    expected = base64.b64encode(whole).rstrip(b"=")
    assert size_of(expected) == len(whole)
    for held in (
        tuple(pieces), tuple(map(b64, pieces)), (whole,), (b64(whole),),
        (base64.encodebytes(whole).decode(),), (base64.urlsafe_b64encode(whole).decode(),),
    ):  # fmt: skip
        assert Media("", held).letters() == expected


def test_what_is_no_base64_has_letters_all_the_same() -> None:
    """Any text comes from outside, in one piece or in several."""
    for text in ("a", "é", "\ud800", "<", "=", "", "ab-_\n"):
        assert isinstance(Media("", (text,)).letters(), bytes)
        assert isinstance(Media("", (text, "a")).letters(), bytes)
    assert spelled("\ud800") != spelled("\ud801")


def test_media_go_along_when_texts_are_joined() -> None:
    """In their order; a text by itself stays as it is."""
    one, other = (WithMedia.of(f"[{name}]", [Media(name, (b"a",))]) for name in "xy")
    both = joined("\n", [one, "and", other])
    assert both == "[x]\nand\n[y]"
    assert isinstance(both, WithMedia)
    assert [media.type for media in both.media] == ["x", "y"]
    assert joined("\n", [one]) is one
    assert type(joined("\n", ["a", "b"])) is str


@pytest.mark.parametrize("action", ["drop", "hash_whole", "token(PICTURE)", "keep"])
@pytest.mark.parametrize("place", ["request.messages[*].content[*].image_url.url", "inputs.user"])
def test_a_rule_for_media_holds_for_their_digest(place: str, action: str) -> None:
    """What is dropped or replaced leaves no digest of its own; what is kept does."""
    record = recorded(ASKED["OpenAI's chat"](PICTURE), privacy(policy=Policy({place: action})))
    assert marks(record) == ([mark_of_picture()] if action == "keep" else [])
