"""The first words of an answer → whether they say no, as models do. A hint, not a judge."""

from __future__ import annotations

import re

from monitor.lazy import lazy

OPENING = 200
"""Characters of an answer that are looked at: who says no does so first."""

LONG = 60
"""An answer that says what it cannot do, and then has so many words more, is an answer."""

_SORRY = (
    r"(?:i(?:'m| am)(?: really| very| so| truly)? (?:sorry|afraid)|sorry|i apologi[sz]e"
    r"|my apologies|unfortunately)[,;:. –—-]{1,3}(?:(?:but|that) )?"
)
_LEAD = (
    rf"(?:{_SORRY}|(?:however|regrettably|as an ai(?: language model| assistant| model)?|es tut mir"
    r"(?: sehr)? leid|leider|désolée?|je suis désolée?|lo siento|mi dispiace|desculpe"
    r"|sinto muito)[,;:. –—-]{1,3}(?:(?:but|aber|mais|pero|ma|mas) )?){0,3}"
)
_CANNOT = (
    r"(?:can(?:'t|not| not)|won't(?: be able to)?|will not(?: be able to)?"
    r"|(?:'m|'re| am| are) (?:unable|not able|not allowed|not permitted) to)"
)
_VERBS = (
    r"(?:assist|help|comply|fulfil|provide|answer|do (?:that|this|so)|create|discuss|support|give"
    r"|offer|share|generate|write|produce|continue|engage|recommend|advise|diagnose|disclose|reveal"
    r"|participate|respond|complete|access|browse|predict|facilitate|promote|endorse|in good)"
)
_SAYS_NO = (
    rf"(?:i|we) ?{_CANNOT} {_VERBS}"
    r"|(?:i|we) (?:must|have to|need to)(?: respectfully| politely)? decline"
    r"|(?:that's|that is|this is)(?: not something|n't something) i (?:can|am able)"
    r"|i(?:'m| am) not comfortable"
    r"|as an ai(?: language model| assistant| model)?, i(?: don't| do not| have no|'m not| am not)"
    r"|(?:(?:dabei|damit|hierbei|dazu|das) )?(?:kann|darf) ich (?:ihnen |dir )?(?:dabei |dazu )?"
    r"(?:leider )?(?:nicht|keine)\b[^.!?\n]{0,60}\b(?:helfen|weiterhelfen|beantworten|geben"
    r"|unterstützen|erstellen|behilflich|bereitstellen|machen|erteilen|anbieten)"
    r"|ich (?:kann|darf) (?:ihnen |dir )?(?:dabei |damit |dazu |hierbei )?(?:leider )?"
    r"(?:nicht|keine)\b[^.!?\n]{0,60}\b(?:helfen|weiterhelfen|beantworten|geben|unterstützen"
    r"|erstellen|behilflich|bereitstellen|machen|erteilen|anbieten)"
    r"|je ne (?:peux|suis) pas (?:en mesure d[e'] ?)?(?:vous |t'|te |l')?(?:aider|répondre|fournir"
    r"|donner|assister|créer|générer|traiter)"
    r"|no puedo (?:ayudar|asistir|proporcionar|responder|dar|ofrecer|cumplir|crear)"
    r"|non (?:posso|sono in grado di) (?:aiutar|fornir|rispond|dar|assister|crear)"
    r"|não (?:posso|consigo) (?:ajudar|fornecer|responder|dar|criar|atender)"
)
_FOUND_NOTHING = r"(?!(?:find|see|locate|tell(?! you how)|recall|imagine|say|hear|wait)\b)"
_REFUSAL = lazy(
    rf"(?:\A|[.!?…][)\]]{{0,2}}\s{{1,3}}|\n\s{{0,3}}){_LEAD}"
    rf"(?:{_SAYS_NO}|{_SORRY}(?:i|we) ?{_CANNOT} {_FOUND_NOTHING}\w)"
)
_HINTS = (
    "n't", "not", "unable", "decline", "as an ai", "nicht", "keine", " pas ", " puedo", " posso",
    "non sono", " consigo",
)  # fmt: skip
"""Few answers have one in their first words."""

_GOES_ON = lazy(r"\b(?:without|unless|until|but (?:here|i can|you can|we can))\b")
_QUOTES = (("“", "”"), ("«", "»"), ("「", "」"))


def is_refusal(text: str) -> bool:
    """Whether a sentence among the first words says no, outside quotes.

    >>> is_refusal("Sorry, but I can't help with that."), is_refusal("“I cannot help,” he said.")
    (True, False)
    >>> is_refusal("I'm sorry to hear that. It arrives tomorrow."), is_refusal("I can help.")
    (False, False)
    """
    opening = text[:OPENING].lower().replace("’", "'")
    if not any(map(opening.__contains__, _HINTS)):
        return False
    found = _REFUSAL.search(opening)
    if found is None or _is_quoted(opening[: found.end()]):
        return False
    rest = text[found.end() :]
    sentence = re.split(r"[.!?\n]", rest[:OPENING], maxsplit=1)[0].lower()
    return _GOES_ON.search(sentence) is None or len(rest[: LONG * 20].split()) < LONG


def _is_quoted(before: str) -> bool:
    """Whether a quotation has begun and not ended."""
    opened = any(before.count(begin) > before.count(end) for begin, end in _QUOTES)
    return opened or before.count('"') % 2 == 1
