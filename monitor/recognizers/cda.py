"""Clinical documents of HL7 (CDA, C-CDA) in texts: numbers of patients and of those who treat them, and parts of addresses. Names, days
of birth and telephones in them are found by what their elements are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.finders import Named, of_message
from monitor.lazy import lazy

_IDS = lazy(
    r"(?:\s{0,64}(?:<!--[^<>]{0,512}-->|<(?:[\w-]{1,16}:)?(?:id|templateId|typeId|realmCode)\b[^<>]{0,512}>(?:\s{0,64}</(?:[\w-]{1,16}:)?\w{2,10}>)?)){1,32}"
)
_ID = lazy(r"<(?:[\w-]{1,16}:)?id\b(?P<said>[^<>]*)>")
_EXTENSION = lazy(r"\bextension=(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')")
_PART = lazy(
    r"<(?:[\w-]{1,16}:)?(?:streetAddressLine|houseNumber|streetName|unitID|additionalLocator|city|precinct|county|postalCode|postBox)\b[^<>]{0,128}(?<!/)>(?P<said>[^<>]{1,512})<"
)
_OPEN = lazy(r"(?:[\w-]{1,16}:)?(?P<name>\w{1,32})[^<>]{0,512}(?<!/)>")
_CLOSED = lazy(r"</(?:[\w-]{1,16}:)?addr>")
_KINDS = {"2.16.840.1.113883.4.1": "US_SSN", "2.16.840.1.113883.4.6": "US_NPI"}
"""What the root of a number says that it is."""
_ROOT = lazy(r"\broot=[\"'](?P<said>[0-9.]{1,128})[\"']")


def _read(text: str, starts: Sequence[int]) -> Iterator[Named]:
    done = 0
    for start in starts:
        opened = _OPEN.match(text, start + 1) if start >= done else None
        if opened is None:
            continue
        done = opened.end()
        if opened["name"].lower() == "addr":
            closed = _CLOSED.search(text, done, done + 4096)
            begin, done = done, closed.start() if closed else min(len(text), done + 4096)
            for part in _PART.finditer(text, begin, done + 1):
                yield *part.span("said"), "LOCATION"
        elif ids := _IDS.match(text, done):
            usual = (
                "MEDICAL_RECORD_NUMBER"
                if opened["name"].lower() == "patientrole"
                else "MEDICAL_LICENSE"
            )
            for one in _ID.finditer(text, done, ids.end()):
                root = _ROOT.search(one["said"])
                if said := _EXTENSION.search(text, one.start("said"), one.end("said")):
                    entity = _KINDS.get(root["said"], usual) if root else usual
                    yield *said.span(said.lastgroup or 0), entity
            done = ids.end()


RECOGNIZER, *MORE = of_message(
    name="cda",
    triggers=(r"<(?:[a-z0-9]{1,8}:)?(?:patientRole|assigned(?:Author|Entity)|addr)[ >]",),
    read=_read,
    examples={
        "MEDICAL_RECORD_NUMBER": (
            '<recordTarget><patientRole><id extension="«998991»" root="2.16.840.1.113883.19.5"/>\n <id root="1.2" extension=\'«A7»\'></id><addr use="HP"/>',
            '<cda:patientRole classCode="PAT"><cda:id extension="«998991»"/>',
        ),
        "US_SSN": (
            '<patientRole><id nullFlavor="NI"/><id extension="«111-00-2330»" root="2.16.840.1.113883.4.1"/>',
            '<patientRole>\n <templateId root="2.16.840.1.113883.10.20.22"></templateId><id nullFlavor="UNK"/>\n <!-- Number of social security. -->\n <id extension="«111-00-2330»" root="2.16.840.1.113883.4.1"/>\n <!-- x -->',
        ),
        "US_NPI": (
            '<assignedAuthor><id extension="«99999999»" root="2.16.840.1.113883.4.6"/><code code="x"/>',
        ),
        "MEDICAL_LICENSE": ('<assignedEntity> <id extension="«N-77»" root="1.3.6.4"/>',),
        "LOCATION": (
            '<addr use="HP"><streetAddressLine>«1357 Amber Dr»</streetAddressLine><city>«Beaverton»</city><state>OR</state><postalCode>«97867»</postalCode></addr><city>Rome</city>',
        ),
    },
    counterexamples=(
        "<city>Rome</city> <addr/> <addr>x</addr> <patientRole/> <id extension='1'/>",
        '<patientRole><patient><id extension="1"/></patient>',
        '<addr use="HP"><city></city><state>OR</state></addr>',
        "<address><city>Rome</city></address>",
    ),
)  # fmt: skip
