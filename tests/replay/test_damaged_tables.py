"""Tables that cannot be read in part: the rest is judged, and what was lost is said."""

from __future__ import annotations

import gzip
import json
import lzma
import random
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from monitor import places
from monitor.cli import main
from monitor.damage import Damage
from monitor.replay import files
from monitor.types import encode_record
from tests.file_server import served
from tests.replay.some_records import record
from tests.replay.test_odd_tables import ROWS, csv_of, gauss, jsonl_of, judge, parquet_of, status

pytestmark = pytest.mark.usefixtures("quickest")


def broken(path: Path) -> Path:
    """200 good rows, and four that are none."""
    lines = ["x,y", *(f"{value},a" for value in gauss(1, rows=200))]
    lines[50:50] = ["1,2,3", "4"]
    text = "\n".join([*lines, 'oops,"a"b']).encode() + b"\n\xff,a\n"
    path.write_bytes(text)
    return path


def test_the_good_part_is_judged_and_the_bad_part_counted(capsys, tmp_path: Path) -> None:
    """By file and line, in the document, on the screen and on the page."""
    path, page = broken(tmp_path / "t.csv"), tmp_path / "o.html"
    found = judge(capsys, path, "--reference", str(path), "--html", str(page))
    assert found["records"] == 200
    places = [one["place"] for one in found["unreadable"]]
    assert places == [f"{path}:{line}" for line in (51, 52, 204, 205)]
    assert main(["replay", str(path)]) == 0
    said = capsys.readouterr()
    assert f"could not be read: {path}:51: 3 fields where the header has 2" in said.err
    assert "4 rows or cells could not be read" in " ".join(said.out.split())
    assert f"{path}:51: 3 fields" in page.read_text()


@pytest.mark.parametrize(
    ("side", "lost", "verdict"),
    [
        ("current", 40, "ok"), ("current", 1200, "insufficient"),
        ("reference", 40, "ok"), ("reference", 1200, "insufficient"),
    ],
)  # fmt: skip
def test_what_was_not_looked_at_is_not_called_well(
    capsys, tmp_path: Path, side: str, lost: int, verdict: str
) -> None:
    """The first sentence, the page and JUnit's XML say how much of which side could not be read;
    beyond a half the verdict is not `ok`; a run can fail on any."""
    good = ["x,y", *(f"{value},a" for value in gauss(1, rows=600))]
    sound, bad = tmp_path / "sound.csv", tmp_path / "bad.csv"
    sound.write_text("\n".join(good))
    bad.write_text("\n".join([*good, *["1,2,3"] * lost]))
    current, usual = (bad, sound) if side == "current" else (sound, bad)
    xml, page = tmp_path / "o.xml", tmp_path / "o.html"
    given = [str(current), "--reference", str(usual), "--junit", str(xml), "--html", str(page)]
    found = judge(capsys, current, *given[1:])
    assert found["verdict"] == verdict
    assert found["unread"] == [{"side": side, "rows": lost, "of": 600 + lost}]
    assert status(found) == {"x": "ok", "y": "ok"}
    whose = " of the reference" if side == "reference" else ""
    words = f"{lost:,} of {600 + lost:,} rows{whose} could not be read"
    assert words in page.read_text()
    assert f'<failure message="{words}"/>' in xml.read_text()
    assert main(["replay", *given, "--fail-on", "unreadable"]) == 1
    assert words in " ".join(capsys.readouterr().out.split())
    insufficient = main(["replay", *given, "--fail-on", "drift,insufficient"])
    assert insufficient == (verdict == "insufficient")


def test_both_sides_of_one_source_are_counted_once(capsys, tmp_path: Path) -> None:
    """As a segment, or a time, divides them."""
    path = tmp_path / "t.csv"
    path.write_text(
        "\n".join(["x,g", *(f"{x},{'ab'[n % 2]}" for n, x in enumerate(gauss(1, rows=600))), "1"])
    )
    found = judge(capsys, path, "--reference", "g=a")
    assert found["unread"] == [{"side": "both", "rows": 1, "of": 601}]


def test_broken_lines_of_objects(capsys, tmp_path: Path) -> None:
    """The last line of a file that is still being written, and what is no object."""
    path = tmp_path / "t.jsonl"
    lines = [json.dumps({"x": value, "n": float("nan")}) for value in gauss(1, rows=100)]
    path.write_text("\n".join(["[1]", *lines, '{"x": 1']))
    found = judge(capsys, path, "--reference", str(path))
    assert found["records"] == 100
    assert [one["place"] for one in found["unreadable"]] == [f"{path}:1", f"{path}:102"]


def test_cells_of_another_kind_are_counted(capsys, tmp_path: Path) -> None:
    """By column, with the first place; they are of a wrong type."""
    texts = [*map(str, gauss(1)), *["broken"] * 200]
    usual = csv_of(tmp_path / "a.csv", {"x": gauss(1)})
    path = csv_of(tmp_path / "b.csv", {"x": texts})
    found = judge(capsys, path, "--reference", str(usual))
    assert status(found) == {"x": "drift"}
    assert found["unreadable"] == [
        {"place": f"{path}:{ROWS + 2}", "error": "column 'x': not numeric", "count": 200}
    ]


def damage_group(path: Path, number: int) -> None:
    """Overwrite some of the first column of a row group."""
    content = bytearray(path.read_bytes())
    place = parquet.ParquetFile(path).metadata.row_group(number).column(0).data_page_offset
    content[place + 20 : place + 400] = bytes(380)
    path.write_bytes(content)


def test_a_damaged_row_group_is_counted(capsys, tmp_path: Path) -> None:
    """The others are judged."""
    path = tmp_path / "t.parquet"
    columns = {"x": gauss(1, rows=3000), "y": random.Random(1).choices("ab", k=3000)}
    parquet.write_table(pa.table(columns), path, row_group_size=1000, compression="gzip")
    damage_group(path, 1)
    found = judge(capsys, path, "--reference", str(path))
    assert found["records"] == 2000
    (one,) = found["unreadable"]
    assert (one["place"], one["count"]) == (f"{path}: row 1001", 1000)


@pytest.mark.parametrize("engine", ["local", "dask"])
def test_rows_behind_a_damaged_row_group_keep_their_numbers(
    capsys, tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    """They are counted from the beginning of the file, with those that were lost."""
    usual, path = tmp_path / "usual.parquet", tmp_path / "t.parquet"
    columns = {"x": list(map(str, gauss(1, rows=3000)))}
    parquet.write_table(pa.table(columns), usual)
    columns["x"][2500] = "broken"
    parquet.write_table(pa.table(columns), path, row_group_size=1000, compression="gzip")
    damage_group(path, 1)
    far = ["--scheduler", request.getfixturevalue("scheduler")] if engine == "dask" else []
    found = judge(capsys, path, "--reference", str(usual), "--engine", engine, *far)
    assert found["records"] == 2000
    places = {(one["place"], one["count"]) for one in found["unreadable"]}
    assert places == {(f"{path}: row 1001", 1000), (f"{path}: row 2501", 1)}


def test_a_directory_of_mixtures(capsys, tmp_path: Path) -> None:
    """What is a table is judged, what is none is named."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    usual = csv_of(tmp_path / "usual.csv", {"x": gauss(1)})
    csv_of(folder / "a.csv", {"x": gauss(2)})
    parquet_of(folder / "b.parquet", {"x": gauss(3)})
    jsonl_of(folder / "c.jsonl", [{"x": value} for value in gauss(4)])
    (folder / "d.csv").write_text("")
    (folder / "empty.csv.gz").write_bytes(gzip.compress(b""))
    (folder / "nothing.csv.gz").write_bytes(b"")
    (folder / "e.parquet").write_bytes((folder / "b.parquet").read_bytes()[:500])
    (folder / "f.csv").write_text('x,"y\n1,2\n')
    found = judge(capsys, folder, "--reference", str(usual))
    assert (found["records"], found["verdict"]) == (3 * ROWS, "insufficient")
    named = {Path(one["place"].partition(":")[0]).name for one in found["unreadable"]}
    assert named == {"d.csv", "e.parquet", "empty.csv.gz", "f.csv", "nothing.csv.gz"}
    lost = [Path(one.partition(":")[0]).name for one in found["unread"][0]["ends"]]
    assert lost == ["e.parquet", "f.csv", "nothing.csv.gz"]  # in one that is empty was nothing


def test_a_page_that_is_not_its_checksum_s_is_damaged(capsys: Any, tmp_path: Path) -> None:
    """Of a file that has checksums, as most that Java writes: its group is told, the rest judged."""
    path, out = tmp_path / "t.parquet", tmp_path / "out.json"
    columns = {"x": gauss(1, rows=400)}
    parquet.write_table(pa.table(columns), path, row_group_size=100, write_page_checksum=True)
    usual = csv_of(tmp_path / "usual.csv", columns)
    data = bytearray(path.read_bytes())
    place = len(data) // 3
    data[place : place + 8] = bytes(8)
    path.write_bytes(data)
    assert main(["replay", str(path), "--reference", str(usual), "--json", str(out)]) == 0
    found = json.loads(out.read_bytes())
    assert found["records"] == 300
    (one,) = found["unreadable"]
    assert one["count"] == 100
    assert "CRC" in one["error"]


@pytest.mark.parametrize(
    ("how", "pack", "unpack"),
    [
        ("gzip", gzip.compress, lambda: zlib.decompressobj(31)),
        ("xz", partial(lzma.compress, preset=0), lzma.LZMADecompressor),
    ],
)
def test_a_small_file_that_was_cut_is_read_as_far_as_it_goes(
    tmp_path: Path, capsys: Any, how: str, pack: Any, unpack: Any
) -> None:
    """Every whole line that can be unpacked is a row, also where the file ends within what tells its
    format; its end is told by its line."""
    rng = random.Random(1)
    rows = "".join(f"{rng.gauss(5, 1):.3f},{rng.choice('abc')}\n" for _ in range(2000))
    usual, cut = tmp_path / "usual.csv", tmp_path / f"cut.csv.{how}"
    usual.write_text(f"x,k\n{rows}")
    packed = pack(usual.read_bytes())
    cut.write_bytes(packed[: len(packed) // 2])
    out = tmp_path / "out.json"
    assert main(["replay", str(cut), "--reference", str(usual), "--json", str(out)]) == 0
    found = json.loads(out.read_bytes())
    whole_lines = unpack().decompress(cut.read_bytes()).count(b"\n")
    assert found["records"] == whole_lines - 1  # the header
    (one,) = found["unreadable"]
    assert one["place"] == f"{cut}:{found['records'] + 2}"
    assert (one["error"], one["count"]) == (f"is cut off within what {how} has packed", 0)


def test_what_breaks_off_is_said_before_the_verdict(capsys: Any, tmp_path: Path) -> None:
    """On the screen, on the page, in the document and in JUnit's XML; of which side, and what was
    read before is judged. Nothing is called well, and a run can fail on it."""
    usual, cut = tmp_path / "usual.csv", tmp_path / "cut.csv.gz"
    xml, page = tmp_path / "o.xml", tmp_path / "o.html"
    csv_of(usual, {"x": gauss(1, rows=3000)})
    packed = gzip.compress(usual.read_bytes())
    cut.write_bytes(packed[: len(packed) // 2])
    for current, reference, side in ((cut, usual, "current"), (usual, cut, "reference")):
        given = ["--reference", str(reference), "--junit", str(xml), "--html", str(page)]
        found = judge(capsys, current, *given)
        assert (found["verdict"], status(found)) == ("insufficient", {"x": "ok"})
        (one,) = found["unreadable"]
        end = f"{one['place']}: is cut off within what gzip has packed"
        read = int(one["place"].rpartition(":")[2]) - 2
        assert 1000 < read < 2000
        of = read if side == "current" else found["unread"][0]["of"]
        assert found["unread"] == [{"side": side, "rows": 0, "of": of, "ends": [end]}]
        first = (
            f"Only a part could be read: {end}. Not judged as a whole: in what was read 1 feature"
        )
        assert f"<h1>{first}" in page.read_text()
        assert f'<failure message="{end}"/>' in xml.read_text()
        assert main(["replay", str(current), *given, "--fail-on", "insufficient"]) == 1
        assert " ".join(capsys.readouterr().out.split()).startswith(first)
        assert main(["replay", str(current), *given, "--fail-on", "unreadable"]) == 1
        capsys.readouterr()
    csv_of(usual, {"x": gauss(1, 9.0, rows=3000)})
    assert main(["replay", str(cut), "--reference", str(usual), "--fail-on", "drift"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith(f"Only a part could be read: {end}. Drift: x moved most")


def test_what_may_be_wrong_is_no_finding(capsys: Any, tmp_path: Path) -> None:
    """A file that is damaged and not only cut off gives rubbish that looks like drift: whatever
    depends on it is not judged, on the screen, on the page, in the document and in JUnit's XML."""
    usual, bad = tmp_path / "usual.csv", tmp_path / "bad.csv.gz"
    xml, page, evidently = tmp_path / "o.xml", tmp_path / "o.html", tmp_path / "evidently.html"
    rng = random.Random(3)
    rows = [(rng.gauss(0, 1), rng.random() < 0.9) for _ in range(1000)]
    usual.write_text("x,y,p\n" + "".join(f"{x},{int(y)},1\n" for x, y in rows))
    other = "x,p,y\n" + "".join(f"{x + 3},1,{int(not y)}\n" for x, y in rows)
    packed = bytearray(gzip.compress(other.replace("x,", "z,x,", 1).replace("\n", "\n1,").encode()))
    packed[-8] ^= 1
    bad.write_bytes(packed)
    given = [
        "--reference", str(usual), "--label", "y", "--prediction", "p", "--chunks", "2",
        "--timeline", "--tolerance", "0.1,0.2", "--junit", str(xml), "--html", str(page),
        "--score", "p", "--evidently", str(evidently),
    ]  # fmt: skip
    found = judge(capsys, bad, *given)
    assert found.keys().isdisjoint({"performance", "class_quality", "confusion"})
    assert not any("performance" in each for each in found["chunks"])
    assert {
        f"--evidently: {evidently} was not written, because what was read may be wrong",
        "left out, as what was read may be wrong: performance, quality by class, confusion",
    } <= {*found["remarks"]}
    assert not evidently.exists()
    (one,) = found["unreadable"]
    end = f"{one['place']}: {one['error']}"
    assert one["error"].endswith("does not hold, so what was read may be wrong")
    assert found["verdict"] == "insufficient"
    assert found["unread"][0]["ends"] == [end]
    assert found["unread"][0]["may_be_wrong"] is True
    told, reason = json.dumps(found), "what was read may be wrong"
    assert not {f'"{word}"' for word in ("drift", "alarm", "ok") if f'"{word}"' in told}
    assert {each["reason"] for each in found["features"] if each["scores"]} == {reason}
    assert {each["reason"] for each in found["quality"] if each.get("status")} == {reason}
    first = f"Not to be trusted: {end}. Nothing could be judged"
    assert f"<h1>{first}" in page.read_text()
    assert "no drift" not in page.read_text()
    (failure,) = [line for line in xml.read_text().splitlines() if "<failure" in line]
    assert f'<failure message="{end}"/>' in failure
    assert main(["replay", str(bad), *given, "--fail-on", "drift,quality,schema"]) == 0
    assert " ".join(capsys.readouterr().out.split()).startswith(first)
    for name in ("insufficient", "unreadable"):
        assert main(["replay", str(bad), *given, "--fail-on", name]) == 1
    capsys.readouterr()


@pytest.mark.parametrize("wrong", ["cut", "damaged"])
def test_no_profile_is_made_of_a_part(capsys: Any, tmp_path: Path, wrong: str) -> None:
    """All that comes would be compared with it, and nobody would know."""
    path, out = tmp_path / "t.csv.gz", tmp_path / "t.profile"
    packed = gzip.compress(KINDS["t.csv"].encode())
    path.write_bytes(packed[:-2000] if wrong == "cut" else packed[:-8] + b"1234" + packed[-4:])
    assert main(["reference", "build", str(path), "--out", str(out)]) == 2
    (said,) = [
        line for line in capsys.readouterr().err.splitlines() if "nothing was written" in line
    ]
    assert f"is {wrong}" in said
    assert not out.exists()


def objects(count: int) -> list[dict[str, Any]]:
    rng = random.Random(2)
    return [
        {
            "messages": [{"role": "user", "content": f"Is it {rng.random()}?"}],
            "completion": f"No {n}",
        }
        for n in range(count)
    ]


def lines_of(place: Path | str, damage: Damage) -> list[Any]:
    """What is read of a file, whatever it is."""
    ((path, source),) = files.find([str(place)])
    if source.table is not None:
        table = source.table(path)
        assert table.batches is None or list(table.batches(table.names, [], Damage()))
        return list(table.rows(table.names, damage))
    if source.records is not None:
        return list(source.records(path, damage))
    assert source.exchanges is not None
    return list(source.exchanges([path], damage))


KINDS = {
    "t.csv": "x,y\n" + "".join(f"{x},a\n" for x in gauss(1, rows=3000)),
    "t.tsv": "x\ty\n" + "".join(f"{x}\ta\n" for x in gauss(1, rows=3000)),
    "t.jsonl": "".join(json.dumps({"x": x}) + "\n" for x in gauss(1, rows=3000)),
    "t.json": json.dumps([{"x": x} for x in gauss(1, rows=3000)], indent=1),
    "records.jsonl": "".join(encode_record(record(n)).decode() + "\n" for n in range(1500)),
    "chats.jsonl": "".join(json.dumps(one) + "\n" for one in objects(2000)),
    "chats.json": json.dumps(objects(2000), indent=1),
    "nginx.log": "".join(
        f'10.0.0.1 - - [28/Nov/2026:12:00:00 +0000] "GET /{n**3} HTTP/1.1" 200 {n} "-" "curl"\n'
        for n in range(5000)
    ),
}  # fmt: skip
PACKINGS = {"gzip": gzip.compress, "xz": partial(lzma.compress, preset=0)}


@pytest.mark.parametrize("how", ["plain", *PACKINGS])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", KINDS)
def test_whatever_breaks_off_tells_where(
    tmp_path: Path, name: str, encoding: str, how: str
) -> None:
    """Every kind of file in every packing: what comes before is read, the place is the line behind,
    and no number of rows is made up. A plain list ends with its bracket."""
    if how == "plain" and not name.endswith(".json"):
        pytest.skip("nobody can know of lines whether there were more")
    whole = KINDS[name].encode(encoding)
    damage, path = Damage(), tmp_path / name
    path.write_bytes(PACKINGS.get(how, bytes)(whole))
    rows = len(lines_of(path, damage))
    assert (rows >= 1500, damage.listed()) == (True, [])
    packed = path.read_bytes()
    path.write_bytes(packed[: len(packed) * 2 // 3])
    read = len(lines_of(path, damage))
    assert rows // 3 < read < rows
    (one,) = [one for one in damage.listed() if not one.count]
    assert one == damage.listed()[0]
    assert one.error == (
        f"is cut off within what {how} has packed" if how != "plain" else "is cut off"
    )
    place, _, line = one.place.rpartition(":")
    assert place == str(path)
    header = name.endswith((".csv", ".tsv"))
    assert name.endswith(".json") or 0 <= int(line) - (read + 1 + header) <= 1
    assert damage.rows_of([path]) <= 1  # half a line


@pytest.mark.parametrize("name", ["t.jsonl", "records.jsonl", "chats.jsonl"])
def test_of_a_download_that_breaks_off_some_is_read(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Of a table, of Records and of a log alike; that it ends early is told."""
    monkeypatch.setattr(places, "BLOCK", 1 << 14)
    content = KINDS[name].encode()
    damage = Damage()
    with served() as server:
        server.files[f"/{name}"] = content * (1 + (4 << 20) // len(content))
        server.trouble[f"/{name}"] = "cut"
        read = len(lines_of(f"{server.url}/{name}", damage))
    (one,) = damage.listed()
    assert one.place == f"{server.url}/{name}:{read + 1}"
    assert (one.error, one.count) == ("ends early", 0)
    assert read > 1000


@pytest.mark.parametrize("kind", ["table", "records"])
def test_of_parquet_behind_a_connection_that_breaks_some_is_read(
    kind: str, tmp_path: Path, capsys: Any
) -> None:
    """What comes before is judged, and nothing is said to be well: first it is told where it ends,
    in one sentence. Nobody waits for what stands behind."""
    path, out = tmp_path / "t.parquet", tmp_path / "out.json"
    lines = [line.encode() for line in KINDS["records.jsonl"].splitlines()]
    columns: dict[str, list[Any]] = {
        "table": {"x": gauss(1, rows=32_000)}, "records": {"record": (lines * 9)[:800]},
    }[kind]  # fmt: skip
    size = len(next(iter(columns.values())))
    parquet.write_table(
        pa.table(columns), path, row_group_size=size // 8, compression="none", use_dictionary=False
    )
    content = path.read_bytes()
    with served() as server:
        server.files["/t.parquet"] = content
        server.trouble["/t.parquet"] = range(len(content) // 2, len(content) // 2 + 1)
        url = f"{server.url}/t.parquet"
        assert main(["replay", url, "--reference", str(path), "--json", str(out)]) == 0
    found, said = json.loads(out.read_bytes()), capsys.readouterr()
    assert (found["verdict"], found["records"]) == ("insufficient", size // 2)
    (one,) = found["unreadable"]
    assert (one["place"], one["error"], one["count"]) == (
        f"{url}: row {size // 2 + 1}",
        "cannot be read: ends early",
        0,
    )
    assert "Only a part could be read" in said.out
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "t.csv: is empty"),
        ("t.csv", b"a,b\n1\n", "t.csv:2: 1 fields where the header has 2"),
        ("t.parquet", b"PAR1 and no more", "t.parquet: is not Parquet"),
        ("t.jsonl", b"[1]\n", "t.jsonl: item 1: not a JSON object"),
        ("t.json", b"[1, 2", "t.json:1: not a JSON object"),
        ("t.csv.gz", gzip.compress(b"a,b\n1,2\n" * 9, mtime=0)[:20], "t.csv.gz"),
        ("t.csv", "größe,b\n1,2\n".encode("latin-1"), "t.csv:1: is not UTF-8 text"),
        # The first row of values is no header.
        ("t.csv", "größe,b\n1,2\n3,4\n5,6\n".encode("latin-1"), "t.csv:1: is not UTF-8 text"),
        ("t.csv", b'"a"b,c\n1,2\n3,4\n', "t.csv:1: not a CSV row"),
        ("t.json", b'{"a": ' * 5000, "t.json:1: not a record"),
        ("t.csv", b"a,b\n", "t.csv: holds no rows to judge"),
        ("t.arrow", b"ARROW1\0\0 and no more", "t.arrow: is not Arrow"),
        ("t.xlsx", b"PK\x03\x04 and no more", "t.xlsx: is a ZIP archive, or a spreadsheet"),
        (
            "t.xls",
            b"\xd0\xcf\x11\xe0 and no more",
            "t.xls: cannot be read: is damaged, or no workbook",
        ),
        ("t.csv", b"\x89PNG\r\n\x1a\n", "t.csv: is an image"),
    ],
)
def test_nothing_readable_is_one_line(
    capsys, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """Exit code 2, with the file and, where there is one, the line."""
    path = tmp_path / name
    path.write_bytes(content)
    assert main(["replay", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("monitor: ")
    assert message in line


def test_what_cannot_be_opened_is_one_line(capsys, tmp_path: Path) -> None:
    """Not there, a link to itself, a directory without tables, what gives no bytes."""
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    (tmp_path / "void").mkdir()
    (tmp_path / "spoilt.csv").symlink_to("/proc/self/mem")
    for name, message in (
        ("nowhere.csv", "nowhere.csv: cannot be read: No such file or directory"),
        ("loop.csv", "loop.csv: cannot be read: Too many levels of symbolic links"),
        ("void", "void: holds no file that ends in"),
        ("spoilt.csv", "spoilt.csv: cannot be read: Input/output error"),
    ):
        assert main(["replay", str(tmp_path / name)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("monitor: ")
        assert message in line
