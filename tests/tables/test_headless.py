"""Text files whose first line names nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.errors import SourceError
from monitor.interfaces import Head
from monitor.replay.files import find
from monitor.tables.headless import WHY, is_headless

LOGS = {
    "vLLM": "INFO 04-0{} 10:00:00 [loggers.py:1] Engine 000: prompt: 9.{} tokens/s, Running: {} reqs",
    "vLLM, its server": '\x1b[32mINFO\x1b[0m:     10.0.0.{}:40{} - "POST /v1/completions HTTP/1.1" 200 OK',
    "vLLM, a process of it": "(APIServer pid=1{}) INFO 04-01 10:00:0{} [a.py:1] up, {}",
    "logging": "2026-04-0{} 10:00:00,123 - root - INFO - done, {}, {}",
    "logging, as it comes": "WARNING:root:done {}, {}, {}",
    "syslog": "Apr  {} 10:00:00 host app[{}]: stopped, code {}",
    "klog": "I040{} 10:00:00.123456 1 grpc_server.cc:8{}] ready, rpc_ok={}",
    "gunicorn": "[2026-04-0{} 10:00:00 +0000] [{}] [INFO] Booting worker, {}",
    "Gin": '[GIN] 2026/04/0{} - 10:00:0{} | 200 | {}.1s | 127.0.0.1 | POST "/api/chat"',
    "logfmt": 'time=2026-04-0{}T10:00:00Z level=info msg="done, all" status=20{} dur=0.{}',
    "compose": "app-1  | INFO 04-0{} 10:00:00 [x.py:{}] ready, {}",
    "Valkey": "1:M 0{} Apr 2026 10:00:0{}.123 * Ready, {}",
    "llama.cpp": "srv  log_server_r: request: POST /v1/chat/completions 127.0.0.{} 2{}{}",
    "rows": "Rome,{}.5,x{},{}",
}  # fmt: skip
"""Lines of programs, with places for three figures."""

TABLES = {
    "times": ["at,n", *["2026-04-01 10:00:00,1", "2026-04-01 10:00:01,2"] * 3],
    "words of a log": ["message", *["INFO: a", "ERROR: b"] * 3],
    "times below a date": ["2026-04-01 10:00:00 report", "at,n", *["2026-04-01 10:00:00,1"] * 7],
    "times below a date that is filled up": [
        "2026-04-01 10:00:00,",
        "at,n",
        *["2026-04-01 10:00:00,1"] * 7,
    ],
    "hours in a row": ["city,2026-04-01 10:00,2026-04-01 11:00", *["Rome,1,2", "Bonn,3,4"] * 3],
    "years": ["2019,2020", "5,7", "6,8", "9,9"],
    "nodes": ["node1,node2", "node7,node9", "node3,node5", "node4,node4"],
    "two headers": ["q1 of four parts,n", "a,1", "q1 of four parts,n", "b,2", "q1 of four parts,n"],
    "two rows": ["INFO 04-01 10:00:00 [x.py:1] a", "INFO 04-01 10:00:00 [x.py:2] b"],
}


def head(lines: list[str], name: str = "t.csv") -> Head:
    return Head(Path(name), "\n".join(lines).encode())


@pytest.mark.parametrize("line", LOGS.values(), ids=LOGS)
def test_lines_like_the_first_say_that_it_names_nothing(line: str) -> None:
    """What a program wrote for people to read is no table, whatever parts its lines."""
    assert is_headless(head([line.format(n, n + 1, n + 2) for n in range(1, 6)]))


@pytest.mark.parametrize("lines", TABLES.values(), ids=TABLES)
def test_a_table_is_none_of_them(lines: list[str]) -> None:
    assert not is_headless(head(lines))


def test_a_log_by_its_name_may_begin_otherwise() -> None:
    """A program greets before it tells what it does; a table of such texts has a name above,
    and one of times its names."""
    lines = ["Welcome, user", *TABLES["words of a log"][1:]]
    assert is_headless(head(lines, "app.log.gz"))
    assert not is_headless(head(lines))
    assert not is_headless(head(["at,level,text", *["2026-04-01 10:00:00,INFO,up"] * 7], "app.log"))


def test_lists_of_json_are_told_that_they_are_no_objects(tmp_path: Path) -> None:
    """Names of columns above them would help nobody."""
    path = tmp_path / "t.json"
    path.write_text("\n".join(f'["2026-04-01 10:00:00", {n}]' for n in range(9)))
    assert find([str(path)])[0][1].name == "jsonl"


def test_such_a_file_is_refused_unless_its_format_is_said(tmp_path: Path) -> None:
    """In one sentence; among the tables of a directory it costs nothing else."""
    path = tmp_path / "vllm.log"
    path.write_text("\n".join(LOGS["vLLM"].format(n, n, n) for n in range(9)))
    with pytest.raises(SourceError, match=f"^{path}: {WHY}$"):
        find([str(path)])
    assert find([str(path)], "csv")[0][1].name == "csv"
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    assert [one.name for one, _ in find([str(tmp_path)])] == ["t.csv"]
