"""Inputs or outputs of an Inference → the Parts of them that a Record has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from monitor import bodies, columns, fhir, hidden
from monitor.counts import LARGEST
from monitor.privacy import pieces, rulings
from monitor.privacy.policies import DROPPED, Policy
from monitor.privacy.pseudonyms import MARK_WHOLE
from monitor.privacy.scrub import ALLOWANCE, NAMED, NAMING, Scrub
from monitor.privacy.short_texts import ShortTexts
from monitor.types import Part

_RESOURCE = "resourceType"


class Sides:
    """What is kept of texts and columns, as a policy says of them; names and roles are `texts`."""

    def __init__(self, policy: Policy | None, texts: ShortTexts) -> None:
        self._policy = policy
        self._texts = texts

    def put(
        self,
        scrub: Scrub,
        side: str,
        parts: list[Part],
        body: bytes,
        captured: bytes,
        *,
        make: Callable[[Scrub, str, Part], Part] | None = None,
    ) -> list[Part]:
        """All parts of a side; one digest of them where pseudonyms make them larger than the room
        that their body has on record."""
        before, make = scrub.grown, make or self.ruled
        parts = pieces.joined(scrub, parts)
        if names := [part.name for part in parts if part.name]:
            parts = self._called(scrub, side, parts)
            if _RESOURCE in "\n".join(names):
                parts = self._of_resources(scrub, side, parts)
        done = [make(scrub, side, part) for part in parts]
        if scrub.grown - before <= ALLOWANCE:
            return done
        if len(bodies.dump(done)) <= columns.record_room(body, captured):
            return done
        text = scrub.redacted(bodies.dump(parts), "expansion")
        return [Part(role="user" if side == "inputs" else "assistant", text=text)]

    def _called(self, scrub: Scrub, side: str, parts: list[Part]) -> list[Part]:
        """The parts with a pseudonym for each value that is what the member beside it says:
        `{"name": "ssn", "value": "536221234"}`. A column that a rule is for is left to that."""
        columns = {part.name: part.data for part in parts if part.name and part.data}
        done = list(parts)
        for place, part in enumerate(parts):
            if not part.name or not part.data:
                continue
            base, dot, last = part.name.rpartition(".")
            if last.lower() not in NAMED:
                continue
            beside = [columns.get(f"{base}{dot}{one}") or () for one in NAMING]
            names = [names for names in beside if len(names) == len(part.data)]
            if not names or self._is_ruled(side, part):
                continue
            data = list(part.data)
            for item, said in enumerate(zip(*names, strict=True)):
                name = next((one for one in said if type(one) is str and scrub.is_key(one)), None)
                if name is not None:
                    data[item] = scrub.value(data[item], name)
                    if type(data[item]) is str:
                        scrub.own.update(one[0] for one in MARK_WHOLE.finditer(data[item]))
            done[place] = msgspec.structs.replace(part, data=data)
        return done

    def _of_resources(self, scrub: Scrub, side: str, parts: list[Part]) -> list[Part]:
        """The parts with a pseudonym for each text in FHIR resources of which its element says what
        it is, and for the narrative of somebody. A column that a rule is for is left to that."""
        is_of_somebody = any(
            part.name and part.name.endswith(_RESOURCE) and any(map(_is_somebody, part.data or ()))
            for part in parts
        )
        done = list(parts)
        for place, (part, beside) in enumerate(zip(parts, _objects(parts), strict=True)):
            if self._is_ruled(side, part):
                continue
            if is_of_somebody and part.text and fhir.is_narrative(part.text):
                done[place] = msgspec.structs.replace(part, text=_named(scrub, "PERSON", part.text))
            if not part.name or not part.data or part.datatype != "BYTES":
                continue
            entities = _entities(part.name, len(part.data), beside)
            if any(entities):
                named = [_named(scrub, *one) for one in zip(entities, part.data, strict=True)]
                done[place] = msgspec.structs.replace(part, data=named)
        return done

    def _is_ruled(self, side: str, part: Part) -> bool:
        """Whether a rule is for a column or role. Paths that go on into what it holds are none."""
        if self._policy is None:
            return False
        return self._policy.column(side, part.name or part.role or "").rule is not None

    def ruled(self, scrub: Scrub, side: str, part: Part) -> Part:
        """A part by the rule for its role or column; one for which there is none is scanned."""
        policy = self._policy
        cursor = None if policy is None else policy.column(side, part.name or part.role or "")
        if not cursor:
            return self.part(scrub, part)
        hint, before = part.name or "", scrub.taken
        text = None if part.text is None else rulings.inside(scrub, cursor, part.text, hint)
        data = None
        if part.data is not None:
            data = [rulings.inside(scrub, cursor, item, hint) for item in part.data]
            data = [None if item is DROPPED else item for item in data]
            if cursor.rule is not None and cursor.rule.action == "drop":
                data = None
        is_there = data is not None or not (text is None or text is DROPPED)
        if is_there and scrub.taken > before:
            scrub.withheld.setdefault(side, set()).add(hidden.name(part))
        bare = self.part(scrub, msgspec.structs.replace(part, text=None, data=None))
        said = None if text is None or text is DROPPED else str(text)
        is_free = cursor.rule is None or cursor.rule.action in ("keep", "scan", "scan_json")
        media = scrub.media(part.text, *(part.data or ())) if is_free else None
        return msgspec.structs.replace(bare, text=said, data=data, media=media)

    def part(self, scrub: Scrub, part: Part) -> Part:
        """A part of which all is scanned."""
        role, text = part.role, part.text
        bare = part.name is None and part.datatype is None and part.shape is None
        if text is not None and bare and part.data is None:
            role = None if role is None else self._texts.label(scrub, role)
            return Part(role=role, text=scrub.text(text), media=scrub.media(text))
        name = None if part.name is None else self._texts.text(scrub, part.name)
        data: list[Any] | None = None
        if part.data is not None:
            data = scrub.numbers(part.data, part.name or "")
        may_hold = part.datatype == "BYTES" and part.data is not None
        return Part(
            role=None if role is None else self._texts.label(scrub, role),
            text=None if text is None else scrub.text(text, part.name or ""),
            name=name,
            datatype=None if part.datatype is None else self._texts.label(scrub, part.datatype),
            shape=part.shape if max(map(abs, part.shape or (0,))) <= LARGEST else None,
            data=data,
            media=scrub.media(text, *(part.data or () if may_hold else ())),
        )


def _is_somebody(kind: Any) -> bool:
    """Whether what a column says of the type of a resource is one of somebody."""
    return type(kind) is str and kind in fhir.PEOPLE


def _named(scrub: Scrub, entity: str, value: Any) -> Any:
    """The pseudonym of a text that is all of one value, unless it is found as such anyway."""
    if not entity or type(value) is not str or not value or not scrub.looks_for(entity):
        return value
    try:
        hits = scrub.found(value)
        if len(hits) == 1 and (hits[0].start, hits[0].end) == (0, len(value)):
            return value
        mark = scrub.token(entity, value)
    except Exception as error:  # noqa: BLE001  fail closed
        mark = scrub.failed(value, error)
    scrub.own.add(mark)
    return mark


def _objects(parts: list[Part]) -> list[dict[str, list[Any]]]:
    """For each part the columns of its object: the next one begins with a name that comes again."""
    columns: dict[str, list[Any]] = {}
    found = []
    for part in parts:
        if part.name and part.data:
            if part.name in columns:
                columns = {}
            columns[part.name] = part.data
        found.append(columns)
    return found


def _entities(name: str, count: int, columns: dict[str, list[Any]]) -> list[str]:
    """What each value of a column of FHIR resources is, by its name and the columns beside it."""
    base, _, element = name.rpartition(".")
    parent = base.rpartition(".")[2]
    begin = f"{base}." if base else ""

    def beside(other: str) -> list[Any]:
        found = columns.get(begin + other, ())
        return list(found) if len(found) == count else [""] * count

    if element == "id":
        return ["MEDICAL_RECORD_NUMBER" if _is_somebody(kind) else "" for kind in beside(_RESOURCE)]
    if element.startswith("value") and parent == "extension":
        return [fhir.extension(str(one)) for one in beside("url")]
    siblings = [one for one in ("given", "family") if begin + one in columns]
    entity = fhir.entity(parent, element, siblings)
    if element != "display":
        return [entity] * count
    return [
        ("PERSON" if fhir.REFERENCE.fullmatch(one) else "") if type(one) is str and one else entity
        for one in beside("reference")
    ]
