"""The laws of the house that no linter knows."""

from __future__ import annotations

import ast
import functools
import importlib
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import monitor

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "monitor").rglob("*.py"))
ROOMS = {
    "protocols": "PROTOCOL", "recognizers": "RECOGNIZER", "features": "FEATURE", "distances": "MEASURE",
    "sources": "SOURCE", "edge_cases": "EDGE_CASE", "checks": "CHECK",
    "notifiers": "NOTIFIER",
}  # fmt: skip
"""Folders of parts of one kind → what each file calls its part."""

CLOCKS = {
    "time": {"time", "monotonic", "perf_counter", "process_time", "thread_time", "time_ns", "monotonic_ns",
             "perf_counter_ns"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "os": {"urandom", "getrandom"},
    "uuid": {"uuid1", "uuid4"},
    "asyncio": {"create_task", "ensure_future"},
}  # fmt: skip
CHANCE = {"random", "secrets"}
SOCKET_FILES = {
    "proxy/splice.py", "proxy/handoff.py", "proxy/listener.py", "proxy/tls.py", "streams/redis.py",
    "recorder/spool.py", "recorder/delivery.py", "recorder/intake.py",
    "turns.py",  # waits for those who want the core
}  # fmt: skip
"""Files that wait for the outside, and read the clock for it."""

KEYED_BY_TYPES = {"bodies.py"}
"""Where a cache has as many entries as the code has types."""

OWNERS = {
    "tasks.py",  # tells the end of every task that it starts
    "supervision/embedded_store.py",  # its keeper catches whatever a start raises
    "proxy/listener.py",  # one for each connection, which it waits for
}

LONG = {}
"""Files of more than 600 lines: how many each may have. Entries leave, none come."""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT / "monitor"))


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


# --- laws: (a module's path below monitor/, its syntax) → (line, what is wrong) ------------------

Faults = Iterator[tuple[int, str]]
Law = Callable[[str, ast.Module], Faults]


def calls(module: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, what is called as it is written) of every call."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


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


def imported(module: ast.Module) -> Iterator[tuple[int, str, str, str]]:
    """(line, module, what of it or nothing, the name it has here) of every import."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for each in node.names:
                yield node.lineno, each.name, "", each.asname or each.name
        elif isinstance(node, ast.ImportFrom):
            for each in node.names:
                yield node.lineno, node.module or "", each.name, each.asname or each.name


def time_and_chance_are_arguments(where: str, module: ast.Module) -> Faults:
    """Clocks, randomness and tasks are had in the composition root and in socket files only,
    under whatever name they are imported, called or handed on."""
    if (
        where.startswith(("app/", "assembly/", "commands/", "demo/", "supervision/"))
        or where in SOCKET_FILES
    ):
        return
    known: dict[str, str] = {}
    for line, source, what, here in imported(module):
        known[here] = what or source
        if source in CHANCE or what in CLOCKS.get(source, ()):
            yield line, f"import of {source} {what}"
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute):
            of = ast.unparse(node.value)
            head, dot, rest = of.partition(".")
            meant = (known.get(head, "") + dot + rest).rpartition(".")[2]
            if head in known and node.attr in CLOCKS.get(meant, ()):
                yield node.lineno, f"{of}.{node.attr}"
            if node.attr == "time" and re.search(r"loop(\(\))?$", of):
                yield node.lineno, f"{of}.time"


def no_task_ends_unseen(where: str, module: ast.Module) -> Faults:
    """Tasks are started by `tasks.own`, or by a file that is known to hear of their end."""
    for line, said in calls(module):
        if said.rpartition(".")[2] in {"create_task", "ensure_future"} and where not in OWNERS:
            yield line, "a task without an owner"


def what_is_remembered_has_a_bound(where: str, module: ast.Module) -> Faults:
    """Strangers choose what functions are called with: no cache of what they say is without an end,
    and none of Python's own is filled by asking for a codec under a name of theirs."""
    for node in ast.walk(module):
        functions = ast.FunctionDef | ast.AsyncFunctionDef
        for decorator in node.decorator_list if isinstance(node, functions) else ():
            said = ast.unparse(decorator).removeprefix("functools.")
            if said in {"lru_cache", "lru_cache()"}:
                yield decorator.lineno, "128 is nobody's choice"
            endless = said in {"cache", "lru_cache(None)", "lru_cache(maxsize=None)"}
            if endless and where not in KEYED_BY_TYPES:
                yield decorator.lineno, "a cache without a bound"
    for line, said in calls(module):
        asks = said.startswith("codecs.get") or said == "codecs.lookup"
        if asks and where != "recorder/calls.py":  # there, of a closed list
            yield line, said


def settings_are_read_at_the_door(where: str, module: ast.Module) -> Faults:
    """`settings` and the environment belong to `cli`, `commands` and the processes; the chart's schema
    holds that of the settings."""
    if where in {"cli.py", "deploy/chart.py"} or where.startswith(
        ("app/", "assembly/", "commands/", "demo/", "settings/", "supervision/")
    ):
        return
    for line, source, what, _ in imported(module):
        whole = f"{source}.{what}"
        if f"{whole}.".startswith("monitor.settings.") or whole in {"os.environ", "os.getenv"}:
            yield line, f"import of {whole}"
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}:
            yield node.lineno, ast.unparse(node)


MAKES_RECORDS = "privacy/records.py"
READS_RECORDS = {
    "recorder/spool.py",
    "sources/archive.py",
    "sources/records.py",
    "streams/entries.py",
}
"""Files that decode the Records which somebody's privacy step has made."""
CHANGES_RECORDS = {
    "app/ner_client.py": {"inputs", "outputs", "pseudonyms", "redactions", "continues", "sealed"},
    "recorder/capture.py": {"segments"},
}
"""Who changes which content of a Record: pseudonyms for names, `other` for rare values."""
CONTENT = {
    "continues", "finish_reasons", "inputs", "model", "operation", "outputs", "pseudonyms",
    "redactions", "request", "response", "sealed", "segments", "trace_id",
}  # fmt: skip


def only_privacy_makes_records(where: str, module: ast.Module) -> Faults:
    """What is written down went through privacy: nobody else constructs a Record, decodes one but
    where Records are read back, or puts other content into one."""
    for line, source, what, _ in imported(module):
        if (source, what) == ("monitor.types", "decode_record") and where not in READS_RECORDS:
            yield line, "decodes Records"
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or where in {MAKES_RECORDS, "types.py"}:
            continue
        said = ast.unparse(node.func).rpartition(".")[2]
        if said == "Record":
            yield node.lineno, "a Record is made"
        if said == "decode_record" and where not in READS_RECORDS:
            yield node.lineno, "decodes Records"
        given = [*node.args, *(each.value for each in node.keywords)]
        if said in {"convert", "decode", "Decoder"}:
            names = {ast.unparse(each).rpartition(".")[2] for one in given for each in ast.walk(one)
                     if isinstance(each, ast.Name | ast.Attribute)}  # fmt: skip
            if "Record" in names:
                yield node.lineno, "something is read as a Record"
        if said == "replace" and node.args:
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
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        said = ast.unparse(node.func).rpartition(".")[2]
        if said == "Feedback":
            yield node.lineno, "Feedback is made"
        given = [*node.args, *(each.value for each in node.keywords)]
        names = {ast.unparse(each).rpartition(".")[2] for one in given for each in ast.walk(one)
                 if isinstance(each, ast.Name | ast.Attribute)}  # fmt: skip
        if said in {"convert", "decode", "Decoder"} and names & {"Feedback", "Statement"}:
            yield node.lineno, "something is read as Feedback"
        if said == "replace" and node.args and ast.unparse(node.args[0]).endswith("feedback"):
            yield node.lineno, "Feedback gets other content"


def every_python_reads_expressions_alike(where: str, module: ast.Module) -> Faults:
    """No group is possessive: Python before 3.11.5 matches such expressions wrongly (its issue
    106052). An atomic group says the same."""
    for node in ast.walk(module):
        said = node.value if isinstance(node, ast.Constant) else None
        text = said.decode("latin-1") if isinstance(said, bytes) else said
        if isinstance(text, str) and POSSESSIVE_GROUP.search(text):
            yield node.lineno, "a possessive group"


POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{\d*,?\d*\})\+")

LAWS: list[Law] = [
    every_python_reads_expressions_alike,
    only_privacy_makes_records,
    only_privacy_makes_feedback,
    every_module_says_what_it_is_for,
    docstrings_say_something,
    time_and_chance_are_arguments,
    no_task_ends_unseen,
    what_is_remembered_has_a_bound,
    settings_are_read_at_the_door,
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_every_module_keeps_the_law(law: Law) -> None:
    """The docstring of each law says what it asks for."""
    faults = [
        f"monitor/{name(path)}:{line}: {fault}"
        for path in SOURCES
        for line, fault in law(name(path), tree(path))
    ]
    assert not faults, "\n".join(faults)


HEAD = '"""A module of the tests."""\n'
BROKEN: list[tuple[Law, str]] = [
    (every_python_reads_expressions_alike, "re.compile(r'(?:a|b)*+c')"),
    (every_python_reads_expressions_alike, "rb'(?:a' + rb'){1,3}+'"),
    (every_python_reads_expressions_alike, "x = '(a)?+'"),
    (only_privacy_makes_records, "Record(id='')"),
    (only_privacy_makes_records, "from monitor import types\ntypes.Record(id='')"),
    (only_privacy_makes_records, "from monitor.types import decode_record as read"),
    (only_privacy_makes_records, "from monitor import types\ntypes.decode_record(b'')"),
    (only_privacy_makes_records, "msgspec.convert({}, Record)"),
    (only_privacy_makes_records, "msgspec.json.decode(b'', type=list[types.Record])"),
    (only_privacy_makes_records, "msgspec.msgpack.Decoder(Record)"),
    (only_privacy_makes_records, "msgspec.structs.replace(record, model=raw)"),
    (only_privacy_makes_records, "replace(entry.record, **changes)"),
    (only_privacy_makes_records, "replace(other, outputs=[])"),
    (only_privacy_makes_feedback, "Feedback(id='')"),
    (only_privacy_makes_feedback, "from monitor import feedback\nfeedback.Feedback(id='')"),
    (only_privacy_makes_feedback, "msgspec.json.decode(b'', type=list[Feedback])"),
    (only_privacy_makes_feedback, "replace(feedback, label='')"),
    (every_module_says_what_it_is_for, "x = 1"),
    (docstrings_say_something, ""),
    (docstrings_say_something, '""".""" '),
    (docstrings_say_something, '"""Some of the some."""'),
    (docstrings_say_something, HEAD + "def close():\n 'Close it.'"),
    (docstrings_say_something, HEAD + "def close():\n 'See elsewhere.'"),
    (docstrings_say_something, HEAD + "class Point: ..."),
    (docstrings_say_something, HEAD + "class A:\n 'One of many here.'\n def go(self): ..."),
    (docstrings_say_something, HEAD + "class FirstPoint: 'The first point of it.'"),
    (docstrings_say_something, HEAD + "async def read_row(): 'Reads the row of rows.'"),
    (time_and_chance_are_arguments, "import time\ntime.time()"),
    (time_and_chance_are_arguments, "import time as t\nt.monotonic()"),
    (time_and_chance_are_arguments, "import time\ndef f(clock=time.time): ..."),
    (time_and_chance_are_arguments, "from time import monotonic"),
    (time_and_chance_are_arguments, "from time import perf_counter as now"),
    (time_and_chance_are_arguments, "import datetime\ndatetime.datetime.now()"),
    (time_and_chance_are_arguments, "import datetime as dt\ndt.date.today()"),
    (time_and_chance_are_arguments, "from datetime import datetime as d\nd.utcnow()"),
    (time_and_chance_are_arguments, "from datetime import date\ndate.today()"),
    (time_and_chance_are_arguments, "import asyncio\nasyncio.get_running_loop().time()"),
    (time_and_chance_are_arguments, "def f(self): return self._loop.time"),
    (time_and_chance_are_arguments, "import asyncio\nasyncio.create_task(f())"),
    (time_and_chance_are_arguments, "from os import urandom"),
    (time_and_chance_are_arguments, "import uuid\nuuid.uuid4()"),
    (time_and_chance_are_arguments, "import random\nrandom.Random(1)"),
    (time_and_chance_are_arguments, "from secrets import token_hex"),
    (no_task_ends_unseen, "loop.create_task(f())"),
    (no_task_ends_unseen, "from asyncio import create_task\ncreate_task(f())"),
    (what_is_remembered_has_a_bound, "@lru_cache\ndef f(x): ..."),
    (what_is_remembered_has_a_bound, "@functools.lru_cache(maxsize=None)\ndef f(x): ..."),
    (what_is_remembered_has_a_bound, "@functools.cache\ndef f(x): ..."),
    (what_is_remembered_has_a_bound, "@cache\nasync def f(x): ..."),
    (what_is_remembered_has_a_bound, "codecs.getdecoder(label)"),
    (settings_are_read_at_the_door, "from monitor.settings.schema import Settings"),
    (settings_are_read_at_the_door, "from monitor import settings"),
    (settings_are_read_at_the_door, "import monitor.settings.load"),
    (settings_are_read_at_the_door, "import os\nos.environ['X']"),
    (settings_are_read_at_the_door, "from os import environ"),
    (settings_are_read_at_the_door, "import os\nos.getenv('X')"),
]


@pytest.mark.parametrize(("law", "source"), BROKEN)
def test_a_broken_law_is_seen(law: Law, source: str) -> None:
    """Each way around it that somebody has taken, or may take."""
    assert list(law("privacy/some.py", ast.parse(source)))


KEPT = '''
"""Record → its time, as it came."""
from functools import lru_cache
from datetime import datetime, UTC
import time

class Seen:
    """Keeps what was seen last."""
    def closed(self):
        """See Observer."""

@lru_cache(maxsize=64)
def _of(record):
    time.sleep(0)
    msgspec.structs.replace(record, started=0.0)
    return record.time, datetime.fromtimestamp(record.time, UTC), time.strftime("%Y")
'''


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_what_keeps_a_law_is_not_blamed(law: Law) -> None:
    """Names that look like a clock's, a pointer to an interface, a cache with an end."""
    assert list(law("privacy/some.py", ast.parse(KEPT))) == []


# --- laws of files and folders -------------------------------------------------------------------


def too_long(lengths: dict[str, int], allowed: dict[str, int]) -> Iterator[str]:
    """Files of more than 600 lines, and entries of `allowed` that are needed no longer."""
    for path, lines in lengths.items():
        if lines > allowed.get(path, 600):
            yield f"{path} has {lines} lines; one file is about one thing"
    for path in allowed:
        if lengths.get(path, 0) <= 600:
            yield f"{path} may leave the list of long files"


def too_deep(path: str) -> bool:
    """A room, and a file in it; a room within a room under `analysis` only."""
    return path.count("/") > (2 if path.startswith("analysis/") else 1)


def always_true(claim: ast.expr) -> bool:
    """A constant, a tuple that holds something, or either of them behind `or`."""
    if isinstance(claim, ast.BoolOp) and isinstance(claim.op, ast.Or):
        return any(map(always_true, claim.values))
    if isinstance(claim, ast.Tuple | ast.List | ast.Set):
        return bool(claim.elts)
    return isinstance(claim, ast.Constant) and bool(claim.value)


def asserts(module: ast.Module) -> bool:
    """Whether some test of the file claims something that can be false."""
    return any(
        (isinstance(node, ast.Assert) and not always_true(node.test))
        or (isinstance(node, ast.Attribute) and node.attr == "raises")
        for node in ast.walk(module)
    )


def ports_of_the_kernel(module: ast.Module) -> Iterator[int]:
    """Lines where a socket is there to tell a free port, and closed before a server takes it: by
    then it may be any connection's."""
    for block in ast.walk(module):
        if isinstance(block, ast.With) and "socket." in ast.unparse(block.items[0]):
            said = [ast.unparse(each) for each in block.body]
            if "getsockname" in said[-1] and all(".bind(" in each for each in said[:-1]):
                yield block.lineno


TESTS = sorted(path for path in (ROOT / "tests").rglob("test_*.py") if "bench" not in path.parts)


def test_no_file_is_long() -> None:
    """600 lines are the most, but for those of a list that only gets shorter."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in ("monitor", "tests", "dashboards")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert list(too_long(lengths, LONG)) == []
    assert list(too_long({"a.py": 601, "b.py": 600, "c.py": 701}, {"b.py": 650, "c.py": 700})) == [
        "a.py has 601 lines; one file is about one thing",
        "c.py has 701 lines; one file is about one thing",
        "b.py may leave the list of long files",
    ]


def test_no_folder_is_deep() -> None:
    """A file is found by two names, under `analysis` by three."""
    assert [name(path) for path in SOURCES if too_deep(name(path))] == []
    assert [path for path in ("a.py", "proxy/a.py", "analysis/drift/a.py") if too_deep(path)] == []
    assert too_deep("proxy/http/a.py")
    assert too_deep("analysis/drift/more/a.py")


def test_every_test_file_asserts_something() -> None:
    """And nothing is asserted that cannot be false."""
    assert [str(path) for path in TESTS if not asserts(tree(path))] == []
    idle = [
        f"{path}:{node.lineno}"
        for path in TESTS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Assert) and always_true(node.test)
    ]
    assert idle == []
    for source in ("def test_a(): f()", "assert x or True", "assert (x, 'said')", "assert 'said'"):
        assert not asserts(ast.parse(source)), source
    assert asserts(ast.parse("assert x"))
    assert asserts(ast.parse("with pytest.raises(ValueError): f()"))


def test_a_port_is_found_in_one_way() -> None:
    """By `free_port`, whose ports no outgoing connection gets before the server is there."""
    faults = [
        f"{path}:{line}"
        for path in [*SOURCES, *(ROOT / "tests").rglob("*.py")]
        if path.name != "ports.py"
        for line in ports_of_the_kernel(tree(path))
    ]
    assert faults == []
    head = "def f():\n with socket.socket() as probe:\n  probe.bind(('', 0))\n  "
    for source in ("return int(probe.getsockname()[1])", "port = probe.getsockname()[1]\n g(port)"):
        assert list(ports_of_the_kernel(ast.parse(head + source))), source
    assert not list(ports_of_the_kernel(ast.parse(head + "g(probe.getsockname()[1])\n  wait()")))


@pytest.mark.parametrize(("room", "constant"), ROOMS.items())
def test_every_file_of_a_room_is_listed(room: str, constant: str) -> None:
    """A part that stands in a room's folder stands in a tuple of the room too."""
    package = importlib.import_module(f"monitor.{room}")
    listed = [part for each in vars(package).values() if isinstance(each, tuple) for part in each]
    for path in (ROOT / "monitor" / room).glob("*.py"):
        if path.stem == "__init__":
            continue
        module = importlib.import_module(f"monitor.{room}.{path.stem}")
        assert any(getattr(module, constant, None) is part for part in listed), (
            f"monitor/{room}/{path.name}: give it a {constant}, then import the module in "
            f"monitor/{room}/__init__.py and name {path.stem}.{constant} in a tuple there"
        )


def test_the_version_is_in_the_changelog() -> None:
    """A release is described before it is made."""
    assert f"## {monitor.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_what_make_installs_is_pinned() -> None:
    """Every direct dependency has a lower bound, and a pin in constraints.txt."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    for requirement in wanted:
        if requirement.startswith("monitor-sidecar"):
            continue
        plain = requirement.split("[")[0].split(">")[0].split("=")[0].strip()
        assert ">=" in requirement or "==" in requirement, requirement
        assert plain.lower().replace("_", "-") in pins, f"{plain} has no pin"
