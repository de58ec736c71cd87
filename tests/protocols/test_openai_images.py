"""OpenAI's images: made, changed and varied."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.protocols.openai_images import PROTOCOL
from monitor.types import Call, Tokens
from tests.protocols.dialects import events

Make = Callable[..., Call]
PATH = "/v1/images/generations"
FORM = "content-type: multipart/form-data; boundary=b\r\n"
USAGE = {
    "input_tokens": 50,
    "output_tokens": 900,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40, "cached_tokens": 5},
}


def test_images_stand_by_type_and_size_or_by_their_address(call: Make) -> None:
    """And with the prompt that each was really made from; an address without its signature."""
    data = [
        {"b64_json": "iVBORw0K", "revised_prompt": "A minster at night"},
        {"url": "https://images.example/1.png?sig=x"}, {"b64_json": 7}, {},
    ]  # fmt: skip
    asked = {"model": "gpt-image-1", "prompt": "A minster", "n": 4}
    answer = {"created": 1, "data": data, "output_format": "webp", "usage": USAGE}
    made = call(PATH, json.dumps(asked).encode(), json.dumps(answer).encode())
    assert PROTOCOL.claims(made)
    found = PROTOCOL.read(made)
    assert [(part.role, part.text) for part in found.inputs] == [("user", "A minster")]
    assert [part.text for part in found.outputs] == [
        "A minster at night", "[image webp 6 bytes]", "[image https://images.example/1.png]",
    ]  # fmt: skip
    assert (found.operation, found.model, found.units) == ("image", "gpt-image-1", {"images": 4})
    assert found.tokens == Tokens(50, 900, cached=5)


def test_what_is_changed_may_be_a_form_or_json(call: Make) -> None:
    """The images that were given stand there in the same way."""
    form = (
        b'--b\r\nContent-Disposition: form-data; name="image[]"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n'
        b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ndall-e-2\r\n'
        b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nA sparrow\r\n--b--\r\n'
    )
    found = PROTOCOL.read(call("/v1/images/edits", form, headers=FORM))
    assert (found.model, [part.text for part in found.inputs]) == (
        "dall-e-2", ["A sparrow", "[image image/png 4 bytes]"],
    )  # fmt: skip
    asked = {
        "prompt": "A sparrow",
        "images": [{"image_url": "https://example.com/a.png?sig=x"}, {"file_id": "file-1"}, 3],
    }
    found = PROTOCOL.read(call("/v1/images/edits", json.dumps(asked).encode()))
    assert [part.text for part in found.inputs] == [
        "A sparrow", "[image https://example.com/a.png]", '{"file_id":"file-1"}', "3",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["image_generation", "image_edit"])
def test_images_that_are_not_finished_are_no_outputs(call: Make, kind: str) -> None:
    """They are content that came; a stream without a finished one is incomplete."""
    parts = [
        {"type": f"{kind}.partial_image", "b64_json": "YWI=", "partial_image_index": n}
        for n in (0, 1)
    ]
    done = {
        "type": f"{kind}.completed",
        "b64_json": "iVBORw0K",
        "output_format": "png",
        "usage": USAGE,
    }
    found = PROTOCOL.read(call(PATH, b"{}", events(*parts, done), answer_type="text/event-stream"))
    assert [part.text for part in found.outputs] == ["[image png 6 bytes]"]
    assert (found.units, found.tokens, found.incomplete) == (
        {"images": 1},
        Tokens(50, 900, cached=5),
        False,
    )
    cut = PROTOCOL.read(call(PATH, b"{}", events(*parts), answer_type="text/event-stream"))
    assert (cut.outputs, cut.units, cut.incomplete, cut.first_token) == ([], {}, True, 0.5)


def test_an_error_and_an_answer_of_somebody_else(call: Make) -> None:
    """One is a failure, also in a stream; of the other nothing is lost."""
    assert PROTOCOL.read(call(PATH, b"{}", b'{"error": {"code": "moderation_blocked"}}')).failed
    failing = events({"type": "error", "error": {"code": "moderation_blocked"}})
    assert PROTOCOL.read(call(PATH, b"{}", failing, answer_type="text/event-stream")).failed
    other = PROTOCOL.read(call(PATH, b"{}", b'{"job": "7"}'))
    assert [(part.name, part.data) for part in other.outputs] == [("job", ["7"])]


def test_an_event_that_was_cut_makes_a_stream_incomplete(call: Make) -> None:
    """And one that is no JSON is on record."""
    for body in (b'data: {"type": "transcri', b"data: Good day.\n\n" + events({"type": "x"})):
        found = PROTOCOL.read(call(PATH, b"{}", body, answer_type="text/event-stream"))
        assert found.outputs != []
        assert found.incomplete == (b"Good" not in body)


def test_a_request_of_somebody_else_is_not_claimed(call: Make) -> None:
    """Of what it holds nothing would be read."""
    assert not PROTOCOL.claims(call(PATH, b'{"post": 7}'))
    assert not PROTOCOL.claims(call(PATH, b'{"model": "m", "input": "a"}', method="GET"))


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=200),
    st.binary(max_size=200),
    st.sampled_from(["application/json", "text/event-stream"]),
    st.booleans(),
)
def test_any_bytes_are_read(
    call: Make, body: bytes, answer: bytes, kind: str, is_form: Any
) -> None:
    """No exception."""
    headers = FORM if is_form else "content-type: application/json\r\n"
    assert (
        PROTOCOL.read(call(PATH, body, answer, answer_type=kind, headers=headers)).operation
        == "image"
    )
