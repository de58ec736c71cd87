"""The laws of the house that no linter knows."""

from __future__ import annotations

import ast
import importlib
import tomllib
from pathlib import Path

import pytest

import monitor

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "monitor").rglob("*.py"))
ROOMS = {
    "protocols": "PROTOCOL", "recognizers": "RECOGNIZER", "features": "FEATURE", "distances": "MEASURE",
}  # fmt: skip
"""Folders of parts of one kind → what each file calls its part."""

CLOCKS = {
    ("time", "time"), ("time", "monotonic"), ("time", "perf_counter"), ("time", "time_ns"),
    ("datetime", "now"), ("datetime", "utcnow"), ("os", "urandom"), ("uuid", "uuid4"),
    ("asyncio", "create_task"), ("asyncio", "ensure_future"),
}  # fmt: skip
SOCKET_FILES = {
    "proxy/splice.py", "proxy/handoff.py", "streams/redis.py", "recorder/spool.py", "supervision/embedded_store.py",
}  # fmt: skip

KEYED_BY_TYPES = {"bodies.py"}
"""Where a cache has as many entries as the code has types."""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT / "monitor"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    """A module opens with a docstring."""
    assert ast.get_docstring(tree(path)), f"{name(path)} has no docstring"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_time_and_chance_are_arguments(path: Path) -> None:
    """Clocks, randomness and tasks are called in the composition root and socket files only."""
    where = name(path)
    if where.startswith(("app/", "commands/", "demo/", "supervision/")) or where in SOCKET_FILES:
        return
    calls = {
        (node.func.value.id, node.func.attr)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
    }
    assert not calls & CLOCKS


OWNERS = {
    "tasks.py",  # tells the end of every task that it starts
    "supervision/embedded_store.py",  # its keeper catches whatever a start raises
    "proxy/listener.py",  # one for each connection, which it waits for
}


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_task_ends_unseen(path: Path) -> None:
    """Tasks are started by `tasks.own`, or by a file that is known to hear of their end."""
    started = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"create_task", "ensure_future"}
    ]
    assert not started or name(path) in OWNERS, f"a task without an owner: {name(path)}:{started}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_what_is_remembered_has_a_bound(path: Path) -> None:
    """Strangers choose what functions are called with: no cache of what they say is without an end,
    and none of Python's own is filled by asking for a codec under a name of theirs."""
    for node in ast.walk(tree(path)):
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            said = ast.unparse(decorator)
            assert said not in {"lru_cache", "lru_cache()"}, "128 is nobody's choice"
            assert said not in {"cache", "functools.cache"} or name(path) in KEYED_BY_TYPES
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            said = ast.unparse(node.func)
            if said.startswith("codecs.get") or said == "codecs.lookup":
                assert name(path) == "recorder/calls.py", "there, of a closed list"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_privacy_makes_records(path: Path) -> None:
    """What is written down went through privacy: nobody else constructs a Record."""
    made = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == "Record")
            or (isinstance(node.func, ast.Attribute) and node.func.attr == "Record")
        )
    ]
    assert not made or name(path) == "privacy/records.py", f"Record made in {name(path)}:{made}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_settings_are_read_at_the_door(path: Path) -> None:
    """`settings` and the environment belong to `cli`, `commands` and the processes."""
    where = name(path)
    if where == "cli.py" or where.startswith(
        ("app/", "commands/", "demo/", "settings/", "supervision/")
    ):
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith("monitor.settings")
        if isinstance(node, ast.Attribute):
            assert not (
                node.attr == "environ"
                and isinstance(node.value, ast.Name)
                and node.value.id == "os"
            )


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


ELSEWHERE = {
    "settings/addresses.py": "settings/test_load.py",
    "supervision/child.py": "supervision/test_answers.py",
    "supervision/listeners.py": "app/test_check.py",
    "supervision/unix_server.py": "supervision/test_control.py",
    "app/ner_server.py": "app/test_ner_client.py",
    "app/pages.py": "end_to_end/test_keepers.py",
    "app/build.py": "test_cli.py",
    "app/proxy.py": "end_to_end/test_spine.py",
    "app/recorder.py": "end_to_end/test_faults.py",
    "app/sources.py": "commands/test_replay.py",
    "bodies.py": "protocols/test_generic_json.py",
    "recorder/label_limiter.py": "test_meters.py",
    "chat.py": "protocols/test_openai_chat.py",
    "analysis/checkpoint.py": "app/test_analyzer.py",
    "demo/models.py": "demo/test_run.py",
    "demo/screen.py": "demo/test_run.py",
    "demo/traffic.py": "demo/test_run.py",
    "metrics.py": "dashboards/test_dashboard.py",
    "proxy/chunked.py": "proxy/test_http1_fast_path.py",
    "proxy/copies.py": "proxy/test_http1_fast_path.py",
    "proxy/heads.py": "proxy/test_http1_fast_path.py",
    "proxy/listener.py": "proxy/test_splice.py",
    "proxy/frames.py": "proxy/test_http2.py",
    "proxy/hangups.py": "proxy/test_splice.py",
    "proxy/http1_parser.py": "proxy/test_http1_fast_path.py",
    "proxy/ids.py": "proxy/test_handoff.py",
    "proxy/outcomes.py": "proxy/test_http2.py",
    "settings/validation.py": "settings/test_load.py",
    "zstd.py": "recorder/test_calls.py",
}
"""What is best tested where it is used."""

DECLARATIONS = {"errors.py", "interfaces.py", "settings/schema.py", "types.py", "proxy/observer.py"}


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_tests_mirror_the_source(path: Path) -> None:
    """Each module has its test file, or a stated place where it is tested."""
    where = name(path)
    if path.stem in {"__init__", "__main__"} or where in DECLARATIONS:
        return
    if where.startswith("recognizers/"):
        where = "recognizers/recognizers.py"  # each by its own examples and counterexamples
    mirror = str(Path(where).parent / f"test_{Path(where).name}")
    expected = ELSEWHERE.get(where, mirror)
    assert (ROOT / "tests" / expected).exists(), (
        f"monitor/{name(path)}: write its tests in tests/{expected}, or say in ELSEWHERE "
        "(tests/test_house.py) where it is tested"
    )
