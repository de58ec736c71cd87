"""FHIR resources as JSON in texts: names, identifiers and addresses of patients, their kin and those who treat them; in any
text also references to them (`Patient/7f3a9`). Telephones and days of birth are found by the names of their fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from monitor import fhir
from monitor.finders import Named, of_message
from monitor.lazy import lazy

_BEGIN = lazy(r"\{\s{0,64}\"")
_TOKEN = lazy(r'"(?P<text>(?>[^"\\]*(?:\\.[^"\\]*)*))(?:"|\Z)|(?P<sign>[{}\[\]:,])', re.DOTALL)
_REFERENCE = lazy(
    rf"(?:{fhir.ANY_OF_THEM})/(?P<id>(?=[A-Za-z.-]{{0,63}}[0-9])[A-Za-z0-9.-]{{1,64}})(?![A-Za-z0-9/])"
)
_AROUND = frozenset("\"'/=(<\\")
"""What stands before a reference in JSON, in an address or in a query."""
_DIV = "text.div"


class _Open:
    """A container that is open: the element that it is of, and the texts among its members."""

    __slots__ = ("element", "is_list", "key", "said")

    def __init__(self, element: str, is_list: bool) -> None:
        self.element = element
        self.is_list = is_list
        self.key = element if is_list else ""
        self.said: list[tuple[str, int, int]] = []


def _read(text: str, starts: Sequence[int]) -> Iterator[Named]:
    at = 0  # all before is read
    in_order = True
    for start in starts:
        if text[start] != '"':
            match = _REFERENCE.match(text, start)
            if match and (start == 0 or text[start - 1] in _AROUND):
                yield *match.span("id"), "MEDICAL_RECORD_NUMBER"
            continue
        if start < at:
            continue
        found: list[Named] = []
        while in_order and at <= start:
            begin = _BEGIN.search(text, at, start + 1)
            if begin is None:
                found, at = [], start + 1
                break
            found, at, is_seen = _of_object(text, begin.start(), start)
            in_order = is_seen or at <= start
        if not in_order:  # a quote in the words before: the nearest brace is its own
            brace = text.rfind("{", max(0, start - 256), start)
            found, at = [], start + 1
            if brace >= 0:
                found, at, _ = _of_object(text, brace, start)
        yield from found


def _of_object(text: str, begin: int, start: int) -> tuple[list[Named], int, bool]:
    """What an object holds that begins there, where it ends, and whether a text in it begins at
    `start`."""
    found: list[Named] = []
    is_seen = False
    stack: list[_Open] = []
    last: tuple[int, int] | None = None  # a text of which is not known yet whether it is a key
    for token in _TOKEN.finditer(text, begin):
        sign = token["sign"]
        if sign is None:
            last = token.span("text")
            is_seen = is_seen or token.start() == start
            continue
        if last and stack:
            if sign == ":":
                stack[-1].key = text[slice(*last)]
            else:
                _holder(stack).said.append((stack[-1].key, *last))
        last = None
        if sign in "{[":
            stack.append(_Open(stack[-1].key if stack else "", sign == "["))
        elif sign in "}]" and stack:
            found += _of_members(text, stack.pop(), stack)
            if not stack:
                return found, token.end(), is_seen
    if last and stack:  # it was cut
        _holder(stack).said.append((stack[-1].key, *last))
    while stack:
        found += _of_members(text, stack.pop(), stack)
    return found, len(text), is_seen


def _holder(stack: list[_Open]) -> _Open:
    """The object whose member a text is that stands in the last container."""
    return stack[-2] if stack[-1].is_list and len(stack) > 1 else stack[-1]


def _of_members(text: str, closed: _Open, around: list[_Open]) -> Iterator[Named]:
    said = {key: text[start:end] for key, start, end in closed.said}
    is_somebody = said.get("resourceType") in fhir.PEOPLE
    is_person = said.get("type") in fhir.PEOPLE or fhir.REFERENCE.fullmatch(
        said.get("reference", "")
    )
    extension = fhir.extension(said.get("url", ""))
    for key, start, end in closed.said:
        if start == end:
            continue
        if key == "div" and closed.element == "text" and around:
            around[-1].said.append((_DIV, start, end))
        elif is_somebody and key == "id":
            yield start, end, "MEDICAL_RECORD_NUMBER"
        elif (is_somebody and key == _DIV) or (is_person and key == "display"):
            yield start, end, "PERSON"
        elif extension and key.startswith("value"):
            yield start, end, extension
        elif entity := fhir.entity(closed.element, key, said):
            yield start, end, entity


RECOGNIZER, *MORE = of_message(
    name="fhir",
    triggers=(r"\"resourceType\"\s{0,8}:", rf"(?-i:\b(?:{fhir.ANY_OF_THEM})/[A-Za-z0-9])"),
    read=_read,
    examples={
        "PERSON": (
            'it\'s 5" {"resourceType": "Patient", "name": [{"text": "«Erika Lowenthal»", "family": "«Lowenthal»", "given": ["«Erika»", "«Jane»"], "prefix": ["Mrs."]}]}',
            '{"resourceType": "Patient", "text": {"status": "generated", "div": "«<div>Erika</div>»"}, "managingOrganization": {"display": "Ward 7"}}',
            '{"resourceType": "Patient", "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", "valueString": "«Roe»"}',
            'x {"a": 1} {"entry": [{"resource": {"contact": [{"name": {"given": ["«Ann»"], "family": "«du Marche»"}}], "resourceType": "Patient"}}]}',
            '{"resourceType": "Observation", "code": {"coding": [{"display": "Glucose"}], "text": "Sugar"}, "subject": {"display": "«Jan Kowalski»"}',
            '[{"resourceType": "Observation", "performer": [{"display": "«Langeveld Albert»", "reference": "Practitioner/f005"}, {"reference": "Organization/1", "display": "Lab"}',
            '{"entry": [{"resource": {"resourceType": "Organization", "name": "Burgers University", "text": {"div": "Burgers"}}}, {"resource": {"resourceType": "Person", "name": [{"given": ["«Ann»',
        ),
        "DATE_OF_BIRTH": (
            '{"resourceType": "Patient", "_birthDate": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "valueDateTime": "«1974-12-25T14:35:45-05:00»"}]}}',
        ),
        "MEDICAL_RECORD_NUMBER": (
            '{"resourceType":"Patient","id":"«pat-12345»","meta":{"versionId":"1"},"identifier":[{"type":{"coding":[{"code":"MR"}]},"system":"urn:oid:1.2","value":"«A12»"}]}',
            '{"resourceType": "Observation", "id": "f001", "valueQuantity": {"value": 6.3, "unit": "mmol/l"}, "subject": {"reference": "Patient/«pat-12345»"}}',
            "GET /r4/Patient/«7f3a9»?_count=1, /Observation?subject=Practitioner/«88»",
        ),
        "LOCATION": (
            '{"resourceType": "Patient", "address": [{"use": "home", "line": ["«Erewhon»", "«Flat 2»"], "city": "«Peasantville»", "state": "Vic", "postalCode": "«3999»"}]}',
        ),
    },
    counterexamples=(
        '{"family": "llama", "families": ["llama"], "name": {"family": "Roboto"}, "identifier": {"value": "a1"}}',
        "Person/day 3, the Patient/Provider ratio, Patient/2 in prose, /Patient/_search, /Patient/list, /Medication/123",
        '"resourceType": "Patient", and "resourceType":',
        '{"resourceType": "Medication", "id": "m1", "code": {"text": "Aspirin", "coding": [{"display": "Aspirin"}]}, "text": {"div": "<div>Aspirin</div>"}}',
    ),
)  # fmt: skip
