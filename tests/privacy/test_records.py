"""The only door out of memory: whatever personal data stood where, however spelled, none gets out."""

from __future__ import annotations

import base64
import contextlib
import functools
import gzip
import html
import json
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus, unquote

import brotli
import pytest

from monitor.dimensions import dimension
from monitor.marks import PSEUDONYM
from monitor.meters import Meters
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Key, Keyring, Mentions
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.recognizers import select
from monitor.recorder.capture import Capture
from monitor.types import Exchange, Message, Outcome, Record, encode_record
from tests.recorder.test_calls import zstd

SCANNER = Scanner(select())
TOKEN = re.compile(r"<[A-Z_]+:[a-z0-9]+:[A-Za-z0-9_-]{16,}>")
CANARIES = {
    "EMAIL_ADDRESS": "canary.bird@example.org",
    "CREDIT_CARD": "4012 8888 8888 1881",
    "PHONE_NUMBER": "+1 212-555-0187",
    "IBAN_CODE": "DE89 3704 0044 0532 0130 00",
    "US_SSN": "536-22-1234",
    "IP_ADDRESS": "203.0.113.77",
    "SECRET": "ghp_canaryCANARYcanaryCANARYcanary0123",
}
JSON, EVENTS = {"content-type": "application/json"}, {"content-type": "text/event-stream"}


# --- exchanges -----------------------------------------------------------------------------------


def head(start: str, fields: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{start}\r\n{lines}\r\n".encode()


def exchange(
    body: bytes | str = b"{}",
    answer: bytes | str = b"{}",
    *,
    target: str = "/v1/chat/completions",
    asked: dict[str, str] | None = None,
    said: dict[str, str] | None = None,
    status: str = "200 OK",
    size: int | None = None,
    trailers: bytes = b"",
    upgraded: str = "",
) -> Exchange:
    body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    answer = answer.encode("utf-8", "surrogatepass") if isinstance(answer, str) else answer
    return Exchange(
        "0190-id", 100.0, 0.5,
        Message(head(f"POST {target} HTTP/1.1", JSON | (asked or {})), body, size or len(body), trailers),
        Message(head(f"HTTP/1.1 {status}", JSON | (said or {})), answer, len(answer), trailers),
        [(0.2, len(answer))], Outcome.OK, upgraded,
    )  # fmt: skip


def chat(content: Any, **more: Any) -> str:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": content}], **more})


def sse(*deltas: dict[str, Any]) -> str:
    events = [{"model": "m", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"


def arguments(*pieces: str) -> str:
    def call(piece: str, place: int) -> dict[str, Any]:
        return {"index": 0, "function": {"arguments": piece} | ({} if place else {"name": "send"})}

    return sse(*({"tool_calls": [call(piece, place)]} for place, piece in enumerate(pieces)))


def halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def v2(**tensor: Any) -> str:
    return json.dumps({"inputs": [{"name": "t", "datatype": "BYTES", "shape": [1], **tensor}]})


def binary(text: str) -> Exchange:
    data = len(text.encode()).to_bytes(4, "little") + text.encode()
    document = v2(parameters={"binary_data_size": len(data)})
    length = {"inference-header-content-length": str(len(document))}
    return exchange(document.encode() + data, target="/v2/models/m/infer", asked=length)


def multipart(name: str, content: str) -> bytes:
    return (
        f'--b\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n'
        f"Content-Type: text/plain\r\n\r\n{content}\r\n--b--\r\n"
    ).encode()


def named(text: str) -> str:
    """A field's name with a value in it, as far as its characters may stand there."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", f"x-{text}").strip("-")


def socket(text: str) -> Exchange:
    line = json.dumps({"type": "text", "data": text, "at": 0.1}) + "\n"
    return exchange(line, line, target="/ws", upgraded="websocket")


def anthropic(*texts: str) -> str:
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
          for text in texts),
        {"type": "message_stop"},
    ]  # fmt: skip
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


def squeezed(coding: str, pack: Callable[[bytes], bytes]) -> Callable[[str], Exchange]:
    return lambda c: exchange(
        pack(chat(f"I am {c}").encode()), pack(json.dumps({"error": c}).encode()),
        asked={"content-encoding": coding}, said={"content-encoding": coding},
    )  # fmt: skip


MULTIPART = {"content-type": "multipart/form-data; boundary=b"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
TEXT = {"content-type": "text/plain"}
PLACES: dict[str, Callable[[str], Exchange]] = {
    "message": lambda c: exchange(chat(f"I am {c}, hello")),
    "alone": lambda c: exchange(chat(c)),
    "content parts": lambda c: exchange(chat([{"type": "text", "text": f"see {c} there"}])),
    "unknown content part": lambda c: exchange(chat([{"type": "card", "who": {"is": c}}])),
    "address of an image": lambda c: exchange(
        chat([{"type": "image_url", "image_url": {"url": f"https://example.com/?{c}"}}])),
    "role": lambda c: exchange(json.dumps({"model": "m", "messages": [{"role": c, "content": "x"}]})),
    "system and tool roles": lambda c: exchange(json.dumps({"model": "m", "messages": [
        {"role": "system", "content": f"user: {c}"},
        {"role": "tool", "tool_call_id": "t", "content": json.dumps({"found": c})}]})),
    "tool arguments": lambda c: exchange(json.dumps({"model": "m", "messages": [
        {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function":
            {"name": "send", "arguments": json.dumps({"to": c})}}]}]})),
    "tool's name": lambda c: exchange(json.dumps({"model": "m", "messages": [
        {"role": "assistant", "tool_calls": [{"function": {"name": c, "arguments": "{}"}}]}]})),
    "prompt": lambda c: exchange(json.dumps({"model": "m", "prompt": [f"Dear {c},"]}), target="/v1/completions"),
    "answer": lambda c: exchange(chat("hi"), json.dumps(
        {"model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": f"to {c} now"}}]})),
    "reasoning": lambda c: exchange(chat("hi"), json.dumps(
        {"choices": [{"message": {"reasoning_content": f"to {c} now", "refusal": f"not {c}"}}]})),
    "finish reason": lambda c: exchange(chat("hi"), json.dumps(
        {"model": "m", "choices": [{"message": {"content": "x"}, "finish_reason": c}]})),
    "streamed answer": lambda c: exchange(
        chat("hi"), sse(*({"content": one} for one in ("to ", *halves(c), " now"))), said=EVENTS),
    "streamed character by character": lambda c: exchange(
        chat("hi"), sse(*({"content": one} for one in f"to {c} now")), said=EVENTS),
    "streamed tool arguments": lambda c: exchange(
        chat("hi"), arguments(*halves(json.dumps({"to": c}))), said=EVENTS),
    "streamed tool arguments, cut off": lambda c: exchange(
        chat("hi"), arguments(*halves(json.dumps({"to": c})[:-1])), said=EVENTS),
    "error in a stream": lambda c: exchange(
        chat("hi"), sse({"content": "x"}) + f"event: error\ndata: {json.dumps({'error': c})}\n\n", said=EVENTS),
    "comment and unknown field of a stream": lambda c: exchange(
        chat("hi"), f": {c}\nid: {c}\nretry: {c}\n{c}: {c}\n" + sse({"content": "x"}), said=EVENTS),
    "stream of something else": lambda c: exchange(
        chat("hi"), f"data: see\ndata: {c}\n\ndata: {json.dumps([c])}\n\n", target="/any", said=EVENTS),
    "anthropic": lambda c: exchange(json.dumps({"model": "m", "system": f"for {c}", "messages": [
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": c}]}]}),
        anthropic("to ", *halves(c), " now"), target="/v1/messages", said=EVENTS),
    "error body": lambda c: exchange(
        chat("hi"), json.dumps({"error": {"message": f"bad value {c}"}}), status="400 Bad Request"),
    "reason phrase": lambda c: exchange(chat("hi"), status=f"400 {c}"),
    "page instead of JSON": lambda c: exchange(
        chat("hi"), f"<html><title>{html.escape(c)}</title></html>", said={"content-type": "text/html"}),
    "broken JSON": lambda c: exchange('{"model": "m", "messages": [{"content": "' + c),
    "body cut at the bound": lambda c: exchange(chat(f"{c} and more")[:-8], size=10**7),
    "lines of JSON": lambda c: exchange(f'{{"a": "{c}"}}\n{{"b": "{c}"}}\n', target="/any"),
    "not UTF-8": lambda c: exchange(b"\xff\xfe " + c.encode() + b" \xe9", target="/any", asked=TEXT),
    "in Latin-1": lambda c: exchange(
        f"é {c} ü".encode("latin-1", "replace"), target="/any", asked={"content-type": "text/plain; charset=latin-1"}),
    "in UTF-16": lambda c: exchange(
        f"see {c} now".encode("utf-16"), target="/any", asked={"content-type": "text/plain; charset=utf-16"}),
    "in UTF-16, unsaid": lambda c: exchange(f"see {c} now".encode("utf-16-le"), target="/any", asked=TEXT),
    "plain text": lambda c: exchange(f"note about {c}", target="/any", asked=TEXT),
    "form": lambda c: exchange(f"to={quote_plus(c)}&x=1", target="/form", asked=FORM),
    "name of a form field": lambda c: exchange(f"{quote_plus(c)}=1&x=1", target="/form", asked=FORM),
    "file name": lambda c: exchange(multipart(f"{c}.txt", "hello"), target="/upload", asked=MULTIPART),
    "file content": lambda c: exchange(multipart("a.txt", f"by {c}"), target="/upload", asked=MULTIPART),
    "query": lambda c: exchange(target=f"/search?q={quote(c)}&n=1"),
    "query, unescaped": lambda c: exchange(target=f"/search?q={c.replace(' ', '+')}"),
    "name in a query": lambda c: exchange(target=f"/search?{quote(c)}=1&{quote(c)}"),
    "path": lambda c: exchange(target=f"/users/{quote(c)}/profile"),
    "fragment and host of a target": lambda c: exchange(target=f"http://{quote(c, safe='')}/a#{quote(c)}"),
    "header that is kept": lambda c: exchange(asked={"user-agent": f"bot {c}"}, said={"server": c}),
    "content type": lambda c: exchange(asked={"content-type": f"text/plain; name={c}"}),
    "header that is dropped": lambda c: exchange(asked={"x-whoever": c, "cookie": c}, said={"set-cookie": c}),
    "credentials": lambda c: exchange(asked={"authorization": f"Bearer {c}", "x-api-key": c}),
    "trace": lambda c: exchange(asked={"traceparent": c, "tracestate": c, "baggage": c}),
    "trailers": lambda c: exchange(trailers=f"grpc-message: {c}\r\nx: {c}\r\n\r\n".encode()),
    "population": lambda c: exchange(asked={"x-population": c}),
    "model name": lambda c: exchange(json.dumps({"model": c, "messages": []})),
    "model name of an answer": lambda c: exchange(chat("hi"), json.dumps({"model": c, "choices": []})),
    "model name in a path": lambda c: exchange(v2(data=["x"]), target=f"/v2/models/{quote(c)}/infer"),
    "object key": lambda c: exchange(json.dumps({"by": {c: "x"}}), target="/any"),
    "key of a key": lambda c: exchange(json.dumps({c: {c: [{c: c}]}}), target="/any"),
    "key of an object in a list": lambda c: exchange(json.dumps([[{c: 1}, 2], {"a": [{c: [c]}]}]), target="/any"),
    "JSON inside a string": lambda c: exchange(
        json.dumps({"inner": json.dumps({"deep": json.dumps([c])})}), target="/any"),
    "row of a table": lambda c: exchange(json.dumps({"rows": [{"a": c, "b": 1}, {"a": c, "b": 2}]}), target="/any"),
    "tensor": lambda c: exchange(v2(data=[c]), v2(data=[c]).replace("inputs", "outputs"), target="/v2/models/m/infer"),
    "tensor in rows": lambda c: exchange(v2(data=[[c], [f"a {c}"]], shape=[2, 1]), target="/v2/models/m/infer"),
    "name and type of a tensor": lambda c: exchange(
        v2(name=c, datatype=c, data=["x"], parameters={"who": c}), target="/v2/models/m/infer"),
    "binary tensor": binary,
    "generate": lambda c: exchange(json.dumps({"text_input": c}), json.dumps({"text_output": c}),
        target="/v2/models/m/generate"),
    "WebSocket": socket,
    "WebSocket of JSON": lambda c: socket(json.dumps({"to": [c]})),
    "binary message of a WebSocket": lambda c: exchange(
        json.dumps({"type": "binary", "data": base64.b64encode(c.encode()).decode()}) + "\n", target="/ws",
        upgraded="websocket"),
    "gRPC": lambda c: exchange(
        b"\0" + (len(c.encode()) + 2).to_bytes(4, "big") + b"\n" + bytes([len(c.encode()) % 128]) + c.encode(), target="/p.S/M",
        asked={"content-type": "application/grpc", "x-user": c}, said={"content-type": "application/grpc"},
        trailers=f"grpc-status: 3\r\ngrpc-message: {quote(c)}\r\n\r\n".encode()),
    "type of media": lambda c: exchange(json.dumps({"contents": [{"parts": [{"inlineData": {
        "mimeType": f"text/{c}", "data": base64.b64encode(c.encode()).decode()}}]}]}),
        target="/v1beta/models/m:generateContent"),
    "gzip": squeezed("gzip", gzip.compress),
    "deflate": squeezed("deflate", zlib.compress),
    "br": squeezed("br", brotli.compress),
    "zstd": squeezed("zstd", zstd.compress),
    "gzip in gzip": squeezed("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
    "names of headers and trailers, method": lambda c: exchange(
        asked={named(c): "1", "upgrade": c, "te": c}, said={named(c): "1", "location": f"/{quote(c)}"},
        trailers=f"{named(c)}: {c}\r\n\r\n".encode()),
    "heads of parts, and around them": lambda c: exchange(
        f'{c}\r\n--b\r\nContent-Disposition: form-data; name="{c}"; filename*=UTF-8\'\'{quote(c)}\r\nContent-Type: text/{c}\r\n'
        f"X-Who: {c}\r\n\r\nhi\r\n--b--\r\n{c}".encode(), target="/upload", asked=MULTIPART),
    "very deep": lambda c: exchange(f"{'[' * 2000}{json.dumps(c)}{']' * 2000}", '{"a":' * 60 + json.dumps({c: c}) + "}" * 60),
    "beside NUL and halves of characters": lambda c: exchange(
        json.dumps({"model": "m", "messages": [{"role": "user", "content": f"\0{c}\ud83d {c} \udc00"}], f"\ud83d {c}": c})),
    "JSON in UTF-16": lambda c: exchange(chat(c).encode("utf-16"), chat(c).encode("utf-16-be")),
    "base64 in a path and a query": lambda c: exchange(
        target="/x/{0}/y?state={0}".format(base64.urlsafe_b64encode(f"it is {c} as agreed".encode()).decode())),
    "tool calls side by side": lambda c: exchange(chat("hi"), sse(*(
        {"tool_calls": [{"index": place, "id": c, "function": {"name": c, "arguments": piece}}]}
        for piece in json.dumps({c: c}) for place in range(2))), said=EVENTS),
    "messages of a WebSocket, and why it closed": lambda c: exchange(
        "".join(json.dumps({"type": "text", "data": piece}) + "\n" for piece in halves(c)),
        json.dumps({"type": "close", "code": 1000, "reason": c, "data": c}) + "\n", target="/v1/realtime", upgraded="websocket"),
    "halves in a WebSocket whose client talks as Realtime's": lambda c: exchange(
        "".join(json.dumps({"type": "text", "data": json.dumps({"type": "conversation.item.create", "item": {
            "type": "message", "role": "user", "content": [{"type": "input_text", "text": piece}]}})}) + "\n" for piece in halves(c)),
        json.dumps({"type": "text", "data": "{}"}) + "\n", target="/v1/realtime", upgraded="websocket"),
    "metadata of a gRPC call": lambda c: exchange(
        b"\0\0\0\0\0", b"\0\0\0\0\0", target=f"/p.S/{quote(c)}", asked={"content-type": f"application/grpc+{c}", "grpc-encoding": c,
        "x-bin": base64.b64encode(c.encode()).decode()}, said={"content-type": "application/grpc"}, trailers=(
            f"grpc-status: {c}\r\ngrpc-status-details-bin: {base64.b64encode(c.encode()).decode()}\r\n\r\n").encode()),
    "MCP": lambda c: exchange(json.dumps({"jsonrpc": "2.0", "id": c, "method": "tools/call", "params": {"name": c, "arguments": {c: c}}}),
        json.dumps({"jsonrpc": "2.0", "id": c, "result": {"content": [{"type": "text", "text": c}], "structuredContent": {c: c}}}), target="/mcp"),
    "compressed, unsaid": lambda c: exchange(chat(base64.b64encode(gzip.compress(f"{c} or {c}".encode())).decode())),
}  # fmt: skip

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "other case": lambda c: c if c.startswith("ghp_") else c.swapcase(),
    "full width": lambda c: "".join(chr(ord(x) + 0xFEE0) if "!" <= x <= "~" else x for x in c),
    "zero width": "\u200b".join,
    "soft hyphens": "\u00ad".join,
    "joiners and marks of direction": "\u2060\u200e".join,
    "accents": "\u0301".join,
    "keycaps": lambda c: c if c[0] in "Dg" else re.sub(r"\d", lambda m: f"{m[0]}\ufe0f\u20e3", c),
    "points between": lambda c: re.sub(r"[ -]", "\u00b7", c) if c[0] in "+4D5" else c,
    "bullets between": lambda c: re.sub(r"[ -]", "\u2022", c) if c[0] in "+4D5" else c,
    "Ogham spaces": lambda c: c.replace(" ", "\u1680"),
    "NBSP": lambda c: c.replace(" ", "\u00a0"),
    "thin spaces": lambda c: c.replace(" ", "\u2009"),
    "Unicode dashes": lambda c: c.replace("-", "\u2011"),
    "minus signs": lambda c: c.replace("-", "\u2212"),
    "Arabic-Indic digits": lambda c: c if c.startswith("ghp_") else re.sub(r"\d", lambda m: chr(0x660 + int(m[0])), c),
    "mathematical digits": lambda c: c if c.startswith("ghp_") else re.sub(r"\d", lambda m: chr(0x1D7CE + int(m[0])), c),
    "without separators": lambda c: re.sub(r"[ -]", "", c) if c[0] in "4+D" else c,
    "HTML entities": lambda c: "".join(f"&#{ord(x)};" for x in c),
    "hex HTML entities": lambda c: "".join(f"&#x{ord(x):X};" for x in c),
    "named HTML entities": lambda c: html.escape(c).replace("@", "&commat;").replace(".", "&period;").replace(" ", "&nbsp;"),
    "JSON escapes": lambda c: "".join(f"\\u{ord(x):04x}" for x in c),
    "twice escaped": lambda c: "".join(f"\\\\u{ord(x):04x}" for x in c),
    "hex escapes": lambda c: "".join(f"\\x{ord(x):02x}" for x in c),
    "percent": lambda c: "".join(f"%{ord(x):02X}" for x in c),
    "percent twice": lambda c: quote(quote(c, safe=""), safe=""),
    "base64": lambda c: base64.b64encode(f"it is {c} as agreed".encode()).decode(),
    "base64 for URLs": lambda c: base64.urlsafe_b64encode(f"it is {c} as agreed".encode()).decode().rstrip("="),
    "base64 twice": lambda c: base64.b64encode(base64.b64encode(f"it is {c} as agreed".encode())).decode(),
    "base64 of gzip": lambda c: base64.b64encode(gzip.compress(f"it is {c} as agreed".encode())).decode(),
    "base64 of zstd": lambda c: base64.b64encode(zstd.compress(f"it is {c} as agreed".encode())).decode(),
    "base64 of Brotli": lambda c: base64.b64encode(brotli.compress(f"it is {c} as agreed".encode())).decode(),
    "base64 of UTF-16": lambda c: base64.b64encode(f"it is {c} as agreed".encode("utf-16")).decode(),
    "data URL": lambda c: "data:text/plain;base64," + base64.b64encode(c.encode()).decode(),
    "hexadecimal": lambda c: c.encode().hex(),
    "in the name of a host": lambda c: f"ip-{c.replace('.', '-')}.ec2.internal" if c[0] == "2" else c,
    "after a point": lambda c: c if "@" in c else f"No.{c} is.{c}",
    "after a colon": lambda c: f"node:{c}",
    "between ellipses": lambda c: f"see…{c}…" if c[0] != "c" else c,
    "in quotes": lambda c: json.dumps(json.dumps(c)),
    "in brackets": lambda c: f"({c})[{c}]<{c}>{{{c}}}",
    "glued to words": lambda c: f"Ünder {c}’s, „{c}“ 见{c}。",
}  # fmt: skip

ENDS_A_FIELD = ("query, unescaped", "named HTML entities")
"""`&` parts the fields of a query; what the pieces would be together in HTML is nobody's value."""

# What may not be left of each when case, separators and encodings are taken away.
TRACES = {
    "EMAIL_ADDRESS": "canarybird", "CREDIT_CARD": "88888888188", "PHONE_NUMBER": "5550187",
    "IBAN_CODE": "3704004405320130", "US_SSN": "536221234", "IP_ADDRESS": "203011377",
    "SECRET": "canarycanarycanary",
}  # fmt: skip


# --- what came out -------------------------------------------------------------------------------


def privacy(root: bytes = bytes(range(32)), **more: Any) -> Privacy:
    keyring = Keyring((Key("k1", root),))
    return Privacy(scanner=SCANNER, keyring=keyring, clock=lambda: 0.0, **more)


class Recorder:
    """What the recorder does with an exchange, and all that leaves it."""

    def __init__(self) -> None:
        self._meters = Meters("recorder", "e")
        dimensions = [
            dimension(name, "header", [f"x-{name}"]) for name in ("population", "template")
        ]
        self._capture = Capture("e", PROTOCOLS, dimensions, privacy(), self._meters)

    def read(self, given: Exchange) -> Record:
        return self._capture.read(given)[0]

    def output(self, given: Exchange) -> str:
        record, model = self._capture.read(given)
        labels = {value for m in self._meters.measurements() for value in m.labels.values()}
        return f"{encode_record(record).decode()} {model} {labels}"


def readings(text: str, depth: int = 3) -> set[str]:
    """A text and what it holds, undone by other means than the program's."""
    found, last = {text}, {text}
    for _ in range(depth):
        last = {undone for one in last for undone in undo(one)} - found
        found |= last
    return found


def undo(text: str) -> Iterator[str]:
    yield unquote(text)
    yield html.unescape(text)
    yield re.sub(r"\\+u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    yield re.sub(r"\\+x([0-9a-fA-F]{2})", lambda m: chr(int(m[1], 16)), text)
    for run in re.findall(r"[A-Za-z0-9+/_-]{14,}", text):
        for data in held(run):
            yield data.decode("utf-8", "replace")
            yield data.decode("utf-16-le", "replace")


@functools.lru_cache(1000)
def held(run: str) -> list[bytes]:
    """What stands in hexadecimal or base64, and what that has been compressed from: what is told apart
    by how it begins where it begins so, Brotli wherever it can be undone."""
    found = [bytes.fromhex(run)] if re.fullmatch(r"(?:[0-9a-f]{2})+", run) else []
    run = run.replace("-", "+").replace("_", "/")
    data = base64.b64decode(run[: len(run) - (len(run) % 4 == 1)] + "=" * (-len(run) % 4))
    found.append(data)
    for unpack, begin in (
        (gzip.decompress, rb"\x1f\x8b"),
        (brotli.decompress, b""),
        (zstd.decompress, rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
    ):
        with contextlib.suppress(OSError, EOFError, zlib.error, brotli.error, zstd.ZstdError):
            if re.match(begin, data):
                found.append(unpack(data))
    return found


def plain(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = re.sub(r"(?![0-9])\d", lambda m: str(unicodedata.decimal(m[0])), text)
    return re.sub(r"[\W_]+", "", text.lower())


def shown(output: str) -> list[str]:
    """What may be read in it, plainly."""
    return [plain(one) for one in readings(TOKEN.sub(" ", output))]


def is_traced(output: str, *traces: str) -> bool:
    return any(trace in one for one in shown(output) for trace in traces)


def test_a_trace_is_seen_however_it_is_hidden() -> None:
    """The check itself finds every canary in what was not scrubbed."""
    for entity, trace in TRACES.items():
        for spelling, spell in SPELLINGS.items():
            assert is_traced(f"x {spell(CANARIES[entity])} y", trace), (spelling, entity)


@pytest.mark.parametrize("place", PLACES)
def test_no_canary_gets_out_from_anywhere(place: str) -> None:
    """Every kind of personal data, in every place that a request or an answer has."""
    recorder = Recorder()
    for entity, canary in CANARIES.items():
        output = recorder.output(PLACES[place](canary))
        assert not is_traced(output, TRACES[entity]), (entity, output)


def test_whose_record_it_is_is_found_wherever_a_value_stood() -> None:
    """Each pseudonym in what is kept is one that erasure finds in it, however it is escaped."""
    recorder, found = Recorder(), 0
    for make in PLACES.values():
        document = encode_record(recorder.read(make(CANARIES["EMAIL_ADDRESS"]))).decode()
        for one in set().union(*map(PSEUDONYM.findall, readings(document))):
            assert Mentions([one])(document)
            found += 1
    assert found >= len(PLACES) / 2


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_canary_gets_out_in_any_spelling(spelling: str) -> None:
    """Each spelling in some places; over all spellings, in all of them."""
    recorder = Recorder()
    number = list(SPELLINGS).index(spelling)
    for entity, canary in CANARIES.items():
        spelled = SPELLINGS[spelling](canary)
        for place in {"message", *list(PLACES)[number % 6 :: 6]} - {"in Latin-1"}:
            if (place, spelling) != ENDS_A_FIELD:
                output = recorder.output(PLACES[place](spelled))
                assert not is_traced(output, TRACES[entity]), (place, entity, output)


@pytest.mark.parametrize("entity", CANARIES)
@pytest.mark.parametrize("cut", range(1, 21, 2))
def test_a_value_cut_between_events_is_found_at_every_cut(entity: str, cut: int) -> None:
    """Deltas are joined before anything is looked for."""
    canary = CANARIES[entity]
    cut = min(cut, len(canary) - 1)
    answer = sse(*({"content": one} for one in ("mail ", canary[:cut], canary[cut:], " now")))
    record = Recorder().read(exchange(chat("hi"), answer, said=EVENTS))
    assert record.pseudonyms == {entity: 1}
    assert record.streamed


def test_a_stream_cut_at_every_byte_shows_nothing() -> None:
    """A client gone in the middle of an event, of a character, of an escape."""
    canary = CANARIES["EMAIL_ADDRESS"]
    whole = sse({"content": f"é {canary}"}, {"content": " ok"}).encode()
    recorder = Recorder()
    for cut in range(len(whole)):
        output = recorder.output(exchange(chat("hi"), whole[:cut], said=EVENTS))
        assert canary not in output


# --- one value, one token ------------------------------------------------------------------------


def token(text: str, door: Privacy | None = None) -> str:
    (found,) = set(TOKEN.findall((door or privacy()).text(text)))
    return str(found)


@pytest.mark.parametrize("entity", CANARIES)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_value_is_one_token_however_it_is_spelled(spelling: str, entity: str) -> None:
    """In any encoding; the same on another replica with the same key."""
    canary = CANARIES[entity]
    assert token(f"I am {SPELLINGS[spelling](canary)} now") == token(canary, privacy())


@pytest.mark.parametrize(
    "spellings",
    [
        ("4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111", "4111.1111.1111.1111"),
        ("Canary@Example.org", "canary@example.org", "CANARY@EXAMPLE.ORG"),
        ("+1 212-555-0187", "+12125550187", "(212) 555-0187", "212.555.0187", "1-212-555-0187",
         "001 212 555 0187", "+1 (212) 555 0187", "call me at 2125550187", "+1.212.555.0187"),
        ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "de89370400440532013000"),
        ("536-22-1234", "536 22 1234", "536.22.1234", "SSN 536221234"),
        ("2001:db8::1", "2001:0db8:0:0:0:0:0:1", "2001:DB8::1"),
    ],
    ids=lambda one: one[0],
)  # fmt: skip
def test_what_people_write_differently_is_one_token(spellings: tuple[str, ...]) -> None:
    """Separators, case, national and international; as a number and as a text."""
    assert len({token(one) for one in spellings}) == 1


def test_a_number_is_the_value_that_the_text_of_it_is() -> None:
    """A card written as an integer, a telephone number under its key."""
    document = {"card": 4111111111111111, "float": 4111111111111111.0, "phone": 12125550187}
    record = Recorder().read(exchange(json.dumps(document), target="/any"))
    values = {part.name: part.data for part in record.inputs}
    card, phone = token("4111 1111 1111 1111"), token("+1 212-555-0187")
    assert values == {"card": [card], "float": [card], "phone": [phone]}


def test_another_key_makes_other_tokens() -> None:
    """Nothing joins across keys, tenants or entities."""
    value = "canary@example.org"
    tokens = {token(value), token(value, privacy(bytes(32))), token(value, privacy(tenant="b"))}
    assert len(tokens) == 3


def test_a_forged_token_is_not_taken_for_one_of_ours() -> None:
    """What looks like a pseudonym in the traffic is marked as literal, in every encoding."""
    forged = "<EMAIL_ADDRESS:k1:aaaaaaaaaaaaaaaaaaaaaaaa>"
    recorder = Recorder()
    for place in ("message", "population", "model name", "object key", "tensor", "query"):
        record = recorder.read(PLACES[place](forged))
        assert forged not in encode_record(record).decode(), place
        assert record.pseudonyms == {}, place


@pytest.mark.parametrize(
    "harmless",
    [
        "2024-05-06T12:30:11Z", "12:30:45", "550e8400-e29b-41d4-a716-446655440000",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "order 1234567890",
        "SKU 4006381333931", "v10.0.19041.1", "$1,234.50", "40.7128, -74.0060", "1700000000",
        "3.14159265358979", "room C4 in S3 at EKS", "Donaudampfschifffahrt", "internationalization",
        "aGVsbG8gd29ybGQsIGhvdyBhcmUgeW91", "https://example.com/a/b?c=d&e=%20f#g", "a < b && c > d",
    ],
)  # fmt: skip
def test_ordinary_things_stay_as_they_are(harmless: str) -> None:
    """Dates, times, ids, digests, order numbers, versions, prices, coordinates, encoded prose."""
    record = Recorder().read(exchange(chat(harmless)))
    assert record.inputs[0].text == harmless


def test_one_message_stays_one_part() -> None:
    """However many values stand in it."""
    record = Recorder().read(exchange(chat(" ".join(CANARIES.values()))))
    assert len(record.inputs) == 1
    assert len(record.pseudonyms) == len(CANARIES)
