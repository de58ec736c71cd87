"""Addresses of pages (RFC 3986, http and https), which HIPAA's Safe Harbor counts as identifying."""

from __future__ import annotations

from monitor.finders import anchored
from monitor.interfaces import Recognizer


def canonical(value: str) -> str:
    """Scheme and host in lower case.

    >>> canonical("HTTPS://Example.com/A")
    'https://example.com/A'
    """
    scheme, _, rest = value.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}"


RECOGNIZER = Recognizer(
    name="url",
    entity="URL",
    triggers=(r"https?://[^\s/]",),
    find=anchored(r"(?i)https?://[^\s\"'<>`|{}\\]{0,2000}[^\s\"'<>`|{}\\.,;:!?)\]]"),
    canonical=canonical,
    examples=("see «https://example.com/bob?x=1». (and «http://example.org»)",),
    counterexamples=("http:// and ftp://example.com",),
    keys=frozenset({"url", "homepage", "website"}),
    plausible=lambda text: "." in text,
    default=False,
)
