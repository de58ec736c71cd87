"""Key file ↔ Keyring: `KEYID HEX` a line, the first line the current key, mode 0600."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from monitor import small_files
from monitor.errors import ConfigError
from monitor.privacy.pseudonyms import Key, Keyring, fingerprint

SHORTEST = 32
"""Bytes of a root key, at least."""

_MAX_BYTES = 1 << 16
_LINE = re.compile(r"([a-z0-9]{1,16})[ \t]+([0-9A-Fa-f]+)")

Entropy = Callable[[int], bytes]
"""n → n unpredictable bytes (`os.urandom`)."""


def parse(text: str, name: str) -> Keyring:
    """The keys in the text of the file `name`; ConfigError names file and line, never a key."""
    keys: list[Key] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None or len(match[2]) % 2:
            raise ConfigError(f"{name}:{number}: is not `KEYID HEX`, as `monitor keys` writes it")
        if len(match[2]) < 2 * SHORTEST:
            raise ConfigError(f"{name}:{number}: the key is shorter than {SHORTEST} bytes")
        if any(key.id == match[1] for key in keys):
            raise ConfigError(f"{name}:{number}: the key id {match[1]} is there twice")
        root = bytes.fromhex(match[2])
        if same := next((key.id for key in keys if key.root == root), None):
            raise ConfigError(f"{name}:{number}: the key {match[1]} is the key {same} again")
        keys.append(Key(match[1], root))
    if not keys:
        raise ConfigError(f"{name}: holds no key; `monitor keys rotate` writes one")
    return Keyring(tuple(keys))


def render(keyring: Keyring) -> str:
    """The text of a key file."""
    return "".join(f"{key.id} {key.root.hex()}\n" for key in keyring.keys)


def read(path: Path) -> Keyring:
    """The keyring in a file that nobody else can read.

    A group may read it (Kubernetes mounts a secret for a group as 0440), others may not. Raises
    ConfigError with one line when the file is missing, open to others, or not a key file.
    """
    data, mode = small_files.read(path, "privacy.key_file", _MAX_BYTES)
    if mode & 0o027:
        raise ConfigError(
            f"privacy.key_file: {path}: others may read or change it "
            f"(mode {stat.S_IMODE(mode):04o}); chmod 600 it"
        )
    if len(data) > _MAX_BYTES or not data.isascii():
        raise ConfigError(f"privacy.key_file: {path}: is not a key file")
    return parse(data.decode("ascii"), f"privacy.key_file: {path}")


def load(path: Path, entropy: Entropy | None = None) -> Keyring:
    """The keyring in `path`; with `entropy` a first key is made when there is no file.

    Several processes may do this at once: one makes the key, all read the same.
    """
    if entropy is not None and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        create(path, Keyring((Key("k1", entropy(SHORTEST)),)))
    return read(path)


def create(path: Path, keyring: Keyring) -> bool:
    """Write a key file unless there is one; false when there was. Raises ConfigError where nothing
    can be written there.

    The file appears whole or not at all: written beside, then linked to its name.
    """
    draft = _draft(path, keyring)
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    except OSError as error:
        raise ConfigError(f"privacy.key_file: {path}: {error.strerror}") from None
    finally:
        draft.unlink()
    return True


def rotate(path: Path, entropy: Entropy, *, key_id: str = "", retire: bool = False) -> Keyring:
    """Put a new key before those in `path` (made when absent) and return the new keyring; raises
    ConfigError for an id that is none, or taken.

    Running recorders take it within seconds. From then on Records carry for each new pseudonym
    the one that the previous key would have made, until its line is removed; `retire` removes all
    old keys at once, after which nothing joins across and old pseudonyms cannot be made again.
    """
    old = read(path).keys if path.exists() else ()
    taken = {key.id for key in old}
    key_id = key_id or next(f"k{n}" for n in range(1, 1000000) if f"k{n}" not in taken)
    if not re.fullmatch(r"[a-z0-9]{1,16}", key_id):
        raise ConfigError(f"keys rotate: {key_id!r} is not a key id: 1 to 16 of a-z and 0-9")
    if key_id in taken:
        raise ConfigError(f"keys rotate: the key id {key_id} is already in {path}")
    keyring = Keyring((Key(key_id, entropy(SHORTEST)), *(() if retire else old)))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path, keyring)
    draft.replace(path)
    return keyring


def listing(keyring: Keyring) -> list[tuple[str, str, str]]:
    """(key id, fingerprint, `current` | `overlap` | `kept`) of every key, in order."""
    states = ["current", "overlap"] + ["kept"] * len(keyring.keys)
    return [
        (key.id, fingerprint(key), state) for key, state in zip(keyring.keys, states, strict=False)
    ]


def agree(keyring: Keyring, known: Mapping[str, str]) -> dict[str, str]:
    """What must be added to the fingerprints that all replicas share (key id → fingerprint).

    Raises ConfigError when a key id stands for another key there: records of the two would carry
    pseudonyms that look joinable and are not.
    """
    ours = {key.id: fingerprint(key) for key in keyring.keys}
    for key_id, print_ in ours.items():
        if known.get(key_id, print_) != print_:
            raise ConfigError(
                f"privacy.key_file: its key {key_id} is not the {key_id} that other replicas use "
                f"(fingerprint {print_}, theirs {known[key_id]}); give all the same key file"
            )
    return {key_id: print_ for key_id, print_ in ours.items() if key_id not in known}


def _draft(path: Path, keyring: Keyring) -> Path:
    """A new file beside `path`, for this user only (mkstemp), holding `keyring` on disk."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(render(keyring))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(f"privacy.key_file: {path}: {error.strerror}") from None
    return Path(name)
