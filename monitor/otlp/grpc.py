"""OTLP over gRPC: unary calls whose messages are bytes already, with `grpcio` (the extra `grpc`).

https://opentelemetry.io/docs/specs/otlp/#otlpgrpc says which codes let a sender try again, and
https://opentelemetry.io/docs/specs/otel/protocol/exporter/ what an endpoint looks like. `grpcio` is
loaded by the first transport: it takes memory that nobody else should pay for. Its core prints
failures on stderr, each time, unless GRPC_VERBOSITY says NONE by then.
"""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from monitor.framings import protobuf
from monitor.framings.protobuf import Field
from monitor.otlp.transport import LONGEST_ANSWER, LONGEST_PAUSE, Answer
from monitor.otlp.variables import PREFIX, Variables
from monitor.urls import shown

if TYPE_CHECKING:
    import grpc

_SERVICE = "/opentelemetry.proto.collector."
SPANS = _SERVICE + "trace.v1.TraceService/Export"
LOGS = _SERVICE + "logs.v1.LogsService/Export"
METRICS = _SERVICE + "metrics.v1.MetricsService/Export"
_AGAIN = frozenset(
    ("CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS")
)
"""Codes after which OTLP lets a sender try again. After RESOURCE_EXHAUSTED it may where the
collector says when (RetryInfo)."""
_KEY = re.compile(r"[0-9a-z_.-]{1,200}")
_OURS = frozenset(
    (
        "connection",
        "content-length",
        "content-type",
        "host",
        "te",
        "transfer-encoding",
        "user-agent",
    )
)
"""Headers that are gRPC's own matter, or forbidden in HTTP/2."""
_DELAY: protobuf.Table = {1: Field("seconds", "int64"), 2: Field("nanos", "int32")}
_RETRY: protobuf.Table = {1: Field("delay", _DELAY)}
_STATUS: protobuf.Table = {
    3: Field("details", {1: Field("type", "string"), 2: Field("value", "bytes")}, repeated=True)
}
_BUNDLE = "ca-certificates.crt"


def span_endpoint(endpoint: str, environment: Mapping[str, str], signal: str = "traces") -> str:
    """Return where spans go, or `logs`, given `otlp.endpoint`; empty: nowhere.

    >>> span_endpoint("http://c:4317", {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "t:1"})
    't:1'
    """
    own = environment.get(f"{PREFIX}{signal.upper()}_ENDPOINT", "") if endpoint else ""
    if not own:
        return endpoint
    return own if _is_endpoint(own) else ""


class GrpcTransport:
    """Calls `method` at `endpoint`, which is a URL or HOST:PORT; `timeout` is a call's deadline.

    A URL says by its scheme whether there is TLS. HOST:PORT has TLS, unless
    OTEL_EXPORTER_OTLP_INSECURE is true. A connection is kept until a delivery fails; the next one
    then has a new connection, with the files of the variables as they are by then.
    """

    def __init__(
        self, endpoint: str, method: str, *, variables: Variables, timeout: float = 10.0
    ) -> None:
        import grpc

        self._grpc = grpc
        self.shown = shown(endpoint)
        url = parsed(endpoint)
        self._is_secure = url.scheme == "https" or (not url.scheme and not variables.is_insecure)
        host = url.hostname or ""
        port = url.port or (443 if self._is_secure else 80)
        # With `dns:` no name of a host can be taken for another scheme of gRPC's.
        self._target = f"dns:///[{host}]:{port}" if ":" in host else f"dns:///{host}:{port}"
        self._method = method
        self._variables = variables
        self._timeout = timeout
        self._metadata = _metadata(variables.headers(url))
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._closed = False

    def send(self, body: bytes) -> Answer:
        """Deliver once; never raises."""
        compression = self._grpc.Compression
        try:
            call = self._opened().unary_unary(self._method)
            said = call(
                body,
                timeout=self._timeout,
                metadata=self._metadata,
                compression=compression.Gzip
                if self._variables.is_gzip
                else compression.NoCompression,
            )
        except self._grpc.RpcError as error:
            answer = _failed(error)
        except OSError as error:
            name = error.filename or "a file for TLS"
            answer = Answer(f"{name} cannot be read", may_retry=True)
        except ValueError:  # closed meanwhile
            answer = Answer("no answer", may_retry=True)
        else:
            return Answer(said=said)
        self._hang_up()
        return answer

    def close(self) -> None:
        """End the call under way, from any thread; later ones fail."""
        self._closed = True
        self._hang_up()

    def _opened(self) -> grpc.Channel:
        """Return the channel. Raises OSError where a file cannot be read, ValueError after
        `close`."""
        with self._lock:
            if self._closed:
                raise ValueError("closed")
            if self._channel is None:
                options = [
                    ("grpc.primary_user_agent", "monitor"),
                    ("grpc.max_receive_message_length", LONGEST_ANSWER),
                    ("grpc.enable_retries", 0),  # whoever sends tries again
                    ("grpc.enable_http_proxy", 0),
                    # Else a new channel would wait as long as the old one would have.
                    ("grpc.use_local_subchannel_pool", 1),
                ]
                if self._is_secure:
                    self._channel = self._grpc.secure_channel(
                        self._target, self._credentials(), options
                    )
                else:
                    self._channel = self._grpc.insecure_channel(self._target, options)
            return self._channel

    def _credentials(self) -> grpc.ChannelCredentials:
        said = self._variables
        authorities = said.authorities or _system_authorities()
        certificate = said.certificate
        return self._grpc.ssl_channel_credentials(
            Path(authorities).read_bytes() if authorities else None,
            Path(said.key or certificate).read_bytes() if certificate else None,
            Path(certificate).read_bytes() if certificate else None,
        )

    def _hang_up(self) -> None:
        with self._lock:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()


def parsed(endpoint: str) -> SplitResult:
    """Return the parts of a URL or HOST:PORT, whose scheme is empty. Raises ValueError."""
    return urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")


def _is_endpoint(text: str) -> bool:
    try:
        url = parsed(text)
        return bool(url.hostname) and url.scheme in ("", "http", "https") and url.port != 0
    except ValueError:
        return False


def _metadata(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """What can be sent as metadata. The value of a key in `-bin` would have to be bytes.

    >>> _metadata({"X-A": "1", "Content-Type": "x", "grpc-x": "1", "a!": "1", "a-bin": "1"})
    [('x-a', '1')]
    """
    return [
        (key, value.strip())
        for key, value in ((name.lower(), value) for name, value in headers.items())
        if _KEY.fullmatch(key)
        and key not in _OURS
        and not key.startswith("grpc-")
        and not key.endswith("-bin")
    ]


def _system_authorities() -> str:
    """The file of the system's authorities, as other TLS of ours trusts them; gRPC has its own.
    Empty: there is none."""
    known = ssl.get_default_verify_paths()
    if known.cafile:
        return known.cafile
    found = Path(known.capath or "") / _BUNDLE
    return str(found) if found.is_file() else ""


def _failed(error: grpc.RpcError) -> Answer:
    code = error.code().name
    pause = _pause(error.trailing_metadata() or ())
    may_retry = code in _AGAIN or (code == "RESOURCE_EXHAUSTED" and pause is not None)
    return Answer(f"gRPC {code}", may_retry=may_retry, pause=pause or 0.0)


def _pause(trailers: Iterable[tuple[str, str | bytes]]) -> float | None:
    """Return the seconds of a RetryInfo (google/rpc/error_details.proto), None without one."""
    for key, value in trailers:
        if key != "grpc-status-details-bin" or not isinstance(value, bytes):
            continue
        for one in protobuf.message(value, _STATUS).get("details", []):
            if one.get("type", "").endswith("/google.rpc.RetryInfo"):
                delay = protobuf.message(one.get("value", b""), _RETRY).get("delay", {})
                seconds: float = delay.get("seconds", 0) + delay.get("nanos", 0) / 1e9
                return min(max(seconds, 0.0), LONGEST_PAUSE)
    return None
