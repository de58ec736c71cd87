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


_NEARLY = re.compile(r"\w[\w+.-]*::?/|[^/@\s]*:[^/@\s]*@|[^/?]*//", re.ASCII)


def named(place: str) -> str:
    """Return what a user gave as the name of a file, as it may be shown: what is a URL, or nearly
    one, without what may be secret in it.

    >>> named("http:/u:pw@h/a?token=x"), named("u:pw@h/a.csv"), named("//u:pw@h/a")
    ('http:/h/a', 'h/a.csv', '//h/a')
    >>> named("a?b@c.csv"), named("/data/a@b.csv"), named("simplecache::http://u:pw@h/a?t=x")
    ('a?b@c.csv', '/data/a@b.csv', 'simplecache::http://h/a')
    """
    if not _NEARLY.match(place):
        return place
    scheme = re.match(r"[\w+.:-]*?:?/+", place, re.ASCII)
    begin = "" if scheme is None else scheme[0]
    return begin + shown("x://" + place[len(begin) :]).removeprefix("x://")
