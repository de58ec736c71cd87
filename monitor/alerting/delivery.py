"""Request → what became of it: one POST that ends in time, signed, without redirects.

Proxies and certificate authorities are those of the environment (`HTTPS_PROXY`,
`REQUESTS_CA_BUNDLE`), and https is always verified.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple

from monitor.notifications import Request
from monitor.sessions import Connections

if TYPE_CHECKING:
    import requests

TIMEOUT = 10.0
"""Seconds for one delivery, with connecting and its answer."""
SIGNATURE = "X-Monitor-Signature"


class Answer(NamedTuple):
    """What became of a delivery: whether the receiver took it, in words, and for how many seconds
    it asks to be left alone."""

    is_taken: bool
    words: str
    asked: float | None = None


class Courier:
    """Sends to one receiver; for a thread of its own, one delivery at a time."""

    def __init__(self, *, version: str, timeout: float = TIMEOUT) -> None:
        self._connections = Connections()
        self._session = self._connections.session()
        self._session.auth = _as_it_is  # no password out of ~/.netrc
        self._headers = {"User-Agent": f"monitor/{version}", "Content-Type": "application/json"}
        self._timeout = timeout

    def send(self, request: Request, *, secret: str = "", clock: float = 0.0) -> Answer:
        """Send it once. With a `secret` the body is signed by HMAC-SHA256 (RFC 2104). `clock`, Unix
        seconds, is what a date in `Retry-After` is held against. Never raises."""
        import requests

        headers = self._headers | request.headers
        if secret:
            headers[SIGNATURE] = f"sha256={signature(secret, request.body)}"
        deadline = threading.Timer(self._timeout, self._connections.cut)
        deadline.daemon = True
        deadline.start()
        try:
            with self._session.post(
                request.url,
                data=request.body,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,  # what it says is not read
            ) as response:
                answer = _answer(response.status_code, response.headers, clock)
            if self._connections.over:
                answer = Answer(False, self._late)
        except requests.exceptions.SSLError:
            answer = Answer(False, "its certificate was not accepted")
        except requests.exceptions.Timeout:
            answer = Answer(False, self._late)
        except requests.exceptions.ConnectionError:
            words = self._late if self._connections.over else "it cannot be reached"
            answer = Answer(False, words)
        except Exception as error:  # noqa: BLE001  whatever a library makes of a URL or an answer
            answer = Answer(False, f"the delivery failed ({type(error).__name__})")
        finally:
            deadline.cancel()
            self._connections.renew()
        return answer

    def close(self) -> None:
        """Give up a delivery that is under way, at once; later ones fail."""
        self._connections.close()

    @property
    def _late(self) -> str:
        return f"it did not answer within {self._timeout:g} s"


def signature(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of the body in hex digits.

    >>> signature("key", b"The quick brown fox jumps over the lazy dog")[:16]
    'f7bc83f430538424'
    """
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _answer(status: int, headers: Mapping[str, str], clock: float) -> Answer:
    if 200 <= status < 300:
        return Answer(True, f"it answered {status}")
    if 300 <= status < 400:
        return Answer(False, f"it answered {status}, and redirects are not followed")
    return Answer(False, f"it answered {status}", _asked(headers.get("Retry-After", ""), clock))


def _asked(text: str, clock: float) -> float | None:
    """The seconds that `Retry-After` says (RFC 9110, section 10.2.3); None where it says none.

    >>> _asked("120", 0.0), _asked("Thu, 01 Jan 1970 00:01:00 GMT", 20.0), _asked("soon", 0.0)
    (120.0, 40.0, None)
    """
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(0.0, (at - datetime.fromtimestamp(clock, UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
