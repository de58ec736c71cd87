"""`monitor keys`: the key file, listed, rotated, compared, and asked for a person's pseudonyms."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from monitor.assembly.keyring import LOOK_EVERY, key_file
from monitor.errors import ConfigError
from monitor.privacy import keys
from monitor.privacy.pseudonyms import Keyring, Tokens
from monitor.settings.schema import Settings

MAX_VALUE = 65536
"""Bytes of a value whose pseudonyms are asked for."""


def add_arguments(parser: argparse.ArgumentParser, common: Callable[..., None]) -> None:
    """The actions of `monitor keys` and their options; `common` adds those of settings."""
    actions = parser.add_subparsers(metavar="COMMAND", required=True, dest="action")

    def add(name: str, what: str, *settings: str) -> argparse.ArgumentParser:
        action = actions.add_parser(
            name,
            help=what,
            description=what[0].upper() + what[1:] + ".",
            formatter_class=parser.formatter_class,
        )
        common(action, *settings)
        return action

    add("list", "print id, fingerprint and state of each key, the current one first", "data")
    rotate = add("rotate", "make a new key; it makes the pseudonyms from now on", "data")
    rotate.add_argument(
        "--id",
        default="",
        metavar="KEYID",
        help="name the new key; by default the next of k1, k2, …",
    )
    rotate.add_argument("--retire", action="store_true",
        help="remove the old keys; old and new records then no longer join")  # fmt: skip
    add("fingerprint", "print id, fingerprint and state of the current key", "data")
    pair = add("pair", "make a pair of keys: one seals values, the other reveals them")
    pair.add_argument(
        "--out", metavar="DIR", help="write reveal.pub and reveal.key to this directory; required"
    )
    pseudonym = add("pseudonym",
        "print the pseudonyms of the value on standard input, one for each key",
        "data")  # fmt: skip
    pseudonym.add_argument("--entity", metavar="ENTITY",
        help="kind of the value, as EMAIL_ADDRESS; required")  # fmt: skip


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print one key a line: id, fingerprint, state; a key itself is never shown."""
    if options.action == "pair":
        return _pair(options.out)
    path = key_file(settings)
    if options.action == "pseudonym":
        for token in _pseudonyms(settings, _there(path), options.entity):
            print(token)
        return 0
    if options.action == "rotate":
        keyring = keys.rotate(path, os.urandom, key_id=options.id, retire=options.retire)
        print(
            f"monitor: recorders that use {path} take the new key within {LOOK_EVERY:g} seconds",
            file=sys.stderr,
        )
    else:
        keyring = _there(path)
    listing = keys.listing(keyring)
    for key_id, fingerprint, state in listing[: 1 if options.action == "fingerprint" else None]:
        print(f"{key_id}\t{fingerprint}\t{state}")
    return 0


def _there(path: Path) -> Keyring:
    """The keys of a file; where there is none, the error says how it comes to be."""
    try:
        return keys.read(path)
    except ConfigError as error:
        if path.exists():
            raise
        raise ConfigError(
            f"{error}; the first `monitor run` makes it, or `monitor keys rotate`; --data and "
            "privacy.key_file name another one"
        ) from None


def _pseudonyms(settings: Settings, keyring: Keyring, entity: str | None) -> list[str]:
    """The tokens under which the value on standard input is stored, the current key's first."""
    from monitor.assembly import (
        build,  # it knows all recognizers, which a list of keys does not need
    )
    from monitor.privacy.views import normalise

    scanner = build.scanner(settings)
    known = {one.entity for one in scanner.recognizers} | {"PERSON", "LOCATION", "ORGANIZATION"}
    for rule in settings.privacy.paths.values():
        if str(rule).startswith("token("):
            known.add(str(rule)[6:-1].strip())
    if entity is None:
        raise ConfigError("--entity: `monitor keys pseudonym` needs one, as EMAIL_ADDRESS")
    if entity not in known:
        near = difflib.get_close_matches(entity.upper(), known, 1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(sorted(known))}"
        raise ConfigError(f"--entity: {entity!r} is not an entity that is looked for; {hint}")
    value = sys.stdin.buffer.read(MAX_VALUE).decode("utf-8", "replace").strip()
    if not value:
        raise ConfigError("keys pseudonym: give the value on standard input")
    view = normalise(value)
    plain = value if view is None else view.text
    # As the recorder does it: what a recognizer finds in a text, or all of it under a rule.
    spans = [plain[one.start : one.end] for one in scanner.scan(plain) if one.entity == entity]
    canonical = [scanner.canonical(entity, one) for one in spans or [plain.strip()]]
    tokens = [Tokens(key, settings.privacy.tenant) for key in keyring.keys]
    return list(dict.fromkeys(make(entity, one) for make in tokens for one in canonical))


def _pair(out: str | None) -> int:
    from monitor.privacy.sealing import make_pair

    if not out:
        raise ConfigError("--out: `monitor keys pair` needs a directory to write to")
    public, private = make_pair(Path(out), os.urandom)
    print(f"{public}\tfor privacy.seal_to")
    print(f"{private}\tfor `monitor reveal --private-key`; keep it where monitor does not run")
    return 0
