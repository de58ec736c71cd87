"""A URL → how it may be shown: in a log, a file, an error, a document."""

from __future__ import annotations

import re


def shown(url: str | None) -> str:
    """Return `url` without user, password, query and fragment, each of which may hold a secret.

    Total, also for what is no URL: where it is unclear what is secret, all but the scheme is left
    out.

    >>> shown("redis://:secret@127.0.0.1:6379/0"), shown("rediss://h/0?password=x")
    ('redis://127.0.0.1:6379/0', 'rediss://h/0')
    >>> shown("redis://:a/b@h/0"), shown("redis://:a?b@h/0"), shown(None)
    ('redis://h/0', 'redis://…', '')
    """
    scheme, separator, rest = (url or "").partition("://")
    if not separator:
        scheme, rest = "", scheme
    plain, *hidden = re.split(r"[?#]", rest, maxsplit=1)
    if "@" not in plain and hidden and "@" in hidden[0]:
        plain = "…"
    return scheme + separator + plain.rpartition("@")[2]
