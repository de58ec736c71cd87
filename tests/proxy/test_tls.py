"""PEM files: one line that names the key for what cannot work, and fresh ones when they change."""

from __future__ import annotations

import asyncio
import datetime
import logging
import ssl
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import ConfigError
from monitor.proxy.tls import Certificate, Upstream, check, flaw, server_context

NONE = {"cert": "", "key": "", "ca": "", "client_cert": "", "client_key": ""}


def complaint(secure_upstream: bool = True, **files: str) -> str:
    with pytest.raises(ConfigError) as raised:
        check(**{**NONE, **files}, secure_upstream=secure_upstream)
    return str(raised.value)


def test_good_files_pass(authority: Any) -> None:
    """Separate files, a key in the certificate's file, nothing at all."""
    one = authority()
    cert, key = one.issue("server")
    check(cert=cert, key=key, ca=one.ca, client_cert=cert, client_key=key, secure_upstream=True)
    both = Path(cert).with_suffix(".pem")
    both.write_bytes(Path(cert).read_bytes() + Path(key).read_bytes())
    check(**{**NONE, "cert": str(both)}, secure_upstream=False)
    check(**NONE, secure_upstream=True)


def test_each_bad_file_is_one_line_that_names_its_key(authority: Any, tmp_path: Path) -> None:
    """Absent, not PEM, of somebody else, with a password, without an https upstream."""
    one = authority()
    cert, key = one.issue("server")
    _, other = one.issue("other")
    _, hidden = one.issue("hidden", b"password")
    bad = tmp_path / "bad.pem"
    bad.write_text("not PEM")
    absent = str(tmp_path / "absent.pem")
    complaints = {
        "tls.cert: is missing beside": complaint(key=key),
        "tls.cert: " + absent + " cannot be read: no such file": complaint(cert=absent, key=key),
        "tls.key: " + absent + " cannot be read: no such file": complaint(cert=cert, key=absent),
        "tls.cert: " + str(bad) + " holds no certificate": complaint(cert=str(bad), key=key),
        "tls.key: " + str(bad) + " holds no private key": complaint(cert=cert, key=str(bad)),
        "tls.key: " + cert + " holds no private key": complaint(cert=cert),
        "tls.key: " + hidden + " holds no private key": complaint(cert=cert, key=hidden),
        "tls.key: " + other + " does not belong": complaint(cert=cert, key=other),
        "tls.ca: " + str(bad) + " holds no certificate": complaint(ca=str(bad)),
        "tls.client_cert: is missing beside": complaint(client_key=key),
        "tls.client_key: " + other + " does not belong": complaint(
            client_cert=cert, client_key=other
        ),
        "tls.ca: is for an https:// upstream": complaint(secure_upstream=False, ca=one.ca),
    }
    for expected, found in complaints.items():
        assert found.startswith(expected)
        assert "\n" not in found


def test_a_certificate_is_read_again_when_it_has_changed(authority: Any) -> None:
    """And stays as it was while the new files do not fit together; said once each."""
    one, said = authority(), list[tuple[int, str]]()
    cert, key = one.issue("server")
    certificate = Certificate(cert, key, lambda *line: said.append(line))
    first = certificate.context(("http/1.1",))
    assert certificate.context(("http/1.1",)) is first
    new_cert, new_key = one.issue("new")
    Path(cert).write_bytes(Path(new_cert).read_bytes())
    assert certificate.context(("http/1.1",)) is first
    assert certificate.context(("http/1.1",)) is first
    assert len(said) == 1
    assert said[0][0] == logging.WARNING
    assert said[0][1].startswith("tls.key: ")
    Path(key).write_bytes(Path(new_key).read_bytes())
    assert certificate.context(("http/1.1",)) is not first
    assert said[1:] == [(logging.INFO, "tls.cert was read again; new connections are shown it")]
    Path(key).unlink()
    server = certificate.context(("http/1.1",))
    assert server is certificate.context(("http/1.1",))
    assert isinstance(server, type(server_context(new_cert, new_key)))


def test_what_the_upstream_is_shown_is_read_again_when_it_has_changed(authority: Any) -> None:
    """A new connection shows the new certificate, and a line says so; none while only one of two
    files is new."""
    one, said = authority(), list[str]()
    context = server_context(*one.issue("server"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(one.ca)
    cert, key = one.issue("old")
    new_cert, new_key = one.issue("new")

    async def story() -> list[object]:
        shown: list[object] = []
        met = asyncio.Event()

        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            subject = writer.get_extra_info("peercert")["subject"]
            shown.append(subject[0][0][1])
            met.set()
            writer.close()

        server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=context)
        host, port = server.sockets[0].getsockname()
        upstream = Upstream(
            host, port, ca=one.ca, client_cert=cert, client_key=key,
            log=lambda _, line: said.append(line),
        )  # fmt: skip
        for file, other in ((cert, ""), (cert, new_cert), (key, new_key)):
            if other:
                Path(file).write_bytes(Path(other).read_bytes())
            met.clear()
            await upstream.connect(asyncio.Protocol(), "http/1.1")
            await met.wait()
        server.close()
        return shown

    assert asyncio.run(asyncio.wait_for(story(), 60)) == ["old", "old", "new"]
    assert said == [
        f"tls.client_key: {key} does not belong to tls.client_cert; "
        "the upstream is shown the certificate from before",
        "the certificates for the upstream were read again; new connections use them",
    ]


OVER = datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)


def test_a_certificate_that_no_client_accepts_is_known_before_one_comes(authority: Any) -> None:
    """Its time is over: said with the file; one that is good has no flaw."""
    one = authority()
    for until, expected in ((OVER, "certificate has expired"), (None, "")):
        cert, key = one.issue(f"server-{until is None}", until=until)
        said = flaw(server_context(cert, key, "access.tls"), cert, "access.tls")
        assert said == (
            f"access.tls.cert: {cert} is accepted by no client: {expected}" * bool(expected)
        )


def test_an_outdated_certificate_does_not_take_the_place_of_a_good_one(authority: Any) -> None:
    """Whoever wrote it there is told."""
    one, said = authority(), list[str]()
    cert, key = one.issue("server")
    certificate = Certificate(cert, key, lambda _, text: said.append(text), "access.tls")
    first = certificate.context(("http/1.1",))
    for old, new in zip((cert, key), one.issue("old", until=OVER), strict=True):
        Path(old).write_bytes(Path(new).read_bytes())
    assert certificate.context(("http/1.1",)) is first
    assert said == [
        f"access.tls.cert: {cert} is accepted by no client: certificate has expired; "
        "clients are shown the certificate from before"
    ]
