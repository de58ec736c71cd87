"""OpenAI's transcriptions, translations and speech."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.protocols.openai_audio import PROTOCOL
from monitor.types import Call, Tokens
from tests.protocols.dialects import events

Make = Callable[..., Call]
PATH = "/v1/audio/transcriptions"
FORM = "content-type: multipart/form-data; boundary=b\r\n"


def form(*fields: tuple[str, str, bytes], end: bytes = b"--b--\r\n") -> bytes:
    """A form; a field named `file` is one."""
    body = b""
    for name, kind, data in fields:
        file = '; filename="call of Ada.mp3"' if name == "file" else ""
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\nContent-Type: {kind}\r\n\r\n'
        body += head.encode() + data + b"\r\n"
    return body + end


ASKED = form(
    ("model", "text/plain", b"whisper-1"), ("prompt", "text/plain", b"Names of towns."),
    ("response_format", "text/plain", b"json"), ("file", "audio/mpeg", b"ID3\x00\xff"),
)  # fmt: skip


def test_a_forms_texts_and_files_are_inputs(call: Make) -> None:
    """The file by its type and size, without its name."""
    made = call(PATH, ASKED, b'{"text": "Ulm."}', headers=FORM)
    assert PROTOCOL.claims(made)
    found = PROTOCOL.read(made)
    assert [(part.role, part.text) for part in found.inputs] == [
        ("system", "Names of towns."), ("user", "[audio audio/mpeg 5 bytes]"),
    ]  # fmt: skip
    assert [(part.role, part.text) for part in found.outputs] == [("assistant", "Ulm.")]
    assert (found.model, found.operation, found.confidence) == ("whisper-1", "transcription", None)


def test_a_form_that_was_cut_says_no_size(call: Make) -> None:
    """What came of the file is not all of it."""
    cut = form(("file", "audio/mpeg", b"ID3"), end=b"")[:-2]
    found = PROTOCOL.read(call(PATH, cut, headers=FORM))
    assert [part.text for part in found.inputs] == ["[audio audio/mpeg]"]


@pytest.mark.parametrize(
    ("segments", "right"),
    [
        ([{"avg_logprob": -0.5, "start": 0, "end": 3}, {"avg_logprob": -1.5, "start": 3, "end": 4}], -0.75),
        ([{"avg_logprob": -0.5}, {"avg_logprob": -1.5}], -1.0), ([{"avg_logprob": 3}, 1, {}], None), ("none", None),
        ([{"avg_logprob": -0.5, "start": "x", "end": None}], -0.5), ([{"avg_logprob": -1, "start": 4, "end": 3}], None),
    ],
    ids=["by length", "without times", "odd", "none", "odd times", "backwards"],
)  # fmt: skip
def test_longer_segments_weigh_more(call: Make, segments: Any, right: float | None) -> None:
    """Whisper says the mean of each; nobody says which token was the least likely."""
    answer = {"text": "Ulm.", "duration": "4.0", "segments": segments}
    found = PROTOCOL.read(call(PATH, ASKED, json.dumps(answer).encode(), headers=FORM))
    assert found.confidence == (None if right is None else pytest.approx(math.exp(right)))
    assert (found.confidence_min, found.units) == (None, {"seconds": 4.0})


def test_subtitles_are_texts_as_they_are(call: Make) -> None:
    """Also where they look like JSON."""
    text = b"WEBVTT\n\n00:00.000 --> 00:02.000\nUlm.\n"
    found = PROTOCOL.read(call(PATH, ASKED, text, headers=FORM, answer_type="text/vtt"))
    assert [part.text for part in found.outputs] == [text.decode()]


def test_without_its_end_a_stream_is_what_came(call: Make) -> None:
    """The last event says all of it again, and how likely it was."""
    delta = {"type": "transcript.text.delta", "delta": "Ulm", "logprobs": [{"logprob": -1.0}]}
    done = {"type": "transcript.text.done", "text": "Ulm", "logprobs": [{"logprob": -1.0}],
            "usage": {"type": "tokens", "input_tokens": 9, "output_tokens": 2}}  # fmt: skip
    for body, is_cut in ((events(delta, done), False), (events(delta), True)):
        found = PROTOCOL.read(
            call(PATH, ASKED, body, headers=FORM, answer_type="text/event-stream")
        )
        assert [part.text for part in found.outputs] == ["Ulm"]
        assert (found.incomplete, found.first_token) == (is_cut, 0.5)
        assert found.tokens == (None if is_cut else Tokens(9, 2))
        assert found.confidence == pytest.approx(math.exp(-1))
    whole = PROTOCOL.read(
        call(PATH, ASKED, events(done), headers=FORM, answer_type="text/event-stream")
    )
    assert [part.text for part in whole.outputs] == ["Ulm"]


def test_vllm_streams_in_chunks_of_its_own(call: Make) -> None:
    """They look like those of a chat."""
    chunks = [
        {"object": "transcription.chunk", "choices": [{"delta": {"content": one}}]}
        for one in ("Ul", "m.")
    ]
    body = events(*chunks, end="data: [DONE]\n\n")
    found = PROTOCOL.read(call(PATH, ASKED, body, headers=FORM, answer_type="text/event-stream"))
    assert ([part.text for part in found.outputs], found.incomplete) == (["Ulm."], False)


def test_speech_is_counted_in_characters_and_timed_by_its_first_byte(call: Make) -> None:
    """Where it is sent as it is made; its size is the true one, also where the copy was cut."""
    asked = json.dumps({"model": "tts-1", "input": "Grüß Gott.", "voice": "alloy"}).encode()
    made = call(
        "/v1/audio/speech",
        asked,
        b"ID3" * 4,
        answer_type="audio/mpeg",
        chunks=[(0.2, 5), (0.4, 12)],
        size=99,
    )
    found = PROTOCOL.read(made)
    assert [part.text for part in found.outputs] == ["[audio audio/mpeg 99 bytes]"]
    assert (found.operation, found.units) == ("speech", {"characters": 10})
    assert (found.streamed, found.first_token, found.last_token) == (True, 0.2, 0.4)
    assert not found.incomplete
    whole = call(
        "/v1/audio/speech",
        asked,
        b"ID3",
        answer_type="audio/mpeg",
        answer_headers="content-length: 3\r\n",
    )
    assert not PROTOCOL.read(whole).streamed


def test_what_is_paid_for_by_the_token_has_no_other_units(call: Make) -> None:
    """A transcription that tells speakers apart says its length, too."""
    usage = {"type": "tokens", "input_tokens": 40, "output_tokens": 8}
    answer = json.dumps({"text": "Ulm.", "duration": 4.0, "usage": usage}).encode()
    found = PROTOCOL.read(call(PATH, ASKED, answer, headers=FORM))
    assert (found.tokens, found.units) == (Tokens(40, 8), {})


@pytest.mark.parametrize("path", [PATH, "/v1/audio/speech"])
def test_an_error_and_an_answer_of_somebody_else(call: Make, path: str) -> None:
    """One is a failure; of the other nothing is lost."""
    assert PROTOCOL.read(call(path, b"{}", b'{"error": {"message": "busy"}}')).failed
    failing = events({"type": "error", "error": {"message": "busy"}})
    assert PROTOCOL.read(call(path, b"{}", failing, answer_type="text/event-stream")).failed
    other = PROTOCOL.read(call(path, b"{}", b'{"job": "7"}'))
    assert [(part.name, part.data) for part in other.outputs] == [("job", ["7"])]


def test_azure_has_the_model_in_its_path(call: Make) -> None:
    """As a deployment."""
    path = "/openai/deployments/whisper-eu/audio/translations"
    assert PROTOCOL.read(call(path, form(), headers=FORM)).model == "whisper-eu"


def test_an_event_that_was_cut_makes_a_stream_incomplete(call: Make) -> None:
    """And one that is no JSON is on record."""
    for body in (b'data: {"type": "transcri', b"data: Good day.\n\n" + events({"type": "x"})):
        found = PROTOCOL.read(
            call(PATH, ASKED, body, headers=FORM, answer_type="text/event-stream")
        )
        assert found.outputs != []
        assert found.incomplete == (b"Good" not in body)


def test_a_request_of_somebody_else_is_not_claimed(call: Make) -> None:
    """Of what it holds nothing would be read."""
    assert not PROTOCOL.claims(call(PATH, b'{"post": 7}'))
    assert not PROTOCOL.claims(call(PATH, b'{"model": "m", "input": "a"}', method="GET"))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200), st.sampled_from(["application/json", "text/event-stream", "text/plain", "audio/mpeg"]),
       st.tuples(st.sampled_from([PATH, "/v1/audio/speech"]), st.sampled_from([FORM, "content-type: application/json\r\n"])))  # fmt: skip
def test_any_bytes_are_read(
    call: Make, body: bytes, answer: bytes, kind: str, where: tuple[str, str]
) -> None:
    """No exception."""
    path, headers = where
    found = PROTOCOL.read(call(path, body, answer, answer_type=kind, headers=headers))
    assert found.protocol == "openai_audio"
