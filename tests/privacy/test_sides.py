"""Sides: texts and columns are scrubbed by their rule; a side that would grow too large is a digest."""

from __future__ import annotations

from monitor import bodies, columns
from monitor.privacy.policies import Policy
from monitor.privacy.scrub import NAMED
from monitor.privacy.short_texts import ShortTexts
from monitor.privacy.sides import Sides
from monitor.types import Part
from tests.privacy.test_scrub import scrub

MAIL = "ada@example.org"


def test_names_roles_texts_and_values_are_scrubbed() -> None:
    """All that a part says; shape and kind of its numbers stay."""
    parts = [
        Part(role=MAIL, text=f"I am {MAIL}"),
        Part(name=MAIL, datatype="BYTES", shape=[2], data=[MAIL, 1]),
    ]
    said, column = Sides(None, ShortTexts()).put(scrub(), "inputs", parts, b"x" * 900, b"x" * 900)
    assert (said.text or "").startswith("I am <EMAIL_ADDRESS:")
    assert MAIL not in f"{said}{column}"
    assert (column.datatype, column.shape, (column.data or [])[1]) == ("BYTES", [2], 1)


def test_a_side_grows_with_its_body_alone() -> None:
    """By a constant, and by a multiple of what came; else there is one digest of it."""
    parts, one = [Part(name=f"n{number}", data=["::1"] * 9) for number in range(99)], scrub()
    sides = Sides(None, ShortTexts())
    assert sides.put(one, "outputs", parts, b"x" * 20000, b"x" * 20000) != parts
    assert "expansion" not in one.redactions
    (digest,) = sides.put(one, "outputs", parts, b"x" * 9, b"x" * 9)
    assert digest.role == "assistant"
    assert (digest.text or "").startswith("<REDACTED:expansion:")
    assert one.redactions == {"expansion": 1}


def test_a_rule_is_for_its_role_or_column() -> None:
    """What it leaves out of a part that stays is named where no mark tells of it."""
    sides = Sides(Policy({"inputs.user": "drop", "inputs.age": "generalise(decade)"}), ShortTexts())
    one = scrub()
    asked, age, rest = (
        sides.ruled(one, "inputs", part)
        for part in (Part(role="user", text="Hi"), Part(name="age", data=[41]), Part(name="n", data=[41]))
    )  # fmt: skip
    assert (asked.text, age.data, rest.data) == (None, [40], [41])
    assert one.withheld == {"inputs": {"age"}}


def test_a_value_is_what_the_member_beside_it_says() -> None:
    """Lists of names and values are fields, too; the ones that say nothing stay, and so do the names."""
    rows = [
        {"name": "ssn", "value": "536221234"},
        {"key": "home_phone", "value": 2125550187},
        {"name": "n", "value": "7"},
    ]
    parts = columns.parts(bodies.dump({"fields": rows}).encode(), {}, "user")
    one = scrub()
    done = {
        part.name: part.data
        for part in Sides(None, ShortTexts()).put(one, "inputs", parts, b"x" * 900, b"x" * 900)
    }
    assert one.pseudonyms == {"US_SSN": 1, "PHONE_NUMBER": 1}
    assert (done["fields.value"] or [])[2] == "7"
    assert done["fields.name"] == ["ssn", None, "n"]
    kept = Sides(Policy({"inputs.fields.value": "keep"}), ShortTexts()).put(
        scrub(), "inputs", parts, b"x" * 900, b"x" * 900
    )
    assert {part.name: part.data for part in kept}["fields.value"] == ["536221234", 2125550187, "7"]


def test_columns_and_texts_know_the_same_names_of_values() -> None:
    """What is replaced in a list of fields is replaced in its JSON, whatever holds the value."""
    for member in NAMED:
        rows = [{"name": "ssn", member: "536221234"}, {"name": "n", member: "7001"}]
        parts = columns.parts(bodies.dump({"fields": rows}).encode(), {}, "user")
        done = Sides(None, ShortTexts()).put(scrub(), "inputs", parts, b"x" * 900, b"x" * 900)
        for said in (repr(done), scrub().text(bodies.dump(rows))):
            assert "536221234" not in said, member
            assert "7001" in said, member
