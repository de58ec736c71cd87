"""What somebody says for good: nothing in it is a person's."""

from __future__ import annotations

import pytest

from monitor.commands import reasons
from monitor.errors import ConfigError
from monitor.settings.schema import Privacy, Settings

SETTINGS = Settings(privacy=Privacy(seal_to="nowhere.pub"))


@pytest.mark.parametrize(
    "reason",
    [
        "ticket 7", "GDPR request of 2026-11-29, INC-1234567", "Löschantrag <7>, Az. 12/345",
        "https://tickets.example.org/browse/GDPR-77", "削除\u3000依頼", "x" * reasons.LONGEST,
    ],
)  # fmt: skip
def test_a_ticket_may_stand(reason: str) -> None:
    """In any language; no key of the configuration is read for that."""
    reasons.check(reason, SETTINGS, "the archive")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (" ", "say why in up to 1,000 characters; the archive keeps it"),
        ("x" * (reasons.LONGEST + 1), "say why in up to 1,000 characters"),
        ("x\n\x1b[2JFAKE", "has line ends or control characters"),
        ("x\u202ey", "has line ends or control characters"),
        ("x\udcff", "has line ends or control characters"),
        ("of <EMAIL_ADDRESS:k1:zzzzefghijklmnopqrstuvwx>", "names a pseudonym"),
        ("bob@example.org asked", "holds EMAIL_ADDRESS, which would stay in the archive for good"),
        ("bob%40example.org", "holds EMAIL_ADDRESS"),
        ("bob@example\u200b.org", "holds EMAIL_ADDRESS"),
        ("call +49 30 12345678, bob@example.org", "holds PHONE_NUMBER and EMAIL_ADDRESS"),
    ],
)
def test_what_a_recorder_would_not_keep_is_refused_and_not_repeated(
    reason: str, words: str
) -> None:
    """However it is written; the sentence names the option and what was found."""
    with pytest.raises(ConfigError) as caught:
        reasons.check(reason, SETTINGS, "the archive")
    said = str(caught.value)
    assert said.startswith("--reason: ")
    assert words in said
    assert said.isprintable()
    assert "bob" not in said
