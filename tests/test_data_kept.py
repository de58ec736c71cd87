"""The page for privacy officers says of every place what is kept there: none is missing, and each
default is the program's."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.settings.schema import Settings

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "data-kept.md").read_text(encoding="utf-8")
STATED = re.findall(r"`([a-z_]+(?:\.[a-z_]+)*)` \(([^():]+)(?:: [^)]*)?\)", PAGE)
VARIABLE = {"role", "name"}
"""In the place of the last part of a key in sources; the page has the values."""


@functools.cache
def sources() -> str:
    """All of the program."""
    files = sorted((ROOT / "monitor").rglob("*.py"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def kinds(text: str) -> set[str]:
    """What follows the endpoint, and the shard if there is one, in the keys of a store that a text
    names: `records`, `records:erased` …"""
    bare = re.sub(r"[{}]", "", text)
    key = re.compile(r"\bmonitor:[^\s:`]+(?::(?:SHARD|shard|\d+))?:([a-z]+(?::(?!NAME)[a-z]+)?)")
    found = {re.sub(r"^(review|notifier):.*", r"\1", one) for one in key.findall(bare)}
    return found - VARIABLE


def test_every_key_of_the_store_that_the_program_names_is_on_the_page() -> None:
    """And no other."""
    assert kinds(PAGE) == kinds(sources()) | {"archiver"}
    assert {"records", "records:erased", "looks", "keys", "review", "notifier"} <= kinds(sources())


def test_every_file_of_the_data_directory_is_on_the_page() -> None:
    """Those that are put together from the setting `data`, and the logs of commands."""
    names = set(re.findall(r"\bdata\) / \"([\w.]+)\"", sources()))
    names |= set(re.findall(r"\"((?:erase|reveal)\.jsonl)\"", sources()))
    assert names >= {"spool", "store", "run.json", "erase.jsonl", "reveal.jsonl"}
    assert {name for name in names if f"`DATA/{name}`" not in PAGE} == set()


@pytest.mark.parametrize(("key", "said"), STATED, ids=str)
def test_every_default_is_the_one_that_the_program_has(key: str, said: str) -> None:
    """As it is written behind the setting."""
    value: Any = msgspec.to_builtins(Settings())
    for step in key.split("."):
        value = value[step]
    is_none = said.startswith(("none", "null"))
    assert not value if is_none else said.split(maxsplit=1)[0] == str(value).removesuffix(".0")


def test_every_setting_that_the_page_names_has_its_default_there() -> None:
    """So that nobody has to look it up."""
    named = set(re.findall(r"`([a-z_]+\.[a-z_.]+)`", PAGE)) - {"audit.anchors"}
    assert named - {key for key, _ in STATED} == set()
    assert len(STATED) > 15
