"""Call → Inference for gRPC calls that no dialect claims: that there was one, and how it ended.

Health checks, reflection, methods of one's own: without their `.proto` nobody knows which bytes of
a message are text, so nothing of it is kept.
"""

from __future__ import annotations

from monitor.carriers import rpcs
from monitor.framings import grpc
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference


def claims(call: Call) -> bool:
    """Any other gRPC call, by its content type."""
    return call.method == "POST" and grpc.is_call(call.request_headers)


def read(call: Call) -> Inference:
    """No inputs and no outputs but the error that a status other than 0 is."""
    answer = Transcript(call)
    rpcs.ended(answer)
    return answer.inference("grpc", "call", model="", inputs=[])


PROTOCOL = Protocol("grpc", claims, read)
