"""Tokens file → who may ask what of the admin port, and a guard in front of its pages."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import json
import re
import stat
from collections import Counter, deque
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from monitor import small_files
from monitor.api.rates import Rates, neighbourhood
from monitor.errors import ConfigError
from monitor.queries import QUERIES

ROLES = ("read", "records", "feedback", "review", "admin")
OPEN = frozenset(("/metrics", "/healthz", "/readyz"))
"""Paths for Prometheus and Kubernetes, which everybody may ask who reaches the port."""
CONSOLE, SIGN_IN, STATIC = "/console/", "/console/sign-in", "/console/static/"
"""Pages for people; how they sign in, and what that page loads, need no token."""
COOKIE = "monitor_token"
"""What a browser shows for the console instead of `Authorization`, and for nothing else."""
NEEDS = {
    "/api/v1/feedback": "feedback",
    "/api/v1/review": "review",
    "/console/review": "review",
    "/console/records": "records",
    "/console/templates/": "records",
    **{f"/api/v1/{one.path.partition('{')[0]}": one.role for one in QUERIES if one.role != "read"},
}
"""Path → the role that it and those below it need; where it ends with a slash those below it alone.
Any other needs `read`."""
CHANGES = {"/api/v1/silences": "admin"}
"""The same of requests that change something."""
LOCAL = "local"
"""Who asks where no tokens are set."""
AT_ONCE = 16
"""Requests for other paths than `OPEN` that are answered at a time."""
STRANGERS_AT_ONCE = 16
"""The same of the pages that need no token, beside these: so many that read, and so many that sign
in."""
SAME_AT_ONCE = 8
"""How many of those may come from one address."""
PATIENCE = 120.0
"""Seconds that one of them may take, with reading its answer."""
BODY_PATIENCE = 30.0
"""Seconds in which a body must have come."""
FORM_BYTES = 64 << 10
"""How much of a stranger's form is waited for."""

_MAX_BYTES = 1 << 20
_MAX_TOKEN = 4096
_LINE = re.compile(r"(\S{1,100})[ \t]+(\S+)[ \t]+([0-9A-Fa-f]{64})")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Holder(msgspec.Struct, frozen=True):
    """Who has a token: its SHA-256, and what it is good for."""

    name: str
    roles: frozenset[str]
    digest: bytes


def parse(text: str, name: str) -> list[Holder]:
    """Return the holders in the text of the file `name`, a line each; `#` begins a comment line.

    Raises ConfigError that names file and line, and repeats no digest.
    """
    holders: list[Holder] = []
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        here = f"{name}:{number}"
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ConfigError(f"{here}: is not `NAME ROLE[,ROLE…] SHA256HEX`, the digest 64 digits")
        roles, digest = match[2].split(","), bytes.fromhex(match[3])
        if not line.isprintable():
            raise ConfigError(f"{here}: has a character that cannot be printed")
        if wrong := [one for one in roles if one not in ROLES]:
            raise ConfigError(
                f"{here}: {wrong[0][:20]!r} is not a role; roles are {', '.join(ROLES)}"
            )
        for other in holders:
            if other.name == match[1]:
                raise ConfigError(f"{here}: the name {match[1]} is there twice; give each its own")
            if other.digest == digest:
                raise ConfigError(f"{here}: is the token of {other.name} again; give each its own")
        holders.append(Holder(match[1], frozenset(roles), digest))
    if not holders:
        raise ConfigError(f"{name}: holds no token; write a line `NAME ROLE[,ROLE…] SHA256HEX`")
    return holders


def read(path: Path) -> list[Holder]:
    """Return the holders in a file that not everybody may write; raises ConfigError in one line."""
    where = f"access.tokens: {path}"
    data, mode = small_files.read(path, "access.tokens", _MAX_BYTES)
    if mode & stat.S_IWOTH:
        raise ConfigError(
            f"{where}: everybody may change it (mode {stat.S_IMODE(mode):04o}); chmod 600 it"
        )
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{where}: is larger than {_MAX_BYTES:,} bytes")
    try:
        return parse(data.decode("utf-8"), where)
    except UnicodeDecodeError:
        raise ConfigError(f"{where}: is not UTF-8 text") from None


class Tokens:
    """The tokens file, read again when it changes; `log` hears of it.

    While the file is wrong or missing, what it said before holds: nothing, at the start.
    """

    def __init__(self, path: Path, log: Callable[[str], None]) -> None:
        self._path = path
        self._log = log
        self._holders: list[Holder] = []
        self._seen = self._stamp()
        self._read()

    def holder(self, token: str) -> Holder | None:
        """Return whose token it is. Every holder is compared with, each in constant time."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            self._read()
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        found = None
        for holder in self._holders:
            if hmac.compare_digest(holder.digest, digest):
                found = holder
        return found

    def _read(self) -> None:
        try:
            self._holders = read(self._path)
        except ConfigError as error:
            self._log(f"{error}; {len(self._holders)} tokens from before stay in use")

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


class Guard:
    """Lets a request through to the pages, or answers it: 401, 403, 429 where a holder's come too
    fast, or 503 where too many are under way.

    Strangers, who ask for pages that need no token and show none, share no bound with holders. What
    they send takes a place only once it is whole: who begins a form and stops keeps nobody out.

    `tokens` is None where none are set. Then the other paths than `OPEN` answer to this machine
    alone: not where the port `is_exposed` to others, and not under a name that a web site could
    have given this address (DNS rebinding). `clock` gives seconds and never goes back.
    """

    def __init__(
        self, app: App, *, tokens: Tokens | None, is_exposed: bool, clock: Callable[[], float]
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._is_exposed = is_exposed
        self._busy: Counter[str] = Counter()
        self._holders = Rates()
        self._strangers = Rates()
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application does."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope) or self._too_fast(scope)
        if refusal is None and _is_stranger(scope) and not _is_reading(scope):
            try:
                async with asyncio.timeout(BODY_PATIENCE):
                    receive = await _arrived(receive)
            except TimeoutError:
                refusal = 408, f"the form did not come within {BODY_PATIENCE:g} s", _ENDING
        places = _places(scope)
        if refusal is None and any(self._busy[one] >= most for one, most in places.items()):
            refusal = 503, "too many requests at a time; ask again in a second", _AGAIN
        if refusal is not None:
            await _answer(send, *refusal)
            return
        self._busy.update(places.keys())
        has_begun = False

        async def begun(message: MutableMapping[str, Any]) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            async with asyncio.timeout(PATIENCE):
                await self._app(scope, receive, begun)
        except TimeoutError:
            if has_begun:
                return  # the server closes what was not finished
        else:
            return
        finally:
            self._busy -= Counter(places.keys())  # and forgets addresses that are gone
        await _answer(send, 503, f"no answer was found within {PATIENCE:g} s; ask again", _AGAIN)

    def _too_fast(self, scope: Scope) -> Refusal | None:
        if not _is_stranger(scope):
            seconds = self._holders.wait(reader_of(scope), self._clock())
        elif _is_reading(scope):
            return None
        else:
            seconds = self._strangers.wait(_address(scope), self._clock())
        if not seconds:
            return None
        sentence = f"too many requests in a short time; ask again in {seconds} s"
        return 429, sentence, [(b"retry-after", b"%d" % seconds)]

    def _refusal(self, scope: Scope) -> Refusal | None:
        if _is_from_elsewhere(scope):
            return 403, "a page of another site may not send this", []
        if self._tokens is not None:
            return _by_token(scope, self._tokens)
        if self._is_exposed:
            return 403, "access.tokens is not set, and the admin address is open to others", []
        if not all(_is_ours(value) for name, value in scope["headers"] if name == b"host"):
            return 403, "access.tokens is not set; ask by the address, as 127.0.0.1", []
        return None


def _is_from_elsewhere(scope: Scope) -> bool:
    """Whether a browser says that a page of another origin sends something that may change
    something (Fetch Metadata; `Origin` of browsers before it)."""
    if _is_reading(scope):
        return False
    headers = dict(scope["headers"])
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site not in (b"same-origin", b"none")
    origin = headers.get(b"origin")
    return origin is not None and origin.partition(b"://")[2] != headers.get(b"host")


def _by_token(scope: Scope, tokens: Tokens) -> Refusal | None:
    path: str = scope["path"]
    is_page = path.startswith(CONSOLE) or path == CONSOLE.rstrip("/")
    said = [value for name, value in scope["headers"] if name == b"authorization"]
    if not said and is_page:
        said = _in_cookie(scope)
    scheme, _, token = (said[0] if len(said) == 1 else b"").partition(b" ")
    token = token.strip()
    refusal = _judged(scope, tokens, scheme, token)
    if _needs_none(path):
        return None
    if refusal is not None and is_page and _shows_pages(scope):
        return 303, refusal[1], [(b"location", _to_sign_in(scope, refusal[0]))]
    return refusal


def _shows_pages(scope: Scope) -> bool:
    """Whether a browser asks, which can show people where to sign in. A program is answered as at
    the API: it would follow to a page that says 200."""
    return any(name == b"accept" and b"text/html" in said for name, said in scope["headers"])


def _in_cookie(scope: Scope) -> list[bytes]:
    """What a cookie says as `Authorization` would."""
    found = []
    for name, value in scope["headers"]:
        if name == b"cookie":
            for one in value.split(b";")[:50]:
                key, _, said = one.strip().partition(b"=")
                if key == COOKIE.encode():
                    found.append(b"Bearer " + said.strip(b'"'))
    return found


def _to_sign_in(scope: Scope, status: int) -> bytes:
    """The page where people sign in, and come back from to where they were."""
    path, query = scope["path"], scope.get("query_string", b"").decode("latin-1")
    said = {"to": f"{path}?{query}"[:1000] if query else path[:1000]}
    if status == 403:
        said["role"] = role_of(path)
    return f"{SIGN_IN}?{urlencode(said)}".encode()


def _judged(scope: Scope, tokens: Tokens, scheme: bytes, token: bytes) -> Refusal | None:
    if scheme.lower() != b"bearer" or not token or len(token) > _MAX_TOKEN:
        return 401, "give a token, as `Authorization: Bearer TOKEN`", _challenge()
    holder = tokens.holder(token.decode("latin-1"))
    if holder is None:
        return 401, "this token is not known here", _challenge("invalid_token")
    scope[_HOLDER] = holder.name
    role = role_of(scope["path"], scope["method"])
    if role not in holder.roles:
        sentence = f"this token does not have the role {role}"
        return 403, sentence, _challenge("insufficient_scope")
    return None


def _needs_none(path: str) -> bool:
    return path == SIGN_IN or path.startswith(STATIC)


def _is_stranger(scope: Scope) -> bool:
    """Whether somebody asks who shows no token that is known, and need not."""
    return _HOLDER not in scope and _needs_none(scope["path"])


def _is_reading(scope: Scope) -> bool:
    return scope["method"] in ("GET", "HEAD", "OPTIONS")


def _places(scope: Scope) -> dict[str, int]:
    """What a request takes a place of while it is answered, and how many places there are. Who is
    slow to send a form takes none of those who load a page."""
    if not _is_stranger(scope):
        return {"": AT_ONCE}
    kind = "reading" if _is_reading(scope) else "sending"
    return {kind: STRANGERS_AT_ONCE, f"{kind} {_address(scope)}": SAME_AT_ONCE}


async def _arrived(receive: Receive) -> Receive:
    """Wait for a body, or for its first `FORM_BYTES`; return what gives it from its beginning."""
    said: deque[MutableMapping[str, Any]] = deque()
    size, is_whole = 0, False
    while not is_whole and size <= FORM_BYTES:
        message = await receive()
        said.append(message)
        size += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)

    async def again() -> MutableMapping[str, Any]:
        return said.popleft() if said else await receive()

    return again


def _address(scope: Scope) -> str:
    return neighbourhood(str((scope.get("client") or ("",))[0]))


def role_of(path: str, method: str = "GET") -> str:
    """The role that a path needs.

    >>> role_of("/api/v1/review/next"), role_of("/api/v1/reviews"), role_of("/api/drift")
    ('review', 'read', 'read')
    >>> role_of("/api/v1/templates"), role_of("/api/v1/templates/t_1"), role_of("/api/v1/records")
    ('read', 'records', 'records')
    >>> role_of("/api/v1/silences"), role_of("/api/v1/silences", "POST")
    ('read', 'admin')
    """
    changes = {} if method in ("GET", "HEAD") else CHANGES
    for start, role in (NEEDS | changes).items():
        if path == start or path.startswith(f"{start.rstrip('/')}/"):
            return role
    return "read"


def reader_of(scope: Scope) -> str:
    """Return who asks: the name of the token's holder, or `LOCAL`."""
    return str(scope.get(_HOLDER, LOCAL))


_HOLDER = "monitor.holder"
Headers = list[tuple[bytes, bytes]]
Refusal = tuple[int, str, Headers]
_AGAIN: Headers = [(b"retry-after", b"1")]
_ENDING: Headers = [(b"connection", b"close")]


def _challenge(error: str = "") -> Headers:
    """What a 401 or 403 says of how to come in (RFC 6750, section 3)."""
    value = 'Bearer realm="monitor"' + (f', error="{error}"' if error else "")
    return [(b"www-authenticate", value.encode())]


async def _answer(send: Send, status: int, sentence: str, headers: Headers) -> None:
    body = json.dumps({"error": sentence}).encode() + b"\n"
    head = [
        (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *headers,
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


def _is_ours(host: bytes) -> bool:
    """Whether a Host is an address or this machine's own name for itself.

    >>> _is_ours(b"127.0.0.1:9464"), _is_ours(b"[::1]:9464"), _is_ours(b"localhost:9464")
    (True, True, True)
    >>> _is_ours(b"evil.example"), _is_ours(b"")
    (False, False)
    """
    name = host.decode("latin-1")
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    if name.lower().rstrip(".") == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
