"""(Rule, value) → what is kept of the value.

Rules act at two moments, because places are known at two moments. Places in a JSON body exist only
before a protocol has read it: `body` does what rules say there, and marks what is kept so
that no later scan touches it. Columns, roles, headers and dimensions exist only afterwards: there
`inside` and `scalar` act on one value at a time. Both moments end in `scalar`, the only place
that knows what an action does.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from monitor import bodies
from monitor.errors import ParseError, PrivacyError
from monitor.privacy.policies import CREDENTIAL, DROPPED, Cursor, Policy, Rule, apply, generalise
from monitor.privacy.scrub import Scrub
from monitor.types import Call

MEMBER = re.compile(r"[\"'\u2019\u201d][\s\\]*[:=]|\{\s*[\w$.\\-]+\s*[:=]")
"""What a name in an object looks like, also where it is cut off, quoted otherwise, or not at all. A
text without any is prose that begins with a bracket: `[1] The sources …`, `[INST] …`."""
LIST = re.compile(r"\s*\[\s*(?:[\"'\u2018\u201c\[{]|(?:[-+.\w]{1,32})\s*,)")
"""How a list of values begins."""


def bodies_of(scrub: Scrub, policy: Policy, call: Call) -> Call:
    """Return a call with what a policy says about its JSON bodies done to them."""
    for side, wanted in policy.bodies.items():
        raw: bytes = getattr(call, f"{side}_body")
        if not wanted or raw.lstrip()[:1] not in (b"{", b"["):
            continue
        try:
            ruled = body(scrub, policy.place(side, "body"), raw)
        except (ParseError, PrivacyError):  # places cannot be found in it, so none of it stays
            scrub.redacted("", "unparsable")
            scrub.taken += 1
            ruled = b""
        call = msgspec.structs.replace(call, **{f"{side}_body": ruled})
    return call


def body(scrub: Scrub, cursor: Cursor, raw: bytes) -> bytes:
    """Return a JSON body as a protocol shall read it: what is only scanned stays as it is, and what
    is kept is marked (`bodies.Kept`). Empty where nothing is left. Raises as `bodies.document` and
    `apply` do."""
    tells_all = True

    def act(rule: Rule | None, value: Any, hint: str) -> Any:
        nonlocal tells_all
        if rule is None or rule.action in ("scan", "scan_json"):
            return value
        if rule.action == "keep":
            if isinstance(value, str):
                tells_all = False
                return bodies.Kept(value)
            return value
        done = scalar(scrub, rule, value, hint)
        if isinstance(done, str) and done != value and rule.action != "generalise":
            scrub.own.add(done)
        return done

    value = apply(cursor, bodies.document(raw), act)
    if value is DROPPED:
        return b""
    return bodies.written(value) if tells_all else bodies.Document.of(value)


def inside(scrub: Scrub, cursor: Cursor, value: Any, hint: str) -> Any:
    """Return a text or scalar after its rule; what no rule is about is scanned.

    Where paths go on into it, or a rule says that it is JSON, that holds for the JSON in it.
    """

    def act(rule: Rule | None, leaf: Any, name: str) -> Any:
        return scrub.value(leaf, name) if rule is None else scalar(scrub, rule, leaf, name)

    rule = cursor.rule
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        is_json = rule is not None and rule.action == "scan_json"
        if cursor.goes_on or is_json:
            try:
                document = bodies.document(value.encode("utf-8", "replace"))
                ruled = apply(cursor, document, act, scrub.text, hint=hint)
            except (ParseError, PrivacyError):
                is_list = cursor.counts and LIST.match(value)
                if is_json or is_list or MEMBER.search(value):
                    return scrub.redacted(value, "unparsable")
            else:
                return ruled if ruled is DROPPED else bodies.dump(ruled)
    elif isinstance(value, dict | list):
        return scrub.redacted("", "nesting")
    return act(rule, value, hint)


def scalar(
    scrub: Scrub, rule: Rule, value: Any, hint: str = "", is_credential: bool = False
) -> Any:
    """Return a scalar after its rule; DROPPED when nothing of it is kept. Raises nothing."""
    action = rule.action
    if is_credential and action not in ("token", "hash_whole"):
        action = "drop"
    if value is None or value == "" or isinstance(value, bool):
        action = "drop" if action == "drop" else "keep"
    try:
        match action:
            case "drop":
                done: Any = DROPPED
            case "keep":
                done = scrub.literal(str(value)) if isinstance(value, str) else value
            case "token":
                is_secret = is_credential or CREDENTIAL.search(hint) is not None
                done = scrub.token(rule.argument, str(value), is_secret=is_secret)
            case "hash_whole":
                done = scrub.hashed(str(value), "policy")
            case "generalise":
                coarse = generalise(rule.argument, value)
                done = DROPPED if coarse is None else coarse
            case _:
                done = scrub.value(value, hint)
    except Exception as error:  # noqa: BLE001  fail closed
        return scrub.failed("", error)
    scrub.taken += done is DROPPED or (action == "generalise" and done != value)
    return done
