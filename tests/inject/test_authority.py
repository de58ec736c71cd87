"""Certificates of our own: what others read in them, and how one comes after another."""

from __future__ import annotations

import datetime
import os
import ssl
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from monitor.inject.authority import AUTHORITY, DAY, LEAF, Held, made, renewed

NAMES = ["monitor-injector.monitor-system.svc", "monitor-injector.monitor-system.svc.cluster.local"]
NOW = 1_796_000_000.0


def authorities(held: Held) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(held.authorities.encode())


def verify(leaf: str, bundle: str, at: float) -> None:
    """As a client does that trusts a bundle. (The library's own verifier takes no Ed25519, as the web
    does not; Go's and OpenSSL's do.)"""
    when = datetime.datetime.fromtimestamp(at, datetime.UTC)
    one = x509.load_pem_x509_certificate(leaf.encode())
    issuers = [
        each
        for each in x509.load_pem_x509_certificates(bundle.encode())
        if each.subject == one.issuer
        and each.not_valid_before_utc <= when <= each.not_valid_after_utc
    ]
    assert len(issuers) == 1
    one.verify_directly_issued_by(issuers[0])
    assert one.not_valid_before_utc <= when <= one.not_valid_after_utc


def handshake(held: Held, bundle: str, name: str) -> None:
    """OpenSSL on both sides, in memory."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    import tempfile

    with tempfile.NamedTemporaryFile("w") as file:
        file.write(held.leaf + held.leaf_key)
        file.flush()
        server_context.load_cert_chain(file.name)
    client_context = ssl.create_default_context(cadata=bundle)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(there, back, server_side=True)
    client = client_context.wrap_bio(back, there, server_hostname=name)
    for one in (client, server) * 3:
        try:
            one.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert client.version()


def test_others_read_what_was_meant() -> None:
    """Names, times, uses and keys, by a library that is not ours."""
    held = made(NAMES, NOW, os.urandom)
    (root,) = authorities(held)
    leaf = x509.load_pem_x509_certificate(held.leaf.encode())
    constraints = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (
        True,
        True,
        0,
    )
    assert root.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert leaf.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    alternative = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternative.get_values_for_type(x509.DNSName) == NAMES
    assert leaf.not_valid_after_utc.timestamp() == NOW + LEAF
    assert root.not_valid_after_utc.timestamp() == NOW + AUTHORITY
    for certificate, pem in ((root, held.authority_key), (leaf, held.leaf_key)):
        key = serialization.load_pem_private_key(pem.encode(), None)
        assert key.public_key() == certificate.public_key()
        assert certificate.serial_number > 0
    root.verify_directly_issued_by(root)
    leaf.verify_directly_issued_by(root)
    verify(held.leaf, held.authorities, NOW)


def test_openssl_shakes_hands_with_it() -> None:
    """For the names that are in it, and for no other."""
    import time

    held = made(NAMES, time.time(), os.urandom)
    for name in NAMES:
        handshake(held, held.authorities, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(held, held.authorities, "monitor-injector.other.svc")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(held, made(NAMES, time.time(), os.urandom).authorities, NAMES[0])


def test_a_leaf_is_renewed_after_two_thirds_by_the_same_authority() -> None:
    """So nobody needs to trust anything new."""
    held = made(NAMES, NOW, os.urandom)
    assert renewed(held, NAMES, NOW + 19 * DAY, os.urandom) is None
    at = NOW + 20 * DAY
    after = renewed(held, NAMES, at, os.urandom)
    assert after is not None
    assert after.authorities == held.authorities
    assert after.leaf != held.leaf
    assert after.leaf_key != held.leaf_key
    verify(after.leaf, held.authorities, at)


def test_at_every_moment_old_and_new_leaves_are_trusted() -> None:
    """A new authority stands beside the old one until no leaf of the old one is shown."""
    held, changes = made(NAMES, NOW, os.urandom), 0
    for day in range(0, 2 * 3650, 21):
        at = NOW + day * DAY
        after = renewed(held, NAMES, at, os.urandom)
        if after is None:
            continue
        verify(after.leaf, after.authorities, at)
        verify(held.leaf, after.authorities, at)  # as a replica shows that has not read it yet
        if authorities(after)[0] != authorities(held)[0]:
            changes += 1
            assert len(authorities(after)) == 2
        else:
            verify(after.leaf, held.authorities, at)
            assert len(authorities(after)) == 1
        held = after
    assert changes == 2


@pytest.mark.parametrize(
    "broken",
    [{"authorities": ""}, {"authorities": "x"}, {"authority_key": ""}, {"leaf": "-----"}, {"leaf_key": "x"},
     {"authority_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}],
)  # fmt: skip
def test_what_cannot_be_read_is_made_anew(broken: dict[str, str]) -> None:
    """Somebody emptied the Secret, or wrote something else into it."""
    held = made(NAMES, NOW, os.urandom)
    after = renewed(replace(held, **broken), NAMES, NOW, os.urandom)
    assert after is not None
    verify(after.leaf, after.authorities, NOW)


def test_one_that_has_ended_is_not_kept() -> None:
    """An injector that was away for ten years begins anew."""
    held = made(NAMES, NOW, os.urandom)
    after = renewed(held, NAMES, NOW + 2 * AUTHORITY, os.urandom)
    assert after is not None
    assert len(authorities(after)) == 1
    verify(after.leaf, after.authorities, NOW + 2 * AUTHORITY)
