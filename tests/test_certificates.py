"""When a certificate holds, as the library says that made it, and no bytes that break the reader."""

from __future__ import annotations

import datetime
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from monitor.certificates import validities
from monitor.errors import ParseError

UTC = datetime.UTC
FIRST, LAST = -631_152_000, 253_402_300_799
"""The first second of 1950 and the last one of 9999, in Unix seconds."""
MOMENTS = st.integers(FIRST, LAST).map(lambda one: datetime.datetime.fromtimestamp(one, UTC))


@cache
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def made(begin: datetime.datetime, end: datetime.datetime, name: str = "x") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
        .public_key(key().public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(begin).not_valid_after(end).sign(key(), hashes.SHA256())
    )  # fmt: skip
    return built.public_bytes(serialization.Encoding.PEM)


@given(st.lists(st.tuples(MOMENTS, MOMENTS).map(sorted), min_size=1, max_size=3))
def test_every_certificate_of_a_file_is_read(moments: list[list[datetime.datetime]]) -> None:
    """In its order, in both of the forms that times have, among text and a key."""
    private = key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = b"subject=x\n" + private + b"".join(made(*one) for one in moments)
    assert validities(pem) == [(begin.timestamp(), end.timestamp()) for begin, end in moments]


@pytest.mark.parametrize("name", ["x" * 20, "x" * 64, "é" * 30])
def test_long_names_move_nothing(name: str) -> None:
    """A length of more than one byte."""
    begin, end = (datetime.datetime(year, 1, 1, tzinfo=UTC) for year in (2026, 2050))
    assert validities(made(begin, end, name)) == [(begin.timestamp(), end.timestamp())]


CUT = made(*(datetime.datetime(year, 1, 1, tzinfo=UTC) for year in (2026, 2027)))


@given(
    st.one_of(
        st.binary(),
        st.integers(0, len(CUT)).map(lambda at: CUT[:at]),
        st.tuples(st.integers(28, len(CUT) - 30), st.sampled_from(b"AQgw/+=")).map(
            lambda one: CUT[: one[0]] + bytes([one[1]]) + CUT[one[0] + 1 :]
        ),
    )
)
def test_whatever_is_in_a_file_is_read_or_refused(pem: bytes) -> None:
    """Cut, changed in one place, or no certificate at all."""
    try:
        found = validities(pem)
    except ParseError:
        return
    assert all(isinstance(moment, float) for one in found for moment in one)
