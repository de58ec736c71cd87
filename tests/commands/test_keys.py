"""`monitor keys` as a user calls it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.assembly import build
from monitor.cli import main
from monitor.privacy import keys
from monitor.settings.schema import Settings


def test_keys_are_rotated_and_listed_and_never_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Id, fingerprint and state, a line each."""
    data = ["--data", str(tmp_path)]
    assert main(["keys", "rotate", *data]) == 0
    assert main(["keys", "rotate", "--id", "spring", *data]) == 0
    capsys.readouterr()
    assert main(["keys", "list", *data]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [(line[0], line[2]) for line in lines] == [("spring", "current"), ("k1", "overlap")]
    assert main(["keys", "fingerprint", *data]) == 0
    out = capsys.readouterr().out
    assert out.split("\t")[:2] == lines[0][:2]
    for line in (tmp_path / "privacy.key").read_text().splitlines():
        assert line.split()[1] not in out


def test_a_missing_key_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2; the file is named, and what makes it."""
    assert main(["keys", "list", "--data", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "privacy.key" in error
    assert "`monitor keys rotate`" in error
    assert len(error.splitlines()) == 1


Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """`monitor keys pseudonym` with a value on standard input → exit code, out, err."""

    def asked(value: str, *arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(value.encode())))
        code = main(["keys", "pseudonym", *arguments])
        return code, *capsys.readouterr()

    return asked


@pytest.mark.parametrize(
    ("entity", "asked", "stored"),
    [
        ("EMAIL_ADDRESS", " Ada@Example.ORG\n", "write to ada@example.org now"),
        ("CREDIT_CARD", "4012888888881881", "4012-8888-8888-1881"),
        ("PHONE_NUMBER", "+1 (212) 555-0187", "call +12125550187"),
        ("PERSON", "Ada Lovelace", ""),
    ],
)
def test_an_auditor_asks_under_which_tokens_a_person_is_stored(
    entity: str, asked: str, stored: str, tmp_path: Path, ask: Ask
) -> None:
    """One for each key, the current one first, and the same as in a Record, however it is spelled."""
    data = ["--data", str(tmp_path)]
    assert main(["keys", "rotate", *data]) == 0
    old = keys.read(tmp_path / "privacy.key")
    assert main(["keys", "rotate", *data]) == 0
    new = keys.read(tmp_path / "privacy.key")
    code, out, _ = ask(asked, "--entity", entity, *data)
    assert code == 0
    tokens = out.splitlines()
    assert [token.split(":")[:2] for token in tokens] == [
        [f"<{entity}", "k2"],
        [f"<{entity}", "k1"],
    ]
    for ring, token in zip((new, old), tokens, strict=True):
        made = build.privacy(Settings(), ring)
        assert token == made.again().token(entity, asked.strip())
        assert not stored or token in made.text(stored)


@pytest.mark.parametrize(
    ("entity", "value", "message"),
    [
        ("EMAIL", "a@b.org", "did you mean EMAIL_ADDRESS?"),
        (None, "a@b.org", "--entity: `monitor keys pseudonym` needs one"),
        ("EMAIL_ADDRESS", "\n", "standard input"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    entity: str | None, value: str, message: str, tmp_path: Path, ask: Ask
) -> None:
    """Exit 2, and what would be right."""
    data = ["--data", str(tmp_path)]
    assert main(["keys", "rotate", *data]) == 0
    named = [] if entity is None else ["--entity", entity]
    code, _, error = ask(value, *named, *data)
    assert code == 2
    assert message in error
    assert len(error.splitlines()) == 1
