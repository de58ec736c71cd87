"""What people write around numbers, citations and quotes → what they mean by it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

NAMES = frozenset(
    "section sections sec article articles art clause clauses chapter ch page pages p pp table figure fig step phase "
    "type grade stage level line item no nr number room version ver appendix annex exhibit schedule paragraph para "
    "rule part form case order ticket invoice option question q volume vol equation eq reference ref source note "
    "footnote iso din rfc day week lot batch sku model gate flight tier class document doc passage trial study stake "
    "site zone group patient player kapitel seite abschnitt artikel ziffer schritt tabelle abbildung nummer quelle "
    "bestellung rechnung § # №".split()
)
"""What a number behind it names, and does not count."""

MONTHS = frozenset("jan feb mar apr may jun jul aug sep oct nov dec mär mai okt dez".split())

_CUES = {
    "+*": r"total|sum\b|combined|together|altogether|overall|makes?\b|comes?\b|came\b|amounts?\b|used\b|before|plus\b|worth"
    r"|would\b|costs?\b|summe|gesamt|insgesamt|zusammen|somme|ensemble",
    "~": r"average|mean\b|durchschnitt|moyenne|midpoint",
    "-%:": r"differ|more\b|less\b|fewer|higher|lower\b|larger|smaller|increas|decreas|rise|rising|rose\b|risen|grew"
    r"|grow|fall|fell\b|drop|declin|reduc|chang|up\b|down\b|gain|lost\b|loss|improv|jump|climb|slipp|exceed|surplus"
    r"|deficit|excess|ahead|behind|another|slower|faster|longer|shorter|earlier|later|over\b|under\b|short|gap\b|spread"
    r"|unterschied|differenz|mehr\b|weniger|gestiegen|gesunken|écart|hausse|baisse",
    ":": r"per\b|each\b|times\b|ratio|double|triple|half\b|share|split|anteil",
    "-*%": r"saving|save|remain|left\b|balance|discount|off\b|net\b|rest\b|refund|back\b",
    "+-*%": r"pay\b",
    "=": r"after\b|of\b|so\b|thus\b|which\b|every\b|due\b|owe\b|or\b",
    "y": r"years?\b|yearly|annual|months?\b|monthly|jahr|monat",
}
_KINDS = list(_CUES)
_MADE = re.compile(
    "|".join(rf"(?P<c{n}>{words})" for n, words in enumerate(_CUES.values())), re.IGNORECASE
)
_WORKED_OUT = re.compile(
    r"total|sum\b|combined|together|altogether|comes?\b|came\b|amounts?\b|makes?\b|sav(?:es?|ings?)\b|remain|left\b|cheaper"
    r"|dearer|average|overall|difference|insgesamt|zusammen|summe|gesamt|durchschnitt|somme",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_SUM = re.compile(r"\d[^\s\d]{0,3} ?(?:[×*=/÷]|x \d)| in all\b")


class Said(NamedTuple):
    """What a sentence says of how its numbers were made: the `kinds` of `arithmetic.combine`, `=`
    where it links numbers and `y` where it tells of months or years; whether it `is_computed`, so
    tells what was worked out; and the `counts` from two to twelve that it spells."""

    kinds: str
    is_computed: bool
    counts: list[int]


def said(sentence: str) -> Said:
    """Read a sentence.

    >>> sorted(set(said("In total it rose by 3% a year").kinds))
    ['%', '*', '+', '-', ':', 'y']
    >>> said("Two of the three doses make 4"), said("It has 4 (or so)").is_computed
    (Said(kinds='=+*', is_computed=True, counts=[2, 3]), False)
    """
    words = [_word(one[:_LONGEST]) for one in dict.fromkeys(_WORD.findall(sentence))]
    kinds = list(dict.fromkeys(one[0] for one in words if one[0]))
    if any(sign in sentence for sign in "(=:"):
        kinds.append("=")
    is_computed = any(one[1] for one in words) or _SUM.search(sentence) is not None
    return Said("".join(kinds), is_computed, sorted({one[2] for one in words if one[2]}))


_LONGEST = 24
"""Letters of a word that are looked at."""


@lru_cache(maxsize=4096)
def _word(word: str) -> tuple[str, bool, int]:
    """(kinds, whether it tells what was worked out, the count it spells) of a word."""
    match = _MADE.match(word)
    kinds = _KINDS[int(match.lastgroup[1:])] if match and match.lastgroup else ""
    return kinds, _WORKED_OUT.match(word) is not None, _SPELLED.get(word.lower(), 0)


HEDGE = re.compile(
    r"(?:\b(?:about|around|approximately|approx\.?|roughly|nearly|almost|over|under|some|circa|ca\.|close to"
    r"|more than|less than|just|below|above|up to|at least|well|exceeding|rund|etwa|ungefähr|knapp|fast"
    r"|mehr als|environ|près de|plus de)[ \u00a0]|[~≈<>])[$€£]?\Z",
    re.IGNORECASE,
)

SPELLED: dict[int, tuple[str, ...]] = {
    1: ("one", "a", "single", "once", "ein", "eine", "einen", "un", "une"),
    2: ("two", "twice", "double", "both", "pair", "zwei", "deux", "dos"),
    3: ("three", "thrice", "triple", "drei", "trois", "tres"),
    4: ("four", "vier", "quatre", "cuatro"),
    5: ("five", "fünf", "cinq", "cinco"),
    6: ("six", "sechs", "seis"),
    7: ("seven", "sieben", "sept", "siete"),
    8: ("eight", "acht", "huit", "ocho"),
    9: ("nine", "neun", "neuf", "nueve"),
    10: ("ten", "zehn", "dix", "diez"),
    11: ("eleven", "elf", "onze"),
    12: ("twelve", "dozen", "zwölf", "douze", "doce"),
    15: ("fifteen", "fünfzehn", "quinze"),
    20: ("twenty", "zwanzig", "vingt", "veinte"),
    30: ("thirty", "dreißig", "trente", "treinta"),
    50: ("fifty", "half", "fünfzig", "cinquante"),
    100: ("hundred", "hundert", "cent"),
}

_SPELLED = {
    word: number
    for number, words in SPELLED.items()
    for word in words
    if 1 < number <= 12
    and word not in ("both", "once", "elf", "sept", "dix", "dos", "tres", "double")
}

OWN_WORDING = re.compile(
    r"\b(?:you (?:can|could|may|might|should|would|want|need)\b[^.\n]{0,60}"
    r"|(?:try|reply|respond|ask|asks|(?:to|please|or|just) write|search|type|enter|example|examples|instance|suggest\w*|such as"
    r"|draft|wording|script|template|something like|along the lines of|means?|meaning|other words"
    r"|translat\w*|paraphras\w*|subject|title|titled|called|named|say it|saying|message|prompt|slogan|label"
    r"|tagline|headline|instead of|rephrase\w*|rewrite|rewritten|revised|version|improved|question"
    r"|e\.g|zum beispiel|schreiben sie|vorschlag|par exemple|thinks?|thought|imagine|as if)\b[^.\n“”\"]{0,40})\Z",
    re.IGNORECASE,
)

NO_AUTHORS = frozenset(
    "January February March April May June July August September October November December In Since By "
    "Until From The This It On At For During After Before And Or As Of To Updated Published Effective Act "
    "Regulation Directive Code Rules Q1 Q2 Q3 Q4 FY Spring Summer Autumn Fall Winter Early Late Mid "
    "Januar Februar März Mai Juni Juli Oktober Dezember Article Section Version Edition Jan Feb Mar Apr "
    "Jun Jul Aug Sep Sept Oct Nov Dec Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
)

VARIABLES = frozenset(
    "arr array list data items values args argv nums row rows matrix result results".split()
)

TOTAL = re.compile(
    r"\A[\s|>*_+-]{0,8}(?:\d{1,2}[.)] )?[*_]{0,3}(?:grand |sub-?|sum |overall |order |net |annual |monthly |new )?"
    r"(?:total|sum|summe|gesamt|gesamtsumme|gesamtbetrag|all|insgesamt|somme|totale|suma)\b",
    re.IGNORECASE,
)

NO_SUM = re.compile(
    r"\b(?:average|avg|mean|rate|per|ratio|margin|year|date|age|growth|change|yoy|%\s?change"
    r"|durchschnitt|cumulative|running|max|min|median|rank|score|id)\b|[Δ±]",
    re.IGNORECASE,
)

SHARES = re.compile(
    r"\b(?:share|shares|breakdown|distribution|composition|split|allocation|allocated|portfolio|mix|made up of"
    r"|consists? of|respondents|survey|surveyed|votes?|voted|proportions?|by segment|by region|by category"
    r"|percentages? of|pie|divided|anteile?|verteilung|aufteilung|répartition|distribución)\b",
    re.IGNORECASE,
)

INCOMPLETE = re.compile(
    r"\b(?:multiple|more than one|several answers|overlap|not add|don't add|do not add|may not sum|rounding|other"
    r"|others|rest|remaining|remainder|top|largest|biggest|main|including|include|such as|e\.g|among|selected"
    r"|mehrfach|übrige|autres?|otros?)\b",
    re.IGNORECASE,
)
