"""Heads: listed headers stay, scrubbed; all others go, unless a rule names them."""

from __future__ import annotations

import msgspec

from monitor.privacy.heads import Heads, method_of
from monitor.privacy.policies import Policy
from monitor.privacy.short_texts import ShortTexts
from monitor.recorder import calls
from monitor.types import Call
from tests.privacy.test_policies import exchange
from tests.privacy.test_scrub import scrub


def heads(paths: dict[str, str] | None = None) -> Heads:
    return Heads(Policy(paths) if paths else None, ShortTexts())


def call(target: str, method: str = "POST") -> Call:
    return msgspec.structs.replace(calls.read(exchange(target=target)), method=method)


def test_only_listed_headers_stay() -> None:
    """And those of a provider's limits, without credentials among them; what is found in them does
    not stay."""
    given = {
        "user-agent": "ada@example.org", "x-ratelimit-left": "3", "cookie": "a=b",
        "authorization": "Bearer x", "openai-api-key": "sk-1",
    }  # fmt: skip
    kept = heads().headers(scrub(), "request", given, b"x" * 200)
    assert sorted(kept) == ["user-agent", "x-ratelimit-left"]
    assert kept["user-agent"].startswith("<EMAIL_ADDRESS:")
    assert heads().headers(scrub(), "response", {"set-cookie": "a"}, b"") == {}


def test_a_rule_says_what_stays() -> None:
    """Of what is not listed, and of what is."""
    ruled = heads({"request.headers.x-plan": "keep", "request.headers.user-agent": "drop"})
    given = {"user-agent": "curl", "x-plan": "ada@example.org", "accept": "*/*"}
    kept = ruled.headers(scrub(), "request", given, b"")
    assert kept == {"x-plan": "ada@example.org", "accept": "*/*"}


def test_a_target_is_scrubbed_field_by_field() -> None:
    """A value with its name as a hint; a credential's value goes, whatever it is."""
    one = scrub()
    target = heads().target(one, call("/v1/ada@example.org?ssn=536221234&token=abc&n=1+2&flag"))
    path, _, query = target.partition("?")
    assert path.startswith("/v1/<EMAIL_ADDRESS:")
    ssn, token, *rest = query.split("&")
    assert ssn.startswith("ssn=<US_SSN:")
    assert (token, rest) == ("token=<REDACTED:credential>", ["n=1+2", "flag"])
    assert one.redactions == {"credential": 1}


def test_a_method_is_a_word_of_http_or_other() -> None:
    """A client may write anything there."""
    assert method_of(call("/", "PROPFIND")) == "PROPFIND"
    assert method_of(call("/", "get-me-ada")) == "other"
