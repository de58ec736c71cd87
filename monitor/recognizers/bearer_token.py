"""Credentials in an HTTP authorization field: Bearer (RFC 6750), Basic (RFC 7617) and kin."""

from __future__ import annotations

from monitor.finders import anchored, is_slug
from monitor.interfaces import Recognizer


def _random(value: str) -> bool:
    return (
        any(map(str.isdigit, value))
        or (len(value) >= 32 and value.isalpha())
        or (len(value) >= 20 and not value.isalpha() and not is_slug(value))
    )


RECOGNIZER = Recognizer(
    name="bearer_token",
    entity="SECRET",
    triggers=(
        r"\bbearer[ :]",
        r"\bauthorization.{0,4}[:=].{0,4}(?:basic|token|digest|apikey|negotiate) ",
    ),
    find=anchored(
        r"(?i)(?:bearer:?\s{1,3}|authorization\W{1,6}(?:basic|token|digest|apikey|negotiate)\s{1,3})"
        r"[\"']?(?P<value>[A-Za-z0-9._~+/=-]{8,})",
        _random,
    ),
    canonical=str.strip,
    examples=(
        "Authorization: Bearer «mF_9.B5f-4.1JqM»",
        "authorization: Basic «dXNlcjpwYXNzd29yZDE=»",
        '{"Authorization": "Bearer «abcDEF0123456789»"}',
    ),
    counterexamples=(
        "the bearer of bad news, Bearer authentication, bearer certificates",
        "a bearer: somebody who carries",
        "bearer certificates-for-the-international-market, Bearer authentication/authorization-is-required",
    ),
)
