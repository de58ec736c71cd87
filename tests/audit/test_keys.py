"""Keys in PEM files: as OpenSSL and cryptography write them, and what is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from monitor.audit import keys
from monitor.errors import ConfigError


def private(path: Path, key: ed25519.Ed25519PrivateKey, secret: bytes = b"") -> Path:
    how = form.BestAvailableEncryption(secret) if secret else form.NoEncryption()
    path.write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, how))
    return path


def public(*of: ed25519.Ed25519PrivateKey) -> bytes:
    return b"".join(
        each.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
        for each in of
    )


def test_what_one_signs_the_other_verifies(tmp_path: Path) -> None:
    """PKCS#8 and SPKI; a file may hold the public keys of before, too."""
    mine, old = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    key = keys.private(private(tmp_path / "audit.key", mine), "audit.sign")
    (tmp_path / "audit.pub").write_bytes(b"# keys of ours\n" + public(old, mine))
    found = keys.public(tmp_path / "audit.pub", "--public-key")
    assert [bytes(one) for one in found] == [
        each.public_key().public_bytes_raw() for each in (old, mine)
    ]
    found[1].verify(b"text", mine.sign(b"text"))
    assert key.sign(b"text").signature == mine.sign(b"text")


def test_who_signs_trusts_its_own_key_and_those_behind_it(tmp_path: Path) -> None:
    """A file with a private key alone is the rule; public keys of before may stand in it."""
    mine, old = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    path = private(tmp_path / "audit.key", mine)
    for more, wanted in ((b"", [mine]), (public(old), [mine, old])):
        path.write_bytes(path.read_bytes() + more)
        assert [bytes(one) for one in keys.trusted(path, "audit.sign")] == [
            each.public_key().public_bytes_raw() for each in wanted
        ]


def test_what_is_no_key_is_one_line(tmp_path: Path) -> None:
    """Missing, encrypted, of another kind, broken, no file: which setting, which file, what to do."""
    mine, path = ed25519.Ed25519PrivateKey.generate(), tmp_path / "key.pem"
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
    )
    for content, words in (
        (private(path, mine, b"secret").read_bytes(), "is encrypted"),
        (other, "holds no Ed25519 private key"),
        (public(mine), "holds no Ed25519 private key"),
        (b"-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n", "holds no Ed25519"),
        (b"\xff\x00", "holds no Ed25519"),
    ):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=rf"^audit.sign: \S+ {words}"):
            keys.private(path, "audit.sign")
    with pytest.raises(ConfigError, match=r"^--public-key: \S+ holds no Ed25519 public key"):
        keys.public(private(path, mine), "--public-key")
    with pytest.raises(ConfigError, match=r"^audit.sign: \S+ cannot be read: no such file"):
        keys.private(tmp_path / "nothing", "audit.sign")
