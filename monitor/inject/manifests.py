"""YAML of manifests → the same with the sidecar in every Pod and template of Pods.

A document that does not change keeps its bytes. One that changes is written anew: its values stay,
its comments are lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from monitor.errors import ParseError
from monitor.inject.decision import Decision, Defaults, decide
from monitor.inject.json_patch import applied
from monitor.inject.wishes import ASKED, PREFIX

TEMPLATES = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job",
         "Rollout"), ("spec", "template"),
    ),
}  # fmt: skip
"""Kind → where its Pod is."""
DEEPEST = 200
"""Lists and maps in each other: more is no manifest."""
MOST_VALUES = 1_000_000
"""Values of a document, aliases counted each time: more is no manifest."""

INJECT = f"{PREFIX}inject"
IN_THE_CLUSTER = "Pods of this kind are made in the cluster, where the injector adds the sidecar"

Tell = Callable[[str, Decision], None]
"""Hears what became of each Pod: of which object, and the decision."""

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*")
_WORDS = re.compile(r"(?i)y|yes|n|no|on|off|true|false|null")


_SEPARATOR = re.compile(r"^(?=---(?:\s|\Z))", re.MULTILINE)
"""Where a document begins, whatever stands before it (YAML 1.2, section 9.1.2)."""

_RESOLVED = {
    "null": (re.compile(r"~|null|Null|NULL|"), ["~", "n", "N", ""]),
    "bool": (re.compile(r"true|True|TRUE|false|False|FALSE"), list("tTfF")),
    "int": (re.compile(r"[-+]?(?:0|[1-9][0-9]*)"), list("-+0123456789")),
    "merge": (re.compile(r"<<"), ["<"]),
}
"""What a word without quotes is to every reader alike. Of others (`0400`, `yes`, `1e3`, a date)
readers think differently: these are written as they stood."""


class _Plain(str):
    """A text that stood there without quotes, and will again."""

    __slots__ = ()


class _Loader(yaml.SafeLoader):
    """YAML whose words without quotes are kept; a key that is there twice is an error."""

    yaml_implicit_resolvers = {}

    def compose_scalar_node(self, anchor: Any) -> Any:
        events: Any = self
        is_tagged = events.peek_event().tag is not None
        node = super().compose_scalar_node(anchor)
        if is_tagged and node.style is None:
            node.style = "'"  # `!!str yes` is a text, which `yes` is not to every reader
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (one for one, _ in node.value if isinstance(one, yaml.ScalarNode)):
            if key.value in seen and key.value != "<<":
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value[:60]!r} is there twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _word(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    text = str(loader.construct_scalar(node))
    return _Plain(text) if node.style is None and "\n" not in node.value else text


def _list(loader: Any, node: yaml.Node) -> Any:
    """What `!!omap` and `!!pairs` are to readers of manifests."""
    return loader.construct_yaml_seq(node)


_Loader.add_constructor("tag:yaml.org,2002:str", _word)
for _name in ("omap", "pairs"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_name}", _list)


class _Dumper(yaml.SafeDumper):
    """YAML that every reader takes for the same values: texts that could be more are quoted."""

    yaml_implicit_resolvers = {}

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


for _name, (_form, _first) in _RESOLVED.items():
    for _class in (_Loader, _Dumper):
        _whole = re.compile(rf"(?:{_form.pattern})\Z")
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _whole, _first)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text and not re.search(r"[^\S\n]\n|[^\x20-\x7e\n]", text):
        style = "|"
    elif not _PLAIN.fullmatch(text) or _WORDS.fullmatch(text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _as_it_stood(dumper: yaml.SafeDumper, text: _Plain) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text))


_Dumper.add_representer(str, _text)
_Dumper.add_representer(_Plain, _as_it_stood)


def injected(text: str, defaults: Defaults, tell: Tell) -> str:
    """Return the manifests of a file with the sidecar added. Of several documents one that is no
    YAML stays as it is, and `tell` hears why.

    Raises ParseError, which names the line, where there is one document, and it is no YAML.
    """
    parts: list[str] = []
    for piece, document in _whole_or_apart(text, tell):
        changed, whole = _changed(document, defaults, tell)
        if changed:
            parts.append(("---\n" if parts else "") + written(whole))
        else:
            parts.append(piece)
            if piece and not piece.endswith("\n"):
                parts.append("\n")
    out = "".join(parts)
    return out if out.rstrip("\n") != text.rstrip("\n") else text


def _whole_or_apart(text: str, tell: Tell) -> Iterator[tuple[str, Any]]:
    """Yield each document with its text; where one cannot be read, with no values."""
    try:
        yield from list(_documents(text))
    except ParseError:
        pieces = [one for one in _SEPARATOR.split(text) if one]
        if len(pieces) < 2:
            raise
        line = 0
        for piece in pieces:
            try:
                yield from list(_documents(piece, line))
            except ParseError as error:
                why = Decision("failed", "unreadable", str(error))
                tell(f"the document from line {line + 1} on", why)
                yield piece, None
            line += piece.count("\n")


def _documents(text: str, line: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield each document of a stream, which begins after so many lines of a file: its text, up to
    that of the next, and its values. Raises ParseError."""
    try:
        starts = _starts(text)
        values = list(yaml.load_all(text, Loader=_Loader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {line + mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or "unreadable"
        raise ParseError(f"{where}no YAML: {problem}") from None
    except RecursionError:
        raise ParseError("no YAML that can be read: it is nested too deep") from None
    except (ValueError, TypeError, ArithmeticError):
        raise ParseError("no YAML that can be read: a value is not what its tag says") from None
    for number, value in enumerate(values):
        begin = starts[number] if number else 0
        end = starts[number + 1] if number + 1 < len(starts) else len(text)
        yield text[begin:end], value
    if not values:
        yield text, None


def _starts(text: str) -> list[int]:
    """Where the documents of a stream begin. Raises RecursionError as soon as one is too deep: the
    library's time is quadratic in that."""
    starts, depth = [], 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.DocumentStartEvent) and event.start_mark:
            starts.append(event.start_mark.index)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise RecursionError
    return starts


def _changed(document: Any, defaults: Defaults, tell: Tell) -> tuple[bool, Any]:
    """Whether something was injected into a document or an item of it, and what it is then."""
    if not isinstance(document, dict) or not isinstance(kind := document.get("kind"), str):
        return False, document
    if kind.endswith("List") and isinstance(items := document.get("items"), list):
        found = [_changed(one, defaults, tell) for one in items]
        return any(one for one, _ in found), {**document, "items": [one for _, one in found]}
    metadata = document.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = metadata.get("name") or metadata.get("generateName") or "?"
    if kind not in TEMPLATES:
        if _asks(document):
            tell(f"{kind} {name}", Decision("skipped", "other_object", IN_THE_CLUSTER))
        return False, document
    namespace = metadata.get("namespace")
    pod: Any = document
    for step in TEMPLATES[kind]:
        pod = pod.get(step) if isinstance(pod, dict) else None
    if sum(1 for _ in _values(pod)) > MOST_VALUES:
        decision = Decision("failed", "unreadable", "it has too many values")
    else:
        decision = decide(
            _as_made(_bare(pod), kind), namespace if isinstance(namespace, str) else "", defaults
        )
    tell(f"{kind} {name}", decision)
    if decision.result != "injected":
        return False, document
    return True, _with(document, TEMPLATES[kind], applied(pod, decision.patch))


def _as_made(pod: Any, kind: str) -> Any:
    """The Pod as its owner makes it, in what decides: a Job's has it as an owner."""
    if kind in ("Job", "CronJob") and isinstance(pod, dict):
        metadata = pod.get("metadata")
        if metadata is None or isinstance(metadata, dict):
            owned = {**(metadata or {}), "ownerReferences": [{"kind": "Job"}]}
            return {**pod, "metadata": owned}
    return pod


def _with(document: Any, way: tuple[str, ...], pod: Any) -> Any:
    if not way:
        return pod
    return {**document, way[0]: _with(document[way[0]], way[1:], pod)}


def _bare(value: Any) -> Any:
    """The same values, of which texts are texts however they stood there."""
    if isinstance(value, dict):
        return {_bare(key): _bare(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_bare(one) for one in value]
    return str(value) if isinstance(value, str) else value


def _asks(document: dict[Any, Any]) -> bool:
    """Whether an annotation somewhere in an object asks for a sidecar."""
    annotations = (one.get("annotations") for one in _values(document) if isinstance(one, dict))
    said = (str(one.get(INJECT, "")) for one in annotations if isinstance(one, dict))
    return any(one.strip().lower() in ASKED for one in said)


def _values(value: Any) -> Iterator[Any]:
    """Yield a value and all that are in it, up to a bound."""
    count, waiting = 0, [value]
    while waiting and count <= MOST_VALUES:
        one = waiting.pop()
        count += 1
        yield one
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def written(document: Any) -> str:
    """Return a document in YAML that every reader takes for the same values."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 20)
