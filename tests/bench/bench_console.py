"""`make bench`: what a page of the console costs with some 5,000 watches; written to CONSOLE.md.

A real `monitor run` after predictions from COLUMNS numbers of GROUPS populations, most with feedback, and a shift in one of
them. Each page is asked for when nothing of it is remembered, as for a person who comes and looks. CPU time is that of each
process, from the system. `--asks N`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import random
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from tests.bench import pacing, peers
from tests.bench.tables import other_work, spread, table

OUT = Path(__file__).with_name("CONSOLE.md")
COLUMNS, GROUPS = 110, 49
REQUESTS, RATE = 4410, 60
LEARNED = 40
PAUSE = 1.1
"""Seconds after which the pages ask the other processes anew."""
WATCHES = 4900
LATE = 8.0
"""Seconds until all feedback is counted."""
ANSWERS = ({"label": "1", "score": 0.8}, {"label": "0", "score": 0.3})
END = b"}\n"
SETTINGS: dict[str, object] = {
    "segments": {"population": {"header": "x-population"}, "plan": {"header": "x-plan"}},
    "reference": {"learn": LEARNED},
    "windows": {"pane": 5, "lateness": 1},
    "outcomes": {"wait": 3, "prediction": "outputs.label", "score": "outputs.score"},
    "fairness": {"dimensions": ["population"], "favourable": "1", "minimum": 20},
    "slices": {"measures": ["error", "latency"]},
    "experiments": [{
        "name": "plans", "dimension": "plan", "control": "free", "allocation": {"free": 0.5, "paid": 0.5},
        "metrics": [{"name": "slow", "latency_above": 0.001}],
    }],
}  # fmt: skip
PAGES = (
    "", "findings", "findings?status=ok&limit=1000", "finding?feature=c7&dimension=population&value=group-7",
    "segments", "records", "records?limit=1000", "records?segment=population=group-7", "records/{id}", "templates", "quality",
    "fairness", "slices", "experiments", "experiments/plans", "review", "health",
)  # fmt: skip


def request(number: int, chance: random.Random) -> tuple[bytes, dict[str, str]]:
    """A prediction, and what is told of it later."""
    group, trace = number % GROUPS, f"{number + 1:032x}"
    shift = 2.0 if group == 7 and number > REQUESTS * 2 // 3 else 0.0
    columns = {f"c{at}": round(chance.gauss(50, 10) + 10 * shift, 3) for at in range(COLUMNS)}
    body = json.dumps(columns).encode()
    said = chance.randrange(2)
    head = (
        f"POST /predict HTTP/1.1\r\nHost: model\r\nContent-Type: application/json\r\nX-Answer: {said}\r\n"
        f"X-Population: group-{group}\r\nX-Plan: {chance.choice(('free', 'paid'))}\r\n"
        f"Traceparent: 00-{trace}-{number + 1:016x}-00\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    is_right = chance.random() < (0.6 if group == 3 else 0.9)
    label = ANSWERS[said]["label"] if is_right else ANSWERS[1 - said]["label"]
    return head.encode() + body, {"trace_id": trace, "label": str(label)}


def told(address: str, items: list[dict[str, str]]) -> None:
    """Give feedback."""
    body = "\n".join(map(json.dumps, items)).encode()
    asked = urllib.request.Request(
        f"{address}/api/v1/feedback", body, {"content-type": "application/x-ndjson"}
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert not json.load(answer)["rejected"]


def filled(whole: peers.Whole) -> None:
    """Send all, and wait until all of it is counted."""
    chance = random.Random(11)
    made = [request(number, chance) for number in range(REQUESTS)]
    address = f"http://{whole.system.run['admin']}"
    for start in range(0, REQUESTS, GROUPS * 10):
        some = made[start : start + GROUPS * 10]
        pacing.paced(whole.port, [one for one, _ in some], RATE, END)
        told(address, [item for _, item in some])
    time.sleep(LATE)
    whole.system.until(lambda: sum(counts(whole).values()) >= WATCHES, 300)
    whole.settle()


def counts(whole: peers.Whole) -> dict[str, int]:
    """Findings by status."""
    found: dict[str, int] = json.loads(whole.system.admin("/api/v1/findings?limit=1")[1])["counts"]
    return found


def main() -> None:
    """Run, print and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--asks", type=int, default=10)
    options = parser.parse_args()
    busy = other_work()
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="monitor-bench-")))
        directory.chmod(0o755)  # nginx gives up root
        for number, answer in enumerate(ANSWERS):
            (directory / f"{number}.json").write_text(json.dumps(answer) + "\n")
        upstream = stack.enter_context(peers.files(directory))
        whole = stack.enter_context(peers.whole(upstream, SETTINGS))
        filled(whole)
        found = counts(whole)
        id_ = json.loads(whole.system.admin("/api/v1/records?limit=1")[1])["items"][0]["id"]
        rows = [asked(whole, page, id_, options.asks) for page in PAGES]
    lines = [
        "# Pages of the console with many watches",
        "",
        f"Written by `tests/bench/bench_console.py` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, Python",
        f"{platform.python_version()}, {os.cpu_count()} cores, of which other work took {busy:.1f} at the beginning.",
        "",
        f"Each page of `/console/`, {options.asks} times, of a `monitor run` after {REQUESTS:,} predictions from {COLUMNS} columns of {GROUPS} populations with",
        f"feedback: {sum(found.values()):,} watches, {found.get('drift', 0)} in drift. Between two 1.1 s go by, after which the pages ask the others anew, unless an answer took long. CPU ms of",
        "a page, and milliseconds until it was whole.",
        "",
        *table(("page", "KB", "pages", "analyzer", "all", "whole after"), rows),
    ]  # fmt: skip
    print("\n".join(lines))
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


def asked(whole: peers.Whole, page: str, id_: str, times: int) -> list[str]:
    """A row: what a page costs."""
    costs: dict[str, list[float]] = {"pages": [], "analyzer": [], "all": []}
    seconds, text = [], ""
    for _ in range(times):
        time.sleep(PAUSE)
        before, began = whole.cpu(), time.monotonic()
        status, text = whole.system.admin(f"/console/{page.replace('{id}', id_)}")
        seconds.append((time.monotonic() - began) * 1e3)
        after = whole.cpu()
        assert status == 200, text
        each = {role: (after[role] - before[role]) * 1e3 for role in before}
        costs["pages"].append(each["pages"])
        costs["analyzer"].append(each["analyzer"])
        costs["all"].append(sum(each.values()))
    return [
        f"`{page or '(overview)'}`",
        f"{len(text) / 1e3:.0f}",
        *map(spread, costs.values()),
        spread(seconds),
    ]


if __name__ == "__main__":
    sys.exit(main())
