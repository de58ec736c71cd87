"""The laws of the house: a module's path below monitor/ and its syntax → (line, what is wrong).

Each law is a function; its docstring says what it asks for. `test_house.py` holds every module to all
of them, and knows ways to break each.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

NO_CLOCK = {"time.sleep"}
"""All of `time` that reads no clock."""
CLOCKS = re.compile(
    r"time(\..+)?|datetime|datetime\.(datetime|date)\.(now|utcnow|today)|resource\.getrusage|os\.times"
)
CHANCE = re.compile(
    r"(random|secrets|numpy\.random)(\..+)?|os\.(urandom|getrandom)|uuid|uuid\.uuid[^35]|ssl\.RAND_bytes"
)
TASKS = {"asyncio.create_task", "asyncio.ensure_future", "asyncio.Task"}
PROCESSES = ("app/", "assembly/", "commands/", "demo/", "supervision/")
"""Folders of what runs and is put together: they read clocks, chance and settings."""
SOCKET_FILES = {
    "proxy/side.py", "proxy/splice.py", "proxy/handoff.py", "proxy/listener.py", "proxy/tls.py",
    "streams/redis.py", "recorder/spool.py", "recorder/delivery.py", "recorder/intake.py",
    "turns.py",  # waits for those who want the core
}  # fmt: skip
"""Files that wait for the outside, and read the clock for it."""

IMPORT_BY_NAME = {
    "cli.py",  # its own commands
    "app/supervisor.py",  # the role that is named
    "assembly/modules.py",  # `package.module:NAME` of a setting
    "ner/server.py",  # likewise
    "replay/dask.py",  # an extra, whose types nobody has
    "extras.py",  # hides a library from another one, and loads none
}
"""Files that load a module whose name is a value, or hide one."""

KEYED_BY_TYPES = {"bodies.py"}
"""Where a cache has as many entries as the code has types."""

OWNERS = {
    "tasks.py",  # tells the end of every task that it starts
    "supervision/embedded_store.py",  # its keeper catches whatever a start raises
    "proxy/listener.py",  # one for each connection, which it waits for
}

Faults = Iterator[tuple[int, str]]
Law = Callable[[str, ast.Module], Faults]


@functools.lru_cache(maxsize=4096)
def nodes(module: ast.Module) -> tuple[ast.AST, ...]:
    """All of a module's syntax: each law looks at it anew."""
    return tuple(ast.walk(module))


@functools.lru_cache(maxsize=4096)
def calls(module: ast.Module) -> tuple[tuple[int, str], ...]:
    """(line, what is called as it is written) of every call."""
    return tuple(
        (node.lineno, ".".join(spelt(node.func)) or ast.unparse(node.func))
        for node in nodes(module)
        if isinstance(node, ast.Call)
    )


def every_module_says_what_it_is_for(where: str, module: ast.Module) -> Faults:
    """A module opens with a docstring."""
    if not ast.get_docstring(module):
        yield 1, "no docstring"


FILLER = {
    "a",
    "an",
    "and",
    "by",
    "for",
    "from",
    "in",
    "is",
    "it",
    "its",
    "of",
    "one",
    "the",
    "this",
    "to",
}


def public(node: ast.Module | ast.ClassDef) -> Iterator[Any]:
    """Classes and functions without an underscore, those in classes too."""
    for each in node.body:
        if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if not each.name.startswith("_"):
            yield each
            if isinstance(each, ast.ClassDef):
                yield from public(each)


def docstrings_say_something(where: str, module: ast.Module) -> Faults:
    """Modules, public classes and public functions have one of at least four words, which are not
    only those of the name; what implements an interface may point to it (`See Observer.`)."""
    for node in (module, *public(module)):
        title = getattr(node, "name", Path(where).stem)
        line, said = getattr(node, "lineno", 1), ast.get_docstring(node) or ""
        if re.fullmatch(r"See (\w+\.)*[A-Z]\w+\.", said):
            continue
        words = re.findall(r"\w+", said.lower())
        spelt = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", title).lower())
        if len(words) < 4:
            yield line, f"{title} says nothing: {said!r}"
        elif not set(words) - FILLER - {form for each in spelt for form in (each, f"{each}s")}:
            yield line, f"{title} only repeats its name: {said!r}"


RAISING_IS_SAID = ("protocols/", "queries/", "commands/")
"""Rooms whose interface says for all of their parts what these raise."""


def errors_are_said(where: str, module: ast.Module) -> Faults:
    """Who raises one of our own errors says so in the docstring: its own, or that of its class or
    module."""
    if where.startswith(RAISING_IS_SAID):
        return
    ours = {own for _, what, own in imported(module) if what.startswith("monitor.errors.")}
    if not ours:
        return
    around = {
        each: node for node in (module, *public(module)) for each in ast.iter_child_nodes(node)
    }
    for node in public(module):
        if isinstance(node, ast.ClassDef):
            continue
        made = (one.exc for one in ast.walk(node) if isinstance(one, ast.Raise))
        named = {ast.unparse(one.func if isinstance(one, ast.Call) else one) for one in made if one}
        said = " ".join(ast.get_docstring(one) or "" for one in (node, around[node], module))
        silent = {one for one in named & ours if one not in said}
        if silent and not re.search(r"[Rr]ais(?:e|ing)|See (?:\w+\.)*[A-Z]", said):
            yield node.lineno, f"{node.name} does not say that it raises {', '.join(silent)}"


@functools.lru_cache(maxsize=4096)
def imported(module: ast.Module) -> tuple[tuple[int, str, str], ...]:
    """(line, what is imported with its module, the name it has here) of every import."""
    return tuple(_imported(module))


def _imported(module: ast.Module) -> Iterator[tuple[int, str, str]]:
    for node in nodes(module):
        if isinstance(node, ast.Import):
            for each in node.names:
                top = each.name.partition(".")[0]
                yield node.lineno, each.name, each.asname or each.name
                yield node.lineno, each.name if each.asname else top, each.asname or top
        elif isinstance(node, ast.ImportFrom):
            for each in node.names:
                yield node.lineno, f"{node.module or ''}.{each.name}", each.asname or each.name


def spelt(node: ast.AST) -> list[str]:
    """The names of `a.b.c`; none of what is no such chain."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else []


@functools.lru_cache(maxsize=4096)
def known_as(module: ast.Module) -> dict[str, str]:
    """Names of a module → what they stand for, by imports and by `name = other.name`."""
    known = {here: what for _, what, here in imported(module)}
    given = [each for each in nodes(module) if isinstance(each, ast.Assign)]
    for _ in range(3):  # a name of a name of a name
        for node in given:
            head, *rest = spelt(node.value) or [""]
            for target in node.targets if head in known else ():
                if isinstance(target, ast.Name):
                    known.setdefault(target.id, ".".join([known[head], *rest]))
    return known


@functools.lru_cache(maxsize=4096)
def meant(module: ast.Module) -> tuple[tuple[int, str], ...]:
    """(line, what it stands for, as `monitor.types.Record`) of whatever is used and was imported.

    Types do not count: annotations, aliases such as `list[Record] | None`, and what `isinstance`
    or a pattern compares with. What is in a call does.
    """
    known = known_as(module)
    found: list[tuple[int, str]] = []

    def look(node: ast.AST, is_type: bool, is_given: bool) -> None:
        if chain := spelt(node):
            if chain[0] in known and not is_type:
                line: int = node.lineno  # type: ignore[attr-defined]
                found.append((line, ".".join([known[chain[0]], *chain[1:]])))
            return
        if isinstance(node, ast.Call):
            is_type, is_given = False, True
            if spelt(node.func) in (["isinstance"], ["issubclass"]):
                look(node.args[0], False, True)
                return
        is_union = isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)
        for field, value in ast.iter_fields(node):
            if field in {"annotation", "returns", "cls"}:
                continue
            names_types = is_union or (isinstance(node, ast.Subscript) and field == "slice")
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, ast.AST):
                    look(each, is_type or (names_types and not is_given), is_given)

    look(module, False, False)
    return tuple(found)


def imports_are_written_down(where: str, module: ast.Module) -> Faults:
    """What a module uses stands in its imports, so that no other law, and no import contract, can be
    passed by: no `*`, no module under a name that is a value, none from `sys.modules`."""
    for line, what, _ in imported(module):
        if what.endswith(".*"):
            yield line, f"import of {what}"
    if where in IMPORT_BY_NAME:
        return
    for node in nodes(module):
        if isinstance(node, ast.Call) and spelt(node.func) == ["__import__"]:
            yield node.lineno, "__import__"
    for line, what in meant(module):
        if what.startswith(("importlib.import_module", "sys.modules")):
            yield line, what
    modules = {here for _, what, here in imported(module) if what.rpartition(".")[2].islower()}
    for node in nodes(module):
        if isinstance(node, ast.Call) and spelt(node.func) in (["getattr"], ["vars"]):
            of = ast.unparse(node.args[0])
            if of in {"time", "datetime", "os", "types", "feedback"} and of in modules:
                yield node.lineno, f"{ast.unparse(node)} of a module"


def time_and_chance_are_arguments(where: str, module: ast.Module) -> Faults:
    """Clocks, randomness and tasks are had in the composition root and in socket files only,
    under whatever name they are imported, called or handed on; a module of them is not handed on."""
    if where.startswith(PROCESSES) or where in SOCKET_FILES:
        return

    def reads(what: str) -> bool:
        clock = CLOCKS.fullmatch(what) and what not in NO_CLOCK
        return bool(clock or CHANCE.fullmatch(what)) or what in TASKS

    for line, what, _ in imported(module):
        if reads(what) and what not in {"time", "datetime", "uuid"}:
            yield line, f"import of {what}"
    for line, what in meant(module):
        if reads(what):
            yield line, what
    for node in nodes(module):
        if isinstance(node, ast.Attribute) and node.attr == "time":
            if re.search(r"loop(\(\))?$", ast.unparse(node.value)):
                yield node.lineno, ast.unparse(node)
        elif (
            isinstance(node, ast.Call) and not node.args and ast.unparse(node.func)[-5:] == ".time"
        ):
            yield node.lineno, ast.unparse(node)


def no_task_ends_unseen(where: str, module: ast.Module) -> Faults:
    """Tasks are started by `tasks.own`, or by a file that is known to hear of their end."""
    if where in OWNERS:
        return
    for node in nodes(module):
        if isinstance(node, ast.Attribute) and node.attr in {"create_task", "ensure_future"}:
            yield node.lineno, "a task without an owner"
    for line, what in meant(module):
        if what in TASKS:
            yield line, "a task without an owner"


def what_is_remembered_has_a_bound(where: str, module: ast.Module) -> Faults:
    """Strangers choose what functions are called with: no cache of what they say is without an end,
    and none of Python's own is filled by asking for a codec under a name of theirs."""
    known = known_as(module)

    def stands_for(node: ast.AST) -> str:
        chain = spelt(node) or [""]
        return ".".join([known.get(chain[0], chain[0]), *chain[1:]]).removeprefix("functools.")

    functions = ast.FunctionDef | ast.AsyncFunctionDef
    for node in nodes(module):
        imported_here = isinstance(node, ast.Attribute) or getattr(node, "id", "") in known
        if imported_here and stands_for(node) == "cache" and where not in KEYED_BY_TYPES:
            yield getattr(node, "lineno", 0), "a cache without a bound"
        for decorator in node.decorator_list if isinstance(node, functions) else ():
            if stands_for(decorator) == "lru_cache":
                yield decorator.lineno, "128 is nobody's choice"
            elif stands_for(decorator) == "cache" and where not in KEYED_BY_TYPES:
                yield decorator.lineno, "a cache without a bound"
        if isinstance(node, ast.Call) and stands_for(node.func) == "lru_cache":
            said = [each.value for each in node.keywords if each.arg == "maxsize"] or node.args
            if not said or ast.unparse(said[0]) == "None":
                yield node.lineno, "a cache without a bound that somebody chose"
    for line, what in (*calls(module), *meant(module)):
        asks = what.startswith("codecs.get") or what == "codecs.lookup"
        if asks and where != "recorder/calls.py":  # there, of a closed list
            yield line, what


ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.path.expandvars"}


def settings_are_read_at_the_door(where: str, module: ast.Module) -> Faults:
    """`settings` and the environment belong to `cli`, `commands` and the processes; the chart's schema
    holds that of the settings, and `web` says in a variable what pydantic is not to load."""
    doors = {"cli.py", "deploy/chart.py", "web.py"}
    if where in doors or where.startswith((*PROCESSES, "settings/")):
        return
    for line, what in (
        *((line, what) for line, what, _ in imported(module)),
        *meant(module),
    ):
        at = ".".join(what.split(".")[: 3 if what.startswith("os.path") else 2])
        if at in ENVIRONMENT or at == "monitor.settings":
            yield line, what


MAKES_RECORDS = "privacy/records.py"
READS_RECORDS = {
    "recorder/spool.py",
    "sources/archive.py",
    "sources/records.py",
    "streams/entries.py",
}
"""Files that decode the Records which somebody's privacy step has made."""
CHANGES_RECORDS = {
    "ner/client.py": {"inputs", "outputs", "pseudonyms", "redactions", "continues", "sealed"},
    "recorder/capture.py": {"segments"},
}
"""Who changes which content of a Record: pseudonyms for names, `other` for rare values."""
CONTENT = {
    "continues", "finish_reasons", "inputs", "model", "operation", "outputs", "pseudonyms",
    "redactions", "request", "response", "sealed", "segments", "trace_id",
}  # fmt: skip


SHOWS_SCHEMAS = {"api/openapi.py", "commands/schema.py", "queries/record.py"}
"""Files that hand a struct on so that its JSON Schema can be shown."""


def reads_as(module: ast.Module, nouns: set[str]) -> Faults:
    """Something is decoded as one of these structs, or as a struct of this module that holds one."""
    holders = {
        node.name
        for node in nodes(module)
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).endswith("Struct") for base in node.bases)
        and any(
            isinstance(each, ast.AnnAssign)
            and nouns & set(re.findall(r"\w+", ast.unparse(each.annotation)))
            for each in node.body
        )
    }
    known = known_as(module)
    for node in nodes(module):
        if isinstance(node, ast.Call):
            chain = spelt(node.func) or ["", getattr(node.func, "attr", "")]
            called = ".".join([known.get(chain[0], chain[0]), *chain[1:]]).rpartition(".")[2]
            if called not in {"convert", "decode", "Decoder"}:
                continue
            given = [*node.args, *(each.value for each in node.keywords)]
            names = {known.get(each.id, each.id).rpartition(".")[2] if isinstance(each, ast.Name)
                     else each.attr for one in given for each in ast.walk(one)
                     if isinstance(each, ast.Name | ast.Attribute)}  # fmt: skip
            for noun in sorted(names & (nouns | holders)):
                yield node.lineno, f"something is read as {noun}"


def frozen_values_stay(where: str, module: ast.Module) -> Faults:
    """What flows is frozen, and nobody changes it by the back door."""
    for line, said in calls(module):
        if said.endswith(("force_setattr", "__setattr__", ".__new__")):
            yield line, said
        if re.fullmatch(r"type\(.*record\)|.*record\.__class__", said):
            yield line, f"{said} makes another of its kind"


def only_privacy_makes_records(where: str, module: ast.Module) -> Faults:
    """What is written down went through privacy: nobody else constructs a Record or hands on what
    would, decodes one but where Records are read back, or puts other content into one."""
    if where in {MAKES_RECORDS, "types.py"}:
        return
    known = known_as(module)
    for line, what in (*((line, what) for line, what, _ in imported(module)), *meant(module)):
        if what == "monitor.types.decode_record" and where not in READS_RECORDS:
            yield line, "decodes Records"
    for line, what in meant(module):
        if what == "monitor.types.Record" and where not in SHOWS_SCHEMAS:
            yield line, "a Record may be made"
    yield from reads_as(module, {"Record"})
    for node in nodes(module):
        if not isinstance(node, ast.Call):
            continue
        said = ".".join(spelt(node.func)) or getattr(node.func, "attr", "")
        if said == "Record":
            yield node.lineno, "a Record is made"
        if known.get(said, said).rpartition(".")[2] == "replace" and node.args:
            of = ast.unparse(node.args[0]).rpartition(".")[2]
            changed = {each.arg for each in node.keywords} - CHANGES_RECORDS.get(where, set())
            is_record = of == "record" and changed & {*CONTENT, None}  # None: of a dictionary
            if is_record or changed & {"inputs", "outputs"}:
                yield node.lineno, "a Record gets other content"


MAKES_FEEDBACK = "privacy/statements.py"


def only_privacy_makes_feedback(where: str, module: ast.Module) -> Faults:
    """What somebody said is raw (`Statement`) until privacy has made Feedback of it: nobody else
    constructs one or decodes one but where both nouns are defined, and no Statement is encoded."""
    if where in {MAKES_FEEDBACK, "feedback.py"}:
        return
    for line, what in meant(module):
        if what == "monitor.feedback.Feedback":
            yield line, "Feedback may be made"
        if what.startswith("monitor.feedback._"):
            yield line, f"{what} is for its own file"
    yield from reads_as(module, {"Feedback", "Statement"})
    for node in nodes(module):
        if not isinstance(node, ast.Call):
            continue
        written = ".".join(spelt(node.func)) or getattr(node.func, "attr", "")
        said = known_as(module).get(written, written)
        if said == "Feedback":
            yield node.lineno, "Feedback is made"
        if (
            said.endswith("replace")
            and node.args
            and ast.unparse(node.args[0]).endswith("feedback")
        ):
            yield node.lineno, "Feedback gets other content"
        encodes = re.search(r"(^|\.)(encode|to_builtins|asdict)$", said) and node.args
        if encodes and re.search(r"\b[sS]tatement\b(\(.*)?$", ast.unparse(node.args[0])):
            yield node.lineno, "a Statement is encoded"


def every_python_reads_expressions_alike(where: str, module: ast.Module) -> Faults:
    """No group is possessive: Python before 3.11.5 matches such expressions wrongly (its issue
    106052). An atomic group says the same."""
    for node in nodes(module):
        said = node.value if isinstance(node, ast.Constant) else None
        text = said.decode("latin-1") if isinstance(said, bytes) else said
        if isinstance(text, str) and POSSESSIVE_GROUP.search(text):
            yield node.lineno, "a possessive group"


POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{\d*,?\d*\})\+")

LAWS: list[Law] = [
    every_python_reads_expressions_alike,
    only_privacy_makes_records,
    only_privacy_makes_feedback,
    frozen_values_stay,
    imports_are_written_down,
    every_module_says_what_it_is_for,
    docstrings_say_something,
    errors_are_said,
    time_and_chance_are_arguments,
    no_task_ends_unseen,
    what_is_remembered_has_a_bound,
    settings_are_read_at_the_door,
]
