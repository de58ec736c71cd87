"""The laws of the house that no linter knows."""

from __future__ import annotations

import ast
import functools
import gc
import importlib
import os
import re
import subprocess
import tomllib
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

import monitor
from tests.laws import (
    LAWS,
    Law,
    docstrings_say_something,
    errors_are_said,
    every_module_says_what_it_is_for,
    every_python_reads_expressions_alike,
    frozen_values_stay,
    imports_are_written_down,
    no_task_ends_unseen,
    only_privacy_makes_feedback,
    only_privacy_makes_records,
    public,
    settings_are_read_at_the_door,
    time_and_chance_are_arguments,
    what_is_remembered_has_a_bound,
)

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "monitor").rglob("*.py"))
ROOMS = {
    "protocols": "PROTOCOL", "recognizers": "RECOGNIZER", "features": "FEATURE", "distances": "MEASURE",
    "sources": "SOURCE", "edge_cases": "EDGE_CASE", "checks": "CHECK",
    "notifiers": "NOTIFIER",
}  # fmt: skip
"""Folders of parts of one kind → what each file calls its part."""

LONG = {}
"""Files of more than 600 lines: how many each may have. Entries leave, none come."""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT / "monitor"))


@pytest.fixture(autouse=True, scope="module")
def no_garbage() -> Generator[None]:
    """Syntax trees have no cycles, and are so many objects that to look for some takes seconds: also
    for whatever this process tests afterwards, since they stay."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


tree = functools.cache(parsed)
"""For `SOURCES`, which each law looks at."""


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_every_module_keeps_the_law(law: Law) -> None:
    """The docstring of each law says what it asks for."""
    faults = [
        f"monitor/{name(path)}:{line}: {fault}"
        for path in SOURCES
        for line, fault in law(name(path), tree(path))
    ]
    assert not faults, "\n".join(faults)


def test_app_holds_processes_alone() -> None:
    """Each file there is one that runs (`serve`, `supervise`); what it is made of stands in a room."""
    runs = {
        path.stem: {each.name for each in public(tree(path))} & {"serve", "supervise"}
        for path in SOURCES
        if path.parent.name == "app" and path.stem not in {"__init__", "__main__"}
    }
    assert [one for one, found in runs.items() if not found] == []


HEAD = '"""A module of the tests."""\n'
RAISES = HEAD + "from monitor.errors import StreamError\n"
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
    (only_privacy_makes_records, "from monitor.types import Record as R\nR(id='')"),
    (only_privacy_makes_records, "from monitor.types import Record as R\nmsgspec.convert({}, R)"),
    (only_privacy_makes_records, "import monitor.types as t\nmake = t.Record\nmake(id='')"),
    (only_privacy_makes_records, "from monitor.types import Record\nlist(map(Record, ids))"),
    (only_privacy_makes_records, "from monitor.types import Record\npartial(Record, id='')()"),
    (only_privacy_makes_records, "from monitor.types import Record\nclass Mine(Record): ..."),
    (only_privacy_makes_records, "from monitor.types import Record\nRecord.__new__(Record)"),
    (only_privacy_makes_records, "from msgspec import convert as c\nc({}, types.Record)"),
    (only_privacy_makes_records, "from msgspec.structs import replace as r\nr(record, model=raw)"),
    (only_privacy_makes_records, "import copy\ncopy.replace(record, model=raw)"),
    (
        only_privacy_makes_records,
        "class Page(Struct):\n records: list[Record]\nmsgspec.json.decode(b'', type=Page)",
    ),
    (frozen_values_stay, "msgspec.structs.force_setattr(record, 'model', raw)"),
    (frozen_values_stay, "object.__setattr__(record, 'model', raw)"),
    (frozen_values_stay, "type(record)(id='')"),
    (frozen_values_stay, "entry.record.__class__(id='')"),
    (imports_are_written_down, "from monitor.types import *\nRecord(id='')"),
    (imports_are_written_down, "from monitor import types\ngetattr(types, 'Record')(id='')"),
    (imports_are_written_down, "import importlib\nimportlib.import_module('time').time()"),
    (imports_are_written_down, "from importlib import import_module as load\nload('time')"),
    (imports_are_written_down, "import sys\nsys.modules['time'].time()"),
    (imports_are_written_down, "__import__('time').time()"),
    (imports_are_written_down, "import os\ngetattr(os, 'environ')"),
    (only_privacy_makes_feedback, "Feedback(id='')"),
    (only_privacy_makes_feedback, "from monitor import feedback\nfeedback.Feedback(id='')"),
    (only_privacy_makes_feedback, "msgspec.json.decode(b'', type=list[Feedback])"),
    (only_privacy_makes_feedback, "replace(feedback, label='')"),
    (only_privacy_makes_feedback, "from monitor.feedback import Feedback as F\nF(id='')"),
    (only_privacy_makes_feedback, "from monitor import feedback as f\nmake = f.Feedback\nmake()"),
    (only_privacy_makes_feedback, "from monitor.feedback import Feedback as F\nconvert({}, F)"),
    (only_privacy_makes_feedback, "from monitor import feedback\nfeedback._decode_feedback(b'')"),
    (only_privacy_makes_feedback, "msgspec.json.encode(Statement(id=''))"),
    (only_privacy_makes_feedback, "msgspec.to_builtins(statement)"),
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
    (errors_are_said, RAISES + "def read():\n 'The records of a stream.'\n raise StreamError"),
    (errors_are_said, RAISES + "async def f():\n 'Go on.'\n if x: raise StreamError(y) from None"),
    (
        errors_are_said,
        RAISES + "class A:\n 'One of many.'\n def go(self):\n  raise StreamError('x')",
    ),
    (errors_are_said, "from monitor.errors import ParseError as E\ndef f():\n raise E"),
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
    (time_and_chance_are_arguments, "import time\nf(time)"),
    (time_and_chance_are_arguments, "import time\nclock = time\nclock.time()"),
    (time_and_chance_are_arguments, "import time\ntime.strftime('%Y')"),
    (time_and_chance_are_arguments, "import time\ntime.clock_gettime(0)"),
    (time_and_chance_are_arguments, "import datetime\nd = datetime.datetime\nd.now()"),
    (time_and_chance_are_arguments, "run = asyncio.get_running_loop()\nrun.time()"),
    (time_and_chance_are_arguments, "import numpy as np\nnp.random.default_rng()"),
    (time_and_chance_are_arguments, "from numpy.random import default_rng"),
    (time_and_chance_are_arguments, "import uuid\nuuid.uuid7()"),
    (time_and_chance_are_arguments, "import ssl\nssl.RAND_bytes(3)"),
    (time_and_chance_are_arguments, "import resource\nresource.getrusage(0)"),
    (no_task_ends_unseen, "loop.create_task(f())"),
    (no_task_ends_unseen, "from asyncio import create_task\ncreate_task(f())"),
    (no_task_ends_unseen, "from asyncio import create_task as go\ngo(f())"),
    (no_task_ends_unseen, "start = loop.create_task\nstart(f())"),
    (no_task_ends_unseen, "import asyncio\nasyncio.Task(f())"),
    (what_is_remembered_has_a_bound, "@lru_cache\ndef f(x): ..."),
    (what_is_remembered_has_a_bound, "@functools.lru_cache(maxsize=None)\ndef f(x): ..."),
    (what_is_remembered_has_a_bound, "@functools.cache\ndef f(x): ..."),
    (what_is_remembered_has_a_bound, "@cache\nasync def f(x): ..."),
    (what_is_remembered_has_a_bound, "codecs.getdecoder(label)"),
    (what_is_remembered_has_a_bound, "from codecs import lookup as find\nfind(label)"),
    (what_is_remembered_has_a_bound, "from functools import cache as kept\n@kept\ndef f(x): ..."),
    (what_is_remembered_has_a_bound, "import functools\nf = functools.cache(g)"),
    (
        what_is_remembered_has_a_bound,
        "from functools import lru_cache as kept\n@kept(maxsize=None)\ndef f(x): ...",
    ),
    (what_is_remembered_has_a_bound, "@lru_cache(typed=True)\ndef f(x): ..."),
    (settings_are_read_at_the_door, "from monitor.settings.schema import Settings"),
    (settings_are_read_at_the_door, "from monitor import settings"),
    (settings_are_read_at_the_door, "import monitor.settings.load"),
    (settings_are_read_at_the_door, "import os\nos.environ['X']"),
    (settings_are_read_at_the_door, "from os import environ"),
    (settings_are_read_at_the_door, "import os\nos.getenv('X')"),
    (settings_are_read_at_the_door, "import os as o\no.environ['X']"),
    (settings_are_read_at_the_door, "import os\nos.environb[b'X']"),
    (settings_are_read_at_the_door, "import os\nos.path.expandvars('$X')"),
    (settings_are_read_at_the_door, "import monitor\nmonitor.settings.load"),
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
from monitor.types import Record

Taken = tuple[Record, str] | None

class Seen:
    """Keeps what was seen last."""
    def closed(self):
        """See Observer."""

@lru_cache(maxsize=64)
def _of(record):
    time.sleep(0)
    msgspec.structs.replace(record, started=0.0)
    return record.time, datetime.fromtimestamp(record.time, UTC) if isinstance(record, Record) else 0
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


def claims(module: ast.Module) -> tuple[bool, list[int]]:
    """Whether some test of the file claims something that can be false, and the lines of what
    cannot."""
    said, idle = False, []
    for node in ast.walk(module):
        if isinstance(node, ast.Assert):
            if always_true(node.test):
                idle.append(node.lineno)
            else:
                said = True
        elif isinstance(node, ast.Attribute) and node.attr == "raises":
            said = True
    return said, idle


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
    silent, idle = [], []
    for path in TESTS:
        said, lines = claims(parsed(path))  # forgotten: all of them together take a lot of memory
        if not said:
            silent.append(str(path))
        idle += [f"{path}:{line}" for line in lines]
    assert silent == idle == []
    assert claims(ast.parse("def test_a(): f()")) == (False, [])
    for source in ("assert x or True", "assert (x, 'said')", "assert 'said'"):
        assert claims(ast.parse(source)) == (False, [1]), source
    assert claims(ast.parse("assert x")) == (True, [])
    assert claims(ast.parse("with pytest.raises(ValueError): f()")) == (True, [])


def test_a_port_is_found_in_one_way() -> None:
    """By `free_port`, whose ports no outgoing connection gets before the server is there."""
    faults = [
        f"{path}:{line}"
        for path in [*SOURCES, *(ROOT / "tests").rglob("*.py")]
        if path.name != "ports.py" and "getsockname" in path.read_text(encoding="utf-8")
        for line in ports_of_the_kernel(parsed(path))
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


def test_what_is_started_as_a_module_can_be() -> None:
    """By the product, tests and benchmarks."""
    named = {
        name
        for path in [
            *SOURCES,
            *(ROOT / "tests").rglob("*.py"),
            *(ROOT / "dashboards").rglob("*.py"),
        ]
        for name in re.findall(
            r'"-m",\s+"((?:monitor|tests|dashboards)[.\w]*)"', path.read_text("utf-8")
        )
    }
    assert "monitor" in named
    for name in named:
        place = ROOT / name.replace(".", "/")
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), name


def test_make_installs_where_it_works_whoever_installs(tmp_path: Path) -> None:
    """Not in the environment in which it is called: uv would ask VIRTUAL_ENV and others first."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    for what in (".demo", ".dev"):
        told = subprocess.run(
            ["make", "--silent", f"VENV={tmp_path}", "PIP=printenv UV_PYTHON; :", tmp_path / what],
            cwd=ROOT, env={**os.environ, "UV_PYTHON": "another"}, check=True, capture_output=True, text=True,
        )  # fmt: skip
        assert told.stdout.splitlines()[-1] == str(tmp_path / "bin" / "python")


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
