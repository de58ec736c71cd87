"""Messages of HL7 v2 in texts: names, numbers, addresses and days of birth of patients, their kin, guarantors and insured,
and names and numbers of those who treat them. The place of a field says what it is (HL7 v2.9, chapters 3 to 7).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.finders import Named, of_message
from monitor.lazy import lazy

_NAME, _PERSON, _NUMBER, _PLACE, _PHONE = "XPN", "XCN", "CX", "XAD", "XTN"
_DAY, _SSN, _LICENSE = "DT", "SSN", "DLN"
"""Types of fields, as HL7 calls them."""
_FIELDS: dict[str, dict[int, str]] = {
    "PID": {
        2: _NUMBER, 3: _NUMBER, 4: _NUMBER, 5: _NAME, 6: _NAME, 7: _DAY, 9: _NAME, 11: _PLACE, 13: _PHONE, 14: _PHONE,
        18: _NUMBER, 19: _SSN, 20: _LICENSE, 21: _NUMBER, 40: _PHONE,
    },
    "NK1": {
        2: _NAME, 4: _PLACE, 5: _PHONE, 6: _PHONE, 12: _NUMBER, 16: _DAY, 26: _NAME, 30: _NAME, 31: _PHONE, 32: _PLACE,
        33: _NUMBER, 37: _SSN,
    },
    "GT1": {2: _NUMBER, 3: _NAME, 4: _NAME, 5: _PLACE, 6: _PHONE, 7: _PHONE, 8: _DAY, 12: _SSN, 19: _NUMBER},
    "IN1": {16: _NAME, 18: _DAY, 19: _PLACE, 36: _NUMBER, 44: _PLACE, 49: _NUMBER},
    "IN2": {1: _NUMBER, 2: _SSN, 6: _NUMBER, 8: _NUMBER, 61: _NUMBER, 63: _PHONE},
    "MRG": {1: _NUMBER, 2: _NUMBER, 3: _NUMBER, 4: _NUMBER, 7: _NAME},
    "PV1": {7: _PERSON, 8: _PERSON, 9: _PERSON, 17: _PERSON, 19: _NUMBER, 50: _NUMBER, 52: _PERSON},
    "PD1": {4: _PERSON},
    "ORC": {10: _PERSON, 11: _PERSON, 12: _PERSON, 14: _PHONE, 19: _PERSON, 24: _PLACE},
    "OBR": {10: _PERSON, 16: _PERSON, 17: _PHONE, 28: _PERSON},
    "OBX": {16: _PERSON},
    "EVN": {5: _PERSON},
    "DG1": {16: _PERSON},
    "ROL": {4: _PERSON, 11: _PLACE, 12: _PHONE},
    "AIP": {3: _PERSON},
    "TXA": {5: _PERSON, 9: _PERSON, 10: _PERSON, 11: _PERSON},
}  # fmt: skip
_COMPONENTS: dict[str, tuple[tuple[int, str], ...]] = {
    _NAME: ((0, "PERSON"), (1, "PERSON"), (2, "PERSON")),
    _PERSON: ((0, "MEDICAL_LICENSE"), (1, "PERSON"), (2, "PERSON"), (3, "PERSON")),
    _NUMBER: ((0, "MEDICAL_RECORD_NUMBER"),),
    _PLACE: ((0, "LOCATION"), (1, "LOCATION"), (2, "LOCATION"), (4, "LOCATION")),
    _PHONE: ((0, "PHONE_NUMBER"), (6, "PHONE_NUMBER"), (11, "PHONE_NUMBER")),
    _DAY: ((0, "DATE_OF_BIRTH"),),
    _SSN: ((0, "US_SSN"),),
    _LICENSE: ((0, "DRIVER_LICENSE"),),
}
"""Which components of a field of that type hold what."""
_SEGMENTS = "|".join(_FIELDS)
_END = lazy(r"[\r\n]|[ \t](?=[A-Z][A-Z0-9]{2}\|)")
_KINDS = {"SS": "US_SSN", "DL": "DRIVER_LICENSE"}
"""What the fifth component of a number says that it is (table 0203)."""


def _read(text: str, starts: Sequence[int]) -> Iterator[Named]:
    is_message = "MSH|" in text
    done = 0
    for start in starts:
        if start < done:
            continue
        end = _END.search(text, start)
        done = end.start() if end else len(text)
        segment = text[start:done]
        if is_message or "^" in segment:
            yield from _of_segment(segment, start)


def _of_segment(segment: str, at: int) -> Iterator[Named]:
    wanted = _FIELDS[segment[:3]]
    for place, field in enumerate(segment.split("|")):
        if field and (kind := wanted.get(place)):
            here = at
            for repetition in field.split("~"):
                yield from _of_field(repetition, here, kind)
                here += len(repetition) + 1
        at += len(field) + 1


def _of_field(field: str, at: int, kind: str) -> Iterator[Named]:
    said = field.split("^")
    begins = [at]
    for component in said:
        begins.append(begins[-1] + len(component) + 1)
    for place, usual in _COMPONENTS[kind]:
        if place < len(said) and any(map(str.isalnum, said[place])):
            is_told = kind == _NUMBER and len(said) > 4
            first = 5 if place == 6 and said[5] else place  # the area is before the number
            entity = _KINDS.get(said[4], usual) if is_told else usual
            yield begins[first], begins[place] + len(said[place]), entity


RECOGNIZER, *MORE = of_message(
    name="hl7_v2",
    triggers=(rf"(?-i:\b(?:{_SEGMENTS})\|)",),
    read=_read,
    examples={
        "PERSON": (
            "MSH|^~\\&|ADT1|GHH|||198808181126||ADT^A01|1|P|2.8\rPID|1||12345^^^GHH^MR||«EVERYMAN»^«ADAM»^«A»^III||19610615|M",
            "NK1|1|«NUCLEAR»^«NELDA»^^|SPO^SPOUSE\rPV1|1|I|2000^2012^01||||004777^«ATTEND»^«AARON»^«A»|||SUR",
        ),
        "MEDICAL_RECORD_NUMBER": (
            "PID|1|«P-77»|«PATID1234»^5^M11^ADT1^MR~«99887766»^^^X^AN||EVERYMAN^ADAM|||||||||||||«ACC12»\nMRG|«OLD7»^^^X",
        ),
        "MEDICAL_LICENSE": ("PV1|1|I|W^1||||«004777»^ATTEND^AARON",),
        "LOCATION": ("PID|1||7^^^X||DOE^J||||||«2222 HOME STREET»^«APT 3»^«GREENSBORO»^NC^«27401-1020»",),
        "PHONE_NUMBER": (
            "PID|1||7^^^X||DOE^J||||||||«5555552004»^PRN^PH~^NET^Internet^j@x|^WPN^PH^^1^«555^5550187»",
        ),
        "DATE_OF_BIRTH": ("PID|1||7^^^X||DOE^J||«19610615120000»|M  NK1|1|DOE^J||||||||||||||«19600101»",),
        "US_SSN": ("PID|1||«123456789»^^^USSSA^SS||DOE^J||||||||||||||«444333333»|987654^NC",),
        "DRIVER_LICENSE": ("PID|1||7^^^X||DOE^J|||||||||||||||«987654»^NC",),
    },
    counterexamples=(
        "PID|USER|PR|NI|VIRT|RES|SHR|S|%CPU|%MEM|TIME|COMMAND\n7|root|20|0|1|1|1|S|0|0|0|init",
        'PID|1||""||^^||""|M||||""',
        "MSH|^~\\&|A|B\rOBX|1|NM|2951-2^SODIUM^LN||138|mmol/L|136-145|N|||F\rOBR|1|845439^GHH OE|1045813^GHH LAB|15545^GLUCOSE",
        "stop PID 12|34",
    ),
)  # fmt: skip
