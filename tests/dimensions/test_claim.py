"""A dimension's value from a bearer token."""

from __future__ import annotations

import base64
import json

import pytest

from monitor.dimensions import dimension
from monitor.types import Inference

NOTHING = Inference("p", "o", "m")


def token(claims: object, *, raw: bytes | None = None) -> str:
    middle = json.dumps(claims).encode() if raw is None else raw
    return f"eyJhbGciOiJub25lIn0.{base64.urlsafe_b64encode(middle).rstrip(b'=').decode()}.sig"


CLAIMS = {
    "role": "nurse", "https://x.example/tenant": "t-1", "realm": {"roles": ["a"], "name": "r"}, "n": 3,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [("role", "nurse"), ("https://x.example/tenant", "t-1"), ("realm.name", "r"), ("realm.roles[0]", "a"),
     ("realm", "none"), ("n", "3"), ("other", "none")],
)  # fmt: skip
def test_a_claim_is_the_value(call, name: str, value: str) -> None:
    """A name with dots is one key where there is one, else a path."""
    made = call("/", f"Authorization: Bearer {token(CLAIMS)}\r\n")
    assert dimension("d", "claim", name).value(made, NOTHING) == value


@pytest.mark.parametrize(
    "field",
    [
        "", "Authorization: Basic abc", "Authorization: Bearer opaque", "Authorization: Bearer a.b.c.d.e",
        f"Authorization: Bearer {token([1])}", f"Authorization: Bearer {token(None, raw=b'no json')}",
        "Authorization: Bearer a.*.c", f"Authorization: Bearer {token({'role': 'x' * 20000})}",
    ],
)  # fmt: skip
def test_what_is_no_signed_token_says_nothing(call, field: str) -> None:
    """Opaque, encrypted, broken and huge tokens."""
    made = call("/", field and field + "\r\n")
    assert dimension("d", "claim", "role").value(made, NOTHING) == "none"
