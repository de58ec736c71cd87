"""Checkpoints: their form, and who has signed one."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from monitor.audit.checkpoints import Checkpoint, is_signed, is_vouched_for, signed

KEY, OTHER = SigningKey(bytes(32)), SigningKey(bytes(range(32)))
ONE = Checkpoint("monitor/bot/0", 7, bytes(32), 3, "ab" * 32)


def test_a_checkpoint_is_a_signed_note() -> None:
    """Origin, size, root, what else, an empty line, and a line of 4 + 64 bytes for the signature."""
    note = signed(ONE, KEY)
    text, _, rest = note.partition("\n\n")
    assert text.splitlines()[:3] == ["monitor/bot/0", "7", base64.b64encode(bytes(32)).decode()]
    dash, name, said = rest.split()
    assert (dash, name, len(base64.b64decode(said))) == ("—", "monitor", 68)
    assert is_vouched_for(note, [OTHER.verify_key, KEY.verify_key])


def test_who_has_not_signed_does_not_vouch() -> None:
    """Another key, no signature at all, a signature of something else."""
    note, plain = signed(ONE, KEY), signed(ONE, None)
    assert (is_signed(note), is_signed(plain)) == (True, False)
    assert not is_vouched_for(note, [OTHER.verify_key])
    assert not is_vouched_for(plain, [KEY.verify_key])
    assert not is_vouched_for(note.replace("\n7\n", "\n8\n"), [KEY.verify_key])


@given(st.text(max_size=300))
def test_any_text_is_a_note_that_nobody_signed(text: str) -> None:
    """Nothing that somebody writes makes it raise."""
    for note in (text, f"{ONE.text}\n— monitor {text}\n"):
        assert not is_vouched_for(note, [KEY.verify_key])
