"""Sealing and revealing: only with the private key, a reason, and a line in the audit log."""

from __future__ import annotations

import io
import json
import resource
from pathlib import Path

import pytest

from monitor.assembly import build, keyring
from monitor.cli import main
from monitor.commands import account, audit_log
from monitor.errors import ConfigError
from monitor.marks import PSEUDONYM
from monitor.settings.schema import Privacy, Settings
from monitor.types import (
    Call,
    Exchange,
    Inference,
    Message,
    Outcome,
    Part,
    Record,
    decode_record,
    encode_record,
)

MAIL, SECRET = "ada@example.org", "ghp_canaryCANARYcanaryCANARYcanary0123"


def record(settings: Settings, *texts: str, headers: dict[str, str] | None = None) -> Record:
    exchange = Exchange("id", 1.0, 0.1, Message(b""), Message(b""), [], Outcome.OK)
    call = Call(exchange, "POST", "/", "", headers or {}, b"", False, 200, {}, b"", False, [], {})
    inference = Inference("p", "o", "m", inputs=[Part(role="user", text=text) for text in texts])
    privacy = build.privacy(settings, keyring.keyring(settings))
    return privacy.record(call, inference, endpoint="e", segments={})


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A directory with a pair of keys and records sealed to it."""
    out = tmp_path / "pair"
    assert main(["keys", "pair", "--out", str(out)]) == 0
    settings = Settings(
        data=str(tmp_path),
        privacy=Privacy(seal_to=str(out / "reveal.pub"), paths={"request.headers.x-a": "token(NAME)"}),
    )  # fmt: skip
    one = record(settings, f"{MAIL} and {SECRET}", headers={"x-a": f"key {SECRET}"})
    (out / "records.jsonl").write_bytes(encode_record(one) + b"\n")
    return out


def reveal(pair: Path, *what: str, reason: str = "ticket 7", key: str = "reveal.key") -> int:
    return main(
        ["reveal", "--private-key", str(pair / key), "--reason", reason, "--data", str(pair / "d"),
         str(pair / "records.jsonl"), *what]
    )  # fmt: skip


def test_a_sealed_value_comes_back_and_the_log_says_who_and_why_but_not_what(
    pair: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The round trip; secrets are never sealed, also not inside of another value."""
    document = (pair / "records.jsonl").read_bytes()
    assert MAIL.encode() not in document
    assert len(decode_record(document).sealed) == 1
    capsys.readouterr()
    assert reveal(pair) == 0
    out = capsys.readouterr().out
    (token,) = PSEUDONYM.findall(out)
    assert out == f"{token}\t{MAIL}\n"
    assert reveal(pair, token, reason="again") == 0
    log = (pair / "d" / "reveal.jsonl").read_text()
    assert MAIL not in log
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["reason"] for line in lines] == ["ticket 7", "again"]
    assert all(line["tokens"] == [token] and line["count"] == 1 for line in lines)
    assert (pair / "d" / "reveal.jsonl").stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_opened_is_said_and_logged(
    pair: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown pseudonym, or another pair's key: exit 1, nothing shown, the attempt on record."""
    assert reveal(pair, "<PERSON:k1:aaaaaaaaaaaaaaaaaaaaaaaa>") == 1
    other = pair / "other"
    main(["keys", "pair", "--out", str(other)])
    capsys.readouterr()
    assert reveal(pair, key="other/reveal.key") == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "not for this key" in shown.err
    log = (pair / "d" / "reveal.jsonl").read_text().splitlines()
    assert [json.loads(line)["count"] for line in log] == [0, 0]


def test_a_box_moved_to_another_pseudonym_does_not_open(
    pair: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A box names its pseudonym inside."""
    path = pair / "records.jsonl"
    (line,) = decode_record(path.read_bytes()).sealed
    token = line.partition(" ")[0]
    forged = token[:-4] + "abc>"
    path.write_bytes(path.read_bytes().replace(token.encode(), forged.encode()))
    capsys.readouterr()
    assert reveal(pair, forged) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reason": " "}, "--reason"),
        ({"reason": "ada@example.org asked"}, "--reason: holds EMAIL_ADDRESS, which would stay"),
        ({"key": "reveal.pub"}, "is not a private key"),
        ({"key": "none"}, "--private-key"),
    ],
)
def test_bad_usage_is_one_line(
    pair: Path, change: dict[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the option; nothing is shown."""
    capsys.readouterr()
    assert reveal(pair, **change) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.out == ""


def test_who_asks_is_one_line_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The account's name may come from a variable; logs and archives keep it."""
    monkeypatch.setattr(account, "name", lambda: "ada\n\x1b[2J" + "x" * 1000)
    said = audit_log.who()
    assert said.startswith("ada  [2J")
    assert said.isprintable()
    assert len(said) < 250


def test_without_an_audit_log_nothing_is_shown(
    pair: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log comes first."""
    (pair / "d").write_text("in the way")
    capsys.readouterr()
    assert reveal(pair) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "--audit" in shown.err


def test_a_private_key_that_others_can_read_and_a_second_pair_are_refused(
    pair: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Modes are looked at; a pair is never overwritten."""
    assert main(["keys", "pair", "--out", str(pair)]) == 2
    (pair / "reveal.key").chmod(0o644)
    assert reveal(pair) == 2
    assert "chmod 600" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (Privacy(without=["EMAIL"]), "privacy.without: 'EMAIL'"),
        (Privacy(also=["UR"]), "privacy.with: 'UR' is not an entity; did you mean URL?"),
        (Privacy(region="UK"), "privacy.region: 'UK'"),
        (Privacy(paths={"request.a": "burn"}), "privacy.paths: request.a"),
        (Privacy(seal_to="nowhere.pub"), "privacy.seal_to: nowhere.pub"),
    ],
)
def test_a_wrong_key_of_privacy_is_named_before_anything_starts(
    section: Privacy, message: str, tmp_path: Path
) -> None:
    """One line, the key first."""
    with pytest.raises(ConfigError) as caught:
        build.check(Settings(data=str(tmp_path), privacy=section))
    assert str(caught.value).startswith(message)


def test_tenant_region_and_without_reach_the_scanner(tmp_path: Path) -> None:
    """Another tenant has other pseudonyms; a national number is completed; what is off stays."""

    def text(section: Privacy, said: str) -> str:
        settings = Settings(data=str(tmp_path), privacy=section)
        return record(settings, said).inputs[0].text or ""

    assert text(Privacy(), MAIL) != text(Privacy(tenant="b"), MAIL)
    assert text(Privacy(without=["EMAIL_ADDRESS"]), MAIL) == MAIL
    german = Privacy(region="DE")
    assert text(german, "+49 30 1234567") == text(german, "(030) 1234567")


def test_the_log_shows_what_was_done_to_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An edit, a line that is gone, and with the digest of a line that was kept, an end that is."""
    log = tmp_path / "reveal.jsonl"
    log.write_text('{"reason": "of an earlier version"}')  # and cut
    for number in range(3):
        audit_log.append(log, {"reason": f"ticket {number}", "tokens": ["x" * 70_000]}, "nothing")
    assert main(["verify", str(log)]) == 0
    said = capsys.readouterr().out
    assert "4 lines, 3 of them name the line before" in said
    whole, kept = log.read_bytes(), tmp_path / "kept.txt"
    kept.write_text(said)
    assert main(["verify", str(log), "--anchor", str(kept)]) == 0
    lines = whole.splitlines(keepends=True)
    for edited in (whole.replace(b"ticket 1", b"ticket 7"), b"".join([*lines[:2], lines[3]])):
        log.write_bytes(edited)
        capsys.readouterr()
        assert main(["verify", str(log)]) == 1
        assert "the line before it was changed, moved or taken out" in capsys.readouterr().out
    log.write_bytes(b"".join(lines[:3]))
    assert main(["verify", str(log)]) == 0
    assert main(["verify", str(log), "--anchor", str(kept)]) == 1
    assert main(["verify", str(log), "--anchor", str(tmp_path / "none")]) == 2
    assert main(["verify", str(log), "--checkpoints", str(tmp_path / "c")]) == 2


def test_what_a_crash_leaves_of_a_line_is_told_and_a_ticket_knows_of_a_line_that_is_gone(
    pair: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The digest that the command told, kept with the reason, is one to look for."""
    log, ticket = pair / "d" / "reveal.jsonl", pair / "ticket"
    assert reveal(pair, reason="ticket 1") == 0
    log.write_bytes(log.read_bytes()[:-30])
    capsys.readouterr()
    assert reveal(pair, reason="ticket 2") == 0
    ticket.write_text(capsys.readouterr().err)
    assert main(["verify", str(log), "--anchor", str(ticket)]) == 0
    said = capsys.readouterr().out
    assert "line 1 is incomplete" in said
    assert "all that was kept elsewhere is there" in said
    log.write_bytes(log.read_bytes().splitlines()[0])
    assert main(["verify", str(log)]) == 0
    assert main(["verify", str(log), "--anchor", str(ticket)]) == 1


def test_two_crashes_in_a_row_are_no_violation_and_hide_no_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a crash leaves may be nothing but the end of the one before it, or zeros; the next line
    names it together with the last whole one, however long they are."""
    log = tmp_path / "reveal.jsonl"
    for number, left in enumerate((b'{"at": "2026', b"", b"\0" * 70_000, b'{"at')):
        audit_log.append(log, {"reason": f"ticket {number}", "tokens": ["x" * 70_000]}, "nothing")
        for each in (left, b'{"at": "2026-11-30", "rea'):
            with log.open("ab") as file:
                file.write(b"\n" * (not log.read_bytes().endswith(b"\n")) + each)
            assert main(["verify", str(log)]) == 0
    audit_log.append(log, {"reason": "ticket 4"}, "nothing")
    capsys.readouterr()
    assert main(["verify", str(log)]) == 0
    said = capsys.readouterr().out
    assert "12 lines, 5 of them name" in said
    assert said.count("is incomplete") == 7
    lines = log.read_bytes().splitlines(keepends=True)
    for place in range(len(lines) - 1):
        log.write_bytes(b"".join([*lines[:place], *lines[place + 1 :]]))
        assert main(["verify", str(log)]) == 1


class Counted(io.FileIO):
    """A file that counts what is read of it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data: bytes = super().read(-1 if size is None else size)
        self.taken += len(data)
        return data


@pytest.mark.parametrize("left", [b"\0" * 1_000_000, b'{"at\n' * 200_000, b"\n" * 65_535])
def test_what_a_crash_left_is_read_once_however_long_it_is(tmp_path: Path, left: bytes) -> None:
    """And no more than the last whole line of what is before it."""
    log = tmp_path / "reveal.jsonl"
    whole = [b'{"n": "%s"}\n' % (b"x" * 100_000)] * 3
    log.write_bytes(b"".join(whole) + left)
    with Counted(log) as file:
        assert audit_log._last_lines(file) == [whole[0], *left.splitlines(keepends=True)]
        assert file.taken < len(left) + 3 * (1 << 16) + len(whole[0])


def test_a_disk_that_takes_a_part_of_a_line_has_none_of_it(tmp_path: Path) -> None:
    """And nothing is shown or erased: the kernel writes what has room, and says so at the next write."""
    log = tmp_path / "reveal.jsonl"
    audit_log.append(log, {"reason": "ticket 7"}, "nothing is shown")
    before = log.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
    try:
        with pytest.raises(ConfigError, match="nothing is shown"):
            audit_log.append(log, {"reason": "ticket 8"}, "nothing is shown")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert log.read_bytes() == before
