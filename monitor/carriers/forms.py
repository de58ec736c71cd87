"""A request in `multipart/form-data` → its texts by name, and its files."""

from __future__ import annotations

import re
from typing import NamedTuple

from monitor.framings import multipart
from monitor.types import Call

_LAST_WORD = re.compile(r"(?<!\S)\S+\Z")


class File(NamedTuple):
    """A file in the field `name`, of a media type; `size` in bytes, None where it was cut.

    `held` is its bytes, or nothing where it was cut.
    """

    name: str
    type: str
    size: int | None
    held: tuple[bytes, ...] = ()


class Form(NamedTuple):
    """`texts` are the first of each name, the one that was cut as far as its whole words."""

    texts: dict[str, str]
    files: list[File]


def read(call: Call) -> Form | None:
    """Return the form of a request; None where it is none. The files' own names are left out."""
    if not multipart.is_form(call.request_headers):
        return None
    form = Form({}, [])
    for part in multipart.parts(call.request_body, call.request_headers["content-type"]):
        if part.filename is None:
            text = part.data.decode("utf-8", "replace")
            if not part.is_whole:
                text = _LAST_WORD.sub("", text)
            if text or part.is_whole:
                form.texts.setdefault(part.name, text)
        else:
            size, held = (len(part.data), (part.data,)) if part.is_whole else (None, ())
            form.files.append(File(part.name, part.type, size, held))
    return form
