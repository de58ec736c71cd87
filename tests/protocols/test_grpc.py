"""gRPC calls of methods that no dialect knows: one is told from JSON, and how it ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.protocols import PROTOCOLS
from monitor.types import Call
from tests.framings.test_grpc import framed
from tests.protocols.test_kserve_v2_grpc import HEADS

Make = Callable[..., Call]
HEALTH = "/grpc.health.v1.Health/Check"


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        (HEADS, "grpc"),
        ("content-type: application/grpc+proto\r\n", "grpc"),
        ("content-type: application/grpc-web\r\n", "generic_json"),
        ("content-type: application/json\r\n", "generic_json"),
    ],
)
def test_it_is_known_by_its_content_type(call: Make, headers: str, name: str) -> None:
    """And read by nobody else; gRPC-Web frames its trailers in another way."""
    one = call(HEALTH, framed(b"\x0a\x05Alice"), framed(b"\x08\x01"), headers=headers)
    assert next(each.name for each in PROTOCOLS if each.claims(one)) == name


@pytest.mark.parametrize("code", [0, 8, 14])
def test_its_content_is_not_read_and_its_end_is(call: Make, code: int) -> None:
    """Without its description nobody knows which bytes are text; the status is known."""
    one = call(
        HEALTH, framed(b"\x0a\x05Alice"), framed(b"\x08\x01"), headers=HEADS,
        answer_headers=f"grpc-status: {code}\r\n", answer_type="application/grpc",
    )  # fmt: skip
    found = next(each for each in PROTOCOLS if each.claims(one)).read(one)
    assert (found.protocol, found.operation, found.inputs) == ("grpc", "call", [])
    assert (found.failed, found.throttled) == (code != 0, code == 8)
    assert [part.role for part in found.outputs] == ["error"] * (code != 0)
    assert not any("Alice" in (part.text or "") for part in found.outputs)
