"""`monitor keys`: the key file, listed, rotated, compared."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.privacy import keys
from monitor.privacy.pseudonyms import Keyring


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor keys`, beside the common ones."""
    parser.add_argument(
        "action",
        choices=("list", "rotate", "fingerprint", "pair"),
        help="list: ids, fingerprints, state; rotate: a new key before the others; fingerprint: of "
        "the current key alone; pair: a new pair of keys to seal values with and to reveal them",
    )
    parser.add_argument("--out", metavar="DIR", help="pair: where to write reveal.pub, reveal.key")
    parser.add_argument("--id", default="", metavar="KEYID", help="rotate: name of the new key")
    parser.add_argument(
        "--retire", action="store_true", help="rotate: remove the old keys; nothing joins across"
    )


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print one key a line: id, fingerprint, state; a key itself is never shown."""
    if options.action == "pair":
        return _pair(options.out)
    path = key_file(settings)
    if options.action == "rotate":
        keyring = keys.rotate(path, os.urandom, key_id=options.id, retire=options.retire)
    else:
        keyring = keys.read(path)
    listing = keys.listing(keyring)
    for key_id, fingerprint, state in listing[: 1 if options.action == "fingerprint" else None]:
        print(f"{key_id}\t{fingerprint}\t{state}")
    return 0


def _pair(out: str | None) -> int:
    from monitor.privacy.sealing import make_pair

    if not out:
        raise ConfigError("--out: `monitor keys pair` needs a directory to write to")
    public, private = make_pair(Path(out), os.urandom)
    print(f"{public}\tfor privacy.seal_to")
    print(f"{private}\tfor `monitor reveal --private-key`; keep it where monitor does not run")
    return 0


def key_file(settings: Settings) -> Path:
    """Where the keys are: as configured, or in the data directory."""
    return Path(settings.privacy.key_file or Path(settings.data) / "privacy.key")


def keyring(settings: Settings) -> Keyring:
    """The keys to use; a first one is made in the data directory unless a file was named."""
    path = key_file(settings)
    return keys.read(path) if settings.privacy.key_file else keys.load(path, os.urandom)
