"""Claims, eligibility and enrolments of ASC X12 (270, 271, 276, 277, 278, 834, 835, 837) in texts: names, numbers, addresses,
telephones and days of birth of patients, members and those who treat them. A segment's place says what it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.finders import Named, of_message
from monitor.lazy import lazy

_NUMBERS = {
    "SY": "US_SSN", "34": "US_SSN", "XX": "US_NPI", "HPI": "US_NPI",
    **dict.fromkeys(("SV", "0B", "1C", "1D", "1G", "LU"), "MEDICAL_LICENSE"),
    **dict.fromkeys(
        ("MI", "II", "N", "ZZ", "0F", "1L", "1W", "23", "3H", "49", "ABB", "CE", "DX", "EA", "EJ", "F6", "HJ", "IF", "IG", "MRN", "NQ", "P4",
         "Q4", "SD", "Y4"),
        "MEDICAL_RECORD_NUMBER",
    ),
}  # fmt: skip
"""What a qualifier says that the number after it is (element 66 of NM1, 128 of REF)."""
_OF_FIRMS = frozenset(("LOCATION", "MEDICAL_LICENSE"))
"""What a firm has, too. Other numbers that stand behind one are of somebody: of a claim behind who pays it, of who is a firm alone."""
_CALLS = frozenset(("TE", "HP", "WP", "CP", "FX", "AP", "BN", "NP", "PC", "VP"))
"""Qualifiers of telephones (element 365)."""
_SEGMENT = lazy(r"(?P<name>[A-Z][A-Z0-9]{1,2})\*[^~\r\n]*(?P<end>~)?")
_PARTY = lazy(r"\bNM1\*[A-Z0-9]{2,3}\*[12]\*|\bISA\*[0-9]{2}\*")


def _read(text: str, starts: Sequence[int]) -> Iterator[Named]:
    is_message: bool | None = None
    is_somebody = True  # the last party is a person, or none was seen
    done = 0
    for start in starts:
        match = _SEGMENT.match(text, start) if start >= done else None
        if match is None:
            continue
        done = match.end()
        if not match["end"]:  # not as programs write it, unless other segments say so
            if is_message is None:
                is_message = _PARTY.search(text) is not None
            if not is_message:
                continue
        said = text[start : match.end("end") - 1 if match["end"] else done].split("*")
        at = [start]
        for element in said:
            at.append(at[-1] + len(element) + 1)
        if said[0] == "NM1":
            is_somebody = said[2:3] != ["2"]
        for place, entity in _places(said):
            is_theirs = is_somebody or entity not in _OF_FIRMS
            if is_theirs and any(map(str.isalnum, said[place])):
                yield at[place], at[place] + len(said[place]), entity


def _places(said: list[str]) -> Iterator[tuple[int, str]]:
    """Which elements of a segment hold what."""
    count = len(said)
    match said[0]:
        case "NM1":
            is_person = said[2:3] == ["1"]
            if is_person:
                yield from ((place, "PERSON") for place in (3, 4, 5) if place < count)
            if (
                count > 9
                and (entity := _NUMBERS.get(said[8]))
                and (is_person or entity == "US_SSN")
            ):
                yield 9, entity
        case "N3":
            yield from ((place, "LOCATION") for place in (1, 2) if place < count)
        case "N4":
            yield from ((place, "LOCATION") for place in (1, 3, 6) if place < count)
        case "DMG" if said[1] == "D8" and count > 2:
            yield 2, "DATE_OF_BIRTH"
        case "REF" if count > 2 and (entity := _NUMBERS.get(said[1])):
            yield 2, entity
        case "CLM" | "CLP":
            yield 1, "MEDICAL_RECORD_NUMBER"
        case "PER" if count > 2:
            yield 2, "PERSON"
            for place in range(4, min(count, 9), 2):
                if said[place - 1] in _CALLS:
                    yield place, "PHONE_NUMBER"


RECOGNIZER, *MORE = of_message(
    name="x12",
    triggers=(r"(?-i:\b(?:NM1|N[34]|DMG|REF|PER|CL[MP])\*[A-Z0-9*?])",),
    read=_read,
    examples={
        "PERSON": (
            "HL*3*2*22*0~NM1*IL*1*«SMITH»*«ROBERT»*«B»***MI*11122333301~NM1*PR*2*ABC COMPANY*****PI*842610001~PER*IC*«JANE DOE»*TE*3055550187~",
            "NM1*QC*1*«DOE»*«JOHN»\nNM1*74*1*«ROE»",
        ),
        "MEDICAL_RECORD_NUMBER": (
            "CLM*«26463774»*100***11:B:1*Y*A*Y*I~REF*EA*«44444TH56»~REF*0F*«202443307»~NM1*IL*1*DOE*****MI*«JS00111223333»~",
            "NM1*PR*2*ABC COMPANY*****PI*842610001~N3*234 Elm~CLM*«A7»*100~REF*D9*1754~REF*EA*«44444TH56»~NM1*77*2*ABC~REF*LU*X12345~",
        ),
        "US_SSN": ("NM1*IL*1*DOE*JOHN*P***34*«103229876»~\nREF*SY*«123456789»~", "NM1*85*2*DOE LLC*****34*«103229876»~N3*1 A~REF*SY*«123456789»~"),
        "US_NPI": ("NM1*82*1*KILDARE*BEN****XX*«1234567893»~NM1*85*2*BEN KILDARE SERVICE*****XX*9876543210~",),
        "MEDICAL_LICENSE": ("NM1*1P*1*JONES*MARCUS****SV*«0202034»~REF*0B*«A7712»~",),
        "LOCATION": (
            "NM1*IL*1*DOE*J~N3*«100 MARKET ST»*«APT 3G»~N4*«CAMP HILL»*PA*«17011»**CY*«CUMBERLAND»~NM1*PR*2*ABC~N3*1 ABC PLAZA~N4*MIAMI*FL*33111~",
        ),
        "DATE_OF_BIRTH": ("DMG*D8*«19430519»*M~",),
        "PHONE_NUMBER": ("PER*IP**HP*«7172343334»*WP*«7172341240»~PER*IC*X*EM*a*EX*12*TE*«3055550187»~",),
    },
    counterexamples=(
        "N3*N4 = 12; REF*2 + PER*CLM; F(N3*x, N4*y); SELECT N4*2\nNM1*x",
        "DMG*D8*19430519, REF*SY*1 in prose",
        "NM1*PR*2*ABC COMPANY*****PI*842610001~N3*234 Elm~REF*EI*587654321~HL*1**20*1~TRN*1*93175-012547*9877281234~",
        "~/src/N4*.txt ~ N3*~",
    ),
)  # fmt: skip
