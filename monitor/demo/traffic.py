"""Real clients for the demo: the openai SDK and plain HTTP, two populations, three templates.

`python -m monitor.demo.traffic URL` sends their requests until it is ended, usual ones at first and
then shifted ones.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import itertools
import random
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

from monitor.demo.models import CHAT, CLASSIFIER, FEATURES

POPULATIONS = ("north", "south")
TEMPLATES = ("triage", "discharge-letter", "appointment")
CHAT_EVERY = 8
"""One request in so many is a chat; the others are classifications."""

SHIFT = 1.25
"""What the second half multiplies `mean texture` with, in population south: a scanner after a
change of its calibration."""

PEOPLE = (
    ("Maria Keller", "maria.keller@example.org", "+1 212-555-0187", "4111 1111 1111 1111"),
    ("James Okafor", "j.okafor@example.com", "(415) 555-2671", "5500 0000 0000 0004"),
    ("Lena Novak", "lena.novak@example.net", "+44 20 7946 0958", "3782 822463 10005"),
)


@dataclass(frozen=True)
class Job:
    """One request to send."""

    population: str
    template: str
    shifted: bool
    row: tuple[float, ...]
    chat: bool
    person: int
    stream: bool


def jobs(count: int, *, shifted: bool, seed: int) -> Iterator[Job]:
    """`count` requests; the same for the same seed. Rows are drawn from the real data set."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    chosen = [list(data.feature_names).index(name) for name in FEATURES]
    rows = data.data[:, chosen]
    chance = random.Random(seed)  # noqa: S311  a simulation, not a secret
    for number in range(count):
        row = tuple(float(v) * chance.gauss(1, 0.02) for v in rows[chance.randrange(len(rows))])
        yield Job(
            population=chance.choice(POPULATIONS),
            template=chance.choice(TEMPLATES),
            shifted=shifted,
            row=row,
            chat=number % CHAT_EVERY == 0,
            person=chance.randrange(len(PEOPLE)),
            stream=chance.random() < 0.5,
        )


def prompt(job: Job) -> str:
    """What a clinic's employee might type; full of personal data on purpose."""
    name, email, phone, card = PEOPLE[job.person]
    return {
        "triage": f"Patient {name}, phone {phone}, reports chest pain since Monday. What to ask?",
        "discharge-letter": f"Write a discharge letter for {name} and send it to {email}.",
        "appointment": f"Book a slot for {email}, deposit from card {card}, call back {phone}.",
    }[job.template]


class Clients:
    """A few clients that work side by side, each with its own connections."""

    def __init__(self, url: str, size: int = 8) -> None:
        import openai

        self._http = httpx.Client(base_url=url, timeout=30)
        self._openai = openai.OpenAI(base_url=f"{url}/v1", api_key="sk-demo-not-a-key", timeout=30)
        self._pool = ThreadPoolExecutor(size)

    def send(self, todo: Iterator[Job], done: Callable[[], None]) -> int:
        """Send all; calls `done` after each; returns how many failed."""

        def one(job: Job) -> bool:
            try:
                self._chat(job) if job.chat else self._classify(job)
            except Exception:  # noqa: BLE001  a failed request is a number on the screen
                return False
            finally:
                done()
            return True

        return sum(not ok for ok in self._pool.map(one, todo))

    def example(self) -> tuple[str, str]:
        """One chat that is easy to find again: (the prompt that was sent, its trace id)."""
        trace_id = uuid.uuid4().hex
        job = Job("north", "appointment", False, (), chat=True, person=0, stream=True)
        self._chat(job, {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
        return prompt(job), trace_id

    def close(self) -> None:
        """Close the connections of all clients."""
        self._pool.shutdown()
        self._http.close()
        self._openai.close()

    def _headers(self, job: Job) -> dict[str, str]:
        return {"x-population": job.population, "x-template": job.template}

    def _classify(self, job: Job) -> None:
        row = dict(zip(FEATURES, job.row, strict=True))
        if job.shifted and job.population == "south":
            row["mean texture"] *= SHIFT
        inputs: list[dict[str, Any]] = [
            {"name": name, "datatype": "FP64", "shape": [1], "data": [round(value, 4)]}
            for name, value in row.items()
        ]
        path = f"/v2/models/{CLASSIFIER}/infer"
        headers = {"x-population": job.population}
        self._http.post(path, json={"inputs": inputs}, headers=headers).raise_for_status()

    def _chat(self, job: Job, more: dict[str, str] | None = None) -> None:
        answer = self._openai.chat.completions.create(
            model=CHAT,
            messages=[
                {"role": "system", "content": "You help the staff of a clinic."},
                {"role": "user", "content": prompt(job)},
            ],
            stream=job.stream,
            extra_headers={**self._headers(job), **(more or {})},
        )
        if job.stream:
            for _ in answer:
                pass


def send(
    clients: Clients, *, rate: int, usual: float, say: Callable[[str], None], seconds: float = 1e9
) -> None:
    """Send `rate` requests in each second of so many, shifted ones after `usual` seconds."""
    usual_jobs = jobs(10**12, shifted=False, seed=1)
    shifted_jobs = jobs(10**12, shifted=True, seed=2)
    began = time.monotonic()
    shifted = False
    say(f"{rate} requests/s; after {usual:g} s south's scanner is calibrated anew")
    for second in itertools.count(1):
        if not shifted and second > usual:
            shifted = True
            say("from now on south's scanner is calibrated anew")
        todo = itertools.islice(shifted_jobs if shifted else usual_jobs, rate)
        if failed := clients.send(todo, lambda: None):
            say(f"{failed} of {rate} requests failed")
        if second >= seconds:
            return
        time.sleep(max(0.0, began + second - time.monotonic()))


def main() -> None:
    """Send to the URL that is given, until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description="Send the demo's requests to an endpoint.")
    parser.add_argument("url", metavar="URL", help="of the sidecar, as http://127.0.0.1:8080")
    parser.add_argument("--rate", type=int, default=25, help="requests per second; by default 25")
    parser.add_argument(
        "--usual",
        type=float,
        default=150,
        metavar="SECONDS",
        help="until the shift; by default 150",
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the first process of a container
    clients = Clients(options.url)
    with contextlib.suppress(KeyboardInterrupt):
        send(
            clients,
            rate=options.rate,
            usual=options.usual,
            say=functools.partial(print, flush=True),
        )


if __name__ == "__main__":
    main()
