"""`monitor init`: questions, consequences, files, and what to do next."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.commands import init
from monitor.errors import UsageError
from monitor.settings import load

ROOT = Path(__file__).parents[2]
QUIET = ("--no-data-sensitive", "--no-cost-tight", "--no-high-consequence",
         "--no-knowledge-changes", "--latency-budget", "0")  # fmt: skip


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is not there; stdin is no terminal."""
    monkeypatch.setattr("sys.stdin", None)
    return tmp_path / "monitor.yaml"


def answering(*said: str) -> Callable[[str], str]:
    """Somebody at a terminal who says these things, and then leaves."""
    left = iter(said)

    def ask(question: str) -> str:
        print(question)
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    return ask


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Says what is typed at a terminal."""

    class Terminal:
        def isatty(self) -> bool:
            return True

    def typed(*said: str) -> None:
        monkeypatch.setattr("sys.stdin", Terminal())
        monkeypatch.setattr(init, "input", answering(*said), raising=False)

    return typed  # type: ignore[return-value]


def test_flags_alone_write_a_configuration_that_says_what_they_say(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each consequence in a sentence, two files, and three commands."""
    flags = ["--domain", "healthcare", "--data-sensitive", "--latency-budget", "200"]
    assert main(["init", *flags, "--yes", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    found = load.load(str(out), {})
    assert (found.preset, found.privacy.min_group) == ("healthcare", 20)
    assert found.objectives.latency.seconds == 0.2
    assert "answer      data_sensitive true\n            Records are kept for a week" in said
    assert "answer      cost_tight false\n            As many exchanges are read" in said
    assert f"wrote       {out} and {out.parent}/monitor.compose.yaml\n" in said
    assert f"next 1      monitor check --config {out}\n" in said
    beside = f"{out.parent}/monitor.compose.yaml"
    assert f"next 2      monitor run --config {out}   (or: docker compose -f {beside} up)\n" in said
    inside = f"docker compose -f {beside} exec monitor monitor records list"
    assert f"next 3      monitor records list --config {out}   (or: {inside})\n" in said


def test_what_it_writes_passes_the_check(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On this machine, with ports that are free."""
    assert main(["init", "--domain", "legal", "--yes", "--out", str(out)]) == 0
    free = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", str(out.parent / "data")]
    assert main(["check", "--config", str(out), *free]) == 0
    assert "preset      legal: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (QUIET, "is no terminal: say --domain; or --yes"),
        (
            ("--domain", "legal", *QUIET[1:4]),
            "say --data-sensitive or --no-data-sensitive, --laten",
        ),
        (("--domain", "legal"), "--latency-budget MS (0: none); or --yes, which takes no for an"),
        (
            ("--yes",),
            "--domain: say one of ecommerce, finance, healthcare, legal, science, support",
        ),
        (("--domain", "lega"), "--domain: 'lega' is not one of"),
        (("--domain", "lega", "--yes"), "; did you mean legal?"),
        (
            ("--domain", "legal", "--latency-budget", "soon"),
            "--latency-budget: 'soon' is no number",
        ),
        (("--domain", "legal", "--latency-budget=-1"), "is no number of milliseconds, as 200"),
        (("--domain", "legal", "--latency-budget", "nan"), "is no number of milliseconds, as 200"),
        (("--domain", "legal", "--yes", "--upstream", "model:9000"), "upstream: 'model:9000'"),
        (
            ("--domain", "legal", "--yes", "--upstream", "https://user:pw@model"),
            "--upstream: leave user and password out, as 'https://model'; they",
        ),
        (
            ("--domain", "legal", "--yes", "--endpoint", "a b"),
            "endpoint: 'a b' is not a name of up",
        ),
        (("--domain", "legal", "--yes", "--sample", "no.jsonl"), "--sample: no.jsonl"),
    ],
)
def test_what_is_not_said_or_wrong_is_one_sentence(
    flags: tuple[str, ...], message: str, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nobody can be asked; nothing is written."""
    assert main(["init", *flags, "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "pw@" not in said
    assert len(said.splitlines()) == 1
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["monitor.yaml", "monitor.compose.yaml"])
def test_a_file_that_is_there_stays_as_it_is(
    name: str, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also with --yes, which answers questions about the domain alone."""
    (out.parent / name).write_text("mine")
    assert main(["init", "--domain", "legal", "--yes", "--out", str(out)]) == 2
    assert f"--out: {out.parent / name} is there; name another file" in capsys.readouterr().err
    assert [(one.name, one.read_text()) for one in out.parent.iterdir()] == [(name, "mine")]


def test_it_asks_what_flags_do_not_say(
    out: Path, terminal: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """In words, again where it does not understand, and shows the domains."""
    terminal("", "9", "4", "perhaps", "y", "fast", "1500", "", "no")
    flags = ["--no-probe", "--high-consequence"]
    assert main(["init", *flags, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "  4  legal: clauses, drafts" in said
    assert "Say a number, or one of ecommerce" in said
    assert "Say y or n." in said
    assert "'fast' is no number of milliseconds" in said
    answers = load.load(str(out), {}).circumstances
    assert answers == init.Circumstances(
        data_sensitive=True, latency_budget=1.5, cost_tight=False, knowledge_changes=False,
        high_consequence=True,
    )  # fmt: skip


@pytest.mark.parametrize(("said", "stays"), [("n", True), ("", True), ("y", False)])
def test_it_asks_before_it_overwrites(
    said: str, stays: bool, out: Path, terminal: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """And does so for a yes alone."""
    out.write_text("mine")
    terminal(said, "")
    flags = ["--domain", "legal", *QUIET, "--no-probe", "--out", str(out)]
    assert main(["init", *flags]) == (2 if stays else 0)
    assert (out.read_text() == "mine") is stays
    assert f"{out} is there. Overwrite it?" in capsys.readouterr().out


def test_who_leaves_in_the_middle_gets_no_file(
    out: Path, terminal: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence says so."""
    terminal("", "legal", "y")
    assert main(["init", "--no-probe", "--out", str(out)]) == 2
    assert "stdin ended before every question was answered" in capsys.readouterr().err
    assert not out.exists()


def test_values_for_helm_come_with_what_injects(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second file and the commands are those of the chart."""
    flags = ["--domain", "finance", "--yes", "--deploy", "helm"]
    assert main(["init", *flags, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    commands = re.findall(r"next \d +(.*)", said)
    ours = [shlex.split(one) for one in commands]
    guide = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8").partition("\n## Helm\n")[2]
    block = guide.split("```")[1].replace("\\\n", " ").strip()
    theirs = [shlex.split(one) for one in block.splitlines()]
    assert len(ours) == len(theirs) == 3
    # Theirs add monitors and dashboards of operators; the endpoint stands in our values.
    place = {"namespaces={MODELS}": "namespaces={models}",
             "image.registry=REGISTRY": "image.registry=registry.example.org"}  # fmt: skip
    at = ours[0].index("--values")
    assert ours[0][at + 1] == str(out.parent / "monitor.values.yaml")
    assert ours[0][:at] == theirs[0][:at]
    assert {place.get(one, one) for one in ours[0][at + 2 :]} <= set(theirs[0])
    assert [one.replace("MODELS", "models") for one in ours[1]] == theirs[1]
    names = {"MODELS": "models", "MODEL": "bot"}
    assert [names.get(one, one) for one in ours[2]] == theirs[2]
    assert sorted(one.name for one in out.parent.iterdir()) == ["monitor.values.yaml", out.name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "--out: '.' is a directory; name a file in it"),
        ("", "--out: '' is a directory"),
        ("..", "--out: '..' is a directory"),
        ("a\nb: c.yaml", "has a character that cannot be shown; name another file"),
        ("a\x1b[31m.yaml", "has a character that cannot be shown"),
        ("n" * 300, "cannot be written: file name too long"),
    ],
)
def test_a_name_that_cannot_be_a_file_is_one_sentence(
    name: str, message: str, out: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Before anything is written, and without what moves a cursor."""
    monkeypatch.chdir(out.parent)
    assert main(["init", "--domain", "legal", "--yes", "--out", name]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.removesuffix("\n").isprintable()
    assert list(out.parent.iterdir()) == []


def test_an_upstream_without_a_port_after_its_colon_is_quoted(out: Path) -> None:
    """A plain text that ends with a colon would be a key."""
    flags = ["--domain", "legal", "--yes", "--no-probe", "--upstream", "http://127.0.0.1:"]
    assert main(["init", *flags, "--out", str(out)]) == 0
    assert load.load(str(out), {}).upstream == "http://127.0.0.1:"


@pytest.mark.parametrize("budget", ["0.0001", "200", "1e9"])
def test_a_budget_of_any_size_is_read_again(budget: str, out: Path) -> None:
    """Readers of YAML take 1e-07 for a text."""
    flags = ["--domain", "legal", "--yes", "--latency-budget", budget]
    assert main(["init", *flags, "--out", str(out)]) == 0
    assert load.load(str(out), {}).circumstances.latency_budget == float(budget) / 1000


def test_no_value_of_a_table_is_written(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first row of a table without a header is somebody's data."""
    log = out.parent / "a\nb.csv"
    for header in ("Alice,Smith,x@example.org,0.7", "Alice,Smith"):
        log.write_text(f"{header}\n{header}\n")
        out.unlink(missing_ok=True)
        out.with_name("monitor.compose.yaml").unlink(missing_ok=True)
        flags = ["--domain", "legal", "--yes", "--sample", str(log)]
        assert main(["init", *flags, "--out", str(out)]) == 0
        columns = header.count(",") + 1
        assert (
            f"\n# {out.parent}/a\\nb.csv is a table (csv) of {columns} columns\n" in out.read_text()
        )
        assert "Alice" not in out.read_text()
        load.load(str(out), {})
    assert "x@example.org" not in capsys.readouterr().out


def test_a_directory_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its name."""
    monkeypatch.setattr("sys.stdin", None)
    out = str(tmp_path / "no" / "monitor.yaml")
    assert main(["init", "--domain", "legal", "--yes", "--out", out]) == 2
    assert f"--out: {out} cannot be written: no such file" in capsys.readouterr().err


def test_a_sample_of_the_log_is_told_and_kept_as_a_comment(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """How many exchanges, of which models, how slow."""
    log = out.parent / "log.jsonl"
    log.write_text(
        '{"request": {"model": "m", "messages": [{"role": "user", "content": "hi"}]}, '
        '"response": {"model": "m", "choices": []}, "duration_ms": 1500}\n' * 20
    )
    flags = ["--domain", "support", "--yes", "--sample", str(log)]
    assert main(["init", *flags, "--out", str(out)]) == 0
    line = f"{log} holds 20 exchanges (openai_jsonl)"
    assert f"found       {line}" in capsys.readouterr().out
    assert f"\n# {line}" in out.read_text()


def test_a_budget_of_none_is_none() -> None:
    """0 says that nobody said."""
    with pytest.raises(UsageError):
        init._seconds("-0.1")
    assert init._seconds("0") == 0
