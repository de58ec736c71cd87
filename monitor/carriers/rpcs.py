"""A gRPC call → its messages, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator

from monitor import bodies
from monitor.framings import grpc
from monitor.transcript import Transcript
from monitor.types import Call

_RESOURCE_EXHAUSTED = 8


def calls(call: Call, *methods: str) -> str:
    """Which of these methods a Call calls, as `/package.Service/Method`; empty where it is none."""
    if call.method != "POST" or not call.path.endswith(methods):
        return ""
    return call.path.rpartition("/")[2] if grpc.is_call(call.request_headers) else ""


def asked(call: Call) -> list[bytes]:
    """Return the messages of the request, unpacked (gRPC over HTTP/2)."""
    coding = call.request_headers.get("grpc-encoding", "")
    return [one.data for one in grpc.messages(call.request_body, coding)]


def answered(answer: Transcript) -> Iterator[grpc.Message]:
    """The messages of the answer; then it is known how it ended."""
    call = answer.call
    is_whole = True
    for message in grpc.messages(
        call.response_body, call.response_headers.get("grpc-encoding", "")
    ):
        is_whole = message.is_whole
        yield message
    answer.is_complete = is_whole
    ended(answer)


def ended(answer: Transcript) -> None:
    """Note how the call ended, by its status. It comes last, so a call that has one is whole, also
    where a message cannot be unpacked: its coding is another, or it is too large."""
    call = answer.call
    status = grpc.status(call.response_headers, call.trailers)
    if status is None:
        return
    answer.is_complete = True
    if status.code:
        answer.error(bodies.dump({"error": status._asdict()}).encode())
        answer.throttled = answer.throttled or status.code == _RESOURCE_EXHAUSTED
