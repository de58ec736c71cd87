"""What people write around numbers, citations and quotes → what they mean by it."""

from __future__ import annotations

import re
from functools import lru_cache, reduce
from operator import or_
from typing import NamedTuple

from monitor.lazy import lazy

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
_MADE = lazy(
    "|".join(rf"(?P<c{n}>{words})" for n, words in enumerate(_CUES.values())), re.IGNORECASE
)
_WORKED_OUT = lazy(
    r"total|sum\b|combined|together|altogether|comes?\b|came\b|amounts?\b|makes?\b|sav(?:es?|ings?)\b|remain|left\b|cheaper"
    r"|dearer|average|overall|difference|insgesamt|zusammen|summe|gesamt|durchschnitt|somme",
    re.IGNORECASE,
)
_WORD = lazy(r"[^\W\d_]+")
_SUM = lazy(r"\d[^\s\d]{0,3} ?(?:[×*=/÷]|x \d)| in all\b")


class Said(NamedTuple):
    """What a sentence says of how its numbers were made: the `kinds` of `arithmetic.combine`, `=`
    where it links numbers and `y` where it tells of months or years; whether it `is_computed`, so
    tells what was worked out; and the `counts` from two to twelve that it spells."""

    kinds: str
    is_computed: bool
    counts: list[int]


def said(sentence: str) -> Said:
    """Read a sentence.

    >>> said("In total it rose by 3% a year").kinds
    '+-*%:y'
    >>> said("Two of the three doses make 4"), said("It has 4 (or so)").is_computed
    (Said(kinds='+*=', is_computed=True, counts=[2, 3]), False)
    """
    cues = reduce(or_, filter(None, map(_cues_of, sentence.split())), 0)
    if "(" in sentence or "=" in sentence or ":" in sentence:
        cues |= _LINKS
    if not cues & _COMPUTED and _may_be_sum(sentence) and _SUM.search(sentence):
        cues |= _COMPUTED
    return _meaning_of(cues)


def _may_be_sum(sentence: str) -> bool:
    """Whether one of the signs is there that whatever `_SUM` matches has."""
    return (
        "=" in sentence or "/" in sentence or "x " in sentence or "in all" in sentence
        or "*" in sentence or (not sentence.isascii() and ("×" in sentence or "÷" in sentence))
    )  # fmt: skip


_ALL_KINDS = "+-~*%:=y"
_LINKS, _COMPUTED = 1 << _ALL_KINDS.index("="), 1 << len(_ALL_KINDS)
_LONGEST, _DIGITS, _REMEMBERED = 24, 2, 4096
"""Letters of a word that are looked at; signs of a number that is remembered, as other pieces are,
and how many are."""


class _Cues(dict[str, int]):
    """What stands between spaces → the cues of its words as bits, mostly none: so those of a
    sentence add up in C. A bit for each kind, one for what is computed, then one for each count."""

    def __missing__(self, piece: str) -> int:
        is_number = piece.isdecimal()
        found = 0
        if not is_number:
            found = reduce(or_, (_cues(word[:_LONGEST]) for word in _WORD.findall(piece)), 0)
        if len(piece) <= (_DIGITS if is_number else _LONGEST):
            if len(self) >= _REMEMBERED:
                self.clear()
            self[piece] = found
        return found


_cues_of = _Cues().__getitem__


def _cues(word: str) -> int:
    match = _MADE.match(word)
    kinds = _KINDS[int(match.lastgroup[1:])] if match and match.lastgroup else ""
    found = sum(1 << _ALL_KINDS.index(kind) for kind in kinds)
    count = _SPELLED.get(word.lower())
    return (
        found
        | (_COMPUTED if _WORKED_OUT.match(word) else 0)
        | (0 if count is None else _COMPUTED << count)
    )


@lru_cache(maxsize=_REMEMBERED)
def _meaning_of(cues: int) -> Said:
    kinds = "".join(kind for place, kind in enumerate(_ALL_KINDS) if cues >> place & 1)
    counts = [count for count in range(1, _MOST_SPELLED + 1) if cues & _COMPUTED << count]
    return Said(kinds, bool(cues & _COMPUTED), counts)


_HEDGES = (
    "about", "around", "approximately", "approx.", "approx", "roughly", "nearly", "almost", "over",
    "under", "some", "circa", "ca.", "close to", "more than", "less than", "just", "below", "above",
    "up to", "at least", "well", "exceeding", "rund", "etwa", "ungefähr", "knapp", "fast",
    "mehr als", "environ", "près de", "plus de",
)  # fmt: skip
HEDGE = lazy(
    rf"(?:\b(?:{'|'.join(map(re.escape, _HEDGES))})[ \u00a0]|[~≈<>])[$€£]?\Z", re.IGNORECASE
)
_HEDGE_ENDS = {
    end: tuple(f"{one} " for one in _HEDGES if one.endswith(end))
    for end in {one[-2:] for one in _HEDGES}
}
"""The hedges by their last two characters."""


_HEDGE_SIGNS = frozenset("~≈<>$€£\u00a0")


class _HedgesAt(dict[str, tuple[str, ...] | None]):
    """The last three characters before a number → the hedges that end so, which is remembered; none
    where one has to look closer, None where nothing can be one."""

    def __missing__(self, end: str) -> tuple[str, ...] | None:
        if len(self) >= _REMEMBERED:
            self.clear()
        found: tuple[str, ...] | None = None
        if end[-1:] == " ":
            # in other alphabets some letters are an s, too
            found = _HEDGE_ENDS.get(end[:-1].lower(), None if end[:-1].isascii() else ())
        elif end[-1:] in _HEDGE_SIGNS:
            found = ()
        self[end] = found
        return found


_HEDGES_AT = _HedgesAt()


def hedges(text: str, place: int) -> bool:
    """Whether what stands before a number at a place says that it is not exact.

    >>> hedges("about $5", 7), hedges("is ~5", 4), hedges("about is 5", 9)
    (True, True, False)
    """
    hedges = _HEDGES_AT[text[place - 3 if place > 3 else 0 : place]]
    if hedges is None:
        return False
    before = text[max(place - _HEDGED, 0) : place]
    if hedges and before.isascii() and not before.lower().endswith(hedges):
        return False
    return HEDGE.search(before) is not None


_HEDGED = 16


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

_MOST_SPELLED = 12
_SPELLED = {
    word: number
    for number, words in SPELLED.items()
    for word in words
    if 1 < number <= _MOST_SPELLED
    and word not in ("both", "once", "elf", "sept", "dix", "dos", "tres", "double")
}

OWN_WORDING = lazy(
    r"\b(?:you (?:can|could|may|might|should|would|want|need)\b[^.\n]{0,60}"
    r"|\ban? (?:short |brief |polite )?(?:text|note|letter|e-?mail|sentence|paragraph) for (?:the|your|this|that)"
    r" \w{1,20}: ?"
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

TOTAL = lazy(
    r"\A[\s|>*_+-]{0,8}(?:\d{1,2}[.)] )?[*_]{0,3}(?:grand |sub-?|sum |overall |order |net |annual |monthly |new )?"
    r"(?:total|sum|summe|gesamt|gesamtsumme|gesamtbetrag|all|insgesamt|somme|totale|suma)\b",
    re.IGNORECASE,
)

NO_SUM = lazy(
    r"\b(?:average|avg|mean|rate|per|ratio|margin|year|date|age|growth|change|yoy|%\s?change"
    r"|durchschnitt|cumulative|running|max|min|median|rank|score|id)\b|[Δ±]",
    re.IGNORECASE,
)

SHARES = lazy(
    r"\b(?:share|shares|breakdown|distribution|composition|split|allocation|allocated|portfolio|mix|made up of"
    r"|consists? of|respondents|survey|surveyed|votes?|voted|proportions?|by segment|by region|by category"
    r"|percentages? of|pie|divided|anteile?|verteilung|aufteilung|répartition|distribución)\b",
    re.IGNORECASE,
)

INCOMPLETE = lazy(
    r"\b(?:multiple|more than one|several answers|overlap|not add|don't add|do not add|may not sum|rounding|other"
    r"|others|rest|remaining|remainder|top|largest|biggest|main|including|include|such as|e\.g|among|selected"
    r"|mehrfach|übrige|autres?|otros?)\b",
    re.IGNORECASE,
)
