"""An answer fits the JSON Schema that it was to have."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from monitor.answers.json_keywords import SchemaError
from monitor.answers.json_schemas import Schema, compiled
from monitor.edge_cases.invalid_json import bare
from monitor.interfaces import Check
from monitor.marks import PSEUDONYM
from monitor.types import Part, Verdict
from monitor.view import MOST_ANSWERS, NO_ANSWERS, WRITING, View

_NO_END = frozenset(("length", "incomplete", "filter", "refusal", "error", "pause"))
"""Why an answer may be no whole one: it is then another check's."""


class Thresholds(msgspec.Struct, frozen=True):
    """`file` is the path of a JSON Schema for all answers; empty: that which a request asks for."""

    file: str = ""


def look(view: View, thresholds: Thresholds) -> Verdict | None:
    """Whether each answer is JSON that fits. What was cut off, refused or replaced whole cannot be
    judged; a call of a tool is an answer in another way."""
    asked = _read(thresholds.file) if thresholds.file else view.schema
    if not isinstance(asked, dict) or not _is_due(view):
        return None
    texts = [part.text for part in view.outputs if part.text and part.role not in NO_ANSWERS]
    if not texts or view.refuses:
        return None
    schema = compiled(asked)
    if schema is None:
        return None
    found = [_fits(schema, text) for text in texts[:MOST_ANSWERS]]
    if len(texts) > 1 and False in found and (whole := _fits(schema, "".join(texts))):
        found = [whole]  # one text may come in several blocks
    judged = [one for one in found if one is not None]
    wrong = judged.count(False)
    return Verdict(not wrong, wrong, len(judged)) if judged else None


def _is_due(view: View) -> bool:
    return (
        view.is_accepted
        and view.operation in WRITING
        and not (view.outputs_hidden or view.redactions or view.calls_tools)
        and _NO_END.isdisjoint(view.finish)
    )


def _fits(schema: Schema, text: str) -> bool | None:
    text = bare(text)
    try:
        return schema.fits(msgspec.json.decode(text), text)
    except RecursionError:
        return None
    except (msgspec.DecodeError, UnicodeEncodeError):
        return _stands_for_a_number(text)


def _stands_for_a_number(text: str) -> bool | None:
    """None where the text would be JSON if a pseudonym in it were the number that it was, which
    has no quotes; else False."""
    numbered = PSEUDONYM.sub("0", text) if "<" in text else text
    if numbered == text:
        return False
    try:
        msgspec.json.decode(numbered, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return None


@lru_cache(maxsize=16)
def _read(file: str) -> Any:
    return msgspec.json.decode(Path(file).read_bytes())


def complaint(thresholds: Thresholds) -> str:
    """What is wrong with the file, as a person may read it."""
    file = thresholds.file
    if not file:
        return ""
    try:
        schema = _read(file)
        Schema(schema)
    except (OSError, ValueError, RecursionError) as error:
        reason = (getattr(error, "strerror", None) or "it is no JSON").lower()
        return f"file: {file} cannot be read: {reason}"
    except SchemaError as error:
        return f"file: {file} is no JSON Schema that answers can be held against: {error}"
    return "" if isinstance(schema, dict) else f"file: {file} is no JSON Schema: it is no object"


def _answer(*texts: str, **more: Any) -> View:
    outputs = [Part(role="assistant", text=text) for text in texts]
    return msgspec.structs.replace(View(outputs=outputs, wants_json=True, schema=_ASKED), **more)


_ASKED = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 10},
        "parcels": {"type": "array", "items": {"$ref": "#/$defs/parcel"}},
    },
    "required": ["city", "parcels"],
    "additionalProperties": False,
    "$defs": {
        "parcel": {
            "type": "object",
            "properties": {
                "weight": {"type": "number", "minimum": 0},
                "kind": {"enum": ["a", "b"]},
            },
            "required": ["weight"],
        }
    },
}
_TOKEN = "<EMAIL_ADDRESS:k1:oeoicfmkhghdcaepkjnhepda>"  # noqa: S105  a pseudonym
_FINE = '{"city": "Ulm", "parcels": [{"weight": 2.5, "kind": "a"}, {"weight": 0}]}'
_SORRY = "I'm sorry, but I can't help with that."
_CALL = Part(role="tool_call", text='{"name":"find","arguments":{}}')

CHECK = Check(
    "schema",
    lambda given: f"whether an answer fits the JSON Schema {given.file or 'that was asked for'}",
    look,
    Thresholds(),
    passing=(
        _answer(_FINE),
        _answer(f"```json\n{_FINE}\n```"),
        _answer(_FINE[:20], _FINE[20:]),
        _answer(_FINE, _FINE),
        _answer(f'{{"city": "{_TOKEN}", "parcels": []}}'),
        _answer('{"any": 1}', schema={"type": "object"}),
    ),
    failing=(
        _answer('{"city": "Ulm"}'),
        _answer('{"city": "Ulm", "parcels": [], "more": 1}'),
        _answer('{"city": "Ulm", "parcels": [{"weight": "2.5"}]}'),
        _answer('{"city": "Ulm", "parcels": [{"weight": -1}]}'),
        _answer('{"city": "Ulm", "parcels": [{"weight": 1, "kind": "c"}]}'),
        _answer('{"city": "Ulm an der Donau", "parcels": []}'),
        _answer("[]"),
        _answer("There are two parcels in Ulm."),
        _answer(f"Here it is: {_FINE}"),
        _answer(_FINE, '{"city": "Ulm"}'),
        _answer(f'{{"city": "Ulm", "parcels": "{_TOKEN}"}}'),
    ),
    skipped=(
        _answer("There are two parcels.", schema=None),
        _answer('{"city": "Ulm", "par', finish=["length"]),
        _answer('{"city": "Ulm", "par', outputs_cut=True),
        _answer(_SORRY),
        _answer("", finish=["filter"]),
        _answer(_FINE, is_accepted=False),
        _answer("<REDACTED:too_long>", redactions={"too_long": 1}),
        _answer('{"city": "Ulm"}', outputs_withheld=["assistant"]),
        _answer(f'{{"city": "Ulm", "parcels": [{{"weight": {_TOKEN}}}]}}'),
        _answer(_FINE, schema={"$ref": "https://example.org/schema.json"}),
        View(outputs=[_CALL], finish=["tool"], schema=_ASKED),
        View(outputs=[Part(role="refusal", text=_SORRY)], schema=_ASKED),
        View(schema=_ASKED),
    ),
    complaint=complaint,
)
