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
    assert not found.incomplete
    assert not any("Alice" in (part.text or "") for part in found.outputs)


@pytest.mark.parametrize("coding", ["snappy", "gzip", "identity"])
def test_what_cannot_be_unpacked_is_not_told_as_broken(call: Make, coding: str) -> None:
    """Clients and servers may have a compression of their own, and a message of any size."""
    told = b"\x01" + (6).to_bytes(4, "big") + b"snappy"
    one = call(
        HEALTH, framed(b"\x0a"), told, headers=HEADS, answer_type="application/grpc",
        answer_headers=f"grpc-encoding: {coding}\r\ngrpc-status: 0\r\n",
    )  # fmt: skip
    found = next(each for each in PROTOCOLS if each.claims(one)).read(one)
    assert (found.protocol, found.failed, found.incomplete) == ("grpc", False, False)
