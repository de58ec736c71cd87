"""E-mail addresses (RFC 5322 addr-spec as people write it, RFC 6531 Unicode included)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence

from monitor.interfaces import Recognizer
from monitor.lazy import lazy

_LOCAL = lazy(r"\w(?:[\w.+%'~-]*[\w+~-])?\Z|\"[^\"\r\n]{1,62}\"\Z")
_DOMAIN = lazy(
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[a-z]{2,63}(?![a-z0-9])|[^\W\d_a-z]{2,63})"
    r"|\[\d{1,3}(?:\.\d{1,3}){3}\]",
    re.IGNORECASE,
)
_ASCII_TAIL = lazy(r"[\w.+%'~-]+\Z", re.ASCII)
_UNSPACED = lazy("[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_AT = lazy(r"\s?[\[({]\s?at\s?[\])}]\s?", re.IGNORECASE)
_DOT = lazy(r"\s?[\[({]\s?(?:dot|punkt|punto|point|ponto)\s?[\])}]\s?", re.IGNORECASE)
_STOP = r"(?:\s?[\[({]\s?(?:dot|punkt|punto|point|ponto)\s?[\])}]\s?|\.)"
_LOCAL_SPELLED = lazy(
    rf"(?<![\w.+-])\w[\w+-]{{0,40}}(?:{_STOP}[\w+-]{{1,40}}){{0,4}}\s?\Z", re.IGNORECASE
)
_DOMAIN_SPELLED = lazy(
    rf"[\[({{]\s?at\s?[\])}}]\s?\w[\w-]{{0,62}}(?:{_STOP}\w[\w-]{{0,62}}){{0,6}}{_STOP}[^\W\d_]{{2,63}}(?!\w)",
    re.IGNORECASE,
)


def _spelled(text: str, at: int, done: int) -> tuple[int, int] | None:
    """The address around `[at]`, as people write it for people."""
    domain = _DOMAIN_SPELLED.match(text, at)
    floor = max(done, at - 64)
    local = _LOCAL_SPELLED.search(text[floor:at]) if domain else None
    return (floor + local.start(), domain.end()) if domain and local else None


def _find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    done = 0
    for at in starts:
        if text[at] != "@":
            if span := _spelled(text, at, done):
                done = span[1]
                yield span
            continue
        domain = _DOMAIN.match(text, at + 1)
        if domain is None:
            continue
        floor = max(done, at - 64)
        if text[at - 1 : at] != '"':  # else spaces may be in it
            floor = max(floor, text.rfind(" ", floor, at) + 1)
        local = _LOCAL.search(text[floor:at])
        if local is None:
            continue
        start = floor + local.start()
        if not text[start:at].isascii():
            ascii_tail = _ASCII_TAIL.search(text[start:at])
            if (
                ascii_tail
                and ascii_tail.start()
                and _UNSPACED.match(text, start + ascii_tail.start() - 1)
            ):
                start += ascii_tail.start()  # scripts without spaces run into the address
        done = domain.end()
        yield start, done


def canonical(value: str) -> str:
    """Casefolded, an international domain in its ASCII form (RFC 5891).

    >>> canonical("Bob@Bücher.example")
    'bob@xn--bcher-kva.example'
    >>> canonical("bob [at] example (dot) org")
    'bob@example.org'
    """
    if "@" not in value:
        value = _DOT.sub(".", _AT.sub("@", value))
    local, _, domain = value.casefold().rpartition("@")
    if not domain.isascii():
        with contextlib.suppress(UnicodeError):
            domain = domain.encode("idna").decode("ascii")
    return f"{local}@{domain}"


RECOGNIZER = Recognizer(
    name="email_address",
    entity="EMAIL_ADDRESS",
    triggers=(r"@[a-z0-9?\[]", r"[\[({]\s?at\s?[\])}]"),
    find=_find,
    canonical=canonical,
    examples=(
        "Write to «alice@example.com».",
        "ALICE: «Alice.Liddell+news@Mail.Example.CO.UK», thanks",
        "mailto:«o'brien@example.org»?subject=hi",
        "email=«bob_smith@example.com»&x=1",
        "<«a@b.co»>,**«c-d@e.io»**;«x@1.example.com»",
        "«josé.muñoz@correo.es» y «用户@例子.公司»",
        "联系«bob@example.com»谢谢",
        "«müller@bücher.de»",
        "root at «root@[192.0.2.1]»",
        '«"john doe"@example.com» is quoted',
        "«u@xn--bcher-kva.example»",
        "«bob [at] example [dot] com», «j.doe(at)example.org», «max.muster {at} beispiel (punkt) de»; «a(AT)b.co».",
    ),
    counterexamples=(
        "left-pad@1.3.0 and @decorator.call and user@localhost",
        "we met (at) noon. He is [at] home, x (at) y, call (at) 5.30 pm, a [dot] b",
        "meet @ 5 pm, a@b, price @ $3.50, foo@v1.2",
    ),
    keys=frozenset({"email", "emailaddress", "mail", "useremail"}),
    plausible=lambda text: "@" in text,
)
