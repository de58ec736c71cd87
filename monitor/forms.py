"""A request in `multipart/form-data` → its texts by name, and its files."""

from __future__ import annotations

from typing import NamedTuple

from monitor.framings import multipart
from monitor.types import Call


class File(NamedTuple):
    """A file in the field `name`, of a media type; `size` in bytes, None where it was cut.

    `held` is its bytes, or nothing where it was cut.
    """

    name: str
    type: str
    size: int | None
    held: tuple[bytes, ...] = ()


class Form(NamedTuple):
    """`texts` are the first of each name."""

    texts: dict[str, str]
    files: list[File]


def read(call: Call) -> Form | None:
    """Return the form of a request; None where it is none. The files' own names are left out."""
    if not multipart.is_form(call.request_headers):
        return None
    form = Form({}, [])
    for part in multipart.parts(call.request_body, call.request_headers["content-type"]):
        if part.filename is None:
            form.texts.setdefault(part.name, part.data.decode("utf-8", "replace"))
        else:
            size, held = (len(part.data), (part.data,)) if part.is_whole else (None, ())
            form.files.append(File(part.name, part.type, size, held))
    return form
