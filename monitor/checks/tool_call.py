"""An answer calls tools that were offered, with arguments that they take."""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.answers.json_schemas import compiled
from monitor.interfaces import Check
from monitor.marks import PSEUDONYM
from monitor.types import Part, Verdict
from monitor.view import View

MOST = 64
"""Of more calls the first are looked at."""

_CUT = frozenset(("length", "incomplete"))
_OTHERS_TOOLS = frozenset(("openai_responses", "openai_realtime", "anthropic_messages"))
"""Dialects with tools of the server's own, which no request has to name."""


def look(view: View, _: Any) -> Verdict | None:
    """Whether each call names a tool of the request, with arguments that fit its schema. What was
    cut off, and what is not known of, cannot be judged."""
    if not (view.tools and view.calls_tools and view.is_accepted):
        return None
    if view.outputs_hidden or view.redactions or not _CUT.isdisjoint(view.finish):
        return None
    calls = [part.text for part in view.outputs if part.role == "tool_call" and part.text]
    found = [_is_right(call, view) for call in calls[:MOST]]
    judged = [one for one in found if one is not None]
    wrong = judged.count(False)
    return Verdict(not wrong, wrong, len(judged)) if judged else None


def _is_right(text: str, view: View) -> bool | None:
    try:
        call = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    if not isinstance(call, dict):
        return None
    name, given = call.get("name"), call.get("arguments")
    if not isinstance(name, str) or name not in view.tools:
        knows_all = view.protocol not in _OTHERS_TOOLS and all(
            isinstance(one, dict) for one in view.tools.values()
        )
        return False if knows_all and not PSEUDONYM.search(str(name)) else None
    asked = view.tools[name]
    if not isinstance(asked, dict):
        return True  # of any form
    if not isinstance(given, dict):
        return None if PSEUDONYM.search(text) else False
    schema = compiled(asked)
    return None if schema is None else schema.fits(given, text)


_FIND = {
    "type": "object",
    "properties": {"order": {"type": "integer"}, "city": {"type": "string"}},
    "required": ["order"],
}
_TOKEN = "<PHONE_NUMBER:k1:oeoicfmkhghdcaepkjnhepda>"  # noqa: S105  a pseudonym


def _calling(*calls: str, **more: Any) -> View:
    outputs = [Part(role="tool_call", text=call) for call in calls]
    view = View(outputs=outputs, tools={"find": _FIND, "today": {}}, finish=["tool"])
    return msgspec.structs.replace(view, **more)


CHECK = Check(
    "tool_call",
    lambda _: "whether an answer calls tools that the request offers, with arguments that fit",
    look,
    passing=(
        _calling('{"name":"find","arguments":{"order":1,"city":"Ulm"}}'),
        _calling('{"name":"find","arguments":{"order":1,"more":true}}'),
        _calling('{"name":"today","arguments":{}}', '{"name":"find","arguments":{"order":2}}'),
        _calling('{"name":"run","arguments":"ls -l"}', tools={"run": None}),
        _calling(f'{{"name":"find","arguments":{{"order":1,"city":"{_TOKEN}"}}}}'),
    ),
    failing=(
        _calling('{"name":"search","arguments":{"order":1}}'),
        _calling('{"name":"find","arguments":{"city":"Ulm"}}'),
        _calling('{"name":"find","arguments":{"order":"one"}}'),
        _calling('{"name":"find","arguments":"{\\"order\\": 1"}'),
        _calling('{"name":"find","arguments":[1]}'),
        _calling('{"name":"find","arguments":{"order":1}}', '{"name":"find","arguments":{}}'),
    ),
    skipped=(
        _calling('{"name":"search","arguments":{}}', tools={}),
        _calling('{"name":"search","arguments":{}}', protocol="openai_responses"),
        _calling('{"name":"search","arguments":{}}', tools={"web_search": None}),
        _calling('{"name":"find","arguments":"{\\"or"}', finish=["length"]),
        _calling('{"name":"find","arguments":"{\\"or"}', outputs_cut=True),
        _calling('{"name":"find","arguments":{}}', outputs_withheld=["tool_call"]),
        _calling(f'{{"name":"find","arguments":"{{\\"order\\": {_TOKEN}}}"}}'),
        _calling('{"name":"find","arguments":{}}', tools={"find": {"$ref": "#/nowhere"}}),
        View(outputs=[Part(role="assistant", text="It is late.")], tools={"find": _FIND}),
    ),
)
