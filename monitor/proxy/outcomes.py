"""HTTP status, gRPC status or WebSocket close code → Outcome."""

from __future__ import annotations

from monitor.types import Outcome


def of_status(status: int) -> Outcome:
    """Return the outcome of a complete response with an HTTP status (RFC 9110, section 15).

    >>> of_status(404).value, of_status(429).value, of_status(304).value
    ('client_error', 'rate_limited', 'ok')
    """
    if status < 400:
        return Outcome.OK
    if status == 429:
        return Outcome.RATE_LIMITED
    return Outcome.CLIENT_ERROR if status < 500 else Outcome.SERVER_ERROR


_GRPC = {
    0: Outcome.OK,
    1: Outcome.CLIENT_GONE,  # CANCELLED
    3: Outcome.CLIENT_ERROR,  # INVALID_ARGUMENT
    4: Outcome.UPSTREAM_TIMEOUT,  # DEADLINE_EXCEEDED
    5: Outcome.CLIENT_ERROR,  # NOT_FOUND
    6: Outcome.CLIENT_ERROR,  # ALREADY_EXISTS
    7: Outcome.CLIENT_ERROR,  # PERMISSION_DENIED
    8: Outcome.RATE_LIMITED,  # RESOURCE_EXHAUSTED
    9: Outcome.CLIENT_ERROR,  # FAILED_PRECONDITION
    11: Outcome.CLIENT_ERROR,  # OUT_OF_RANGE
    12: Outcome.CLIENT_ERROR,  # UNIMPLEMENTED
    16: Outcome.CLIENT_ERROR,  # UNAUTHENTICATED
}


def of_grpc_status(code: int | None) -> Outcome:
    """Return the outcome of a gRPC status. None: the call ended without one; clients read UNKNOWN.

    >>> of_grpc_status(0).value, of_grpc_status(8).value, of_grpc_status(None).value
    ('ok', 'rate_limited', 'server_error')
    """
    return Outcome.SERVER_ERROR if code is None else _GRPC.get(code, Outcome.SERVER_ERROR)


def of_close_code(code: int, *, by_client: bool) -> Outcome:
    """Return the outcome of a WebSocket's first close code (RFC 6455, section 7.4; IANA).

    The codes 1002, 1003 and 1007 to 1010 blame the side that did not send them. A private code
    that repeats an HTTP status (4429) means that status.

    >>> of_close_code(1000, by_client=True).value, of_close_code(1011, by_client=False).value
    ('ok', 'server_error')
    >>> of_close_code(1008, by_client=False).value, of_close_code(1008, by_client=True).value
    ('client_error', 'server_error')
    """
    if code in (1000, 1001, 1005):
        return Outcome.OK
    if code in (1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003):
        return Outcome.SERVER_ERROR if by_client else Outcome.CLIENT_ERROR
    if by_client:
        return Outcome.CLIENT_GONE if code in (1006, 1011, 1012, 1013) else Outcome.OK
    if code == 3008:
        return Outcome.UPSTREAM_TIMEOUT
    if code >= 3000:
        return of_status(code - 4000) if 4400 <= code < 4600 else Outcome.OK
    return Outcome.SERVER_ERROR
