"""`preset` and `circumstances` → the settings below a user's own, each with the reason for it.

A layer is a YAML file as a user writes one. `presets/NAME.yaml` is a domain's; what stands in
`modifiers/NAME.yaml` is laid over it where `circumstances.NAME` is answered. The user's own keys
come last. One rule lays one tree over another (`over`). The comment beside a key, or above it, is
the reason for its value.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, get_args, get_origin

import msgspec
import yaml

from monitor.errors import ConfigError
from monitor.settings import strict_yaml, validation
from monitor.settings.circumstances import Circumstances
from monitor.settings.schema import Settings

HERE = Path(__file__).parent
PRESETS, MODIFIERS = "presets", "modifiers"
"""Folders of layers."""
GIVEN = "$given"
"""Stands in a modifier for what was answered, where that is a number."""
ABOUT = "about"
"""The key of a layer that holds no settings but what people want to know of it."""

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_COMMENT = re.compile(r"(?:^|\s)#\s?(.*)$")


@dataclass(frozen=True)
class Choice:
    """What a layer says of one key, which stands at the end of its steps, and why."""

    steps: tuple[str, ...]
    value: Any
    reason: str


@dataclass(frozen=True)
class Layer:
    """One file: `about` it for people, its `tree` of settings, and the same as choices."""

    name: str
    about: dict[str, Any]
    tree: dict[str, Any]
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Origin:
    """A key that layers set: its value now, which layers spoke of it, why the last one did.

    `before` is what they said, where the user says something else or took it away (None).
    """

    path: str
    value: Any
    layers: tuple[str, ...]
    reason: str
    before: Any = None


def presets() -> list[str]:
    """The names of all presets."""
    return sorted(path.stem for path in (HERE / PRESETS).glob("*.yaml"))


@functools.lru_cache(maxsize=32)
def layer(folder: str, name: str) -> Layer:
    """Read a layer of the package."""
    path = HERE / folder / f"{name}.yaml"
    text = path.read_text(encoding="utf-8")
    tree = strict_yaml.load(text, str(path))
    about = tree.pop(ABOUT, {})
    root = yaml.compose(text, yaml.SafeLoader)
    found = _choices(root, tree, (), text.splitlines(), "")
    return Layer(name, about, tree, tuple(found))


def layers(tree: Mapping[str, Any]) -> list[Layer]:
    """The layers that a user's own tree asks for, the lowest first.

    Where `preset` or `circumstances` are not what they may be, there are none: they are complained
    about where the tree is checked. Raises ConfigError for a preset that is not there.
    """
    name, asked = tree.get("preset"), tree.get("circumstances") or {}
    if not (isinstance(name, str) and name):
        return []
    known = presets()
    if name not in known:
        raise ConfigError(
            f"preset: {validation.told(name)} is not one of {', '.join(known)}"
            f"{validation.did_you_mean(name, known)}"
        )
    found = [layer(PRESETS, name)]
    if validation.complaint(asked, Circumstances):
        return found
    answers = msgspec.convert(asked, Circumstances)
    return found + [
        _answered(layer(MODIFIERS, one), answer)
        for one, answer in msgspec.structs.asdict(answers).items()
        if answer is not None and answer is not False
    ]


def under(tree: dict[str, Any]) -> dict[str, Any]:
    """A user's own tree, with what it does not say as its preset and circumstances say it."""
    lower: dict[str, Any] = {}
    for one in layers(tree):
        lower = over(lower, one.tree)
    return over(lower, tree) if lower else tree


def origins(tree: dict[str, Any]) -> Iterator[Origin]:
    """Yield what became of each key that a layer of a user's own tree sets."""
    found: dict[tuple[str, ...], tuple[list[str], Choice]] = {}
    lower: dict[str, Any] = {}
    for one in layers(tree):
        lower = over(lower, one.tree)
        for choice in one.choices:
            names = found[choice.steps][0] if choice.steps in found else []
            found[choice.steps] = [*names, one.name], choice
    whole = over(lower, tree)
    for steps, (names, choice) in found.items():
        now, before = _at(whole, steps), _at(lower, steps)
        yield Origin(
            ".".join(steps), now, tuple(names), choice.reason, before if now != before else None
        )


def in_own_words(complaint: str, tree: dict[str, Any]) -> str:
    """A complaint about a user's own tree with its layers below, as one about the tree alone.

    Places in lists are those in the user's; what is in none of these has its name there. Of what is
    not the user's it says whose it is.
    """
    if not tree.get("preset"):
        return complaint
    key, colon, rest = complaint.partition(": ")
    whole: Any = under(tree)
    own: Any = tree
    said = theirs = ""
    for step in _STEP.finditer(key):
        name, number = step.groups()
        if number is None:
            if not isinstance(whole, dict) or name not in whole:
                said += key[step.start() :]
                break
            whole, own = whole[name], own.get(name) if isinstance(own, dict) else None
            said += f".{name}"
        else:
            if not isinstance(whole, list) or int(number) >= len(whole):
                return complaint
            whole = whole[int(number)]
            place = _place(own, whole)
            own = None if place is None else own[place]
            is_named = place is None and isinstance(whole, dict) and _has_name(whole)
            said += f"[{whole['name'] if is_named else number if place is None else place}]"
        is_section = number is None and said.count(".") == 1 and isinstance(whole, dict)
        if not (theirs or is_section) and own is None and whole is not None:
            away = " or to null" if number is None and isinstance(whole, dict | list) else ""
            theirs = f"; that is by `preset: {tree['preset']}`: set {said[1:]} yourself{away}"
    return f"{said.removeprefix('.')}{colon}{rest}{theirs}"


def _place(own: Any, one: Any) -> int | None:
    """Where a user's own list has what is `one` of the list that was made of it."""
    for place, each in enumerate(own if isinstance(own, list) else ()):
        is_named = isinstance(each, dict) and isinstance(one, dict) and _has_name(each)
        if each == one or (is_named and each["name"] == one.get("name")):
            return place
    return None


def _at(tree: Any, steps: Iterable[str]) -> Any:
    """What stands at the end of some steps, keys and names of a list; None where nothing does."""
    for step in steps:
        if isinstance(tree, dict):
            tree = tree.get(step)
        elif isinstance(tree, list):
            tree = next((one for one in tree if one["name"] == step), None)
        else:
            return None
    return tree


def over(lower: Any, upper: Any, kind: Any = Settings) -> Any:
    """Lay one value over another of the same `kind` (an annotation); the upper one wins.

    - Mappings are laid over each other key by key, those of the upper one first.
    - Lists of things with a `name` likewise, by that name; an empty list takes them all away.
    - Anything else, another list too, takes the place of what is below it.
    - Of keys that exclude each other (`EXCLUSIVE` of a struct) one takes away the rest.
    - Null takes away what is below it, unless null is a value there (`edge_cases.refusal: null`).

    >>> over({"review": {"rate": 0.1, "control": 0.2}}, {"review": {"rate": 0.3}})
    {'review': {'rate': 0.3, 'control': 0.2}}
    >>> over({"checks": {"quote": {}}}, {"checks": {"quote": None, "empty": {}}})
    {'checks': {'quote': None, 'empty': {}}}
    >>> over({"segments": {"site": {"header": "x"}}}, {"segments": {"site": None}})
    {'segments': {}}
    >>> over({"segments": {"a": {"header": "x"}}}, {"segments": {"a": {"query": "y"}}})
    {'segments': {'a': {'query': 'y'}}}
    """
    kind = _kind(kind)
    if isinstance(lower, dict) and isinstance(upper, dict) and _is_mapping(kind):
        exclusive = getattr(kind, "EXCLUSIVE", ())
        if any(upper.get(key) for key in exclusive):
            lower = {key: one for key, one in lower.items() if key in upper or key not in exclusive}
        found: dict[Any, Any] = {}
        for key in [*upper, *(key for key in lower if key not in upper)]:
            inner = _inner(kind, key)
            if key not in upper:
                found[key] = lower[key]
            elif key not in lower:
                found[key] = upper[key]
            elif upper[key] is not None or _may_be_null(inner):
                found[key] = over(lower[key], upper[key], inner)
        return found
    if isinstance(lower, list) and isinstance(upper, list) and upper and _is_named(kind):
        return _by_name(lower, upper, get_args(kind)[0])
    return upper


def _by_name(lower: list[Any], upper: list[Any], kind: Any) -> list[Any]:
    """The lower list with what the upper one says of the same names; then what is new in that."""
    named = {one["name"]: one for one in upper if isinstance(one, dict) and _has_name(one)}
    known = {one["name"] for one in lower}
    found = [over(one, named[one["name"]], kind) if one["name"] in named else one for one in lower]
    return found + [
        one for one in upper if not (isinstance(one, dict) and _has_name(one))
        or one["name"] not in known
    ]  # fmt: skip


def _has_name(one: dict[Any, Any]) -> bool:
    return isinstance(one.get("name"), str)


def _kind(kind: Any) -> Any:
    """An annotation without its bounds, and without the null that may stand there, too."""
    kind = _without_bounds(kind)
    if isinstance(kind, UnionType):
        others = [one for one in get_args(kind) if one is not NoneType]
        return _kind(others[0]) if len(others) == 1 else kind
    return kind


def _without_bounds(kind: Any) -> Any:
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return kind


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _is_mapping(kind: Any) -> bool:
    return _is_struct(kind) or get_origin(kind) is dict


def _is_named(kind: Any) -> bool:
    """Whether it is a list of structs that have a name."""
    if get_origin(kind) is not list:
        return False
    (inner,) = get_args(kind)
    return _is_struct(inner) and "name" in inner.__struct_fields__


def _inner(kind: Any, key: Any) -> Any:
    """The annotation of what stands at a key; `Any` for one that is not there."""
    if not _is_struct(kind):
        return get_args(kind)[1]
    return _fields(kind).get(key, Any)


@functools.lru_cache(maxsize=128)
def _fields(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {one.encode_name: one.type for one in msgspec.structs.fields(kind)}


def _may_be_null(kind: Any) -> bool:
    kind = _without_bounds(kind)
    return kind is Any or (isinstance(kind, UnionType) and NoneType in get_args(kind))


def _answered(found: Layer, answer: Any) -> Layer:
    """A layer in which what was answered stands where the file leaves room for it."""
    if answer is True:
        return found
    choices = tuple(
        Choice(one.steps, _filled(one.value, answer), one.reason) for one in found.choices
    )
    return Layer(found.name, found.about, _filled(found.tree, answer), choices)


def _filled(value: Any, answer: Any) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, answer) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, answer) for each in value]
    return answer if value == GIVEN else value


def _choices(
    node: yaml.Node | None, value: Any, at: tuple[str, ...], lines: list[str], before: str
) -> Iterator[Choice]:
    """The choices at and below a node; `before` is the reason for what it is in."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        for key, each in node.value:
            if key.value != ABOUT:
                why = _reason(lines, key.start_mark.line) or before
                yield from _choices(each, value[key.value], (*at, key.value), lines, why)
    elif isinstance(node, yaml.SequenceNode) and not node.flow_style:
        for each, one in zip(node.value, value, strict=True):
            here, why = (*at, one["name"]), _reason(lines, each.start_mark.line) or before
            if each.flow_style:
                yield Choice(here, one, why)
                continue
            for key, inner in each.value:
                if key.value != "name":
                    there = _reason(lines, key.start_mark.line) or why
                    yield from _choices(inner, one[key.value], (*here, key.value), lines, there)
    else:
        yield Choice(at, value, before)


def _reason(lines: list[str], number: int) -> str:
    """The comment at the end of a line, after those in lines of their own above it."""
    above: list[str] = []
    while number - len(above) > 0 and lines[number - len(above) - 1].lstrip().startswith("#"):
        above.append(lines[number - len(above) - 1])
    said = [*reversed(above), lines[number]]
    return " ".join(one[1].strip() for line in said if (one := _COMMENT.search(line)))
