"""Call → Inference for OpenAI's images: made, changed and varied, plain and streamed.

https://platform.openai.com/docs/api-reference/images
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor import columns
from monitor.carriers import forms
from monitor.chat import content_text, deployment, is_error, media, question, sized
from monitor.framings import multipart, sse
from monitor.interfaces import Protocol
from monitor.transcript import Documents, Transcript
from monitor.types import Call, Inference, Part

_ENDINGS = ("/images/generations", "/images/edits", "/images/variations")
_OURS = ("image_generation.", "image_edit.")


class _Request(msgspec.Struct):
    model: str | None = None
    prompt: Any = None
    images: Any = None


class _Image(msgspec.Struct):
    b64_json: Any = None
    url: Any = None
    revised_prompt: Any = None


class _Answer(msgspec.Struct):
    """A whole answer, or an event of one."""

    type: str | None = None
    data: list[_Image] | None = None
    b64_json: Any = None
    output_format: Any = None
    usage: dict[str, Any] | None = None
    error: Any = None
    object: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_answer_decoder = msgspec.json.Decoder(_Answer)


def claims(call: Call) -> bool:
    """POSTs to `…/images/generations`, `…/images/edits` and `…/images/variations`, of a form or
    with a model or a prompt: others end so too."""
    if call.method != "POST" or not call.path.rstrip("/").endswith(_ENDINGS):
        return False
    asked = call.request_body
    is_form = multipart.is_form(call.request_headers)
    return is_form or b'"prompt"' in asked or b'"model"' in asked


def read(call: Call) -> Inference:
    """The prompt and each image are a part; so are each image of the answer, by its type and size,
    and the prompt that it was really made from. What is paid for are tokens, or images.

    An image that is not finished yet is content that came, and no output.
    """
    form = forms.read(call)
    if form is None:
        request, inputs = question(call.request_body, _request_decoder, _inputs)
    else:
        request = _Request(model=form.texts.get("model"), prompt=form.texts.get("prompt"))
        inputs = _inputs(request) + [Part(role="user", text=_file(one)) for one in form.files]
    answer = Transcript(call, streamed=sse.is_stream(call.response_headers))
    if answer.streamed:
        _read_stream(answer, call.response_body)
    elif call.response_body:
        _read_whole(answer, call.response_body)
    return answer.inference(
        "openai_images",
        "image",
        model=request.model or deployment(call.path),
        inputs=inputs,
        tokens=answer.tokens(
            answer.counted("input_tokens"),
            answer.counted("output_tokens"),
            cached="cached_tokens",
        ),
    )


PROTOCOL = Protocol("openai_images", claims, read)


def _file(file: forms.File) -> str:
    return sized("mask" if file.name == "mask" else "image", file.type, file.size, *file.held)


def _inputs(request: _Request) -> list[Part]:
    parts = [Part(role="user", text=content_text(request.prompt))] if request.prompt else []
    images = request.images if isinstance(request.images, list) else []
    for one in images:
        piece = {"type": "image", **one} if isinstance(one, dict) else one
        parts.append(Part(role="user", text=content_text([piece])))
    return parts


def _read_whole(answer: Transcript, body: bytes) -> None:
    said = answer.decoded(body, _answer_decoder)
    if said is None:
        return
    if is_error({"error": said.error, "type": said.type, "object": said.object}):
        answer.error(body)
    elif said.data is None and len(body) > 2:  # `{}` loses nothing
        answer.is_foreign(columns.spoken(answer.call))
    for image in said.data or ():
        _add(answer, image, said.output_format)
    answer.use("images", len(said.data or ()))
    _count(answer, said.usage)


def _read_stream(answer: Transcript, body: bytes) -> None:
    finished = 0
    documents = Documents(answer, sse.events(body), _answer_decoder)
    for event, said in documents:
        kind = said.type or event.type
        is_wrong = is_error({"error": said.error, "type": kind})
        documents.is_ours = documents.is_ours or is_wrong or kind.startswith(_OURS)
        if is_wrong:
            answer.error(event.data)
        elif kind.startswith(_OURS) and said.b64_json:
            answer.heard(event.end)
        if kind.startswith(_OURS) and kind.endswith(".completed"):
            finished += 1
            answer.is_complete = True
            _add(answer, _Image(b64_json=said.b64_json), said.output_format)
        _count(answer, said.usage)
    answer.use("images", finished)
    if documents.are_foreign:
        answer.is_foreign(columns.spoken(answer.call))


def _add(answer: Transcript, image: _Image, form: Any) -> None:
    """An image, and what it was really made from."""
    if isinstance(image.revised_prompt, str) and image.revised_prompt:
        answer.outputs.append(Part(role="assistant", text=image.revised_prompt))
    found = image.b64_json or image.url
    if isinstance(found, str):
        answer.outputs.append(Part(role="assistant", text=media("image", form, found)))


def _count(answer: Transcript, usage: dict[str, Any] | None) -> None:
    if usage is None:
        return
    answer.count("input_tokens", usage.get("input_tokens"))
    answer.count("output_tokens", usage.get("output_tokens"))
    if isinstance(details := usage.get("input_tokens_details"), dict):
        answer.count("cached_tokens", details.get("cached_tokens"))
