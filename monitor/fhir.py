"""Names of elements of FHIR resources (HL7 FHIR R4, R5) → what their values are, of people."""

from __future__ import annotations

import re
from collections.abc import Collection

PEOPLE = frozenset(("Patient", "Person", "RelatedPerson", "Practitioner"))
"""Resources that are somebody."""

ANY_OF_THEM = "|".join(sorted(PEOPLE))
"""The same as a pattern."""

REFERENCE = re.compile(rf"(?:.*/)?(?:{ANY_OF_THEM})/.+", re.DOTALL)
"""How somebody is referred to: by the type and the id, behind the address of a server or not."""

_OF_A_NAME = frozenset(("family", "given", "text"))
_OF_AN_ADDRESS = frozenset(("line", "text", "city", "district", "postalCode"))
_SOMEBODY = frozenset((
    "subject", "patient", "beneficiary", "subscriber", "individual", "recorder", "asserter",
    "generalPractitioner",
))  # fmt: skip
"""Elements that refer to somebody even where they do not say of which type."""


def entity(parent: str, element: str, beside: Collection[str] = ()) -> str:
    """What the value of an element is, by the element that it is in and the others of that, itself
    included; empty where that says nothing.

    >>> entity("name", "family"), entity("identifier", "value"), entity("code", "text")
    ('PERSON', 'MEDICAL_RECORD_NUMBER', '')
    """
    if parent == "name" and element in _OF_A_NAME:
        return "PERSON"
    if element in {"given", "family"}:
        return "PERSON" if "given" in beside and "family" in beside else ""
    if parent == "identifier" and element == "value":
        return "MEDICAL_RECORD_NUMBER"
    if parent == "address" and element in _OF_AN_ADDRESS:
        return "LOCATION"
    if element == "display" and parent in _SOMEBODY and "reference" not in beside:
        return "PERSON"
    return "PERSON" if element == "authorString" else ""


def is_narrative(text: str) -> bool:
    """Whether a text is what a resource says of itself in XHTML.

    >>> is_narrative('<div xmlns="http://www.w3.org/1999/xhtml">Erika</div>')
    True
    """
    return text.startswith('<div xmlns="http://www.w3.org/1999/xhtml"')


_EXTENSIONS = {"mothersMaidenName": "PERSON", "birthTime": "DATE_OF_BIRTH"}


def extension(url: str) -> str:
    """What the value of an extension is, by its address; empty where that says nothing.

    >>> extension("http://hl7.org/fhir/StructureDefinition/patient-birthTime")
    'DATE_OF_BIRTH'
    """
    return _EXTENSIONS.get(url.rpartition("-")[2], "")
