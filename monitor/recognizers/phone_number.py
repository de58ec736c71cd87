"""Telephone numbers: international (ITU-T E.164), North American and national forms.

What a number looks like without a word beside it must leave no doubt: a `+`, a country's own
grouping; where that is a grouping of any numbers, the region must be the configured one. With a word (phone, call me, Tel.) 7 to 15 digits are enough.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from monitor.checkdigits import weighted
from monitor.interfaces import Recognizer

# Calling codes by the least and greatest length of their national numbers (Google's libphonenumber).
_CODES = (
    "4-5:290 4-7:683,690 4-10:98 4-11:352 4-13:43,598 5-5:500,682 5-6:247 5-7:676,677,678,688 "
    "5-8:47,386,686 5-10:27,64,685 5-11:31,852 5-12:358,971 5-14:82 5-15:49 "
    "6-6:298,299,672,687 6-7:597 6-9:40,252,355,376,421,508,681,689 6-10:46,53,95,880 "
    "6-11:375,595 6-12:39,61,359,381 6-13:63 7-7:238,239,246,248,269,291,297,592,673,674,680,691,692 "
    "7-8:241,599,670,675,853,961,965,975 7-9:220,231,245,265,354,385,423,967,968 10-10:1 "
    "7-10:44,48,84,230,243,254,263,267,353,372,960 7-11:501,503,507,679,886,974 "
    "7-12:86,882,972 7-13:90 7-15:62 8-8:45,216,222,223,226,227,228,232,235,236,253,257,266,350,356,"
    "357,370,371,373,374,389,505,509,800,808,973,993 8-9:32,36,51,213,224,233,237,250,258,264,268,"
    "377,382,387,591,962,963 8-10:20,60,378,506,850,855,856,964,970,976 "
    "8-11:55,57,65,502,504,593,977 8-12:92,383,883 8-13:66,91 8-15:81 "
    "9-9:33,34,41,93,94,211,212,218,221,240,242,244,249,251,255,256,260,261,262,351,420,590,594,596,"
    "979,992,994,995,998 9-10:380,881,966,996 9-11:56 9-12:870 10-10:52,58,225,229 10-11:54 "
    "10-12:30 10-14:7,234 11-11:888 12-12:878"
)
_LENGTHS = {
    code: tuple(map(int, lengths.split("-")))
    for lengths, _, codes in (entry.partition(":") for entry in _CODES.split())
    for code in codes.split(",")
}
REGIONS = {
    "AR": "54", "AT": "43", "AU": "61", "BE": "32", "BR": "55", "CA": "1", "CH": "41", "CN": "86",
    "CZ": "420", "DE": "49", "DK": "45", "ES": "34", "FI": "358", "FR": "33", "GB": "44", "GR": "30",
    "IE": "353", "IN": "91", "IT": "39", "JP": "81", "KR": "82", "MX": "52", "NL": "31", "NO": "47",
    "NZ": "64", "PL": "48", "PT": "351", "SE": "46", "US": "1", "ZA": "27",
}  # fmt: skip
"""Regions whose national numbers can be completed, with their calling codes."""

_LOCAL = {
    "AU": r"[2-9]\d{3}[ -]\d{4}",
    "CZ": r"[2-9]\d\d \d{3} \d{3}",
    "DK": r"[2-9]\d \d\d \d\d \d\d|[2-9]\d{3} \d{4}",
    "ES": r"[6-9]\d\d \d{3} \d{3}",
    "GR": r"2\d{2,4} \d{5,7}|2\d{2,4} \d{2,3} \d{3}|69\d\d \d{3} \d{3}",
    "IN": r"[6-9]\d{4}[ -]\d{5}",
    "IT": r"3\d\d[ -]\d{6,7}",
    "NO": r"[2-9]\d \d\d \d\d \d\d|[489]\d\d \d\d \d{3}",
    "NZ": r"[2-9]\d\d[ -]\d{4}",
    "PL": r"[4-8]\d\d[ -]\d{3}[ -]\d{3}",
    "PT": r"[239]\d\d \d{3} \d{3}",
}
"""How numbers are written in a region that elsewhere may be any numbers."""

_EXTENSION = r"(?:\s{0,2}(?:x|ext\.?|extension|#)\s{0,2}\d{1,6}(?!\d))?"
_EXTENDED = re.compile("[xXeE#]")
_APART = r"(?<![A-Za-z0-9])(?<![A-Za-z0-9]_)"
_BEFORE = _APART + r"(?<!\d[-./])(?<![$€£]\d)"
_AFTER = r"(?!\d|[-./]\d|\w*@|(?![Xx]\d|[Ee]xt)[A-Za-z])"
_INTERNATIONAL = re.compile(
    r"(?:\+|(?<![\d.,-])(?!(?<=\d )00\d )00)[ (]{0,2}([1-9](?:[ ()./-]{0,3}\d){6,16})"
)
_NORTH_AMERICAN = re.compile(
    _BEFORE
    + r"(?:1[ .-]?)?(?:\([2-9]\d\d\)[ .-]{0,2}[2-9]\d\d[ .-]?\d{4}"
    + r"|\(?\d{3}\)?[ -]\d{3}-\d{4}|\(\d{3}\) ?\d{3}[ .-]\d{4}"
    + r"|(?<!\d)\d{3}([ .])\d{3}\1\d{4})"
    + _AFTER
    + _EXTENSION
)
_TRUNK = (
    r"\(0\d{1,4}\)[ .-]?\d{2,5}(?:[ .-]?\d{2,6}){0,3}"
    r"|0\d{1,4}/[ ]?\d{2,8}(?:[ -]\d{2,4}){0,3}"
    r"|0\d{1,4}([ .-])\d{2,5}(?:\1\d{2,5}){1,4}"
    r"|0[1-9]\d{1,4}[ -]\d{5,8}|0[1-9] \d{7,8}"
    r"|0[1-9]\d{0,2}-\d{2,3}(?: \d{2,4}){1,3}|0[1-9] \d{3}-\d{4}"
    r"|\(\d{2}\) ?9?\d{4}-\d{4}|[1-9]\d (?!(?:19|20)\d\d-(?:19|20)\d\d)9?\d{4}-\d{4}"
    r"|\((?!19|20)\d{2,3}\)(?: \d{3}){3}|\(\d{3}\) ?\d{9}"
    r"|\(?06\)?[ -]?\d{1,2}/\d{3}[- ]\d{4}|\(\d\d\)/\d{3}-\d{4}|06 \d\d? \d{3} \d{3,4}"
    r"|[6-9]\d\d([ -])\d\d(?:\2\d\d){2}|[1-9]\d \d{3} \d\d \d\d|1[3-9]\d([ -])\d{4}\3\d{4}"
)
_FIRST_GROUP = re.compile(r"0\d|1[-. ]?\(?\d{3}|\d\d(?: \d{3}| \d\d \d\d|[)/])|\d{3,6}[-. /)]")
_ANY = re.compile(_APART + r"(?<!\d\.)\+?\(?\d(?:[ ()./-]{0,3}\d){6,16}(?!\d)" + _EXTENSION)
_OTHER = re.compile(
    r"\(?(?:\d{4}([-/. ])[01]?\d\1[0-3]?\d|[0-3]?\d([-/. ])[0-3]?\d\2(?:19|20)\d\d)(?!\d)"
    r"|\d{3}-\d\d-\d{4}(?!\d)|(?:\d{4}[ -]){3}\d{2,4}(?!\d)|(?!(?:\d\d\.){3}\d\d(?!\d))\d{1,3}(?:\.\d{1,3}){3}(?![.\d])"
)
"""Dates, US social security numbers, cards and the like, IPv4 addresses."""

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
    rf"(?:t.l|mob(?:il|ile|iel)?|cell?|ph|fone|msisdn|fax(?:ed)?|sms|handy|m.vil|gsm|tfno|tlf|call-?backs?){_END}|mobilnr|dial|numbers? on (?:the |your |my |his |her |this )?(?:file|account|profile|record|order)|missed call from|call or text|(?:is|as) (?:my|your|his|her) (?:contact|number)|erreichbar|pod numerem|die nummer (?:lautet|ist)|(?:get|got|hit) (?:me|him|her|us|them) (?:at|on)"
    r"|(?:my|his|her|our|new|old|direct|private|second)(?: \w{1,8})? line|(?:number|no\.?) (?:to call|for calls)"
    rf"|contact[ _-]?(?:no|number|me|us|her|him|them){_END}|ruf\w{{0,3}} (?:mich|uns|ihn|sie) an{_END}"
    r"|(?:call(?:ed|ing|s)?|text(?:ed|ing|s)?|reach(?:ed|ing)?|ring|phon(?:ed|ing)|ping)"
    rf" (?:me|us|him|her|them|back|on|at|now|mom|dad){_END}|{_MY}"
)
"""Beside these any seven digits and more are a telephone number; the first ones at the end of a word too."""
_STARTS = (_PHONE, rf"(?:\b|_)(?:{_CALL_ME})")
_AT_WORD = re.compile(rf"_?(?:{_PHONE}|{_CALL_ME})")
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
_MARKS = " \n\t(\"',:=#|-.?+"
_TOKEN = re.compile(r"\n[tmpf](?= )|\d|[^\W\d_]+[?.:]?|\n|[^\s\w,\"'()\-]")
_LED = re.compile(
    r"(?:[:=#|?]|\b(?:call|ring|tried|called|texted|appelez|bel|llame|ligue|caller id|registered|text|surgery|pharmacy|le|sur|[tmpf]|at|on|to|under|is|unter|au|al|el|il|from|naar|o|op|pod|no|para|p.))[\s(]{0,3}\Z",
    re.IGNORECASE,
)
_TOLD = re.compile(r"(?:[:=#|]|\bis)\s{0,3}\Z")
_LOOKS = re.compile(r"0[1-9]\d{6,10}|1?[2-9]\d\d[2-9]\d{6}|[1-9]{2}(?:9\d|[2-9])\d{7}")
"""Digits in a row as in many numbering plans: with a trunk zero, ten of North America, Brazil."""
_PLACED = re.compile(r"[1-9]\d{7,8}")
"""Eight or nine digits in a row, which need a word just before them that places a call."""
_PAIR = re.compile(r"\d{4}[- .]\d{4}")
"""A range as well: needs the same."""
_THING = re.compile(
    r"\b(?:order|ticket|invoice|case|ref(?:erence)?|track(?:ing)?|parcel|shipment|account|acct|(?<!caller )id|sku|item|article|part"
    r"|serial|batch|lot|build|version|commit|row|job|request|transaction|policy|member(?:ship)?|claim|booking|reservation|po|epoch"
    r"|timestamp|isbn|ean|upc|gtin|error|code|file|page|pid|konto|kunden\w*|auftrag\w*|bestell\w*|rechnung\w*|commande|facture"
    r"|pedido|factura|ordine|fattura)s?(?: (?:no|nr|num|number|id|nummer|num.ro|n.mero))?[.:#]{0,2} ?#?\Z",
    re.IGNORECASE,
)
"""What other numbers are called, just before them."""
_COUNTED = re.compile(
    r" ?(?:%|(?:rows?|people|users|customers|bytes|records|items|times|units|points|tokens|requests|events|entries|views|miles"
    r"|[km]m|kg|[kmg]b|ms|seconds|euros?|dollars?|eur|usd|pcs|lines|messages|files|steps|samples|pages|copies)\b)",
    re.IGNORECASE,
)
_DAY = re.compile(r"(?:19|20)\d\d(?:0\d|1[0-2])[0-3]\d|[0-3]\d(?:0\d|1[0-2])(?:19|20)\d\d")
_AMOUNT = re.compile(r"\d+\.\d{1,2}|(?:19|20)\d\d-(?:19|20)\d\d")
_OR = re.compile(r"\bor\b|\band\b|[,/;]")
_LIST = re.compile(r"\s?(?:[,;/|&\n]|\b(?:and|or|und|oder|et|ou|y|o|e)\b)\s{0,3}\(?")
_REACH = 48
_AFTER_WORD = re.compile(
    r"[ ,]{0,2}\(?(?:is |as |= ?)?(?:\w+ ){0,2}?"
    r"(?:(?:tele)?phone|cell|mobile|tel\b|fax|whatsapp|landline|handy|number (?:to call|for calls)|"
    + _MY
    + ")",
    re.IGNORECASE,
)
_AFTER_PLACE = re.compile(
    r"\d[ ,]{0,2}[-(]?(?:office|home|work|desk|direct|reception|switchboard)\b", re.IGNORECASE
)
_HEX = re.compile("[a-f]")
_EPOCH = re.compile(r"1[4-9]\d{8}(?:\d{3})?\Z")


def _finder(region: str) -> Callable[[str, Sequence[int]], Iterator[tuple[int, int]]]:
    local = f"|{_LOCAL[region]}" if region in _LOCAL else ""
    forms = (_NORTH_AMERICAN, re.compile(f"{_BEFORE}(?:{_TRUNK}{local}){_AFTER}"))

    def find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
        numbers: list[int] = []
        words: list[int] = []
        for start in starts:
            at = start + (text[start] == "_")
            (numbers if text[at].isdigit() else words).append(at)
        after, count = 0, len(words)  # of the words
        done = -99
        for start in numbers:
            if start < done:
                continue
            while after < count and words[after] < start:
                after += 1
            hopeless = _hopeless(text, start)
            if not hopeless and _OTHER.match(text, start) and _plus(text, start) < 0:
                continue
            hit = None if hopeless else _by_form(text, start, forms)
            if (
                hit is None
                and not _amid(text, start, done)
                and (
                    start - done <= 8
                    or _is_led(text, start)
                    or (after < count and words[after] - start < _REACH)
                    or (after and start - words[after - 1] < _REACH)
                    or (not hopeless and _AFTER_PLACE.search(text, start + 6, start + 32))
                )
            ):
                hit = _beside_word(text, start, words, done)
            if hit:
                done = hit[1]
                yield hit

    return find


def _word_before(text: str, words: list[int], number: int) -> int:
    """Where the last word before a number that begins there ended, or -1."""
    after = bisect_left(words, number)
    for start in reversed(words[max(0, after - 4) : after]):
        word = _AT_WORD.match(text[start : start + 40].lower())
        if word and start + word.end() <= number:
            return start + word.end() if start + word.end() >= number - 40 else -1
    return -1


def _is_led(text: str, start: int) -> bool:
    """Whether the word just before may lead to a number: the quick look before the thorough one."""
    if text[start - 1 : start] == " ":
        before = text.rfind(" ", max(0, start - 16), start - 1)
        word = text[before + 1 : start - 1]
        if before >= 0 and word.isalpha():
            return word in _LEADS or (len(word) > 3 and word.lower().startswith(_VERB_STEMS))
    words = text[max(0, start - 16) : start].rstrip(_MARKS).split(" ")
    word = words[-1].rpartition("\n")[2].lstrip("(\"'").lower()
    return not word or word in _LEADS or word.startswith(_VERB_STEMS)


def _lead(text: str, start: int) -> str:
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


def _hopeless(text: str, start: int) -> bool:
    """Whether no form begins at `start`: amid a number, more digits in a row than any has, or in
    groups as none has."""
    if text[start - 1 : start] in ("-", "."):
        return text[start - 2 : start - 1].isdigit()
    if text[start] > "1" and text[start : start + 7].isdigit():
        return "+" not in text[max(0, start - 3) : start]
    return (
        not _FIRST_GROUP.match(text, start)
        and "+" not in text[max(0, start - 3) : start]
        and not text.startswith("00", start)
    )


def _amid(text: str, start: int, done: int) -> bool:
    """Whether the digits at `start` go on a number that no word can make one of telephones."""
    if start < 2 or text[start - 1] not in " -./" or not text[start - 2].isdigit():
        return False
    if start - done <= 8:  # or the next of a list
        return False
    return text[start - 1] != " " or not text[start : start + 7].isdigit()


def _plus(text: str, start: int) -> int:
    """Where the `+` of a number is whose first digit is at `start`, or -1."""
    begin = start
    while begin and start - begin < 3 and text[begin - 1] in "+( ":
        begin -= 1
    return text.find("+", begin, start)


def _by_form(text: str, start: int, forms: tuple[re.Pattern[str], ...]) -> tuple[int, int] | None:
    """The telephone number whose first digit is at `start`, where its form leaves no doubt."""
    opened = start - 1 if start and text[start - 1] == "(" else start
    plus = _plus(text, start)
    if plus >= 0 or text.startswith("00", start):
        hit = _international(text, plus if plus >= 0 else start)
        if hit and (plus >= 0 or not _THING.search(text, max(0, start - 32), start)):
            return hit
    if not text[start : start + 7].isdigit():
        for form in forms:
            match = form.match(text, opened) or (opened < start and form.match(text, start)) or None
            if match and 8 <= _size(match.group()) <= 18 and not _listed(text, *match.span()):
                return match.span()
    return None


def _listed(text: str, start: int, end: int) -> bool:
    """Whether these may be numbers of a list with spaces between."""
    if " " not in text[start:end]:
        return False
    after = text[end : end + 1].isspace() and text[end + 1 : end + 2].isdigit()
    return after or (
        text[max(0, start - 1) : start].isspace() and text[max(0, start - 2) : start - 1].isdigit()
    )


def _international(text: str, start: int) -> tuple[int, int] | None:
    if start and (text[start - 1].isdigit() or text[start - 1] == "+"):
        return None
    match = _INTERNATIONAL.match(text, start)
    if match is None:
        return None
    body = match.group(1)
    digits = re.sub(r"\D", "", body.replace("(0)", ""))
    code = next((digits[:size] for size in (1, 2, 3) if digits[:size] in _LENGTHS), None)
    if code is None or (code == "1" and digits[1:2] in ("0", "1")):
        return None
    if (
        body.isdigit()
        and text[start] == "0"
        and (_is_article("00" + body) or _HEX.match(text, match.end()))
    ):
        return None
    least, most = _LENGTHS[code]
    national = 0
    left = len(code)
    end = None
    for group in re.finditer(r"\(0\)|\d+", body):
        if group.group() == "(0)":
            continue
        size = len(group.group())
        taken = min(left, size)
        left -= taken
        national += size - taken
        if national > most + 1:
            break
        if national >= least:
            end = match.start(1) + group.end()
    if end is None or (end < len(text) and text[end].isdigit()):
        return None
    extension = re.compile(_EXTENSION).match(text, end)
    return start, extension.end() if extension else end


def _is_article(digits: str) -> bool:
    """Whether this may be the number of an article (GTIN-13)."""
    return len(digits) == 13 and weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0


def _beside_word(text: str, start: int, words: list[int], done: int) -> tuple[int, int] | None:
    """The number whose first digit is at `start` if a word is about it, or about the one before it,
    which ended at `done`, in a list."""
    if text[start - 1 : start] in ("+", "("):
        plus = _plus(text, start)
        start = plus if plus >= 0 else start - 1
    match = _ANY.match(text, start)
    if match is None or _OTHER.match(text, start):
        return None
    value = match.group()
    bare = value.isdigit()
    if not 7 <= (len(value) if bare else _size(value)) <= 15 or (bare and _EPOCH.match(value)):
        return None
    is_day = _DAY.fullmatch(value) and not _TOLD.search(text, max(0, start - 6), start)
    if is_day or text[max(0, start - 1) : start] in ("$", "€", "£", "¥"):
        return None
    word = _word_before(text, words, start)
    if _is_next(text, match, word, done) or _told_after(text, match):
        is_other = _THING.search(text, max(word, start - 32, 0), start) is not None
    else:
        is_other = not _is_lead_enough(text, match)
    return None if is_other or _COUNTED.match(text, match.end()) else match.span()


def _is_next(text: str, match: re.Match[str], word: int, done: int) -> bool:
    """Whether a word that ended at `word` speaks of a number, or of the one in a list with it that
    ended at `done`."""
    start = match.start()
    if start - done <= 8 and _LIST.fullmatch(text, done, start):
        return True
    between = text[word:start]
    return word >= 0 and (not any(map(str.isdigit, between)) or bool(_OR.search(between)))


def _is_lead_enough(text: str, match: re.Match[str]) -> bool:
    """Whether the word that leads to a number is enough for how it is written."""
    start, value = match.start(), match.group()
    kind = _lead(text, start) if _looks(value) else ""
    if not kind or (kind == "place" and not value.isdigit()):
        return kind != ""
    is_sure = _LOOKS.fullmatch(value) or not (value.isdigit() or _PAIR.fullmatch(value))
    return bool(is_sure or _LED.search(text, max(0, start - 12), start))


def _told_after(text: str, match: re.Match[str]) -> bool:
    """Whether the word after a number says what it is."""
    return bool(
        _AFTER_WORD.match(text, match.end())
        or (_looks(match.group()) and _AFTER_PLACE.match(text, match.end() - 1))
    )


def _looks(value: str) -> bool:
    """Whether a telephone number may be written so: no date, no amount, not just any digits."""
    if _DAY.fullmatch(value) or _AMOUNT.fullmatch(value):
        return False
    return not value.isdigit() or bool(_LOOKS.fullmatch(value) or _PLACED.fullmatch(value))


def _size(value: str) -> int:
    """Digits, without those of an extension."""
    if not value[-8:].isdecimal() and (extension := _EXTENDED.search(value)):
        value = value[: extension.start()]
    return sum(map(str.isdigit, value))


def canonical_in(region: str) -> Callable[[str], str]:
    """E.164 where the number says enough or the region completes it, else its digits; extensions
    do not count.

    >>> canonical_in("US")("(212) 555-0187 x12"), canonical_in("GB")("020 7946 0958")
    ('+12125550187', '+442079460958')
    """
    code = REGIONS[region]

    def canonical(value: str) -> str:
        value = re.split(r"[xe#]", value.strip().lower(), maxsplit=1)[0].replace("(0)", "")
        digits = re.sub(r"\D", "", value)
        if "+" in value:
            return "+" + digits
        if digits.startswith("00"):
            return "+" + digits[2:]
        if code == "1":
            if len(digits) == 11 and digits[0] == "1":
                return "+" + digits
            return "+1" + digits if len(digits) == 10 and digits[0] != "0" else digits
        if code in ("39", "34", "45", "47", "351", "420", "48"):  # without a trunk prefix
            return "+" + code + digits if len(digits) >= 8 else digits
        return "+" + code + digits[1:] if digits[0] == "0" else digits

    return canonical


def recognizer(region: str = "US") -> Recognizer:
    """The recognizer with the region that completes national numbers."""
    return Recognizer(
        name="phone_number",
        entity="PHONE_NUMBER",
        triggers=(r"(?:\b|_)[0-9](?:[ ()./-]{0,3}[0-9]){6}", *_STARTS),
        find=_finder(region),
        canonical=canonical_in(region),
        examples=EXAMPLES,
        counterexamples=COUNTEREXAMPLES,
        keys=frozenset(
            {
                "phone",
                "phonenumber",
                "telephone",
                "mobile",
                "mobilenumber",
                "cell",
                "cellphone",
                "fax",
            }
        ),
        plausible=lambda text: 7 <= sum(map(str.isdigit, text)) <= 20,
    )


EXAMPLES = (
    "«(212) 555-0187», «+1-212-555-0187», «212.555.0187», «212-555-0187», «1-212-555-0187»",
    "«+44 20 7946 0958» or «+442079460958» or «0044 20 7946 0958»",
    "Telefon: «0171 1234567», phone «2125550187», call me at «415 555 2671».",
    "«2125550187» is my cell; my new number is «2125550188»",
    "«01 23 45 67 89», «020 7946 0958», «(030) 1234567», «030/1234567», «07700 900123»",
    "«(11) 91234-5678» and «+55 11 91234-5678», «+91 98765 43210»",
    "«(212)555-0187x1234» «001-212-555-0187x99»",
    "tel «555-0187», «+49 (0)30 1234567»",
    "reach her on «612 345 678», messages to «07700900123», «555-0187» (office), not answering at «020 79460958»",
    "Desk: «1234-5678», contact «2125550187» or «2125550188»\nM «0171 234567», Sie erreichen mich unter «01712345678».",
    "我的号码是«(212) 555-0187»谢谢, _«(212) 555-0187»_",
)
COUNTEREXAMPLES = (
    "at 1700000000, 1700000000123, number 2125550187, order 2125550187",
    "2024-01-15 10:30, 15.01.2024, 10-20-30-40, 01/02/2024 12",
    "1.234.567,89 and 1,234,567.89; 192.0.2.1; 0.1234567; 114-1234567-1234567",
    "article 0039653914020, 556ccd7e-0609-4790-90b7-51dfc811e6a9",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301, v1.2.3, +5, +1000000 users, 40.7128, -74.0060",
    "mobile app released 2024-01-15, the phone costs 1299.00",
    "Contact us on order 2125550187, call me about ticket no. 0049091440, text 20240115, office 1999-2005",
    "reached 12345678 people; sent to 2125550187 users; message 2024-01-15; line 1234-5678; answer: 45678901",
)

RECOGNIZER = recognizer()
