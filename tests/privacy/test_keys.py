"""Key files: private, whole, and the same for all who share one."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monitor.errors import ConfigError
from monitor.privacy import keys

KEY = bytes(range(32)).hex()


def entropy(size: int, state: list[int] = [0]) -> bytes:  # noqa: B006  another key each time
    state[0] += 1
    return bytes(range(state[0], state[0] + size))


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_first_key_is_made_once_by_whoever_comes_first(tmp_path: Path) -> None:
    """Workers that start together read the same key; the file is private."""
    path = tmp_path / "data" / "privacy.key"
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: keys.load(path, os.urandom), range(8)))
    assert len({ring.current.root for ring in rings}) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert [child.name for child in path.parent.iterdir()] == ["privacy.key"]


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        (f"k1 {KEY}", 0o644, "others may read"),
        (f"k1 {KEY}", 0o620, "others may read or change"),
        ("k1 abcd", 0o600, "shorter than"),
        ("k1 " + "xy" * 32, 0o600, ":1: is not `KEYID HEX`"),
        ("", 0o600, "holds no key"),
        (f"k1 {KEY}" + "\nk1 " + "cd" * 32, 0o600, ":2: the key id k1 is there twice"),
        (f"k2 {KEY}\nk1 {KEY}", 0o600, ":2: the key k1 is the key k2 again"),
    ],
)
def test_a_key_file_that_is_not_right_is_refused_in_one_line(
    tmp_path: Path, text: str, mode: int, message: str
) -> None:
    """The line names the file; no key is in it."""
    with pytest.raises(ConfigError) as caught:
        keys.read(written(tmp_path / "key", text, mode))
    assert message in str(caught.value)
    assert "privacy.key_file" in str(caught.value)
    assert KEY[:8] not in str(caught.value)
    assert "abab" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """When one was configured, none is made up."""
    with pytest.raises(ConfigError, match="No such file"):
        keys.read(tmp_path / "nothing")


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    """A directory, a device, a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path, sentence in (
        (tmp_path, "Is a directory"),
        (Path("/dev/null"), "is not a file"),
        (tmp_path / "pipe", "is not a file"),
    ):
        with pytest.raises(ConfigError, match=f"privacy.key_file: {path}: {sentence}"):
            keys.read(path)


def test_rotation_puts_the_new_key_first_and_keeps_the_old(tmp_path: Path) -> None:
    """Overlap until the old line goes; retire removes all at once."""
    path = tmp_path / "key"
    keys.rotate(path, entropy)
    ring = keys.rotate(path, entropy)
    assert [key.id for key in ring.keys] == ["k2", "k1"]
    assert [state for _, _, state in keys.listing(ring)] == ["current", "overlap"]
    ring = keys.rotate(path, entropy, key_id="mine", retire=True)
    assert [key.id for key in keys.read(path).keys] == ["mine"]
    with pytest.raises(ConfigError, match="already"):
        keys.rotate(path, entropy, key_id="mine")
    with pytest.raises(ConfigError, match="not a key id"):
        keys.rotate(path, entropy, key_id="Not Good")


def test_replicas_with_different_keys_under_one_id_are_refused(tmp_path: Path) -> None:
    """Their tokens would look joinable and not be."""
    ring = keys.rotate(tmp_path / "key", entropy)
    shared = keys.agree(ring, {})
    assert keys.agree(ring, shared) == {}
    with pytest.raises(ConfigError, match="fingerprint"):
        keys.agree(ring, {"k1": "0000000000000000"})
