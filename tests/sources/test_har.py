"""What a browser saved is read as it was on the wire; its cookies, tokens and queries stay away."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.damage import Damage
from monitor.foreign import documents
from monitor.logged import Logged
from monitor.replay import files
from monitor.replay.recording import READING, _call
from monitor.sources import har

SAVED = Path(__file__).parent / "data" / "chromium.har"


def read(path: Path, damage: Damage | None = None) -> list[Logged]:
    damage = damage or Damage()
    ((_, source),) = files.find([str(path)])
    assert source.name == "har"
    assert source.exchanges is not None
    return list(source.exchanges([path], damage))


def entry(**answer: Any) -> dict[str, Any]:
    return {
        "startedDateTime": "2026-01-01T00:00:00.500+01:00", "time": 250.0,
        "request": {"method": "POST", "url": "https://kim:pw@a.example:8443/v1/x/77?key=s3cret", "bodySize": 2},
        "response": {"status": 200, "content": {}, **answer},
    }  # fmt: skip


def one(given: dict[str, Any]) -> Logged:
    (found,) = har.read(json.dumps(given).encode())
    return found


def test_what_a_browser_saved_is_what_happened() -> None:
    """Whole answers, streams and pictures; what has no status is what the browser says of it."""
    damage = Damage()
    found = read(SAVED, damage)
    assert damage.listed() == []
    assert [(one.target, one.status, one.ended and one.ended.value) for one in found] == [
        ("/", 200, "ok"), ("/v1/chat/completions", 200, "ok"), ("/v1/chat/completions", 200, "ok"),
        ("/fail/v1/chat/completions", 500, "server_error"), ("/pixel.png", 200, "ok"),
        ("/slow/v1", None, "client_gone"), ("/gone", None, "upstream_refused"),
        ("/v1/form", None, "upstream_broken"),
    ]  # fmt: skip
    assert found[4].response == b"\x89PNG\r\n\x1a\n\x00\xff"
    for number in (1, 2):
        inference = READING.read(_call(found[number], number), {})
        assert (inference.protocol, inference.finish_reasons) == ("openai_chat", ["stop"])
        assert "".join(part.text or "" for part in inference.outputs) == "On its way."
    assert found[1].duration == pytest.approx(0.02365)
    assert found[1].segments == {"route": "/v1/chat/completions", "host": "127.0.0.1"}


def test_nothing_that_lets_somebody_in_stays() -> None:
    """Cookies, credentials and queries are not looked at."""
    said = msgspec.json.encode(read(SAVED)).decode()
    said += msgspec.json.encode(one(entry())).decode()
    for secret in ("cookie-secret", "sk-header", "query-secret", "kim", "pw@", "s3cret", "sid="):
        assert secret not in said
    assert one(entry()).segments == {"route": "/v1/x/{id}", "host": "a.example"}


def test_times_and_sizes_are_said_or_unknown() -> None:
    """Milliseconds; -1 is nothing; a text that is shorter than its size was cut."""
    whole = one(entry(content={"size": 4, "text": "abcd", "mimeType": "text/plain"}))
    assert (whole.started, whole.duration) == (1767222000.5, 0.25)
    assert (whole.response_size, whole.response_truncated, whole.request_size) == (4, False, 2)
    cut = one(entry(content={"size": 9, "text": "abcd"}))
    assert (cut.response_size, cut.response_truncated) == (9, True)
    left_out = one(entry(content={"size": 9}))
    assert (left_out.response, left_out.response_size, left_out.response_truncated) == (
        b"",
        9,
        False,
    )
    nothing = one(entry(status=0, content={"size": -1}) | {"time": -1})
    assert (nothing.status, nothing.ended, nothing.duration) == (None, None, None)
    form = entry()
    form["request"]["postData"] = {"mimeType": "m", "params": [{"name": "a", "value": "x y"}, 3]}
    assert one(form).request == b"a=x+y"


def test_a_broken_entry_costs_itself_alone(tmp_path: Path) -> None:
    """However large the file: its line is told, and the next entry is read."""
    good, bad = entry(), entry(content={"text": "%", "encoding": "base64"})
    path = tmp_path / "big.har"
    pages = [{"id": str(number), "title": "x" * 100} for number in range(5000)]
    filled = entry(content={"text": base64.b64encode(bytes(2000)).decode(), "encoding": "base64"})
    text = json.dumps(
        {"log": {"version": "1.2", "creator": {"name": "c"}, "pages": pages}}, indent=1
    )
    entries = ",\n".join(
        json.dumps(one) for one in [good, bad, {"request": 1}, *[filled] * 200, good]
    )
    path.write_text(text[: text.rindex("]") + 1] + f',"entries": [\n{entries}\n]\n}}}}\n')
    damage = Damage()
    found = read(path, damage)
    assert len(found) == 202
    assert found[1].response == bytes(2000)
    line = path.read_text().partition('"entries"')[0].count("\n") + 2
    assert [(one.place, one.error) for one in damage.listed()] == [
        (f"{path}:{line + 1}", "content.text: is not base64"),
        (f"{path}:{line + 2}", "request: is not an object"),
    ]
    path.write_text(path.read_text()[:-100])
    damage = Damage()
    assert len(read(path, damage)) == 201
    assert damage.listed()[0].error == "is cut off"


@given(st.binary(max_size=300) | st.integers(0, 12_000))
def test_any_bytes_are_an_exchange_or_unreadable(given: bytes | int) -> None:
    """And no other exception comes."""
    whole = json.loads(SAVED.read_bytes())["log"]["entries"][1]
    row = given if isinstance(given, bytes) else json.dumps(whole).encode()[:given]
    with contextlib.suppress(documents.UNREADABLE):
        assert len(har.read(row)) == 1
