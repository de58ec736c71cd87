"""vCards (RFC 6350) and calendars (RFC 5545) in texts: names and addresses. Telephones, mail addresses and birthdays in
them are found by what their lines are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.finders import Named, of_message
from monitor.lazy import lazy

_END = lazy(r"(?i)\bEND:VCARD")
_LINE = lazy(
    r"(?im)^[ \t]*(?:[\w-]{1,20}\.)?(?P<what>FN|N|NICKNAME|ADR)(?:;[^:\r\n]{0,200})?:(?P<said>[^\r\n]+)"
)
_WHO = lazy(
    r'(?i)(?:ORGANIZER|ATTENDEE)(?:;(?!CN=)[A-Z-]{1,20}=(?:"[^"\r\n]{0,200}"|[^;:"\r\n]{0,200})){0,9};CN=(?:"(?P<quoted>[^"\r\n]+)"|(?P<said>[^";:\r\n]+))'
)
_PARTS = {"N": (0, 1, 2), "ADR": (0, 1, 2, 3, 5)}
"""The components of a property that are a person's: no title and no country."""


def _read(text: str, starts: Sequence[int]) -> Iterator[Named]:
    done = 0
    for start in starts:
        if start < done:
            continue
        if text[start] in "Bb":
            end = _END.search(text, start)
            done = end.start() if end else len(text)
            for line in _LINE.finditer(text, start, done):
                yield from _of_line(line["what"].upper(), line["said"], line.start("said"))
        elif match := _WHO.match(text, start):
            group = match.lastgroup or ""
            done = match.end()
            if "@" not in match[group]:
                yield *match.span(group), "PERSON"


def _of_line(what: str, said: str, at: int) -> Iterator[Named]:
    entity = "LOCATION" if what == "ADR" else "PERSON"
    if what not in _PARTS:
        yield at, at + len(said), entity
        return
    for place, part in enumerate(said.split(";")):
        if place in _PARTS[what] and any(map(str.isalnum, part)):
            yield at, at + len(part), entity
        at += len(part) + 1


RECOGNIZER, *MORE = of_message(
    name="vcard",
    triggers=(r"\bBEGIN:VCARD", r"\b(?:ORGANIZER|ATTENDEE);"),
    read=_read,
    examples={
        "PERSON": (
            "BEGIN:VCARD\r\nVERSION:3.0\r\nN:«Lowenthal»;«Erika»;«Jane»;Mrs.;\r\nFN;CHARSET=UTF-8:«Erika Lowenthal»\r\nORG:Example\r\nEND:VCARD",
            'BEGIN:VEVENT\nORGANIZER;CN=«Erika Lowenthal»:mailto:e@x\nATTENDEE;ROLE=CHAIR;CN="«Doe, Jane»";RSVP=TRUE:mailto:j@x',
        ),
        "LOCATION": (
            "begin:vcard\nfn:E L\nadr;type=home:;;«100 Waters Edge»;«Baytown»;LA;«30314»;United States of America\nend:vcard\nADR:;;1 A",
        ),
    },
    counterexamples=(
        "BEGIN:VCARD\nVERSION:4.0\nORG:Example\nEND:VCARD\nN:Lowenthal;Erika\nFN:x",
        "N:Lowenthal;Erika;;;\nATTENDEE;CN=:mailto:x\nORGANIZER;CN=a@b.example:mailto:a@b.example",
        "organizer; CN=x is a parameter",
    ),
)  # fmt: skip
