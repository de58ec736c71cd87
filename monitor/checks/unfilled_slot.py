"""Every slot of a template was filled before its text was sent, and none is left in an answer."""

from __future__ import annotations

import re
from typing import Any

from monitor.interfaces import Check
from monitor.types import Part, Verdict
from monitor.view import WRITING, View

_LOOK = 8000
"""Characters that are looked at, at the beginning of a text and at its end."""
MOST = 64
"""Of more texts the first and the last are looked at."""

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]{1,60}"
_BRACES = re.compile(rf"(?<![\w{{}}\\^])\{{\{{ {{0,2}}{_NAME} {{0,2}}\}}\}}(?!\}})|\$\{{{_NAME}\}}")
"""`{{name}}`, which is not TeX, and `${name}`."""
_BRACKETS = re.compile(
    r"[<\[](?:(?:INSERT|ENTER|ADD|YOUR|PUT) [A-Z][A-Z _/-]{1,60}[>\]]|object Object\])"
)
_GREETING = re.compile(
    r"\W{0,4}(?:Dear|Hello|Hi|Hallo|Hola|Bonjour|Liebe|Lieber) (?:undefined|null|None|NaN)[,!.:\n]"
)
_ABOUT_SLOTS = re.compile(
    r"templat|placeholder|platzhalter|variable|mustache|handlebars|jinja|django|angular"
    r"|liquid (?:tag|syntax)|\bvue\b|merge (?:tag|field)|curly|braces|interpolat|f-string|substitut"
    r"|python|javascript|typescript|\bbash\b|\bshell\b|\byaml\b|\bhelm\b|terraform|ansible|\bscripts?\b"
    r"|(?:source|this|the|my|sample) code\b|code (?:block|snippet)|regex|fill[- ]in|github actions"
    r"|=>|\);\s|\bendif\b|</(?:div|p|span|li|td)>",
    re.IGNORECASE,
)
"""What a talk of templates and programs says."""
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,200}`", re.DOTALL)
_SIDES = frozenset(("system", "developer", "user", None))


def look(view: View, _: Any) -> Verdict | None:
    """Whether no text of the request's own and no answer has a slot such as `{{name}}`, outside
    code. Where the talk is of templates, slots belong there."""
    if view.operation not in WRITING or not view.answers or view.hides(_SIDES):
        return None
    asked = [part.text for part in view.inputs if part.text and part.role in _SIDES]
    if len(asked) > MOST:
        asked = [*asked[: MOST // 2], *asked[-MOST // 2 :]]
    texts = [_ends(text) for text in (*asked, *view.answers)]
    wrong = sum(map(_has_slot, texts))
    if wrong and any(map(_ABOUT_SLOTS.search, texts)):
        return None
    return Verdict(not wrong, wrong, len(texts))


def _ends(text: str) -> str:
    return text if len(text) <= 2 * _LOOK else f"{text[:_LOOK]}\n{text[-_LOOK:]}"


def _has_slot(text: str) -> bool:
    if _GREETING.match(text):
        return True
    expressions = []
    if "{" in text and ("{{" in text or "${" in text):  # one character is found much sooner
        expressions.append(_BRACES)
    if "[" in text or "<" in text:
        expressions.append(_BRACKETS)
    if expressions and "`" in text:
        text = _CODE.sub(" ", text)
    return any(one.search(text) for one in expressions)


def _talk(asked: str, said: str, system: str = "You are the clerk of a shop.") -> View:
    return View(
        inputs=[Part(role="system", text=system), Part(role="user", text=asked)],
        outputs=[Part(role="assistant", text=said)],
    )


_FINE = "It left our store in Ulm on Monday."

CHECK = Check(
    "unfilled_slot",
    lambda _: "whether every slot of a template, such as {{name}}, was filled",
    look,
    passing=(
        _talk("Where is my order?", _FINE),
        _talk("Solve {x | x > 3} and {{1, 2}, {3}}.", "It is {4, 5, …}."),
        _talk("What is f(x) = \\frac{{a}}{b}?", "It is a/b, and costs $5 {sic}."),
        _talk("Where is it?", "Hello Nonella, it is [here](https://example.org) <b>now</b>."),
        _talk("Where is it?", 'Send {"order": {"id": 1}} to us.'),
        _talk("Who is it?", "Dear Ms Null, none of them is undefined."),
        _talk("How do I greet?", "Put this into your letter:\n```\nDear {{name}},\n```"),
    ),
    failing=(
        _talk("Where is my order?", "Dear {{first_name}}, it left our store on Monday."),
        _talk("Where is order {{ order.id }}?", "Which order do you mean?"),
        _talk("Where is my order?", _FINE, system="You help ${customerName} of the shop."),
        _talk("Where is my order?", "Hello undefined, it left our store on Monday."),
        _talk("Where is my order?", "Dear <INSERT CUSTOMER NAME>, it left on Monday."),
        _talk("Where is my order?", "It was sent to [object Object] on Monday."),
        _talk("Where is my order?", "Best wishes,\n[YOUR NAME]"),
        _talk(
            "Book a slot for me, the discount code is 5.", "Dear {{patient_name}}, it is booked."
        ),
        _talk("Where is it?", "Dear None,\n\nit left our store on Monday."),
    ),
    skipped=(
        _talk("How do I write a template for a letter?", "Begin with Dear {{name}}."),
        _talk("Explain Jinja.", "{{ name }} is replaced by its value."),
        _talk("Print it in bash.", "echo ${name}"),
        _talk("Where is it?", ""),
        View(operation="embeddings", inputs=[Part(role="user", text="Dear {{name}}")]),
        View(inputs=[Part(role="user", text="Dear {{name}}")], is_accepted=False),
    ),
)
