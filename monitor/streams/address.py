"""URL of a store → where it is and how to log in; what it cannot say is refused in a sentence."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from monitor.errors import StreamError

SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
_OURS = ("sentinel_username", "sentinel_password")
_REQUIREMENTS = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}
_TLS = (
    "ssl_ca_certs", "ssl_ca_path", "ssl_ca_data", "ssl_certfile", "ssl_keyfile", "ssl_password",
    "ssl_cert_reqs", "ssl_check_hostname", "ssl_min_version", "ssl_ciphers",
)  # fmt: skip
_FALSE = ("0", "f", "false", "n", "no")
"""What redis-py reads as false."""


@dataclass(frozen=True)
class Address:
    """Where a store is: `path` of a Unix socket, or host and port.

    With `sentinels` (host, port) it is where they say that the primary of `service` is. `plain` is
    the URL as redis-py reads it: without sentinels, and with all that it says of logging in.
    """

    host: str
    port: int
    path: str
    database: int
    username: str
    password: str
    tls: ssl.SSLContext | None
    plain: str
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = ""
    sentinel_username: str = ""
    sentinel_password: str = ""


def parse_url(url: str) -> Address:
    """`redis://[[user]:password@]host[:port][/db]`, `rediss://…`, `unix://[…@]/path[?db=0]`,
    `redis+sentinel://[[user]:password@]host:port,host:port/service[/db]`, `rediss+sentinel://…`.

    Options of TLS are those of redis-py, from `ssl_ca_certs` to `ssl_check_hostname=false`;
    sentinels that want a login of their own get `sentinel_username` and `sentinel_password`. Raises
    StreamError for anything else.
    """
    scheme, _, rest = url.partition("://")
    netloc = re.split("[/?#]", rest, maxsplit=1)[0]
    login, is_given, hosts = netloc.rpartition("@")
    # urlsplit knows of one host; which brackets among several it refuses depends on its version.
    one = f"{scheme}://{login}{is_given}{hosts.partition(',')[0]}{rest[len(netloc) :]}"
    try:
        parts = urlsplit(one if scheme.lower().endswith("+sentinel") else url)
    except ValueError:
        raise StreamError("redis: is not a URL like redis://127.0.0.1:6379/0") from None
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme not in SCHEMES:
        raise StreamError("redis: is not a URL like redis://127.0.0.1:6379/0")
    service = ""
    sentinels: tuple[tuple[str, int], ...] = ()
    path = parts.path.strip("/")
    if parts.scheme.endswith("+sentinel"):
        sentinels = _sentinels(hosts)
        service, _, path = path.partition("/")
        if not service:
            raise StreamError(
                "redis: names no service; give redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB"
            )
    database = options.get("db", "" if parts.scheme == "unix" else path) or "0"
    if not (database.isascii() and database.isdigit()):
        raise StreamError("redis: is not a URL like redis://127.0.0.1:6379/0")
    try:
        (host, port), *_ = sentinels or [(parts.hostname or "localhost", parts.port or 6379)]
    except ValueError:
        raise StreamError("redis: the URL's port is not a number below 65536") from None
    name, _, secret = login.partition(":")
    scheme = parts.scheme.removesuffix("+sentinel")
    theirs = urlencode([pair for pair in parse_qsl(parts.query) if pair[0] not in _OURS])
    plain = f"{scheme}://{login}{is_given}" + (
        f"{parts.path}?{theirs}"
        if scheme == "unix"
        else f"{_bracketed(host)}:{port}/{database}?{theirs}"
    )
    return Address(
        host=host,
        port=port,
        path=unquote(parts.path) if parts.scheme == "unix" else "",
        database=int(database),
        username=unquote(name or options.get("username", "")),
        password=unquote(secret or options.get("password", "")),
        tls=_tls(options) if scheme == "rediss" else None,
        plain=plain.removesuffix("?"),
        sentinels=sentinels,
        service=unquote(service),
        sentinel_username=options.get("sentinel_username", ""),
        sentinel_password=options.get("sentinel_password", ""),
    )


def _sentinels(hosts: str) -> tuple[tuple[str, int], ...]:
    found = []
    for one in hosts.split(","):
        try:
            parts = urlsplit(f"//{one}")
            host, port = parts.hostname, parts.port or 26379
        except ValueError:
            host, port = None, 0
        if not host:
            raise StreamError(
                "redis: names a sentinel that is no HOST:PORT; give "
                "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB"
            )
        found.append((host, port))
    return tuple(found)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _tls(options: dict[str, str]) -> ssl.SSLContext:
    for name in options:
        if name.startswith("ssl_") and name not in _TLS:
            raise StreamError(
                f"redis: {name[:40]} is no option of TLS; there are {', '.join(_TLS)}"
            )
    required = options.get("ssl_cert_reqs", "required").lower()
    if required not in _REQUIREMENTS:
        raise StreamError("redis: ssl_cert_reqs is one of none, optional, required")
    try:
        context = ssl.create_default_context(
            cafile=options.get("ssl_ca_certs"),
            capath=options.get("ssl_ca_path"),
            cadata=options.get("ssl_ca_data"),
        )
        if "ssl_certfile" in options or "ssl_keyfile" in options:
            context.load_cert_chain(
                options.get("ssl_certfile", ""),
                options.get("ssl_keyfile"),
                options.get("ssl_password", ""),  # asked of nobody on the terminal
            )
    except (OSError, ssl.SSLError):
        raise StreamError("redis: a certificate or key named in the URL cannot be used") from None
    try:
        if "ssl_ciphers" in options:
            context.set_ciphers(options["ssl_ciphers"])
        if "ssl_min_version" in options:
            context.minimum_version = ssl.TLSVersion(int(options["ssl_min_version"]))
    except (ssl.SSLError, ValueError):
        raise StreamError(
            "redis: ssl_ciphers or ssl_min_version in the URL names what TLS does not have"
        ) from None
    if required == "none" or options.get("ssl_check_hostname", "").lower() in _FALSE:
        context.check_hostname = False
    context.verify_mode = _REQUIREMENTS[required]
    return context
