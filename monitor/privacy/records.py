"""(Call, Inference) → Record: the only door out of memory, and the only maker of Records."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote_plus

import msgspec

from monitor import bodies, columns, hidden, traceparents
from monitor.feedback import Feedback, Statement
from monitor.privacy import rulings, statements
from monitor.privacy.cache import Cache
from monitor.privacy.known_parts import KnownParts, is_bare
from monitor.privacy.parameters import DIALECTS, Parameters, parameters
from monitor.privacy.patterns import Scanner, key_form
from monitor.privacy.policies import CREDENTIAL, DROPPED, Policy, Rule
from monitor.privacy.pseudonyms import Keyring, Tokens
from monitor.privacy.scrub import Bounds, Scrub, Seal
from monitor.types import (
    ABSENT,
    Call,
    Inference,
    Message,
    Part,
    Record,
    RequestSummary,
    ResponseSummary,
    Summary,
)

ALLOWED_HEADERS = frozenset((
    "accept", "accept-encoding", "accept-language", "anthropic-beta", "anthropic-version",
    "content-encoding", "content-length", "content-type", "grpc-status", "request-id",
    "retry-after", "server", "traceparent", "transfer-encoding", "user-agent", "x-request-id",
))  # fmt: skip
"""Headers that a Record keeps, scanned like any text; every other is dropped."""

ALLOWED_PREFIXES = ("anthropic-ratelimit-", "openai-", "x-ratelimit-", "x-stainless-")

STEPS = 3
"""Steps in which a Record is made: of its heads, of its texts, of the rest."""

_SAFE = "<>:*"
_METHOD = re.compile(r"[A-Z]{1,16}")
_MAX_FIELD = 4096
_MAX_LABEL = 200
_MAX_CLEAN = 8192
_ALLOWANCE = 256
"""Characters that pseudonyms may always add to a side or a head."""


class Privacy:
    """Makes Records. One per process; holds keys and what it did before, nothing personal.

    `clock` gives seconds for the time bound of a Record (`turns.worked`). The `cache` is for this
    one alone. Of corrections and notes in feedback only a digest is kept, unless it `keeps_texts`.
    """

    def __init__(
        self,
        *,
        scanner: Scanner,
        keyring: Keyring,
        clock: Callable[[], float],
        tenant: str = "default",
        policy: Policy | None = None,
        bounds: Bounds | None = None,
        seal: Seal | None = None,
        cache: Cache | None = None,
        keeps_texts: bool = True,
    ) -> None:
        self._keeps_texts = keeps_texts
        self._policy = policy
        self._scanner = scanner
        self._keys = frozenset(key for each in scanner.recognizers for key in each.keys)
        self._tenant = tenant
        self._cache = cache
        self._parts = KnownParts()
        self.use(keyring)
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._seal = seal
        self._clean: set[tuple[str, str]] = set()  # (hint, text)

    def use(self, keyring: Keyring) -> None:
        """Make pseudonyms under the current key of this keyring from the next Record on."""
        self._key = keyring.current.id
        self._tokens = Tokens(keyring.current, self._tenant)
        previous = keyring.previous
        self._previous = None if previous is None else Tokens(previous, self._tenant)
        if self._cache is not None:  # what is in it was made under another key
            self._cache = self._cache.emptied()
        self._parts.clear()

    def cache_lookups(self) -> tuple[int, int]:
        """Texts that were looked up so far: (found in the cache, not found)."""
        return (0, 0) if self._cache is None else (self._cache.hits, self._cache.misses)

    @property
    def has_rules(self) -> bool:
        """Whether the operator's paths say anything."""
        return self._policy is not None

    def ruled(self, call: Call, *, cached: bool = True) -> tuple[Call, Scrub]:
        """The call with what the operator's paths say about its JSON bodies done to them, to be
        read by a protocol, and what `record` must be given to know the marks in it for ours. Its
        time stands still until then. `glimpse` needs no texts `cached`: it has its own way."""
        scrub = self._scrub(cached=cached)
        if self._policy is not None:
            call = rulings.bodies_of(scrub, self._policy, call)
        scrub.pause()
        return call, scrub

    def summary(
        self, call: Call, inference: Inference, *, segments: Mapping[str, str], scrub: Scrub
    ) -> Summary:
        """What is counted of an exchange that leaves no Record, as `record` would have it."""
        scrub.resume()
        return Summary(
            protocol=inference.protocol, operation=self._label(scrub, inference.operation),
            model=self._label(scrub, inference.model), duration=call.exchange.duration,
            time_to_first_token=inference.first_token, time_per_output_token=inference.per_token,
            status=call.status, outcome=inference.ended(call.exchange.outcome),
            segments={n: self._segment(scrub, n, value) for n, value in segments.items()},
            tokens=inference.tokens, cost=inference.cost,
        )  # fmt: skip

    def record(
        self,
        call: Call,
        inference: Inference,
        *,
        endpoint: str,
        segments: Mapping[str, str],
        scrub: Scrub | None = None,
        sampled: float = 1.0,
        oversampled: bool = False,
        business: Mapping[str, str] | None = None,
        lineage: Mapping[str, str] | None = None,
        stated: Mapping[str, str] | None = None,
    ) -> Record:
        """What may be kept of an exchange. Total: what cannot be made safe is redacted, counted in
        `redactions`, and the rest stays. `scrub` is what `ruled` gave with the call. `business` are
        the application's own names of the exchange, by key. Of its lineage some facts are `stated`
        by its headers; the others are the operator's words."""
        if scrub is None:
            scrub = self._scrub()
            scrub.pause()
        *_, record = self.steps(
            call, inference, endpoint=endpoint, segments=segments, scrub=scrub, sampled=sampled,
            oversampled=oversampled, business=business, lineage=lineage, stated=stated,
        )  # fmt: skip
        assert record is not None  # noqa: S101
        return record

    def steps(
        self,
        call: Call,
        inference: Inference,
        *,
        endpoint: str,
        segments: Mapping[str, str],
        scrub: Scrub,
        sampled: float,
        oversampled: bool,
        business: Mapping[str, str] | None,
        lineage: Mapping[str, str] | None,
        stated: Mapping[str, str] | None,
    ) -> Iterator[Record | None]:
        """Yield what `record` returns after `STEPS` steps, None before: several Records may be made
        step by step together. The time of `scrub` stands still between them."""
        scrub.resume()
        named = statements.business(business, scrub, self._short) if business else {}
        exchange = call.exchange
        response = exchange.response
        answer = Message(b"") if response is None else response
        operation = self._label(scrub, inference.operation)
        model = self._label(scrub, inference.model)
        found = {n: self._segment(scrub, n, value) for n, value in segments.items()}
        asked = RequestSummary(
            method=_method(call),
            path=self._target(scrub, call),
            headers=self._headers(scrub, "request", call.request_headers, exchange.request.head),
            bytes=exchange.request.size,
            truncated=call.request_truncated,
        )
        told = ResponseSummary(
            headers=self._headers(scrub, "response", call.response_headers, answer.head),
            bytes=answer.size,
            truncated=call.response_truncated,
        )
        scrub.pause()
        yield None
        scrub.resume()
        inputs = self._side(
            scrub, "inputs", inference.inputs, call.request_body, exchange.request.body
        )
        outputs = self._side(scrub, "outputs", inference.outputs, call.response_body, answer.body)
        scrub.pause()
        yield None
        scrub.resume()
        yield Record(
            id=exchange.id, endpoint=endpoint, protocol=inference.protocol, operation=operation,
            model=model, started=exchange.started, duration=exchange.duration,
            time_to_first_token=inference.first_token, time_per_output_token=inference.per_token,
            status=call.status, outcome=inference.ended(exchange.outcome),
            streamed=inference.streamed, segments=found, request=asked, response=told,
            inputs=inputs, outputs=outputs, tokens=inference.tokens,
            finish_reasons=[self._label(scrub, reason) for reason in inference.finish_reasons],
            trace_id=traceparents.trace_id(call.request_headers.get("traceparent", "")),
            pseudonyms=scrub.pseudonyms, key=self._key, redactions=scrub.redactions,
            continues=scrub.continues,
            sealed=[f"{token} {box}" for token, box in scrub.sealed.items()],
            requested_model=self._said(scrub, inference.requested_model),
            response_id=self._id(scrub, inference.response_id),
            service_tier=self._said(scrub, inference.service_tier), units=inference.units,
            confidence=inference.confidence, confidence_min=inference.confidence_min,
            cost=inference.cost, sampled=sampled, oversampled=oversampled, business=named,
            lineage={**(lineage or {}), **self._stated(scrub, stated or {})},
            parameters=self._parameters(scrub, call, inference.protocol),
            withheld=self._withheld(scrub),
        )  # fmt: skip

    def glimpse(
        self,
        call: Call,
        inference: Inference,
        *,
        endpoint: str,
        segments: Mapping[str, str],
        scrub: Scrub | None,
    ) -> Record:
        """The Record of an exchange that features look at in this process and that is forgotten
        then: texts, labels and figures as `record` has them, without what nothing looks at. That
        are ids, path, headers, sizes, parameters, and what was done to the texts. Texts that come
        again are remembered as they are, within bounds: they lie in a file, and the process ends
        with it. `scrub` is what `ruled` gave; None where there are no rules."""
        exchange = call.exchange
        operation, model, reasons = inference.operation, inference.model, inference.finish_reasons
        withheld: dict[str, list[str]] = {}
        seen = self._seen(inference, segments) if scrub is None else None
        if seen is not None:
            found, (inputs, outputs) = dict(segments), seen
        else:
            if scrub is None:
                scrub = self._scrub(cached=False)
            else:
                scrub.resume()
            operation, model = self._label(scrub, operation), self._label(scrub, model)
            found = {n: self._segment(scrub, n, value) for n, value in segments.items()}
            inputs = self._side(
                scrub, "inputs", inference.inputs, call.request_body, exchange.request.body,
                make=self._known_part,
            )  # fmt: skip
            outputs = self._side(
                scrub, "outputs", inference.outputs, call.response_body,
                b"" if exchange.response is None else exchange.response.body, make=self._known_part,
            )  # fmt: skip
            reasons = [self._label(scrub, reason) for reason in reasons]
            withheld = self._withheld(scrub)
        return Record(
            id=exchange.id, endpoint=endpoint, protocol=inference.protocol, operation=operation,
            model=model, started=exchange.started, duration=exchange.duration,
            time_to_first_token=inference.first_token, time_per_output_token=inference.per_token,
            status=call.status, outcome=inference.ended(exchange.outcome),
            streamed=inference.streamed, segments=found,
            request=_asked(_method(call), call.request_truncated),
            response=_TOLD[call.response_truncated], inputs=inputs, outputs=outputs,
            tokens=inference.tokens, finish_reasons=reasons, trace_id=None, pseudonyms={},
            key=self._key, confidence=inference.confidence,
            confidence_min=inference.confidence_min, withheld=withheld,
        )  # fmt: skip

    def foresee(self, inferences: Iterable[Inference]) -> None:
        """Scrub the plain texts of several exchanges together, and not each when `glimpse` asks."""
        parts = (part for one in inferences for part in (*one.inputs, *one.outputs))
        scrubbed = self._scrub(cached=False).plain
        self._parts.foresee(parts, self._scanner, scrubbed, self._bounds.text, self._is_clean)

    def _seen(
        self, inference: Inference, segments: Mapping[str, str]
    ) -> tuple[list[Part], list[Part]] | None:
        """What `glimpse` makes of inputs and outputs where all of an exchange has been seen before,
        or foreseen, and its labels stay as they are; None otherwise."""
        is_clean = self._is_clean
        if not (
            is_clean(inference.operation)
            and is_clean(inference.model)
            and all(map(is_clean, inference.finish_reasons))
            and all(is_clean(value, name) for name, value in segments.items())
        ):
            return None
        asked, told = self._parts.all(inference.inputs), self._parts.all(inference.outputs)
        if asked is None or told is None or max(asked[1].grown, told[1].grown) > _ALLOWANCE:
            return None
        is_little = asked[1].characters + told[1].characters <= self._bounds.record
        return (asked[0], told[0]) if is_little else None

    def feedback(self, said: Statement) -> Feedback:
        """What may be kept of what somebody said later of an exchange.

        Raises PrivacyError with the reason where a text in it cannot be made safe.
        """
        return statements.feedback(
            said, self._scrub(), self._short, self._key, keeps_texts=self._keeps_texts
        )

    def text(self, value: str, *, trusted: bool = False) -> str:
        """Any other text on its way out of memory; with `trusted`, marks in it are our own."""
        return self._scrub(trusted=trusted).text(value)

    def name(self, value: str) -> str:
        """A short text of the traffic that comes once, on its way out of memory; a digest of one
        beyond 200 characters."""
        return self._id(self._scrub(), value) or ""

    def segment(self, dimension: str, value: str) -> str:
        """A dimension's value, by its rule; `none` where nothing of it is kept."""
        return self._segment(self._scrub(trusted=True), dimension, value)

    def drops(self, side: str, column: str) -> bool:
        """Whether nothing of a column of somebody's table is kept."""
        rule = None if self._policy is None else self._policy.column(side, column).rule
        return rule is not None and rule.action == "drop"

    def minds(self, side: str, column: str) -> bool:
        """Whether a column's name or a rule says something of every value in it."""
        ruled = self._policy is not None and bool(self._policy.column(side, column))
        return ruled or key_form(column) in self._keys

    def cell(self, side: str, column: str, value: Any) -> Any:
        """A scalar of somebody's table, by the column's rule; None where nothing of it is kept."""
        scrub = self._scrub(trusted=True)
        cursor = None if self._policy is None else self._policy.column(side, column)
        if not cursor:
            return scrub.value(value, column)
        done = rulings.inside(scrub, cursor, value, column)
        return None if done is DROPPED else done

    def again(self) -> Scrub:
        """What gives pseudonyms to values found in a Record later on; marks in it are our own."""
        return self._scrub(trusted=True)

    # --- pieces -------------------------------------------------------------------------------

    def _scrub(self, *, trusted: bool = False, cached: bool = True) -> Scrub:
        return Scrub(
            scanner=self._scanner,
            keys=self._keys,
            tokens=self._tokens,
            previous=self._previous,
            bounds=self._bounds,
            clock=self._clock,
            seal=self._seal,
            trusted=trusted,
            cache=self._cache if cached else None,
        )

    def _side(
        self,
        scrub: Scrub,
        side: str,
        parts: list[Part],
        body: bytes,
        captured: bytes,
        *,
        make: Callable[[Scrub, str, Part], Part] | None = None,
    ) -> list[Part]:
        """All parts of a side; one digest of them where pseudonyms make them larger than the room
        that their body has on record."""
        before, make = scrub.grown, make or self._ruled_part
        done = [make(scrub, side, part) for part in parts]
        if scrub.grown - before <= _ALLOWANCE:
            return done
        if _size(done) <= columns.record_room(body, captured):
            return done
        text = scrub.redacted(bodies.dump(parts), "expansion")
        return [Part(role="user" if side == "inputs" else "assistant", text=text)]

    def _known_part(self, scrub: Scrub, side: str, part: Part) -> Part:
        """The same as `_ruled_part`, remembered of texts that somebody said and no rule is for."""
        role, text = part.role, part.text
        if not (type(text) is str and is_bare(part)) or (
            self._policy is not None and self._policy.column(side, role or "")
        ):
            return self._ruled_part(scrub, side, part)
        known = self._parts.get((role, text))
        if known is not None and scrub.spares(known[1]):
            return known[0]
        if role is not None:
            self._label(scrub, role)  # which is no work once it is known
        begin = scrub.progress()
        found = self._part(scrub, part)
        work = scrub.work(text, begin)
        if known is None and work is not None:
            self._parts.put(role, text, found, work)
        return found

    def _part(self, scrub: Scrub, part: Part) -> Part:
        role, text = part.role, part.text
        bare = part.name is None and part.datatype is None and part.shape is None
        if text is not None and bare and part.data is None:
            role = None if role is None else self._label(scrub, role)
            return Part(role=role, text=scrub.text(text), media=scrub.media(text))
        name = None if part.name is None else self._short(scrub, part.name)
        data: list[Any] | None = None
        if part.data is not None:
            data = scrub.numbers(part.data, part.name or "")
        may_hold = part.datatype == "BYTES" and part.data is not None
        return Part(
            role=None if role is None else self._label(scrub, role),
            text=None if text is None else scrub.text(text, part.name or ""),
            name=name,
            datatype=None if part.datatype is None else self._label(scrub, part.datatype),
            shape=part.shape,
            data=data,
            media=scrub.media(text, *(part.data or () if may_hold else ())),
        )

    def _headers(
        self, scrub: Scrub, side: str, headers: Mapping[str, str], head: bytes
    ) -> dict[str, str]:
        """The headers that are kept; none where pseudonyms make them much larger than the head."""
        kept = {}
        before = scrub.grown
        for name, value in headers.items():
            rule = None if self._policy is None else self._rule(side, "headers", name)
            if rule is not None:
                ruled = rulings.scalar(
                    scrub, rule, value, name, CREDENTIAL.search(name) is not None
                )
                if ruled is not DROPPED:
                    kept[self._short(scrub, name)] = str(ruled)
            elif name in ALLOWED_HEADERS:
                kept[name] = self._short(scrub, value, name)
            elif name.startswith(ALLOWED_PREFIXES) and not CREDENTIAL.search(name):
                kept[self._short(scrub, name)] = self._short(scrub, value, name)
        room = columns.EXPANSION * len(head) + _ALLOWANCE
        if scrub.grown - before > _ALLOWANCE and _size(kept) > room:
            return {"redacted": scrub.redacted(bodies.dump(headers), "expansion")}
        return kept

    def _target(self, scrub: Scrub, call: Call) -> str:
        """Path and query of a request, each value scanned with its name as a hint."""
        path, query = call.path, call.query
        rule = self._rule("request", "path")
        ruled = self._short(scrub, path) if rule is None else rulings.scalar(scrub, rule, path)
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
            fields.append(self._short(scrub, name) + equals + value)
        target = f"{path}?{'&'.join(fields)}" if fields else path
        if len(target) > columns.EXPANSION * (len(call.path) + len(call.query)) + _ALLOWANCE:
            return scrub.redacted(f"{call.path}?{call.query}", "expansion")
        return target

    def _query_value(self, scrub: Scrub, value: str, said: str, name: str) -> str:
        """A value of a query: as it stands, `+` read as a space too, and as what its name says."""
        read = f"={value}" if "+" in value else value
        done = self._short(scrub, read)
        if done != read:
            return done.removeprefix("=")
        done = self._short(scrub, said, name)
        return value if done == said else quote(done, safe=_SAFE)

    def _segment(self, scrub: Scrub, name: str, value: str) -> str:
        value = str(value)  # what a body's rule keeps is kept in the body
        rule = self._rule("segments", name)
        if rule is None or value == ABSENT:
            return self._label(scrub, value, name)
        done = rulings.scalar(scrub, rule, value, name)
        return ABSENT if done is DROPPED else str(done)[:_MAX_LABEL]

    # --- what the operator said ---------------------------------------------------------------

    def _rule(self, *steps: str) -> Rule | None:
        return None if self._policy is None else self._policy.place(*steps).rule

    def _ruled_part(self, scrub: Scrub, side: str, part: Part) -> Part:
        policy = self._policy
        cursor = None if policy is None else policy.column(side, part.name or part.role or "")
        if not cursor:
            return self._part(scrub, part)
        hint, before = part.name or "", scrub.taken
        text = None if part.text is None else rulings.inside(scrub, cursor, part.text, hint)
        data = None
        if part.data is not None:
            data = [rulings.inside(scrub, cursor, item, hint) for item in part.data]
            data = [None if item is DROPPED else item for item in data]
            if cursor.rule is not None and cursor.rule.action == "drop":
                data = None
        is_there = data is not None or not (text is None or text is DROPPED)
        if is_there and scrub.taken > before:
            scrub.withheld.setdefault(side, set()).add(hidden.name(part))
        bare = self._part(scrub, msgspec.structs.replace(part, text=None, data=None))
        said = None if text is None or text is DROPPED else str(text)
        is_free = cursor.rule is None or cursor.rule.action in ("keep", "scan", "scan_json")
        media = scrub.media(part.text, *(part.data or ())) if is_free else None
        return msgspec.structs.replace(bare, text=said, data=data, media=media)

    def _id(self, scrub: Scrub, value: str) -> str | None:
        """A text that comes once: nothing to be remembered."""
        if len(value) > _MAX_LABEL:
            return scrub.redacted(value, "too_long")
        return scrub.text(value, cached=False) if value else None

    def _parameters(self, scrub: Scrub, call: Call, protocol: str) -> Parameters:
        """How it was asked; a number of many digits is kept where nothing is found in it."""
        if protocol not in DIALECTS or call.request_truncated:
            return {}
        return parameters(
            call.request_body, lambda number, name: scrub.value(number, name) == number
        )

    def _withheld(self, scrub: Scrub) -> dict[str, list[str]]:
        return {
            side: [self._label(scrub, one) for one in hidden.named(names)]
            for side, names in scrub.withheld.items()
        }

    def _stated(self, scrub: Scrub, stated: Mapping[str, str]) -> dict[str, str]:
        return {fact: self._label(scrub, value, fact) for fact, value in stated.items()}

    def _said(self, scrub: Scrub, value: str) -> str | None:
        return self._label(scrub, value) if value else None

    def _is_clean(self, value: str, name: str = "") -> bool:
        """Whether it is known that a label stays as it is."""
        return (name, value) in self._clean and type(value) is str and value.isprintable()

    def _label(self, scrub: Scrub, value: str, name: str = "") -> str:
        if self._is_clean(value, name):
            return value
        if len(value) > _MAX_LABEL:
            return scrub.redacted(value, "too_long")
        value = self._short(scrub, value, name)
        if value.isprintable():
            return value
        return "".join(character if character.isprintable() else " " for character in value)

    def _short(self, scrub: Scrub, value: str, hint: str = "") -> str:
        """A text of which few values make most of the traffic (names, labels, paths, headers).

        Values that nothing was found in, and that look like no mark, are remembered as they are,
        within bounds; no other text ever is.
        """
        if isinstance(value, bodies.Kept):
            return scrub.literal(str(value))
        known = hint, value
        if known in self._clean:
            return value
        if len(value) > _MAX_FIELD:
            return scrub.redacted(value, "too_long")
        found = scrub.text(value, hint, cached=len(value) > _MAX_LABEL)
        if found == value and len(value) <= _MAX_LABEL and "<" not in value:
            if len(self._clean) >= _MAX_CLEAN:
                self._clean.clear()
            self._clean.add(known)
        return found


def _method(call: Call) -> str:
    """The method; `other` for what is none, empty where somebody's log tells of no HTTP."""
    if not call.method and not call.exchange.request.head:
        return ""
    return call.method if _METHOD.fullmatch(call.method) else "other"


_TOLD = {is_cut: ResponseSummary({}, 0, is_cut) for is_cut in (False, True)}


@lru_cache(maxsize=64)
def _asked(method: str, is_cut: bool) -> RequestSummary:
    """What a glimpse has of a request: nobody looks at its path, headers and size."""
    return RequestSummary(method, "", {}, 0, is_cut)


def _size(value: Any) -> int:
    return len(bodies.dump(value))
