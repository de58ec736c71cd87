"""Headers, path and query of an exchange → what of them is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote_plus

from monitor import bodies, columns
from monitor.privacy import rulings
from monitor.privacy.policies import CREDENTIAL, DROPPED, Policy, Rule
from monitor.privacy.scrub import ALLOWANCE, Scrub
from monitor.privacy.short_texts import ShortTexts
from monitor.types import Call

ALLOWED_HEADERS = frozenset((
    "accept", "accept-encoding", "accept-language", "anthropic-beta", "anthropic-version",
    "content-encoding", "content-length", "content-type", "grpc-status", "request-id",
    "retry-after", "server", "traceparent", "transfer-encoding", "user-agent", "x-request-id",
))  # fmt: skip
"""Headers that a Record keeps, scanned like any text; every other is dropped."""

ALLOWED_PREFIXES = ("anthropic-ratelimit-", "openai-", "x-ratelimit-", "x-stainless-")

_SAFE = "<>:*"
_METHOD = re.compile(r"[A-Z]{1,16}")


class Heads:
    """What is kept of heads: as a policy says, else as `texts` does."""

    def __init__(self, policy: Policy | None, texts: ShortTexts) -> None:
        self._policy = policy
        self._texts = texts

    def headers(
        self, scrub: Scrub, side: str, headers: Mapping[str, str], head: bytes
    ) -> dict[str, str]:
        """The headers that are kept; none where pseudonyms make them much larger than the head."""
        kept = {}
        before, text = scrub.grown, self._texts.text
        for name, value in headers.items():
            rule = None if self._policy is None else self._rule(side, "headers", name)
            if rule is not None:
                ruled = rulings.scalar(
                    scrub, rule, value, name, CREDENTIAL.search(name) is not None
                )
                if ruled is not DROPPED:
                    kept[text(scrub, name)] = str(ruled)
            elif name in ALLOWED_HEADERS:
                kept[name] = text(scrub, value, name)
            elif name.startswith(ALLOWED_PREFIXES) and not CREDENTIAL.search(name):
                kept[text(scrub, name)] = text(scrub, value, name)
        room = columns.EXPANSION * len(head) + ALLOWANCE
        if scrub.grown - before > ALLOWANCE and len(bodies.dump(kept)) > room:
            return {"redacted": scrub.redacted(bodies.dump(headers), "expansion")}
        return kept

    def target(self, scrub: Scrub, call: Call) -> str:
        """Path and query of a request, each value scanned with its name as a hint."""
        path, query = call.path, call.query
        rule = self._rule("request", "path")
        ruled = self._texts.text(scrub, path) if rule is None else rulings.scalar(scrub, rule, path)
        path = "" if ruled is DROPPED else str(ruled)
        if not query:
            return path
        fields = []
        for field in query.split("&"):
            name, equals, value = field.partition("=")
            plain, said = unquote_plus(name), unquote_plus(value)
            rule = self._rule("request", "query", plain) if value else None
            if rule is not None:
                done = rulings.scalar(
                    scrub, rule, said, plain, CREDENTIAL.search(plain) is not None
                )
                if done is DROPPED:
                    continue
                value = quote(str(done), safe=_SAFE)
            elif value and CREDENTIAL.search(plain):
                scrub.redactions["credential"] = scrub.redactions.get("credential", 0) + 1
                value = "<REDACTED:credential>"
            elif value:
                value = self._query_value(scrub, value, said, plain)
            fields.append(self._texts.text(scrub, name) + equals + value)
        target = f"{path}?{'&'.join(fields)}" if fields else path
        if len(target) > columns.EXPANSION * (len(call.path) + len(call.query)) + ALLOWANCE:
            return scrub.redacted(f"{call.path}?{call.query}", "expansion")
        return target

    def _query_value(self, scrub: Scrub, value: str, said: str, name: str) -> str:
        """A value of a query: as it stands, `+` read as a space too, and as what its name says."""
        read = f"={value}" if "+" in value else value
        done = self._texts.text(scrub, read)
        if done != read:
            return done.removeprefix("=")
        done = self._texts.text(scrub, said, name)
        return value if done == said else quote(done, safe=_SAFE)

    def _rule(self, *steps: str) -> Rule | None:
        return None if self._policy is None else self._policy.place(*steps).rule


def method_of(call: Call) -> str:
    """The method; `other` for what is none, empty where somebody's log tells of no HTTP."""
    method = call.method
    if method == "POST":  # as nearly always
        return method
    if not method and not call.exchange.request.head:
        return ""
    return method if _METHOD.fullmatch(method) else "other"
