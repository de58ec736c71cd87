"""Words instead of hashed cells, of what Records ask and answer."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main
from monitor.replay import terms
from monitor.types import Part, encode_record
from tests.replay.some_records import record

TOPICS = [
    "parcel",
    "delivery",
    "address",
    "tracking",
    "courier",
    "letter",
    "door",
    "neighbour",
    "garden",
    "morning",
]


def archive(path: Path, *, refunds: float, count: int = 1500) -> str:
    """Questions of customers, a share of them about refunds, with somebody's address in each."""
    chance, lines = random.Random(path.name), []
    for number in range(count):
        words = chance.choices(TOPICS, k=8)
        if chance.random() < refunds:
            words[2:5] = ["refund", f"<EMAIL_ADDRESS:k1:{chance.randbytes(12).hex()}>"]
        text = " ".join([*words, f"id{number}"] if number % 50 == 0 else words)
        lines.append(encode_record(record(number, inputs=[Part(role="user", text=text)])))
    path.write_bytes(b"\n".join(lines))
    return str(path)


def judged(capsys: Any, *arguments: str) -> dict[str, Any]:
    assert main(["replay", *arguments, "--json", "-"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_words_of_records_are_named(
    capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the page, in the sentence and in the document: those that many texts have, the kind of
    what is somebody's, and no id that stands in one text. No more texts are read than are said."""
    usual = archive(tmp_path / "usual.jsonl", refunds=0.02)
    now = archive(tmp_path / "now.jsonl", refunds=0.9)
    page = tmp_path / "page.html"
    found = judged(capsys, now, "--reference", usual, "--html", str(page))
    (said,) = found["words"]
    assert said["feature"] == "input"
    shares = {one["bin"]: (one["before"], one["after"]) for one in said["words"]}
    assert {"refund", "<EMAIL_ADDRESS>"} <= shares.keys() <= {"refund", "<EMAIL_ADDRESS>", *TOPICS}
    was, share = shares["refund"]
    assert was < 0.05
    assert 0.85 < share < 0.95
    html = page.read_text()
    assert "Share of the texts that have a word:" in html
    assert html.count("<span>refund</span>") == 1
    headline = html.partition("<h1>")[2].partition("</h1>")[0]
    assert headline.startswith("Drift: the words of what is asked moved most (PSI ")
    assert "#" not in html.partition("What changed")[2].partition("Every feature")[0]
    assert "<span>&lt;EMAIL_ADDRESS&gt;</span>" in html
    assert ":k1:" not in html
    monkeypatch.setattr(terms, "READ", 200)
    (some,) = judged(capsys, now, "--reference", usual)["words"]
    assert 0.8 < {one["bin"]: one["after"] for one in some["words"]}["refund"] < 1


def test_nothing_is_read_again_where_no_text_changed(
    capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor where there is no reference that could be read."""
    monkeypatch.setattr(terms, "_counted", None)
    usual = archive(tmp_path / "usual.jsonl", refunds=0.1)
    now = archive(tmp_path / "now.jsonl", refunds=0.1)
    moved = archive(tmp_path / "moved.jsonl", refunds=0.9)
    profile = str(tmp_path / "profile.json")
    assert main(["reference", "build", usual, "--out", profile]) == 0
    for arguments in ([now, "--reference", usual], [moved, "--reference", profile], [moved]):
        assert "words" not in judged(capsys, *arguments)
