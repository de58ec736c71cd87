"""Certificates that end while everything runs: said, counted down, and read again when they change."""

from __future__ import annotations

import asyncio
import datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.app import pages
from monitor.assembly.certificates import Validities, flaws, named
from monitor.settings.schema import Access, AdminTls, Settings, Tls

OVER = datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)
NOW = datetime.datetime(2026, 11, 28, tzinfo=datetime.UTC).timestamp()


def secured(admin: tuple[str, str] = ("", ""), **files: str) -> Settings:
    return Settings(
        upstream="https://127.0.0.1:9", redis="redis://127.0.0.1:9/0", tls=Tls(**files),
        access=Access(tls=AdminTls(*admin)),
    )  # fmt: skip


def test_what_nobody_accepts_is_said_of_each_file(authority: Any, tmp_path: Path) -> None:
    """Of servers, of the client, and of authorities where all have ended; a file that is gone too."""
    one = authority()
    good, old = one.issue("good"), one.issue("old", until=OVER)
    assert list(flaws(secured(good, cert=good[0], key=good[1], ca=one.ca), NOW)) == []
    both = tmp_path / "both.pem"
    both.write_text(Path(old[0]).read_text() + Path(one.ca).read_text())
    assert list(flaws(secured(ca=str(both)), NOW)) == []
    wrong = secured(old, cert=old[0], key=old[1], client_cert=old[0], client_key=old[1], ca=old[0])
    assert list(flaws(wrong, NOW)) == [
        f"tls.cert: {old[0]} is accepted by no client: certificate has expired",
        f"tls.client_cert: {old[0]} has expired: no upstream accepts it",
        f"tls.ca: every certificate in {old[0]} has expired: no upstream is accepted",
        f"access.tls.cert: {old[0]} is accepted by no client: certificate has expired",
    ]
    gone = str(tmp_path / "gone.pem")
    assert list(flaws(secured(client_cert=gone), NOW)) == [
        f"tls.client_cert: {gone} cannot be read: no such file or directory"
    ]


def test_without_a_proxy_the_traffic_has_no_certificates() -> None:
    """An analyzer's own port alone is looked at."""
    settings = Settings(tls=Tls(cert="a"), access=Access(tls=AdminTls("b", "c")))
    assert named(settings) == {"access.tls.cert": "b"}
    assert Validities(Settings()).measurements() == []


def test_a_renewed_certificate_counts_at_once_and_a_broken_file_does_not(authority: Any) -> None:
    """What cannot be read says what it said last."""
    one = authority()
    cert, _ = one.issue("server", until=OVER)
    known = Validities(secured(cert=cert, ca=one.ca))
    ends = "monitor_certificate_not_after_timestamp_seconds"

    def shown() -> dict[str, float]:
        found = known.measurements()
        assert all(m.labels["endpoint"] == "default" for m in found)
        return {m.labels["certificate"]: m.value for m in found if m.name == ends}

    first = shown()
    assert first["tls.cert"] == OVER.timestamp() < NOW < first["tls.ca"]
    Path(cert).write_bytes(Path(one.issue("new")[0]).read_bytes())
    assert shown()["tls.cert"] == first["tls.ca"]
    Path(cert).write_text("half of a file")
    assert shown()["tls.cert"] == first["tls.ca"]
    Path(cert).unlink()
    assert shown()["tls.cert"] == first["tls.ca"]


def test_the_pages_warn_of_it_again_and_again(
    authority: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And go on: whoever looks at the log later sees it too."""
    one = authority()
    old = one.issue("old", until=OVER)
    said: list[str] = []
    monkeypatch.setattr(pages, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(pages.logs, "warning", said.append)

    class Process:
        settings = secured(old)
        runtime = tmp_path

    async def look() -> None:
        shown = pages.Pages(Process())  # type: ignore[arg-type]
        for _ in range(2):
            await shown._look()
        shown._answers.close()
        await shown._system.close()

    asyncio.run(look())
    expected = f"access.tls.cert: {old[0]} is accepted by no client: certificate has expired"
    assert said == [expected, expected]
