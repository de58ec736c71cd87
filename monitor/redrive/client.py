"""Resend → what a target answers: sent once, no redirect followed, every wait bounded.

A Session is for one thread. Credentials are the target's own headers; they go to its host alone,
and nothing of the environment (`.netrc`, proxies) is added.
"""

from __future__ import annotations

import email.utils
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from monitor.errors import UsageError
from monitor.redrive.requests import Resend
from monitor.types import Outcome
from monitor.urls import shown

LARGEST, PIECE = 8 << 20, 4096
"""Bytes of an answer that are read, and that are waited for at once where it has no chunks."""
CONNECT = 10.0
"""Seconds in which a connection must be made."""
TRIES, LONGEST_WAIT = 4, 60.0
"""How often what is answered with 429 is tried, and how many seconds it is waited for at most."""

BROKEN = "the connection broke off, or the answer is broken"
"""Why there is no answer, where nothing more is known."""

_OUTCOMES = {4: Outcome.CLIENT_ERROR, 5: Outcome.SERVER_ERROR}


@dataclass(frozen=True)
class Target:
    """An endpoint, as `http://127.0.0.1:9000`, with the headers that go to it alone."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: bool | str = True
    model: str = ""
    """The name that takes the place of the recorded model's; none keeps that."""

    @classmethod
    def parse(
        cls, url: str, option: str, headers: Mapping[str, str], *, verify: bool | str = True,
        model: str = "",
    ) -> Target:  # fmt: skip
        """Read a target; raises UsageError, which names the option, for what is none."""
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{option}: {shown(url)} is not a URL such as http://127.0.0.1:9000")
        if "@" in parts.netloc:
            raise UsageError(
                f"{option}: {shown(url)} has a password in it; give it with --header-file instead"
            )
        if parts.query or parts.fragment:
            raise UsageError(f"{option}: {shown(url)} has a query; paths are those of the records")
        return cls(url.rstrip("/"), headers, verify, model)


@dataclass(frozen=True)
class Reply:
    """What came back of one request. `error` says why there is no answer; times are seconds.

    `chunks` are the arrivals of the body as in `types.Exchange`.
    """

    started: float
    duration: float
    outcome: Outcome
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    chunks: list[tuple[float, int]] = field(default_factory=list)
    truncated: bool = False
    error: str = ""
    throttled: int = 0
    """How often the target said that it was asked too much (429) before."""


class Session:
    """Sends requests to one target, from one thread."""

    def __init__(
        self,
        target: Target,
        *,
        run: str,
        timeout: float,
        now: Callable[[], float],
        clock: Callable[[], float],
        wait: Callable[[float], bool],
    ) -> None:
        """`now` gives Unix seconds, `clock` monotonic ones; `wait` waits so many, and says whether
        all is to end. An answer may take `timeout` seconds. `run` marks every request."""
        self._target = target
        self._run = run
        self._timeout = timeout
        self._now, self._clock, self._wait = now, clock, wait
        self._session = requests.Session()
        self._session.trust_env = False
        self._is_used = False

    def send(self, resend: Resend) -> Reply:
        """Send a request; a 429 is tried again when its Retry-After has passed, nothing else."""
        for tried in range(TRIES):
            reply = self._sure(resend)
            if reply.status != 429 or tried == TRIES - 1:
                break
            pause = retry_after(reply.headers, self._now(), 2.0**tried)
            if pause > LONGEST_WAIT or self._wait(pause):
                break
        return _with(reply, throttled=tried)

    def close(self) -> None:
        """Close the connections to the target."""
        self._session.close()

    def _sure(self, resend: Resend) -> Reply:
        """Send a request; once more where a connection that was used before broke off, for servers
        close idle ones at any moment. What is sent writes nothing."""
        was_used, self._is_used = self._is_used, True
        reply = self._once(resend)
        if was_used and reply.error == BROKEN:
            self._session.close()
            reply = self._once(resend)
        return reply

    def _once(self, resend: Resend) -> Reply:
        started, began = self._now(), self._clock()

        def ended(outcome: Outcome, **more: Any) -> Reply:
            return Reply(started, self._clock() - began, outcome, **more)

        headers = {
            "accept-encoding": "identity",  # arrivals of events are those of their bytes
            "user-agent": "monitor-redrive",
            **resend.headers,
            **{name.lower(): value for name, value in self._target.headers.items()},
            "x-monitor-replay": self._run,
        }
        try:
            with self._session.post(
                self._target.url + resend.target, data=resend.body, headers=headers, stream=True,
                allow_redirects=False, timeout=(CONNECT, self._timeout),
                verify=self._target.verify,
            ) as response:  # fmt: skip
                return self._read(response, began, ended)
        except (requests.exceptions.RequestException, ValueError) as error:
            outcome, why = _failure(error)
            return ended(outcome, error=why)

    def _read(
        self, response: requests.Response, began: float, ended: Callable[..., Reply]
    ) -> Reply:
        status = response.status_code
        headers = {name.lower(): value for name, value in response.headers.items()}
        if 300 <= status < 400 and status != 304:
            return ended(
                Outcome.CLIENT_ERROR, status=status, headers=headers,
                error="it redirects, which is not followed",
            )  # fmt: skip
        body, chunks = bytearray(), []
        late = self._clock() - began > self._timeout
        for chunk in () if late else response.iter_content(PIECE):
            body += chunk
            chunks.append((self._clock() - began, len(body)))
            if len(body) > LARGEST:
                break
            if late := self._clock() - began > self._timeout:
                break
        if late:
            return ended(
                Outcome.UPSTREAM_TIMEOUT, status=status, headers=headers,
                error="no whole answer in time",
            )  # fmt: skip
        outcome = Outcome.RATE_LIMITED if status == 429 else _OUTCOMES.get(status // 100)
        return ended(
            outcome or Outcome.OK, status=status, headers=headers, body=bytes(body[:LARGEST]),
            chunks=chunks, truncated=len(body) > LARGEST,
            error="" if outcome is None else f"status {status}",
        )  # fmt: skip


def _failure(error: Exception) -> tuple[Outcome, str]:
    """What became of a request without an answer, and why, in a few words."""
    said = str(error)
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Outcome.UPSTREAM_TIMEOUT, "no connection in time"
    if isinstance(error, requests.exceptions.Timeout) or "Read timed out" in said:
        return Outcome.UPSTREAM_TIMEOUT, "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return Outcome.UPSTREAM_REFUSED, "its certificate cannot be trusted"
    if "Failed to establish" in said or "refused" in said:
        return Outcome.UPSTREAM_REFUSED, "the connection is refused"
    return Outcome.UPSTREAM_BROKEN, BROKEN


def retry_after(headers: Mapping[str, str], now: float, usual: float) -> float:
    """Return the seconds that an answer asks to wait (RFC 9110 10.2.3), `usual` where it does not.

    >>> retry_after({"retry-after": "3"}, 0.0, 1.0), retry_after({"retry-after": "soon"}, 0.0, 1.0)
    (3.0, 1.0)
    >>> retry_after({"retry-after": "Thu, 01 Jan 1970 00:00:09 GMT"}, 4.0, 1.0)
    5.0
    """
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit() and len(said) < 9:
        return float(said)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return usual


def _with(reply: Reply, *, throttled: int) -> Reply:
    if not throttled:
        return reply
    return Reply(**{**reply.__dict__, "throttled": throttled})
