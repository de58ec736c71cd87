"""What vouches for an archive: places that cannot be are said before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.archive.rows import COLUMNS
from monitor.assembly.auditing import anchors_of, columns_of, recipient_of
from monitor.errors import ConfigError
from monitor.settings.archive import Anchor, Archive, Audit
from monitor.settings.schema import Settings


def settings(tmp_path: Path, *anchors: Anchor) -> Settings:
    archive = Archive(str(tmp_path / "archive"))
    return Settings(endpoint="bot", archive=archive, audit=Audit(anchors=list(anchors)))


@pytest.mark.parametrize(
    ("anchor", "what"),
    [
        (Anchor(), r"^audit.anchors\[0\]: give one of `file: PATH`, `webhook: URL` and"),
        (Anchor(file="/x", otlp=True), r"^audit.anchors\[0\]: give one of"),
        (Anchor(file="/tmp/x", secret="/x"), r"^audit.anchors\[0\].secret: is for a webhook"),
        (Anchor(webhook="ftp://h/x"), r"^audit.anchors\[0\].webhook: "),
        (
            Anchor(webhook="http://h/x", secret="/nowhere/x"),
            r"^audit.anchors\[0\].secret: /nowhere",
        ),
        (Anchor(otlp=True), r"^audit.anchors\[0\].otlp: needs the collector at otlp.endpoint"),
        (Anchor(file="/nowhere/x/y"), r"^audit.anchors\[0\].file: .* no directory that is there"),
        (Anchor(file="."), r"^audit.anchors\[0\].file: . is a directory"),
    ],
)
def test_a_place_that_cannot_be_is_one_sentence(tmp_path: Path, anchor: Anchor, what: str) -> None:
    """It names the key; so does a file in the archive itself."""
    with pytest.raises(ConfigError, match=what):
        anchors_of(settings(tmp_path, anchor))
    inside = Anchor(file=str(tmp_path / "archive" / "x" / "anchors.txt"))
    with pytest.raises(
        ConfigError, match=r"is in the archive; name a file that is kept elsewhere$"
    ):
        anchors_of(settings(tmp_path, inside))


def test_columns_are_in_clear_unless_records_are_sealed(tmp_path: Path) -> None:
    """All of them, or those that are named; one that is none is said, and a key that is none."""
    assert columns_of(Settings()) == COLUMNS
    assert columns_of(Settings(archive=Archive(encrypt="x.pem"))) == ()
    assert columns_of(Settings(archive=Archive(encrypt="x", columns=["model"]))) == ["model"]
    with pytest.raises(ConfigError, match=r"^archive.columns: 'record' is no column; there are id"):
        columns_of(Settings(archive=Archive(columns=["model", "record"])))
    assert recipient_of(Settings()) is None
    with pytest.raises(ConfigError, match=r"^archive.encrypt: /nowhere/x cannot be read: "):
        recipient_of(Settings(archive=Archive(encrypt="/nowhere/x")))
