"""All that the commonest command lines of `monitor replay` print on stdout, to the letter.

`python -m tests.replay.test_screens` writes `screens/` anew; what changed is then to be read.
"""

from __future__ import annotations

import io
import os
import random
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from monitor.cli import main
from monitor.types import Part, Record, encode_record
from tests.replay.some_records import record

SCREENS = Path(__file__).parent / "screens"
LOG = Path(__file__).parent.parent / "sources" / "data" / "nginx.log"
JANUARY = 1704067200  # 2024-01-01

USUAL = ("--reference", "usual.csv")
LINES: dict[str, tuple[str, ...]] = {
    "table": ("now.csv", *USUAL),
    "alone": ("now.csv",),
    "segments": ("now.csv", *USUAL, "--by", "region", "--ignore", "at"),
    "chunks": ("now.csv", *USUAL, "--chunks", "3", "--timestamp", "at"),
    "timeline": ("now.csv", *USUAL, "--timeline", "--timestamp", "at"),
    "before_after": ("now.csv", "--before-after", "2024-01-05", "--timestamp", "at"),
    "truth": ("now.csv", *USUAL, "--timestamp", "at", "--label", "paid", "--score", "score"),
    "settings": ("now.csv", *USUAL, "--tolerance", "0.02,2", "--bins", "10,4"),
    "profile": ("now.csv", "--reference", "profile.json"),
    "columns": ("other.csv", *USUAL, "--fail-on", "schema,drift"),
    "damaged": ("broken.csv", *USUAL),
    "arms": ("now.csv", "--experiment", "region=north", "--label", "paid"),
    "records": ("now.jsonl", "--reference", "usual.jsonl", "--by", "population"),
    "others_log": (str(LOG), "--by", "outcome"),
    "narrow": ("now.csv", *USUAL, "--by", "region"),
    "narrow_truth": (
        "now.csv", *USUAL, "--timestamp", "at", "--label", "paid", "--score", "score",
        "--protected", "region", "--experiment", "region=north", "--chunks", "week",
    ),
}  # fmt: skip
FOUND = {"columns": 1}
"""Exit codes that are not 0."""


def rows(seed: int, late: float) -> str:
    """A table of 600 rows over ten days, the second half of which may be otherwise."""
    chance, lines = random.Random(seed), ["at,x,region,score,paid"]
    for number in range(600):
        moved = late * (number >= 300)
        score = round(chance.random(), 3)
        lines.append(
            f"{JANUARY + 1440 * number},{chance.gauss(10 + moved, 2):.2f},"
            f"{chance.choice(('north', 'south'))},{score},{int(chance.random() < score)}"
        )
    return "\n".join(lines) + "\n"


def asked(seed: int, words: list[str]) -> bytes:
    """Records of chats in which people ask for something."""
    chance = random.Random(seed)
    texts = [" ".join(chance.choices(words, k=8)) for _ in range(600)]
    found = [_chat(number, text) for number, text in enumerate(texts)]
    return b"\n".join(map(encode_record, found))


def _chat(number: int, text: str) -> Record:
    part = Part(role="user", text=text)
    return record(number, started=JANUARY + 60.0 * number, inputs=[part])


def prepare(folder: Path) -> None:
    """Write what the command lines name."""
    (folder / "usual.csv").write_text(rows(1, 0))
    (folder / "now.csv").write_text(now := rows(2, 3))
    (folder / "other.csv").write_text(now.replace("at,x,region", "at,y,region"))
    (folder / "broken.csv").write_text(now.replace(",north,", ",north,,", 9))
    words = ["where", "is", "my", "parcel", "please", "today", "door", "letter", "again", "late"]
    (folder / "usual.jsonl").write_bytes(asked(3, words))
    (folder / "now.jsonl").write_bytes(asked(4, [*words[:6], "refund", "cancel", "money", "back"]))


def printed(name: str) -> str:
    """What a command line prints, where its files are."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        if name == "profile":
            assert main(["reference", "build", "usual.csv", "--out", "profile.json"]) == 0
        assert main(["replay", *LINES[name]]) == FOUND.get(name, 0)
    lines = out.getvalue().replace(str(LOG.parent) + "/", "").splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


@pytest.mark.parametrize("name", LINES)
def test_what_is_printed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same as when somebody last read it."""
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    if name.startswith("narrow"):
        monkeypatch.setenv("COLUMNS", "80")
    assert printed(name) == (SCREENS / f"{name}.txt").read_text(encoding="utf-8")


def test_a_page_lists_the_same_words_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Two features of a text have the same words; who reads the second card is sent to the first,
    and no card tells of hashed cells."""
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["replay", "now.jsonl", "--reference", "usual.jsonl", "--html", "page.html"]) == 0
    html = Path("page.html").read_text()
    assert html.count("<span>refund</span>") == 1
    assert "<p>The words of what is asked: PSI " in html
    assert "Which words is said above, under input_unknown_words." in html
    assert "#" not in html.partition("What changed")[2].partition("Every feature and")[0]


def test_a_page_names_no_hashed_cell_of_a_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """What a text column holds that it did not are words, and no categories; what stands in the
    tables of outcomes is explained."""
    chance = random.Random(5)
    monkeypatch.chdir(tmp_path)
    for name, words in (("usual", "where is my parcel"), ("now", "refund cancel money back")):
        texts = [" ".join(chance.choices(words.split() * 2, k=20)) for _ in range(400)]
        Path(f"{name}.csv").write_text("\n".join(["note", *texts]))
    assert main(["replay", "now.csv", "--reference", "usual.csv", "--html", "page.html"]) == 0
    html = Path("page.html").read_text()
    held = html.partition("What columns hold</h2>")[2].partition("</table>")[0]
    assert "more texts have “" in held
    assert "new: #" not in held
    assert "gone: #" not in held
    for word in ("ECE", "Brier", "temperature", "F1", "AUC", "log loss"):
        assert f"<b>{word}</b>" in html


def test_every_screen_is_of_a_command_line() -> None:
    """None is left of one that is gone."""
    assert {path.stem for path in SCREENS.iterdir()} == LINES.keys()


def write(names: Any) -> None:
    """Write the screens anew."""
    with TemporaryDirectory() as folder, chdir(folder):
        prepare(Path(folder))
        for name in names or LINES:
            os.environ.pop("COLUMNS", None)
            if name.startswith("narrow"):
                os.environ["COLUMNS"] = "80"
            (SCREENS / f"{name}.txt").write_text(printed(name), encoding="utf-8")


if __name__ == "__main__":
    write(sys.argv[1:])
