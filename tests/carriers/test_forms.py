"""Forms with files, as clients upload them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.carriers import forms
from monitor.recorder import calls
from monitor.types import Call, Exchange, Message, Outcome

KIND = "multipart/form-data; boundary=b"
BODY = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm-1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm-2\r\n'
    b'--b\r\nContent-Disposition: form-data; name="image[]"; filename="Ada.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--b--\r\n'
)


def call(body: bytes, kind: str = KIND) -> Call:
    head = f"POST / HTTP/1.1\r\ncontent-type: {kind}\r\n\r\n".encode()
    return calls.read(
        Exchange("id", 0.0, 1.0, Message(head, body, len(body)), None, [], Outcome.OK)
    )


def test_texts_stand_by_name_and_files_by_type_and_size() -> None:
    """The file's own name is nowhere; of two texts with a name the first holds."""
    assert forms.read(call(BODY)) == (
        {"model": "m-1"}, [("image[]", "image/png", 4, (b"\x89PNG",))],
    )  # fmt: skip


def test_a_file_that_was_cut_has_no_size() -> None:
    """What came of it is not all of it."""
    form = forms.read(call(BODY[:-12]))
    assert form is not None
    assert form.files == [("image[]", "image/png", None, ())]


def test_a_text_that_was_cut_has_no_half_words() -> None:
    """Half a model's name is another model's."""
    for said, read in ((b"gpt-", {}), (b"Where is my par", {"model": "Where is my "})):
        form = forms.read(call(BODY[: BODY.index(b"m-1")] + said))
        assert form is not None
        assert form.texts == read


def test_what_is_no_form_is_none() -> None:
    """Whatever its bytes."""
    assert forms.read(call(BODY, "application/json")) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_read(body: bytes) -> None:
    """Without an exception."""
    assert forms.read(call(b"--b\r\n" + body)) is not None
