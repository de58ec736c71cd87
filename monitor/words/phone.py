"""Words that tell a telephone number: beside it, just before it, and those that tell something else."""

from __future__ import annotations

import re
from bisect import bisect_left

from monitor.lazy import lazy

# --- words beside a number -----------------------------------------------------------------------

_END = r"(?:\b|_)"

_MY = (
    rf"(?:my|his|her|their|our|your)(?: [\w']{{1,14}})? (?:number|no{_END}|nr{_END})"
    r"|(?:meine?|ihre?|mon|votre|mi|su|mio|suo|mijn|uw|m.j|meu|seu|mit|min) (?:nummer|numer|n.m.ro)"
)

_PHONE = (
    rf"(?:tele)?(?:phone|fono|foon)|fon{_END}|t.l.ph|cellulare|whatsapp|signal{_END}|hotline|landline|helpline|(?:ruf|handy|mobil|telefon)nummer"
    r"|portable|celular|telefone|kom.rk|telem.vel|voicemail|r.ckruf|durchwahl|switchboard"
)

_CALL_ME = (
    rf"(?:t[^a-df-z0-9\s_-]l|mob(?:il|ile|iel)?|cell?|ph|fone|msisdn|fax(?:ed)?|sms|handy|m.vil|gsm|tfno|tlf|call-?backs?){_END}|mobilnr|dial|numbers? on (?:the |your |my |his |her |this )?(?:file|account|profile|record|order)|missed call from|call or text|(?:is|as) (?:my|your|his|her) (?:contact|number)|erreichbar|pod numerem|die nummer (?:lautet|ist)|(?:get|got|hit) (?:me|him|her|us|them) (?:at|on)"
    r"|(?:my|his|her|our|new|old|direct|private|second)(?: \w{1,8})? line|(?:number|no\.?) (?:to call|for calls)"
    rf"|contact[ _-]?(?:no|number|me|us|her|him|them){_END}|ruf\w{{0,3}} (?:mich|uns|ihn|sie) an{_END}"
    r"|(?:call(?:ed|ing|s)?|text(?:ed|ing|s)?|reach(?:ed|ing)?|ring|phon(?:ed|ing)|ping)"
    rf" (?:me|us|him|her|them|back|on|at|now|mom|dad){_END}|{_MY}"
)
"""Beside these any seven digits and more are a telephone number; the first ones at the end of a word too."""

STARTS = (_PHONE, rf"(?:\b|_)(?:{_CALL_ME})")

_AT_WORD = lazy(rf"_?(?:{_PHONE}|{_CALL_ME})")

BEFORE_PLACE = r"[0-9][ ,]{0,2}[-(]?(?:office|home|work|desk|direct|reception|switchboard)\b"

AT_PLACE = lazy(BEFORE_PLACE, re.IGNORECASE)

AFTER_WORD = lazy(
    r"[ ,]{0,2}\(?(?:is |as |= ?)?(?:\w+ ){0,2}?"
    r"(?:(?:tele)?phone|cell|mobile|tel\b|fax|whatsapp|landline|handy|number (?:to call|for calls)|"
    + _MY
    + ")",
    re.IGNORECASE,
)

_PLACE = frozenset(
    {
        "call", "calls", "caller", "desk", "office", "home", "work", "direct", "registered", "contact", "contacted",
        "reception", "pharmacy", "surgery", "emergency", "daytime", "evening", "kin", "sim", "contato", "contacto",
        "contatto", "recapito", "kontakt", "number?", "port.", "t:", "m:", "p:", "c:", "f:", "d:", "h:", "o:", "w:",
        "\nt", "\nm", "\np", "\nf",
    }
)  # fmt: skip

_VERB = frozenset(
    {
        "reach", "called", "calling", "reached", "reachable", "reaching", "ring", "rang", "text", "message", "messages",
        "messaged", "messaging", "answer", "answers", "answered", "answering", "send", "sent", "try", "tried", "ruf", "rufen",
        "joindre", "joignable", "appelez", "appeler", "rappeler", "rappelez", "bel", "bellen", "ligar", "ligue", "liga",
        "nå", "nås", "når",
    }
)  # fmt: skip

_VERB_STEMS = (
    "texted",
    "phon",
    "dial",
    "rang",
    "rung",
    "contact",
    "contatt",
    "comun",
    "erreich",
    "anruf",
    "llam",
    "llám",
    "chiam",
    "bereik",
    "dzwoni",
    "zadzwo",
)
"""After these, with nothing but small words between, a number that looks like one of telephones is."""

_SMALL = frozenset(
    {
        "me", "us", "him", "her", "them", "on", "at", "to", "under", "via", "by", "from", "for", "be", "no", "nr",
        "now", "please", "back", "again", "directly", "either", "my", "the", "number", "id", "delivery", "mich", "uns",
        "patient", "out", "twice", "site", "daughter", "son", "mother", "father", "wife", "husband", "manager",
        "customer", "technician", "go", "should", "til", "naar", "nous", "o", "bitte", "sie", "numerem", "numero", "número", "numéro",
        "nummer", "unter", "der", "an", "au", "le", "sur", "moi", "al", "el", "en", "il", "lo", "mi", "op", "pod",
        "para", "mig", "meg", "på", "line", "swap", "card", "is", "was", "est", "es", "er",
    }
)  # fmt: skip

_LEADS = frozenset(
    spelled
    for word in _VERB | _SMALL | {word.strip("\n.:?") for word in _PLACE}
    for spelled in (word, word.capitalize(), word.upper())
)

_STEM_BEGINS = frozenset(
    spelled
    for stem in _VERB_STEMS
    for spelled in (stem[:4], stem[:4].capitalize(), stem[:4].upper())
)

_MARKS = " \n\t(\"',:=#|-.?+"

_TOKEN = lazy(r"\n[tmpf](?= )|\d|[^\W\d_]+[?.:]?|\n|[^\s\w,\"'()\-]")

AT_LEAD = lazy(
    r"(?:[:=#|?]|\b(?:call|ring|tried|called|texted|appelez|bel|llame|ligue|caller id|registered|text|surgery|pharmacy|le|sur|[tmpf]|at|on|to|under|is|unter|au|al|el|il|from|naar|o|op|pod|no|para|p.))[\s(]{0,3}\Z",
    re.IGNORECASE,
)

TOLD = lazy(r"(?:[:=#|]|\bis)\s{0,3}\Z")

THING = lazy(
    r"\b(?:order|ticket|invoice|case|ref(?:erence)?|track(?:ing)?|parcel|shipment|account|acct|(?<!caller )id|sku|item|article|part"
    r"|serial|batch|lot|build|version|commit|row|job|request|transaction|policy|member(?:ship)?|claim|booking|reservation|po|epoch"
    r"|timestamp|isbn|ean|upc|gtin|error|code|file|page|pid|konto|kunden\w*|auftrag\w*|bestell\w*|rechnung\w*|commande|facture"
    r"|pedido|factura|ordine|fattura)s?(?: (?:no|nr|num|number|id|nummer|num.ro|n.mero))?[.:#]{0,2} ?#?\Z",
    re.IGNORECASE,
)
"""What other numbers are called, just before them."""

COUNTED = lazy(
    r" ?(?:%|(?:rows?|people|users|customers|bytes|records|items|times|units|points|tokens|requests|events|entries|views|miles"
    r"|[km]m|kg|[kmg]b|ms|seconds|euros?|dollars?|eur|usd|pcs|lines|messages|files|steps|samples|pages|copies)\b)",
    re.IGNORECASE,
)


def end_of_word_before(text: str, words: list[int], number: int) -> int:
    """Where the last word before a number that begins there ended, or -1."""
    after = bisect_left(words, number)
    for start in reversed(words[max(0, after - 4) : after]):
        word = _AT_WORD.match(text[start : start + 40].lower())
        if word and start + word.end() <= number:
            return start + word.end() if start + word.end() >= number - 40 else -1
    return -1


def is_led(text: str, start: int) -> bool:
    """Whether the word just before may lead to a number: the quick look before the thorough one."""
    before = text[start - 16 if start > 16 else 0 : start].rstrip(_MARKS)
    word = before[before.rfind(" ") + 1 :]
    if not word.isalpha():
        word = word.rpartition("\n")[2].lstrip("(\"'")
    if word in _LEADS or not word:
        return True
    return word[:4] in _STEM_BEGINS and word.lower().startswith(_VERB_STEMS)


def kind_of_lead(text: str, start: int) -> str:
    """What kind of word leads to a number at `start` over small ones: place, verb or none."""
    before = text[max(0, start - 36) : start].lower()
    is_marked = False
    for token in reversed(_TOKEN.findall(before)[-6:]):
        word = token.rstrip("?.:")
        if token in _PLACE or word in _PLACE:
            return "place"
        if word.startswith(_VERB_STEMS):
            return "verb"
        if word in _VERB:
            return "" if is_marked or token[-1] in "?.:" else "verb"
        is_marked = is_marked or token[-1] in ":=#|?\n" or word in ("is", "was", "est", "es", "er")
        if token[-1] == "." and word not in ("no", "nr"):
            return ""
        if word and word not in _SMALL:
            return ""
    return ""
