"""Sides: texts and columns are scrubbed by their rule; a side that would grow too large is a digest."""

from __future__ import annotations

import re
from typing import Any

import pytest

from monitor import bodies, columns
from monitor.privacy.patterns import Scanner
from monitor.privacy.policies import Policy
from monitor.privacy.scrub import NAMED
from monitor.privacy.short_texts import ShortTexts
from monitor.privacy.sides import Sides
from monitor.recognizers import select
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


@pytest.mark.parametrize("length", [4012888888881881, -4012888888881881])
def test_a_length_that_may_be_a_card_is_not_kept(length: int) -> None:
    """Whatever its sign: an endpoint may say any number there."""
    part = Part(name="x", datatype="FP32", shape=[1, length], data=[0.5])
    assert Sides(None, ShortTexts()).part(scrub(), part).shape is None


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


def test_a_rule_for_other_places_leaves_what_members_say() -> None:
    """`inputs.**` goes into all columns, and is for few of them: as a preset's rules do."""
    rows = [{"name": "ssn", "value": "536221234"}, {"name": "n", "value": "7001"}]
    parts = columns.parts(bodies.dump({"fields": rows}).encode(), {}, "user")
    sides = Sides(Policy({"inputs.**.~patient_id": "token(PATIENT_ID)"}), ShortTexts())
    done = repr(sides.put(scrub(), "inputs", parts, b"x" * 900, b"x" * 900))
    assert "536221234" not in done
    assert "7001" in done


def test_columns_and_texts_know_the_same_names_of_values() -> None:
    """What is replaced in a list of fields is replaced in its JSON, whatever holds the value."""
    for member in NAMED:
        rows = [{"name": "ssn", member: "536221234"}, {"name": "n", member: "7001"}]
        parts = columns.parts(bodies.dump({"fields": rows}).encode(), {}, "user")
        done = Sides(None, ShortTexts()).put(scrub(), "inputs", parts, b"x" * 900, b"x" * 900)
        for said in (repr(done), scrub().text(bodies.dump(rows))):
            assert "536221234" not in said, member
            assert "7001" in said, member


PATIENT: dict[str, Any] = {
    "resourceType": "Patient", "id": "pat-7", "text": {"div": '<div xmlns="http://www.w3.org/1999/xhtml"><b>Erika</b> of ward seven, room two</div>'},
    "identifier": [{"system": "urn:oid:1.2", "value": "A-77"}, {"value": "ada@example.org"}], "active": True,
    "name": [{"text": "Erika Lowenthal", "family": "Lowenthal", "given": ["Erika", "Jane"]}],
    "telecom": [{"system": "phone", "value": "2125550187"}], "birthDate": "1974-12-25",
    "extension": [{"url": "http://x/patient-mothersMaidenName", "valueString": "Roe"}, {"url": "http://x/y", "valueString": "z"}],
    "_birthDate": {"extension": [{"url": "http://x/patient-birthTime", "valueDateTime": "1974-12-25T14:35:45-05:00"}]},
    "address": [{"line": ["Erewhon"], "city": "Peasantville", "state": "Vic", "postalCode": "3999"}],
    "generalPractitioner": [{"reference": "Practitioner/88", "display": "Adam Careful"}, {"reference": "Organization/1", "display": "Ward 7"}],
}  # fmt: skip
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation", "id": "f001", "subject": {"reference": "Patient/pat-7", "display": "Erika"},
    "code": {"text": "Sugar", "coding": [{"display": "Glucose"}]}, "valueQuantity": {"value": 6.3},
}  # fmt: skip
HIDDEN = (
    "pat-7", "A-77", "Erika", "Jane", "Lowenthal", "2125550187", "1974", "Roe", "Erewhon", "Peasantville", "3999", "Careful", "/88", MAIL,
)  # fmt: skip
SEEN = ("Vic", "Ward 7", "Organization/1", "urn:oid:1.2", "f001", "Sugar", "Glucose", "6.3", '"z"')


def backwards(value: Any) -> Any:
    """With the members of each object in the opposite order."""
    if isinstance(value, dict):
        return {name: backwards(value[name]) for name in reversed(value)}
    return [backwards(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("form", ["bundle", "resources", "backwards", "text"])
def test_of_a_resource_of_fhir_its_elements_say_what_they_hold(form: str) -> None:
    """As a body, in a bundle or one after the other, in any order, and as JSON in a text; the same
    value has the same pseudonym wherever it stands."""
    bundle = {"resourceType": "Bundle", "entry": [{"resource": PATIENT}, {"resource": OBSERVATION}]}
    sides, one = Sides(None, ShortTexts()), scrub()
    read = [
        columns.parts(bodies.dump(body).encode(), {}, "user")
        for body in ([bundle] if form == "bundle" else [PATIENT, OBSERVATION])
    ]
    if form == "backwards":
        read = [columns.parts(bodies.dump(backwards(bundle)).encode(), {}, "user")]
    if form == "text":
        read = [[Part(role="user", text=f'My 5" chart: {bodies.dump(bundle)}. What now?')]]
    done = "".join(
        bodies.dump(sides.put(one, "inputs", part, b"x" * 9999, b"x" * 9999)) for part in read
    )
    assert [value for value in HIDDEN if value in done] == []
    assert [
        value for value in SEEN if value.replace('"', "\\" * (form == "text") + '"') not in done
    ] == []
    assert len(set(re.findall("<MEDICAL_RECORD_NUMBER:[^>]*>", done))) == 3


def test_a_rule_goes_before_what_an_element_says() -> None:
    """And what is not looked for stays."""
    sides = Sides(
        Policy({"inputs.**.~postal_code": "generalise(prefix2)", "inputs.**.~given": "keep"}),
        ShortTexts(),
    )
    parts = columns.parts(bodies.dump(PATIENT).encode(), {}, "user")
    done = {
        part.name: part.data
        for part in sides.put(scrub(), "inputs", parts, b"x" * 9999, b"x" * 9999)
    }
    assert (done["address.postalCode"], done["name.given"]) == (["39*"], ["Erika", "Jane"])
    named = scrub()
    named._scanner = Scanner(select(without=frozenset({"PERSON", "LOCATION"})))
    done = {
        part.name: part.data
        for part in Sides(None, ShortTexts()).put(named, "inputs", parts, b"x" * 9999, b"x" * 9999)
    }
    assert (done["name.text"], done["address.city"]) == (["Erika Lowenthal"], ["Peasantville"])
    assert done["id"] != ["pat-7"]
    odd = {
        "resourceType": [["Patient"], 7, "Patient"],
        "id": [[1], {"a": 1}, "pat-7"],
        "name": {"given": [[1], "Ada"], "family": 3},
    }
    parts = columns.parts(bodies.dump(odd).encode(), {}, "user")
    assert "pat-7" not in repr(sides.put(scrub(), "inputs", parts, b"x" * 9999, b"x" * 9999))
