"""Tables in files as people have them: encodings, names, formats, whatever holds them."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import feather

from monitor.cli import main
from monitor.types import encode_record
from tests.replay.some_records import record
from tests.replay.test_odd_tables import ROWS, START, csv_of, gauss, judge, status
from tests.sources.workbooks import write as write_workbook

pytestmark = pytest.mark.usefixtures("quickest")


def test_a_table_in_utf_16(capsys, tmp_path: Path) -> None:
    """As spreadsheets write it."""
    usual = csv_of(tmp_path / "a.csv", {"größe": gauss(1)})
    path = tmp_path / "b.csv"
    path.write_text(csv_of(tmp_path / "c.csv", {"größe": gauss(2)}).read_text(), encoding="utf-16")
    assert status(judge(capsys, path, "--reference", str(usual))) == {"größe": "ok"}


LOGS = Path(__file__).parent.parent / "sources"


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize(
    "name",
    ["records", "objects", *(f"goldens/{one}" for one in (
        "helicone.jsonl", "langfuse.json", "litellm.jsonl", "mlflow_traces.jsonl",
        "openai_batch.output.jsonl", "openai_jsonl.jsonl", "otel_console.json", "otel_genai.jsonl",
    )), "data/chromium.har", "data/nginx.log"],
)  # fmt: skip
def test_logs_and_records_in_utf_16(capsys, tmp_path: Path, name: str, mark: str) -> None:
    """With a mark of the order of bytes, and without where it is JSON: what UTF-8 says. Other lines
    without a mark are taken for a table in UTF-16, which is said."""
    if name == "records":
        content = b"\n".join(encode_record(record(number)) for number in range(60)).decode()
    elif name == "objects":
        content = "\n".join(json.dumps({"x": n % 7, "ort": "Zürich"}) for n in range(60))
    else:
        content = (LOGS / name).read_text(encoding="utf-8")
    narrow, broad = tmp_path / "a" / Path(name).name, tmp_path / "b" / Path(name).name
    for path in (narrow, broad):
        path.parent.mkdir()
    narrow.write_text(content, encoding="utf-8")
    broad.write_bytes((mark + content).encode("utf-16-le"))
    said = []
    for path in (narrow, broad):
        code = main(["replay", str(path), "--json", "-"])
        out, err = capsys.readouterr()
        said.append((code, err if code else json.loads(out)))
    (_, expected), (code, found) = said
    assert code == 0, found
    told = found.pop("encodings", {})
    if name == "data/nginx.log" and not mark:
        assert told == {str(broad): "UTF-16"}
        return
    assert bool(told) == (name == "objects")
    del expected["compared"], found["compared"]
    assert json.dumps(found).replace(str(broad), str(narrow)) == json.dumps(expected)
    assert expected["records"]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_report_says_what_is_not_utf_8(capsys, tmp_path: Path, form: str) -> None:
    """In the line of how columns were read, and by file in the document."""
    path = tmp_path / f"t.{form}"
    columns = {"x": gauss(1), "ort": ["Zürich"] * ROWS}
    rows = zip(*columns.values(), strict=True)
    text = csv_of(path, columns).read_text() if form == "csv" else "\n".join(
        json.dumps(dict(zip(columns, row, strict=True))) for row in rows
    )  # fmt: skip
    path.write_text(text, encoding="utf-16")
    assert main(["replay", str(path), "--json", str(tmp_path / "o.json")]) == 0
    assert "read as categorical: ort; numeric: x; encoding: UTF-16\n" in capsys.readouterr().out
    found = json.loads((tmp_path / "o.json").read_text())
    assert found["encodings"] == {str(path): "UTF-16"}


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_a_table_in_latin_1(capsys, tmp_path: Path, encoding: str) -> None:
    """Read as what it is, which is said; the same words in UTF-8 are the same."""
    towns = ["Zürich", "Genève", "München", "Bern"]
    rng = random.Random(1)
    columns = {"größe": gauss(1), "Länge": gauss(2), "ort": rng.choices(towns, k=ROWS)}
    usual = csv_of(tmp_path / "a.csv", columns)
    path = tmp_path / "b.csv"
    path.write_text(usual.read_text(), encoding=encoding)
    found = judge(capsys, path, "--reference", str(usual))
    assert status(found) == dict.fromkeys(("größe", "Länge", "ort"), "ok")
    assert "unreadable" not in found
    assert f"{path}: is not UTF-8; it was read as Windows-1252" in found["remarks"]
    assert found["encodings"] == {str(path): "Windows-1252"}


def test_two_columns_of_one_name(capsys, tmp_path: Path) -> None:
    """Both are judged, and it is said which is which."""
    paths = []
    for seed, mean in ((1, 28.0), (2, 31.0)):
        rows = zip(gauss(seed), gauss(seed + 10, mean), strict=True)
        paths.append(tmp_path / f"{seed}.csv")
        paths[-1].write_text("\n".join(["x,x", *(f"{one},{other}" for one, other in rows)]))
    found = judge(capsys, paths[1], "--reference", str(paths[0]))
    assert status(found) == {"x": "ok", "x.1": "drift"}
    assert any(
        one.endswith("is called 'x' as another one; here it is 'x.1'") for one in found["remarks"]
    )


@pytest.mark.parametrize("form", ["arrow", "arrows", "feather", "xlsx"])
def test_arrow_and_excel_are_read_as_csv_is(capsys, tmp_path: Path, form: str) -> None:
    """The same values are the same, and a shift is found; times, booleans and words among them."""
    rng = random.Random(1)

    def columns(seed: int, mean: float) -> dict[str, Any]:
        return {
            "at": [START + timedelta(minutes=minute) for minute in range(ROWS)],
            "x": gauss(seed, mean),
            "n": [rng.randrange(20) for _ in range(ROWS)],
            "ok": [rng.random() < 0.3 for _ in range(ROWS)],
            "plan": rng.choices(["free", "pro", None], k=ROWS),
        }

    def written(name: str, found: dict[str, Any]) -> Path:
        path = tmp_path / f"{name}.{form}"
        if form == "xlsx":
            rows = [list(found), *map(list, zip(*found.values(), strict=True))]
            return write_workbook(path, {"Notes": [["by Ada"]], "Data": rows})
        table = pa.table(found)
        if form == "feather":
            feather.write_feather(table, str(path))
            return path
        new = pa.ipc.new_file if form == "arrow" else pa.ipc.new_stream
        with new(str(path), table.schema) as out:
            out.write_table(table)
        return path

    usual = csv_of(tmp_path / "usual.csv", columns(1, 28))
    same = judge(capsys, written("same", columns(2, 28)), "--reference", str(usual))
    assert status(same) == dict.fromkeys(("at", "x", "n", "ok", "plan"), "ok")
    moved = judge(capsys, written("moved", columns(3, 31)), "--reference", str(usual))
    assert [name for name, found in status(moved).items() if found == "drift"] == ["x"]
    said = "sheet 'Data' was read; not looked at: 'Notes'"
    assert any(one.endswith(said) for one in moved["remarks"]) == (form == "xlsx")


@pytest.mark.parametrize(
    "name", ["A" * 10_000, "ab cd " * 2000, "jane.doe@example.org", "QUJD" * 99]
)
def test_a_strange_name_is_the_same_in_every_run(capsys, tmp_path: Path, name: str) -> None:
    """And short, in all that is said: a profile of one run knows the columns of the next, and so
    does a report, whatever privacy makes of the name."""
    usual = csv_of(tmp_path / "usual.csv", {name: gauss(1), "x": gauss(2)})
    now = csv_of(tmp_path / "now.csv", {name: gauss(3, 31.0), "x": gauss(4)})
    built = str(tmp_path / "profile.json")
    assert main(["reference", "build", str(usual), "--out", built]) == 0
    for reference in (built, str(usual)):
        found = judge(capsys, now, "--reference", reference)
        (strange,) = set(status(found)) - {"x"}
        assert status(found) == {strange: "drift", "x": "ok"}
        assert found["columns"] == {strange: "numeric", "x": "numeric"}
        assert {one["feature"] for one in found["data_quality"]} == {strange, "x"}
        assert "schema" not in found
        assert len(strange) <= 200
        assert "jane" not in json.dumps(found)
