"""The benchmarks still fit the program: each can be imported, and its smallest pieces do their work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

BENCH = Path(__file__).parent / "bench"
WHOLE = BENCH / "WHOLE.md"
PIECES = {
    "bench_archive": "assert chained([b'{}'] * 9) < 60",
    "bench_features": "[list(one.observe(each)) for each in (chat(), row()) for one in FEATURES]",
    "bench_fold": """
LEARNED = COUNT = 20
kind = "tensor of 20 numbers"
assert fold({kind: recorded.records(kind, 40)}, 1)[kind]
assert looks(20, 1)
""",
    "bench_foreign": """
from tempfile import mkdtemp
said = foreign_logs.chats("conversations", 3)
for form in ("openai_batch", "nginx"):
    assert looked_at(foreign_logs.write(Path(mkdtemp()) / form, form, said)) == 3
assert was_scrubbed(said) == 3
""",
    "bench_join": "assert 0 < alone(300)['bytes of a record at rest'] <= 120",
    "bench_meaning": """
for kind in KINDS:
    assert {"protocol", "edge cases", "· refusal"} <= set(measured(kind, 3, 1))
""",
    "bench_media": "assert measured({'1 KB': 1000}, 1)['base64'][0] > 0",
    "bench_observers": """
for work in (ours_http2, both_h2):
    assert work(calls(1, 13))() == CALLS
for compress in (False, True):
    head = HEAD + (DEFLATE if compress else b'') + b'\\r\\n'
    for work in (ours_websocket, both_wsproto):
        found = work(messages(200, compress=compress), head)()
        assert found == 2 * CALLS
""",
    "bench_templates": "found = run('hold-out', 1, 2500); assert found['GA'] > 0.9 and found['F1'] >= 0.97 and found['restart'] >= 0.99",
    "bench_traces": "one = Bench(2); one.whole(1); one.alone(1); assert len(one.costs) == 6",
    "outcome_arms": "assert list(power(8)) and list(clustered(4)) and list(intervals(5))",
    "outcome_scores": "assert list(errors(2)) and list(coverage(2)) and list(label_order(2))",
    "outcome_groups": "assert list(found(4))",
    "bench_privacy": "assert ours('write to ada@example.org'); step('I am ada@example.org. ' * 9)()",
    "drift_ours": "EVENTS = 2 * PANE; FEATURES = 2; assert false_alarms(200, 1, 0) == (0, 0)",
}
"""Script → what it does in little, in its own names."""
RUN = f"""
import functools, importlib, sys
from monitor.privacy import patterns
compile_, once = patterns._compiled, functools.cache(lambda *all: compile_(*map(list, all)))
patterns._compiled = lambda *all: once(*map(tuple, all))  # several scripts build the same scanner
sys.path.insert(0, {str(BENCH)!r})
pieces = {PIECES!r}
for name in sys.argv[1:]:
    try:
        exec(pieces.get(name, ''), vars(importlib.import_module(name)))
    except Exception as error:
        print(f'{{name}}: {{error!r}}')
"""


def test_every_script_can_be_imported_and_does_its_smallest_piece() -> None:
    """In one process of its own, from the scripts' directory, as `make bench` starts them."""
    names = sorted(path.stem for path in BENCH.glob("*.py") if path.stem != "__main__")
    assert PIECES.keys() <= set(names)
    run = [sys.executable, "-c", RUN, *names]
    ended = subprocess.run(run, cwd=BENCH.parents[1], capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.returncode) == ("", 0), ended.stdout + ended.stderr


def test_the_whole_is_measured_beside_its_peers(program: Callable[[str], str]) -> None:
    """A run of 40 requests has every process' CPU and every path's latency, and writes no page."""
    program("nginx")
    before = WHOLE.read_bytes()
    options = ["--only", "traffic", "--rounds", "1", "--seconds", "0.2", "--warm", "20"]
    run = [sys.executable, str(BENCH / "bench_whole.py"), *options]
    ended = subprocess.run(run, cwd=BENCH.parents[1], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    rows = [line.strip("| ").split(" | ") for line in ended.stdout.splitlines() if "|" in line]
    (costs,) = (row for row in rows if row[0] == "conversations" and len(row) == 12)
    recorder, analyzer = float(costs[2]), float(costs[3])
    assert recorder > 0 and analyzer > 0  # noqa: PT018
    paths = [row[1] for row in rows if row[0] == "conversations" and len(row) != 12]
    assert sorted(paths) == ["Envoy", "direct", "monitor", "nginx"]
    assert "the accounts agree" in ended.stdout
    assert WHOLE.read_bytes() == before
