"""URLs and pipes as files."""

from __future__ import annotations

import gzip
import os
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
from pyarrow import parquet

from monitor import packing, places
from monitor.damage import Damage
from monitor.places import Remote
from monitor.sources.csv import open_csv
from monitor.sources.parquet import open_parquet
from tests.file_server import FileServer, served


@pytest.fixture(scope="module")
def server() -> Iterator[FileServer]:
    with served() as found:
        yield found


def test_a_url_is_shown_without_its_secrets() -> None:
    """As a text, in a message and as a name; the whole of it opens the file, also elsewhere."""
    path = Remote.at("https://user:word@host/a/b.csv?signature=secret#part")
    assert (str(path), f"{path}", path.name) == (*["https://host/a/b.csv"] * 2, "b.csv")
    assert "secret" not in repr(path)
    assert places.is_secret(path)
    again = pickle.loads(pickle.dumps(path))
    assert (again.url, str(again)) == (path.url, str(path))
    assert not places.is_secret(Remote.at("s3://bucket/a.csv"))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("trouble", ["", "whole"])
def test_a_file_of_the_web(server: FileServer, packed: bool, trouble: str) -> None:
    """Plain or packed, from a server that gives parts and from one that does not."""
    content = "n,x\n" + "".join(f"{n},text {n}\n" for n in range(200_000))
    name = f"/{packed}{trouble}.csv"
    server.files[name] = gzip.compress(content.encode()) if packed else content.encode()
    server.trouble[name] = trouble
    table = open_csv(Remote.at(server.url + name))
    assert table.names == ["n", "x"]
    assert sum(1 for _ in table.rows(["n"], Damage())) == 200_000


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        (404, "is not there"), (403, r"access is denied \(403\)"), (401, r"access is denied \(401\)"),
        (500, "the server answers 500"), ("hang", "does not answer within"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_server_is_one_sentence(
    server: FileServer, monkeypatch: pytest.MonkeyPatch, trouble: int | str, message: str
) -> None:
    """Without a word of the server, or of the secret in the URL."""
    monkeypatch.setattr(places, "TIMEOUT", 0.5)
    places.file_system.cache_clear()
    server.files["/t.csv"] = b"x\n1\n"
    server.trouble["/t.csv"] = trouble
    with pytest.raises(OSError, match=message) as error:
        packing.opened(Remote.at(f"{server.url}/t.csv?key=secret"))
    places.file_system.cache_clear()
    assert "secret" not in str(error.value)


def test_nobody_listens() -> None:
    """One sentence."""
    with pytest.raises(OSError, match="the server cannot be reached"):
        packing.opened(Remote.at("http://127.0.0.1:1/t.csv"))


def test_a_download_that_was_cut_leaves_no_words_of_others(server: FileServer) -> None:
    """The loop of fsspec has nothing to say on stderr."""
    server.files["/a.csv"] = b"x\n"
    places.found(f"{server.url}/a.csv")
    with places.Remote.at(f"{server.url}/a.csv").open():
        loop = fsspec.asyn.get_loop()
        assert loop.get_exception_handler() is not None


def test_a_connection_that_ends_early_is_said(server: FileServer) -> None:
    """What came before is read."""
    server.files["/t.csv"] = b"n,x\n" + b"1,2\n" * (1 << 19)
    server.trouble["/t.csv"] = "whole"
    table = open_csv(Remote.at(f"{server.url}/t.csv"))
    server.trouble["/t.csv"] = "cut"
    damage = Damage()
    rows = sum(1 for _ in table.rows(["n"], damage))
    assert rows < 1 << 19
    (one,) = damage.listed()
    assert one.place == f"{server.url}/t.csv:{rows + 2}"
    assert one.error == "ends early"


def test_of_parquet_only_what_is_needed_comes(server: FileServer) -> None:
    """The end, and of the row groups that are wanted the columns that are."""
    out = pa.BufferOutputStream()
    columns = {name: os.urandom(8 * 40_000) for name in "abcd"}
    table = pa.table({k: pa.array(memoryview(v).cast("q").tolist()) for k, v in columns.items()})
    parquet.write_table(table, out, row_group_size=10_000, compression="none", use_dictionary=False)
    server.files["/t.parquet"] = out.getvalue().to_pybytes()
    path = Remote.at(f"{server.url}/t.parquet")
    server.asked.clear()
    one = open_parquet(path, 2)
    values = [row[0] for _, row in one.rows(["b"], Damage())]
    assert values == table["b"].to_pylist()[20_000:30_000]
    sent = sum(one for *_, one in server.asked)
    assert 80_000 <= sent < 80_000 + 150_000  # the end is looked for in the last bytes
    assert sent < len(server.files["/t.parquet"]) / 4
    server.trouble["/none.parquet"] = 403
    with pytest.raises(Exception, match=r"none\.parquet: cannot be read: access is denied"):
        open_parquet(Remote.at(f"{server.url}/none.parquet?key=secret"))


def test_many_files_at_a_url() -> None:
    """A directory, a pattern of names; and what stands before the first sign of it."""
    system = fsspec.filesystem("memory")
    for name in ("region=a/1.csv", "region=b/2.csv", "3.txt"):
        system.pipe(f"/many/{name}", b"x\n1\n")
    inside, base = places.found("memory://many")
    assert [str(one) for one in inside] == [
        "memory:///many/3.txt", "memory:///many/region=a/1.csv", "memory:///many/region=b/2.csv",
    ]  # fmt: skip
    assert base is not None
    assert [one.relative_to(base).parts for one in inside][1] == ("region=a", "1.csv")
    inside, base = places.found("memory://many/region=*/*.csv")
    assert len(inside) == 2
    assert inside[0].relative_to(base).parts == ("region=a", "1.csv")
    assert places.found("memory://many/3.txt")[1] is None


def test_files_of_this_machine_at_a_url(tmp_path: Path) -> None:
    """By their path, patterns too."""
    (tmp_path / "a b.csv").write_text("x\n")
    assert places.found(f"file://{tmp_path}/a%20b.csv") == ([tmp_path / "a b.csv"], None)
    assert places.found(f"file://{tmp_path}/*.csv") == ([tmp_path / "a b.csv"], tmp_path)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("gopher://h/x", "no files have a URL with gopher://"),
        ("gs://b/x", "gs:// needs another package"),
    ],
)
def test_urls_that_nothing_here_reads(url: str, message: str) -> None:
    """Another scheme, or a package that is not installed."""
    with pytest.raises(OSError, match=message):
        places.found(url)


def test_odd_urls_are_read_or_said(server: FileServer) -> None:
    """Capitals of a scheme, a name with the signs of a pattern, ports that there are not."""
    server.files["/ok%5B1%5D.csv"] = server.files["/ok[1].csv"] = b"x\n1\n"
    url = f"HTTP{server.url.removeprefix('http')}/ok[1].csv"
    (path,), base = places.found(url)
    assert base is None
    assert path.open().read() == b"x\n1\n"
    for odd in ("http://127.0.0.1:99999/a.csv", "http://[::1/a.csv"):
        with pytest.raises(OSError, match="is no valid URL"):
            places.found(odd)


def test_a_file_that_is_named_otherwise_than_its_directory_has_its_name() -> None:
    """As where one file system takes it from another."""
    base = Remote.at("simplecache::http://h/d/")
    assert Remote.at("http://h/d/a.csv").relative_to(base).parts == ("a.csv",)
    assert Remote.at("simplecache::http://h/d/e/a.csv").relative_to(base).parts == ("e", "a.csv")


def test_a_url_without_an_end_is_said() -> None:
    """Not by the name of a class."""

    class TooManyRedirects(Exception):  # noqa: N818  as aiohttp has it
        pass

    assert places.reason(TooManyRedirects()) == "redirects without an end"


def test_a_pipe_can_be_read_again(tmp_path: Path) -> None:
    """Its bytes are in memory, under its name; a file is no pipe."""
    fifo = tmp_path / "t.csv"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(b"x\n" + b"1\n" * 100_000,))
    writer.start()
    path = places.piped(str(fifo))
    writer.join()
    assert path is not None
    assert (str(path), path.name) == (str(fifo), "t.csv")
    for _ in range(2):
        assert sum(1 for _ in open_csv(path).rows(["x"], Damage())) == 100_000
    assert places.piped(str(tmp_path)) is None
    assert places.piped("nowhere") is None


def test_a_pipe_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded."""
    monkeypatch.setattr(places, "PIPED", 3 << 20)
    with pytest.raises(OSError, match="is a pipe of more than 3,145,728 bytes; name a file"):
        places.piped("/dev/zero")
