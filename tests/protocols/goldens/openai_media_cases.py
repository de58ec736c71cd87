"""OpenAI's audio and images, asked by the client `openai`."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from tests.protocols.goldens.scripted import Answer, Case, events, whole

SOUND = b"ID3\x04" + bytes(range(60))
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(40))
SAID = "Ulm lies on the Danube."


def client(url: str) -> Any:
    from openai import OpenAI

    return OpenAI(base_url=f"{url}/v1", api_key="sk-test", max_retries=0)


def hear(url: str, **more: Any) -> Iterable[str | None]:
    given = {
        "model": "gpt-4o-transcribe",
        "file": ("ulm.mp3", SOUND),
        "prompt": "A river.",
        "language": "en",
        **more,
    }
    found = client(url).audio.transcriptions.create(**given)
    if more.get("stream"):
        return ["".join(one.delta for one in found if one.type == "transcript.text.delta")]
    return [found if isinstance(found, str) else found.text]


def translate(url: str) -> Iterable[str | None]:
    return [
        client(url).audio.translations.create(
            model="whisper-1", file=("ulm.wav", SOUND), response_format="text"
        )
    ]


def speak(url: str) -> Iterable[str | None]:
    kwargs = {
        "model": "gpt-4o-mini-tts",
        "voice": "alloy",
        "input": SAID,
        "instructions": "Slowly.",
    }
    with client(url).audio.speech.with_streaming_response.create(**kwargs) as response:
        assert b"".join(response.iter_bytes()) == SOUND
    return []


def speak_in_events(url: str) -> Iterable[str | None]:
    kwargs: dict[str, Any] = {
        "model": "gpt-4o-mini-tts",
        "voice": "alloy",
        "input": SAID,
        "stream_format": "sse",
    }
    with client(url).audio.speech.with_streaming_response.create(**kwargs) as response:
        assert b"speech.audio.done" in b"".join(response.iter_bytes())
    return []


def draw(url: str) -> Iterable[str | None]:
    found = client(url).images.generate(
        model="dall-e-3", prompt="The minster of Ulm", size="1024x1024", n=1
    )
    return [one.revised_prompt for one in found.data]


def draw_streamed(url: str) -> Iterable[str | None]:
    stream = client(url).images.generate(
        model="gpt-image-1", prompt="The minster of Ulm", stream=True, partial_images=1
    )
    assert [one.type for one in stream] == [
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    return []


def change(url: str) -> Iterable[str | None]:
    found = client(url).images.edit(
        model="gpt-image-1",
        prompt="Add a sparrow.",
        image=[("a.png", PICTURE), ("b.png", PICTURE[:20])],
        mask=("m.png", PICTURE[:12]),
    )
    assert base64.b64decode(found.data[0].b64_json) == PICTURE
    return []


def tokens(read: int, written: int) -> dict[str, Any]:
    return {"usage": {"type": "tokens", "total_tokens": read + written, "input_tokens": read, "output_tokens": written,
                      "input_token_details": {"text_tokens": 10, "audio_tokens": read - 10}}}  # fmt: skip


def weighed(*logprobs: float) -> dict[str, Any]:
    return {"logprobs": [{"token": "t", "logprob": one, "bytes": [116]} for one in logprobs]}


def segment(number: int, start: float, end: float, mean: float) -> dict[str, Any]:
    return {"id": number, "seek": 0, "start": start, "end": end, "text": SAID, "tokens": [50364], "temperature": 0.0,
            "avg_logprob": mean, "compression_ratio": 1.1, "no_speech_prob": 0.01}  # fmt: skip


VERBOSE = {
    "task": "transcribe", "language": "english", "duration": 12.5, "text": SAID,
    "segments": [segment(0, 0.0, 10.0, -0.25), segment(1, 10.0, 12.5, -1.5)], "usage": {"type": "duration", "seconds": 13},
}  # fmt: skip
HEARD = [
    {"type": "transcript.text.delta", "delta": "Ulm lies", **weighed(-0.25)},
    {"type": "transcript.text.delta", "delta": " on the Danube.", **weighed(-0.75)},
    {"type": "transcript.text.done", "text": SAID, **weighed(-0.25, -0.75), **tokens(40, 8)},
]
SPOKEN = [
    *(
        {"type": "speech.audio.delta", "audio": base64.b64encode(one).decode()}
        for one in (SOUND[:32], SOUND[32:])
    ),
    {
        "type": "speech.audio.done",
        "usage": {"input_tokens": 9, "output_tokens": 70, "total_tokens": 79},
    },
]
DRAWN = {
    "created": 1760000000,
    "data": [
        {
            "revised_prompt": "The minster of Ulm in the evening sun",
            "url": "https://images.example/a/img-1.png?se=2026&sig=abc",
        }
    ],
}
PAID = {
    "total_tokens": 1106,
    "input_tokens": 50,
    "output_tokens": 1056,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
}
SEEN = {
    "b64_json": base64.b64encode(PICTURE).decode(),
    "background": "opaque",
    "created_at": 1760000000,
    "output_format": "png",
    "quality": "high",
    "size": "1024x1024",
}
CHANGED = {
    "created": 1760000000,
    "background": "opaque",
    "output_format": "png",
    "quality": "high",
    "size": "1024x1024",
    "data": [{"b64_json": SEEN["b64_json"]}],
    "usage": PAID,
}
PARTIAL = SEEN | {
    "type": "image_generation.partial_image",
    "partial_image_index": 0,
    "b64_json": SEEN["b64_json"][:24],
}
AUDIO, IMAGES = "openai_audio", "openai_images"
CASES: list[Case] = [
    (AUDIO, "transcription", whole({"text": SAID, **weighed(-0.25, -0.5), **tokens(40, 8)}), lambda url: hear(url, include=["logprobs"])),
    (AUDIO, "transcription-verbose", whole(VERBOSE), lambda url: hear(url, model="whisper-1", response_format="verbose_json")),
    (AUDIO, "transcription-stream", events(*HEARD), lambda url: hear(url, stream=True, include=["logprobs"])),
    (AUDIO, "translation-text", Answer([SAID.encode() + b"\n"], "text/plain; charset=utf-8"), translate),
    (AUDIO, "speech", Answer([SOUND[:20], SOUND[20:]], "audio/mpeg"), speak),
    (AUDIO, "speech-events", events(*SPOKEN), speak_in_events),
    (IMAGES, "generation", whole(DRAWN), draw),
    (IMAGES, "generation-stream", events(PARTIAL, SEEN | {"type": "image_generation.completed", "usage": PAID}, named=True), draw_streamed),
    (IMAGES, "edit", whole(CHANGED), change),
]  # fmt: skip
