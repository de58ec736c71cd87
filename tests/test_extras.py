"""Without an extra: one line that says how to install it, and no traceback."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from monitor.extras import without

ROOT = Path(__file__).parent.parent

MODULES = {
    "demo": ["openai", "httpx", "sklearn"],
    "replay": ["pandas", "pyarrow", "evidently", "python_calamine", "fsspec"],
    "dask": ["dask", "distributed"],
    "ner": ["spacy"],
    "embed": ["model2vec", "safetensors", "tokenizers"],
    "dp": ["opendp"],
    "grpc": ["grpc"],
}

NAMED: list[tuple[str, list[str], str]] = [
    ("demo", ["demo"], "monitor demo"),
    ("replay", ["replay", "{}/t.parquet"], "t.parquet: Parquet"),
    ("replay", ["replay", "{}/t.csv", "--evidently", "{}/e"], "--evidently"),
    ("replay", ["replay", "{}/t.xls"], "t.xls: Excel"),
    ("dask", ["replay", "{}/t.csv", "--reference", "{}/t.csv", "--engine", "dask"], "dask"),
    ("ner", ["check", "--config", "{}/ner.yaml"], "privacy.ner.model: 'en_core_web_sm'"),
    ("embed", ["check", "--config", "{}/embed.yaml"], "drift.embed"),
    ("dp", ["check", "--config", "{}/dp.yaml"], "privacy.differential.epsilon"),
    ("grpc", ["check", "--config", "{}/grpc.yaml"], "otlp.protocol: grpc"),
]
"""The extra, what needs it, and what the sentence begins with."""
ASK = """
for command in {}:
    try:
        code = main(command)
    except SystemExit as end:
        code = end.code
    print("ended", code, file=sys.stderr, flush=True)
"""


def run(missing: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a process where some modules cannot be imported."""
    return run_program(missing, f"sys.exit(main({list(arguments)!r}))")


def run_program(missing: list[str], then: str) -> subprocess.CompletedProcess[str]:
    """The same with any lines that call `main`."""
    program = f"import sys; sys.modules.update(dict.fromkeys({missing!r})); from monitor.cli import main\n"
    return subprocess.run(
        [sys.executable, "-c", program + then],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


def test_each_extra_is_named(tmp_path: Path) -> None:
    """The same sentence for each of them, where none of them is installed."""
    where = f"data: {tmp_path}/d\nlisten: 127.0.0.1:0\nadmin: 127.0.0.1:0\n"
    where += "upstream: http://127.0.0.1:9\n"
    for name, settings in (
        ("ner", "privacy: {ner: {model: en_core_web_sm}}"),
        ("embed", f"drift: {{embed: {tmp_path}}}"),
        ("dp", "privacy: {differential: {epsilon: 1}}"),
        ("grpc", "otlp: {endpoint: 'http://127.0.0.1:9', protocol: grpc}"),
    ):
        (tmp_path / f"{name}.yaml").write_text(where + settings)
    (tmp_path / "t.csv").write_text("a\n1\n2\n")
    (tmp_path / "t.parquet").write_bytes(b"PAR1PAR1")
    (tmp_path / "t.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    every = [name for names in MODULES.values() for name in names]
    commands = [[one.format(tmp_path) for one in arguments] for _, arguments, _ in NAMED]
    done = run_program(every, ASK.format(commands))
    assert (done.returncode, done.stdout) == (0, "")
    told = re.split(r"^ended (\d+)\n", done.stderr, flags=re.MULTILINE)
    assert told.pop() == ""
    assert told[1::2] == ["2"] * len(NAMED)
    for (extra, _, what), said in zip(NAMED, told[::2], strict=True):
        (line,) = said.splitlines()
        assert what in line
        assert line.endswith(
            f": install what it needs: in a clone of monitor, pip install '.[{extra}]'"
        )


def test_an_extra_is_named_where_the_others_are_there(tmp_path: Path) -> None:
    """What is missing is that one alone."""
    (tmp_path / "t.csv").write_text("a\n1\n2\n")
    table = str(tmp_path / "t.csv")
    done = run(MODULES["dask"], "replay", table, "--reference", table, "--engine", "dask")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.endswith(": install what it needs: in a clone of monitor, pip install '.[dask]'")


def test_the_commands_need_no_extra() -> None:
    """Every page of help is printed without any of them."""
    every = [name for names in MODULES.values() for name in names]
    commands = ("run", "replay", "records", "keys", "reveal", "reference", "demo", "files")
    ask = """
for command in {}:
    try:
        code = main([command, "--help"])
    except SystemExit as end:
        code = end.code
    print("ended", command, code or 0)
"""
    done = run_program(every, ask.format(commands))
    assert (done.returncode, done.stderr) == (0, "")
    ended = [line for line in done.stdout.splitlines() if line.startswith("ended ")]
    assert ended == [f"ended {command} 0" for command in commands]
    for command in commands:
        assert f"monitor {command}" in done.stdout


def test_a_replay_of_a_table_of_numbers_imports_no_more_than_it_needs(tmp_path: Path) -> None:
    """Its start is what a small table costs."""
    import pyarrow as pa
    import pyarrow.parquet

    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(
        pa.table({"x": [float(n % 7) for n in range(200)], "y": [*range(200)]}), path
    )
    program = (
        f"import sys; from monitor.cli import main; main(['replay', {str(path)!r}]); "
        "print(sorted(sys.modules.keys() & {'pandas', 'redis', 'uvloop', 'evidently', 'dask'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=200, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def brought() -> set[str]:
    """The distributions that the package brings without any extra, by their normal names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: set[str] = set()
    waiting = [(Requirement(one), {""}) for one in project["dependencies"]]
    while waiting:
        one, asked = waiting.pop()
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in asked):
            found.add(canonicalize_name(one.name))
            needs = map(Requirement, metadata.requires(one.name) or ())
            waiting += [(each, {"", *one.extras}) for each in needs]
    return found


def test_the_roles_need_nothing_but_what_the_package_brings() -> None:
    """Each process can be imported where only the dependencies are installed, as in the image; what
    the libraries import themselves is among it."""
    ours, extras = brought(), {name for names in MODULES.values() for name in names}
    tops: dict[bool, set[str]] = {True: set(), False: extras}
    for one in metadata.distributions():
        # `one.files` reads the digests of all files, too.
        tops[canonicalize_name(one.name) in {*ours, "monitor-sidecar"}] |= {
            first.partition(".")[0]
            for first in re.findall(
                r"^(?!\.\.)([^/,\n]+?)(?:/[^,\n]*)?(?<=\.py|\.so),",
                one.read_text("RECORD") or "",
                re.MULTILINE,
            )
        }
    others = sorted(tops[False] - tops[True])  # several share a name, as `google`
    assert "pytest" in others
    roles = (
        "supervisor",
        "proxy",
        "recorder",
        "analyzer",
        "archiver",
        "notifier",
        "pages",
        "injector",
    )
    parts = [*(f"monitor.app.{role}" for role in roles), "monitor.commands.replay"]
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({others!r})); import {', '.join(parts)}"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_is_left_out_is_not_found_meanwhile() -> None:
    """Unless it is loaded already; afterwards it is as before."""
    sys.modules.pop("this", None)
    with without("this", "json"):
        with pytest.raises(ImportError):
            importlib.import_module("this")
        assert importlib.import_module("json") is sys.modules["json"]
    assert "this" not in sys.modules
    assert importlib.util.find_spec("this") is not None
