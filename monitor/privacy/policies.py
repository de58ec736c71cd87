"""Path → rule: what the operator says about a field, before anything is scanned.

A path names a place as people see it:

* `request.…` and `response.…`: a place in a JSON body (`request.messages[*].content`), and
  `request.headers.NAME`, `response.headers.NAME`, `request.query.NAME`, `request.path`;
  `request.body.headers` is the body's own `headers`. A streamed answer is no JSON body: its
  texts are `outputs.assistant` and the like. A body that begins like JSON and is no JSON document
  (lines of JSON, messages of a WebSocket, what was cut at the capture bound) is not kept where a
  rule is about that body: its places cannot be told.
* `inputs.NAME` and `outputs.NAME`: a column, tensor, or role of texts as Records name them
  (`inputs.age`, `inputs.rows.age`, `outputs.*`, `inputs.system`), and on into the JSON it holds.
* `segments.NAME`: a dimension's value.

Steps are names, `[0]`, `[*]`, `['any name']`; `*` is any one step, also as part of a name
(`*_email`), `**` any number of steps; `~patient_id` is that name in any spelling (`patientId`,
`Patient-ID`). A rule covers what stands inside of the place too. Where several paths match, the
first in the file wins.

* `keep`: as it is; in a body only where the value is all of a text. Credentials never.
* `drop`: nothing of it. `hash_whole`: a keyed digest and the size.
* `token(ENTITY)`: the pseudonym of the whole value, whatever it looks like.
* `scan`: what happens without a rule; for a header, also that it is kept. `scan_json`: the text
  is JSON, whose keys say what its values are.
* `generalise(KIND)`: coarser, or dropped where it cannot be.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from monitor.errors import ConfigError, PrivacyError
from monitor.privacy.patterns import key_form

Action = Literal["keep", "drop", "token", "scan", "scan_json", "hash_whole", "generalise"]

ROOTS = ("request", "response", "inputs", "outputs", "segments")
MAX_NESTING = 64

SPELT = "~"
"""Before a name: any spelling of it."""

MESSAGE = ("headers", "query", "path", "body")
"""Steps after `request` and `response` that are not the body's own."""

CREDENTIAL = re.compile(
    r"auth|cookie|token(?!s)|secret|passw|credential|api[-_]?key|session|signature"
    r"|^(?:key|sig|code|pwd|jwt)$",
    re.IGNORECASE,
)
"""Names of headers and query fields whose values are never kept."""

_ENTITY = re.compile(r"[A-Z][A-Z_]{0,39}")
_RULE = re.compile(r"([a-z_]+)(?:\(\s*([A-Za-z0-9_]*)\s*\))?")
_STEP = re.compile(r"\.?\[(?:(\d+)|(\*)|'([^']*)'|\"([^\"]*)\")\]|\.?([^.\[\]]+)")
_PREFIX = re.compile(r"prefix[1-9]")
_KINDS = ("year", "month", "decade", "age", "domain", "prefix1 … prefix9")


@dataclass(frozen=True)
class Rule:
    """What to do with a value: `argument` is an entity for `token`, a kind for `generalise`."""

    action: Action
    argument: str = ""
    order: int = 0


@dataclass(eq=False)
class _Node:
    names: dict[str, _Node] = field(default_factory=dict)
    spelt: dict[str, _Node] = field(default_factory=dict)
    """By `key_form`."""
    globs: list[tuple[re.Pattern[str], _Node]] = field(default_factory=list)
    any: _Node | None = None
    deep: _Node | None = None
    stays: bool = False
    rule: Rule | None = None


class Cursor:
    """A place on the way down: the rule that holds here, and what may still match below."""

    __slots__ = ("_nodes", "rule")

    def __init__(self, nodes: tuple[_Node, ...] = (), rule: Rule | None = None) -> None:
        closed = dict.fromkeys(nodes)
        for node in nodes:
            deep = node.deep
            while deep is not None:
                closed[deep] = None
                deep = deep.deep
        for node in closed:
            if node.rule is not None and (rule is None or node.rule.order < rule.order):
                rule = node.rule
        self._nodes = tuple(closed)
        self.rule = rule

    def __bool__(self) -> bool:
        """Whether anything is said about this place or what is inside of it."""
        return self.rule is not None or self.goes_on

    @property
    def goes_on(self) -> bool:
        """Whether a path names something inside of this place."""
        return any(
            node.names or node.spelt or node.globs or node.any or node.deep or node.stays
            for node in self._nodes
        )

    @property
    def counts(self) -> bool:
        """Whether a path names something of a list here, by its number or all of it."""
        return any(node.any or any(map(str.isdigit, node.names)) for node in self._nodes)

    def step(self, name: str | int) -> Cursor:
        """The place one step further down."""
        if not self._nodes:
            return self
        key = str(name)
        after: list[_Node] = []
        for node in self._nodes:
            if node.stays:
                after.append(node)
            if node.any is not None:
                after.append(node.any)
            if key in node.names:
                after.append(node.names[key])
            if node.spelt and (form := key_form(key)) in node.spelt:
                after.append(node.spelt[form])
            after += [child for glob, child in node.globs if glob.fullmatch(key)]
        return Cursor(tuple(after), self.rule)


class _Dropped:
    """What stands for a value that is not kept."""


DROPPED = _Dropped()


class Policy:
    """The compiled `privacy.paths`; `Policy({})` says nothing about anything."""

    def __init__(self, paths: Mapping[str, Any]) -> None:
        """Raises ConfigError naming the path that is wrong and what would be right."""
        root = _Node()
        self.bodies = {"request": False, "response": False}
        for order, (path, text) in enumerate(paths.items()):
            where = f"privacy.paths: {path}"
            way = steps(path)
            rule = _rule(text, order, where)
            _check_credential(way, rule, where)
            leaf = _leaf(root, way)
            leaf.rule = leaf.rule or rule
            if way[0] in self.bodies and (way[1] == "body" or "*" in way[1]):
                self.bodies[way[0]] = True
        self._root = Cursor((root,))

    def column(self, side: str, name: str) -> Cursor:
        """The place of a part of `inputs` or `outputs`: its name as one step, else as a path."""
        cursor = self.place(side, name)
        if cursor.rule is None and not name.isalnum():
            steps = [next(filter(None, match.groups()), "") for match in _STEP.finditer(name)]
            path = self.place(side, *steps)
            return path if path.rule is not None or not cursor else cursor
        return cursor

    def place(self, *steps: str) -> Cursor:
        """The place that these steps lead to, from the top."""
        cursor = self._root
        for step in steps:
            cursor = cursor.step(step)
        return cursor


def apply(
    cursor: Cursor,
    value: Any,
    act: Callable[[Rule | None, Any, str], Any],
    name: Callable[[str], str] | None = None,
    *,
    hint: str = "",
    depth: int = 0,
) -> Any:
    """A JSON value with `act(rule, leaf, hint)` for every leaf and `name` for every key of it.
    Without a `name` keys stay as they are, and so does all that no path is about.

    DROPPED as a result takes the leaf out of what holds it, and with it whatever has nothing left.
    Raises PrivacyError beyond 64 containers within each other.
    """
    if name is None and not cursor:
        return value
    if not isinstance(value, dict | list):
        return act(cursor.rule, value, hint)
    if depth >= MAX_NESTING:
        raise PrivacyError("nesting")
    if isinstance(value, dict):
        members = (
            (
                name(key) if name else key,
                apply(cursor.step(key), item, act, name, hint=key, depth=depth + 1),
            )
            for key, item in value.items()
        )
        kept: Any = {key: item for key, item in members if item is not DROPPED}
    else:
        items = (
            apply(cursor.step(index), item, act, name, hint=hint, depth=depth + 1)
            for index, item in enumerate(value)
        )
        kept = [item for item in items if item is not DROPPED]
    emptied = not kept and (value or (cursor.rule is not None and cursor.rule.action == "drop"))
    return DROPPED if emptied else kept


# --- reading ---------------------------------------------------------------------------------


def steps(path: str) -> list[str]:
    """The steps of a path; raises ConfigError that says what would be right.

    >>> steps("segments['plan']"), steps("request.messages[*].content")
    (['segments', 'plan'], ['request', 'body', 'messages', '*', 'content'])
    """
    where = f"privacy.paths: {path}"
    found: list[str] = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None or (position > 0 and path[position] not in ".["):
            raise ConfigError(
                f"{where}: cannot be read as a path, as in request.messages[*].content"
            )
        found.append(next(group for group in match.groups() if group is not None))
        position = match.end()
    if not found or found[0] not in ROOTS:
        near = difflib.get_close_matches(found[0] if found else "", ROOTS, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"{where}: a path begins with one of {', '.join(ROOTS)}{hint}")
    for step in found:
        if step.startswith(SPELT) and ("*" in step or not key_form(step)):
            raise ConfigError(f"{where}: {SPELT} goes before a whole name, as in ~patient_id")
    if found[0] in ROOTS[:2]:
        if found[1:2] and found[1] in MESSAGE:
            return [*found[:2], *map(str.lower, found[2:])] if found[1] == "headers" else found
        return [found[0], "body", *found[1:]]
    return found


def _rule(text: Any, order: int, where: str) -> Rule:
    match = _RULE.fullmatch(text.strip()) if isinstance(text, str) else None
    name, argument = (match[1].replace("generalize", "generalise"), match[2]) if match else ("", "")
    if name in ("keep", "drop", "scan", "scan_json", "hash_whole"):
        if argument is not None:
            raise ConfigError(f"{where}: {name} takes nothing in brackets")
        return Rule(name, "", order)  # type: ignore[arg-type]
    if name == "token":
        if not _ENTITY.fullmatch(argument or ""):
            raise ConfigError(f"{where}: token needs an entity, as in token(PERSON)")
        return Rule("token", argument or "", order)
    if name == "generalise":
        if argument not in _KINDS and not _PREFIX.fullmatch(argument or ""):
            raise ConfigError(f"{where}: generalise takes one of {', '.join(_KINDS)}")
        return Rule("generalise", argument or "", order)
    raise ConfigError(
        f"{where}: a rule is one of keep, drop, token(ENTITY), scan, scan_json, hash_whole, "
        "generalise(KIND)"
    )


def _check_credential(steps: list[str], rule: Rule, where: str) -> None:
    if (
        steps[1:2] in (["headers"], ["query"])
        and len(steps) > 2
        and CREDENTIAL.search(steps[2].removeprefix(SPELT))
        and rule.action not in ("drop", "token", "hash_whole")
    ):
        raise ConfigError(f"{where}: holds credentials; it can be dropped, token(…) or hash_whole")


def _leaf(node: _Node, steps: list[str]) -> _Node:
    for step in steps:
        if step == "**":
            if node.deep is None:
                node.deep = _Node(stays=True)
            node = node.deep
        elif step == "*":
            if node.any is None:
                node.any = _Node()
            node = node.any
        elif step.startswith(SPELT):
            node = node.spelt.setdefault(key_form(step), _Node())
        elif "*" in step:
            glob = re.compile(".*".join(map(re.escape, step.split("*"))), re.DOTALL)
            node.globs.append((glob, _Node()))
            node = node.globs[-1][1]
        else:
            node = node.names.setdefault(step, _Node())
    return node


# --- generalising ----------------------------------------------------------------------------

_date = re.compile(
    r"(?<!\d)(?:(?P<y>(?:1[89]|20)\d\d)(?:[-/.](?P<m>\d\d?)(?:[-/.]\d\d?)?)?"
    r"|\d\d?[-/. ](?:\d\d?|[A-Za-z]{3,9})[-/. ,]{1,2}(?P<y2>(?:1[89]|20)\d\d)"
    r"|[A-Za-z]{3,9}\.? \d\d?,? (?P<y3>(?:1[89]|20)\d\d))(?!\d)"
)


_years = re.compile(
    r"(?ia)(\d{1,3}(?:[.,]\d{1,20})?)(?:\s?(?:y|yo|y/o|yrs?|years?)\.?(?:[ -]?old)?)?"
)


def generalise(kind: str, value: Any) -> Any:
    """A value made coarser: a number stays a number, a text a text; None when it cannot be.

    >>> generalise("year", "1984-05-06"), generalise("decade", 47), generalise("age", 93)
    ('1984', 40, 90)
    >>> generalise("age", "47.5"), generalise("age", "91 years"), generalise("age", "6 months")
    ('47', '90', None)
    >>> generalise("prefix3", "02139"), generalise("domain", "jo@example.org")
    ('021*', 'example.org')
    """
    if kind in ("decade", "age") and (number := _number(value)) is not None:
        coarse = min(int(number), 90) if kind == "age" else int(number // 10 * 10)
        return str(coarse) if isinstance(value, str) else coarse
    text = str(value).strip()
    if kind.startswith("prefix"):
        plain = re.sub(r"[\W_]", "", text)
        length = int(kind[6:])
        return plain[:length] + "*" if len(plain) > length else None
    if kind == "domain":
        _, at, domain = text.rpartition("@")
        return domain.lower() if at and re.fullmatch(r"[\w.-]+", domain) else None
    match = _date.search(text)
    if match is None:
        return None
    year = match["y"] or match["y2"] or match["y3"]
    if kind == "month":
        return f"{year}-{int(match['m']):02d}" if match["m"] else None
    return f"{year[:3]}0" if kind == "decade" else year if kind == "year" else None


def _number(value: Any) -> float | None:
    """A number or a text that is one, with a unit of years or none (up to three digits before the
    point, so that no year is taken for an age)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if abs(value) < 1000 else None
    match = _years.fullmatch(value.strip()) if isinstance(value, str) else None
    return float(match[1].replace(",", ".")) if match else None
