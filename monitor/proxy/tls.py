"""PEM files → the SSL contexts of both connections, made anew when the files change.

`tls.cert` and `tls.key` are for clients; `tls.ca`, `tls.client_cert` and `tls.client_key` are for
an https upstream. Both sides of a splice must speak one protocol. So a client is offered by ALPN
(RFC 7301) what the upstream knows, and the upstream is offered only what the client picked.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from monitor.errors import ConfigError

H1, H2 = "http/1.1", "h2"
ASK_AGAIN = 5.0
"""Seconds until an upstream that did not answer is asked for its protocol again."""
ASK_PATIENCE = 5.0

Log = Callable[[int, str], None]


def check(
    *, cert: str, key: str, ca: str, client_cert: str, client_key: str, secure_upstream: bool
) -> None:
    """Raise ConfigError, in one line that names the key, if the files cannot be used."""
    if not secure_upstream:
        for name, file in (("ca", ca), ("client_cert", client_cert), ("client_key", client_key)):
            if file:
                raise ConfigError(f"tls.{name}: is for an https:// upstream, and this one is not")
    if cert or key:
        server_context(cert, key)
    if secure_upstream:
        client_context(ca, client_cert, client_key, ())


def server_context(cert: str, key: str, section: str = "tls") -> ssl.SSLContext:
    """Return the context for clients; an empty `key` is in `cert` too. Raises ConfigError, which
    names a key of `section`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, cert, key, f"{section}.cert", f"{section}.key")
    return context


def flaw(context: ssl.SSLContext, cert: str, section: str = "tls") -> str:
    """Return why no client accepts the certificate in `cert`, in one sentence: its time is over, or
    it is not for servers. Empty where nothing is wrong that can be told from here.

    A handshake in memory tells it, with a client that trusts this very certificate.
    """
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    trusting.load_verify_locations(cert)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(there, back, server_side=True)
    client = trusting.wrap_bio(back, there)
    for one in (client, server) * 3:
        try:
            one.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLError as error:
            return f"{section}.cert: {cert} is accepted by no client: {_reason(error)}"
    return ""


def _reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return (error.reason or str(error)).lower().replace("_", " ")


def client_context(
    ca: str, client_cert: str, client_key: str, protocols: Sequence[str]
) -> ssl.SSLContext:
    """Return a context that verifies the upstream by `ca` or the system's store.

    Raises ConfigError.
    """
    if ca:
        _readable(ca, "tls.ca")
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except ssl.SSLError:
        raise ConfigError(f"tls.ca: {ca} holds no certificate in PEM") from None
    if client_cert or client_key:
        _load(context, client_cert, client_key, "tls.client_cert", "tls.client_key")
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def _load(context: ssl.SSLContext, cert: str, key: str, cert_name: str, key_name: str) -> None:
    if not cert:
        raise ConfigError(f"{cert_name}: is missing beside {key_name}")
    _readable(cert, cert_name)
    if key:
        _readable(key, key_name)
    try:
        # With a password given, OpenSSL does not ask for one on the terminal.
        context.load_cert_chain(cert, key or None, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(f"{key_name}: {key or cert} does not belong to {cert_name}") from None
        try:
            context.load_verify_locations(cert)
        except ssl.SSLError:
            raise ConfigError(f"{cert_name}: {cert} holds no certificate in PEM") from None
        raise ConfigError(
            f"{key_name}: {key or cert} holds no private key in PEM without a password"
        ) from None


def _readable(file: str, name: str) -> None:
    try:
        with Path(file).open("rb"):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"{name}: {file} cannot be read: {reason}") from None


class Files:
    """Watches files for changes."""

    def __init__(self, *files: str) -> None:
        self._files = [file for file in files if file]
        self._state = self._look()

    def changed(self) -> bool:
        """Return True once after each change; costs one `stat` per file."""
        state = self._look()
        if state == self._state:
            return False
        self._state = state
        return True

    def _look(self) -> list[tuple[int, int, int] | None]:
        return [_stamp(file) for file in self._files]


def _stamp(file: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(file)  # noqa: PTH116  a tenth of the time of a Path
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


class Certificate:
    """Keeps the context for clients' connections.

    If changed files cannot be used, the old context stays and `log` gets one line for the change:
    for a moment only one of two new files may be on the disk. `section` holds their keys.
    """

    def __init__(self, cert: str, key: str, log: Log, section: str = "tls") -> None:
        self._pem = cert, key, section
        self._log = log
        self._files = Files(cert, key)
        self._context = server_context(*self._pem)

    def context(self, protocols: Sequence[str]) -> ssl.SSLContext:
        """Return the context for a new connection, offering `protocols` by ALPN."""
        if self._files.changed():
            cert, _, section = self._pem
            try:
                context = server_context(*self._pem)
                wrong = flaw(context, cert, section)
            except ConfigError as error:
                wrong = str(error)
            if wrong:
                self._log(
                    logging.WARNING, f"{wrong}; clients are shown the certificate from before"
                )
            else:
                self._context = context
                said = f"{section}.cert was read again; new connections are shown it"
                self._log(logging.INFO, said)
        self._context.set_alpn_protocols(list(protocols))
        return self._context


class Upstream:
    """Connects to an https upstream and finds out which protocols it speaks."""

    def __init__(
        self, host: str, port: int, *, ca: str, client_cert: str, client_key: str, log: Log
    ) -> None:
        self._host, self._port = host, port
        self._pem = ca, client_cert, client_key
        self._log = log
        self._files = Files(*self._pem)
        self._contexts = self._read()
        self._said = ""
        self._protocols: tuple[str, ...] = ()
        self._ask_at = -ASK_AGAIN
        self._asking = asyncio.Lock()

    async def connect(self, protocol: asyncio.Protocol, speaks: str) -> None:
        """Connect, offering the protocol `speaks`; raises OSError, for TLS SSLError."""
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: protocol,
                self._host,
                self._port,
                ssl=self._context(speaks),
                server_hostname=self._host,
            )
        except ssl.SSLError as error:
            self._forget(f"upstream: TLS: {words(error)}")
            raise
        if speaks == H2 and _picked(transport) != H2:
            self._forget("upstream: TLS: does not speak HTTP/2 any more")
            transport.abort()
        else:
            self._said = ""

    async def protocols(self) -> tuple[str, ...]:
        """Return what clients can be offered: `h2` too if the upstream picks it. Asks once."""
        async with self._asking:
            time = asyncio.get_running_loop().time
            if not self._protocols and time() >= self._ask_at:
                self._protocols = await self._ask()
                self._ask_at = time() + ASK_AGAIN
        return self._protocols or (H1,)

    async def _ask(self) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(ASK_PATIENCE):
                transport, _ = await asyncio.get_running_loop().create_connection(
                    asyncio.Protocol,
                    self._host,
                    self._port,
                    ssl=self._context(H2, H1),
                    server_hostname=self._host,
                )
        except OSError as error:  # TimeoutError is one
            if isinstance(error, ssl.SSLError):
                self._forget(f"upstream: TLS: {words(error)}")
            return ()
        picked = _picked(transport)
        transport.close()
        return (H2, H1) if picked == H2 else (H1,)

    def _context(self, *protocols: str) -> ssl.SSLContext:
        if self._files.changed():
            try:
                self._contexts = self._read()
            except ConfigError as error:
                self._log(
                    logging.WARNING, f"{error}; the upstream is shown the certificate from before"
                )
            else:
                said = "the certificates for the upstream were read again; new connections use them"
                self._log(logging.INFO, said)
        return self._contexts[protocols]

    def _read(self) -> dict[tuple[str, ...], ssl.SSLContext]:
        return {offer: client_context(*self._pem, offer) for offer in ((H1,), (H2,), (H2, H1))}

    def _forget(self, why: str) -> None:
        self._protocols = ()
        if why != self._said:
            self._said = why
            self._log(logging.WARNING, why)


def _picked(transport: asyncio.BaseTransport) -> str | None:
    picked: str | None = transport.get_extra_info("ssl_object").selected_alpn_protocol()
    return picked


def words(error: ssl.SSLError) -> str:
    """Return what is wrong with the upstream's TLS, or with ours in its eyes."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    return _reason(error)
