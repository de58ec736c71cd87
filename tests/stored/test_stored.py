"""What earlier days wrote is read today, and readers of then read what is written today.

Each directory has documents as the code of that day made them from its own structs: the first line
of a file with every key that there was, the second one with those that had to be there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from monitor.analysis.drift.profiles import Profile
from monitor.archive import reading
from monitor.archive.storage import Directory
from monitor.archive.verification import Verifier
from monitor.assembly.analysis import read_profile
from monitor.commands.schema import published
from monitor.damage import Damage
from monitor.feedback import Feedback, encode_feedback, read, stored
from monitor.sources import archive
from monitor.streams.entries import Entry
from monitor.types import decode_record, encode_record
from tests.commands.test_schema import RECORD, REPLAY
from tests.reports.test_page import everything

HERE = Path(__file__).parent
OTHERS_WRITE = "feedback"


def lines(name: str) -> list[Any]:
    """Each document in the files of this name, of each day."""
    return [
        pytest.param(line, id=f"{path.parent.name} {number}")
        for path in sorted(HERE.glob(f"*/{name}.jsonl"))
        for number, line in enumerate(path.read_bytes().splitlines())
    ]


def schema(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(published(name)))


def said(document: Any) -> Any:
    """Without keys that say nothing."""
    return {key: value for key, value in document.items() if value not in ({}, [])}


@pytest.mark.parametrize("line", lines("records"))
def test_a_record_of_earlier_is_read_whole(line: bytes) -> None:
    """From a stream; it says what it said, and fits today's schema."""
    record = Entry("key", "1700000100000-0", [b"v", b"1", b"record", line]).record()
    assert record == decode_record(line)
    before = json.loads(line)
    assert said(json.loads(encode_record(record))) == said(before)
    schema("record").validate(before)


@pytest.mark.parametrize("line", lines("feedback"))
def test_feedback_in_a_stream_of_earlier_is_read_whole(line: bytes) -> None:
    """With the key that pseudonymized it, so that nobody does it again."""
    found = stored(line)
    assert isinstance(found, Feedback)
    assert json.loads(encode_feedback(found)) == json.loads(line)


@pytest.mark.parametrize("line", lines("statements"))
def test_feedback_that_was_taken_is_taken(line: bytes) -> None:
    """And fits today's schema."""
    assert msgspec.json.decode(msgspec.json.encode(read(line))) == json.loads(line)
    schema("feedback").validate(json.loads(line))


@pytest.mark.parametrize("line", lines("replay"))
def test_a_document_of_replay_of_earlier_fits_the_schema(line: bytes) -> None:
    """So that who reads by today's schema reads it."""
    schema("replay").validate(json.loads(line))


def test_profiles_of_all_days_say_the_same() -> None:
    """They were made of one table: what is compared with them is counted in equal bins."""
    found: list[Profile] = []
    for path in sorted(HERE.glob("*/profile.json")):
        profile = read_profile(str(path))
        assert profile is not None
        found.append(profile)
    assert len(found) == 3
    for profile in found:
        assert [feature for feature, _, _ in profile.references] == ["age", "paid", "site"]
        for one, first in zip(
            profile.references.values(), found[0].references.values(), strict=True
        ):
            assert one.bins.shape == first.bins.shape
            assert sum(one.counts) == sum(first.counts)


@pytest.mark.parametrize(
    ("name", "files", "erased", "spans"),
    [("archive", 2, 0, ["date=2023-11-14"]), ("archive-by-hour", 2, 1, ["hour=00", "hour=22"])],
)
def test_an_archive_of_earlier_is_proven_and_read(
    name: str, files: int, erased: int, spans: list[str]
) -> None:
    """Each of its rows and manifests, whether its files are of a day or of an hour."""
    (place,) = HERE.glob(f"*/{name}")
    storage = Directory(place)
    verifier = Verifier(storage)
    verifier.irregular("")
    shard = verifier.shard("support-bot", 0)
    verifier.unlisted("")
    verifier.gaps("support-bot", [shard])
    assert (shard.last.size, shard.files, shard.erased) == (6, files, erased)
    (found,) = reading.read(storage, "support-bot", None, None)
    assert sorted({path.parts[-3] for path in found.files}) == spans
    damage = Damage()
    records = [one for path in found.files for one in archive.read(path, damage)]
    assert [one.endpoint for one in records] == ["support-bot"] * (6 - erased)


# --- readers of earlier --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "document"), [("record", RECORD), ("replay", REPLAY), ("replay", everything())]
)
def test_what_is_written_today_fits_a_schema_of_earlier(
    name: str, document: msgspec.Struct
) -> None:
    """With keys that it did not know."""
    for path in HERE.glob(f"*/{name}.schema.json"):
        earlier = jsonschema.Draft202012Validator(json.loads(path.read_bytes()))
        earlier.validate(json.loads(msgspec.json.encode(document)))


def kinds(schema: dict[str, Any]) -> set[str]:
    """What a value may be, without how it is described or bounded."""
    several = schema.get("anyOf")
    if several:
        return set().union(*map(kinds, several))
    if "$ref" in schema:
        return {schema["$ref"]}
    if "items" in schema and isinstance(schema["items"], dict):
        return {f"list of {one}" for one in kinds(schema["items"])}
    if isinstance(schema.get("additionalProperties"), dict):
        return {f"object of {one}" for one in kinds(schema["additionalProperties"])}
    if "enum" in schema:
        return {"string" if isinstance(one, str) else type(one).__name__ for one in schema["enum"]}
    said = schema.get("type", "any")
    return {said} if isinstance(said, str) else set(said)


def broken(name: str, before: Any, now: Any) -> Iterator[str]:
    """What readers or writers of earlier would stumble over."""
    for struct, old in before["$defs"].items():
        new = now["$defs"].get(struct, {})
        for key, field in old.get("properties", {}).items():
            if key not in new.get("properties", {}):
                yield f"{struct}.{key} has gone"
                continue
            was, is_now = kinds(field), kinds(new["properties"][key])
            if was != is_now and not (name == OTHERS_WRITE and was <= is_now):
                yield f"{struct}.{key} was {sorted(was)} and is {sorted(is_now)}"
        for value in old.get("enum", ()):
            if value not in new.get("enum", ()):
                yield f"{struct} is never {value} now"
        more = set(new.get("required", ())) - set(old.get("required", ()))
        if more:
            yield f"{struct} must have {sorted(more)}, which it had not"
        if name != OTHERS_WRITE and (
            less := set(old.get("required", ())) - set(new.get("required", ()))
        ):
            yield f"{struct} need not have {sorted(less)}, which it always had"


@pytest.mark.parametrize("name", ["record", "feedback", "replay"])
def test_a_schema_of_version_1_only_grows(name: str) -> None:
    """No key goes, becomes something else, or must be there although it was not; what must be there
    stays. Else it would be version 2."""
    for path in HERE.glob(f"*/{name}.schema.json"):
        assert list(broken(name, json.loads(path.read_bytes()), json.loads(published(name)))) == []


def test_a_change_that_breaks_readers_is_named() -> None:
    """A key that went, one of another type, and one more that must be there."""
    was = {
        "$defs": {"A": {"properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
                        "required": ["a"]}}
    }  # fmt: skip
    now = {
        "$defs": {"A": {"properties": {"b": {"type": "string"}, "c": {"type": "string"}},
                        "required": ["c"]}}
    }  # fmt: skip
    assert len(list(broken("record", was, now))) == 4
