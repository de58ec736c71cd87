"""Street addresses as they are written in English, German, French, Spanish, Italian, Portuguese, Dutch,
Polish and the Scandinavian languages: a street with its house number, what of unit, town and postal code
stands beside, post office boxes, and UK postcodes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from monitor.interfaces import Recognizer

# Of the suffixes in USPS Publication 28 those that are not mostly other words.
_SUFFIX = (
    r"(?:street|str?|avenue|ave?|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|square|sq|terrace"
    r"|parkway|pkwy|circle|cir|highway|hwy|trail|trl|crescent|close|gardens?|grove|mews|alley|plaza|way|row|walk"
    r"|heights|crossing|freeway|expressway|turnpike|ridge|hill|view|park|village|green|loop)"
)
_STATE = (
    r"(?:A[AEKLPRSZ]|C[AOT]|D[CE]|F[LM]|G[AU]|HI|I[ADLN]|K[SY]|LA|M[ADEHINOPST]|N[CDEHJMVY]|O[HKR]|P[ARW]|RI|S[CD]"
    r"|T[NX]|UT|V[AIT]|W[AIVY])"
)
_ZIP = (
    rf"(?:{_STATE}[ ,]{{1,2}}\d{{5}}(?:-\d{{4}})?\b|(?:NSW|VIC|QLD|SA|WA|TAS|NT|ACT),? \d{{4}}\b"
    r"|(?:[A-Z]{2} [A-Z]\d[A-Z] ?|[ABCEGHJ-NPRSTVXY]\d[A-Z] )\d[A-Z]\d\b)"
)
# Words for a street as others see them: before a name, between number and name, at the end of a name.
_STREET = (
    r"(?:calle|c/|callej.n|avenida|avda|av\.|plaza|paseo|camino|glorieta|ronda|rambla|pasaje|acceso|urbanizaci.n|rua"
    r"|travessa|pra.a|alameda|estrada|via|viale|piazza|corso|largo|vicolo|strada|contrada|borgo|rotonda|ul\.|ulica|al\."
    r"|aleja|plac|pl\.)"
)
_RUE = r"(?:rue|avenue|av\.|boulevard|bd|place|chemin|impasse|all.es?|quai|cours|route|passage)"
_WEG = (
    r"(?:stra.e|strasse|str\.|weg|gasse|platz|allee|all.|damm|ufer|ring|straat|laan|plein|gracht|kade|steeg|singel"
    r"|dreef|vej|gade|str.de|gatan|gr.nd|stigen|v.gen|torget|veien|gata)"
)
_POSTCODE = r"[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}\b"
_CAPITAL = r"(?:[A-ZÀ-ÞŁŚŻĆŹŠŽČŘ](?:[\w'’-]{0,24}\.?)|\d{1,3}(?:st|nd|rd|th))"
_TOWN = rf"{_CAPITAL}(?:[ -]{_CAPITAL}){{0,3}}"
_UNIT = r"(?:,?\s(?i:apt|apartment|suite|ste|unit|flat|floor|fl|room|rm|studio|#)\.? ?\w{1,6}\b)?"
_NUMBER = r"(?<![\w.,:$€£#/-])(?<!\d )\d{1,6}(?: ?[A-Za-z]\b|-\d{1,5})?(?: ?(?:bis|ter))?"
_ENGLISH = re.compile(
    rf"{_NUMBER}(?:, ?|\s)(?:"
    rf"(?:{_CAPITAL},? ){{1,4}}?(?=[A-Z])(?i:{_SUFFIX})\b\.?(?: (?:N|S|E|W|NE|NW|SE|SW)\b\.?)?{_UNIT}"
    rf"(?:(?:,?\s{_TOWN})?(?:,?\s(?:{_ZIP}|{_POSTCODE}))|, {_TOWN})?"
    rf"|{_TOWN}{_UNIT},?\s{_TOWN},?\s(?:{_ZIP}|{_POSTCODE}))"
)
_FLAT = re.compile(r"(?i)(?:flat|apt|unit|suite|studio)\.? \w{1,5},?\s\Z")
_YEAR = re.compile(r"(?i)\b(?:in|since|of|by|until|during|before|after|from|to) \Z")
_CODE = re.compile(rf"{_ZIP}|{_POSTCODE}")
_BEFORE_CODE = re.compile(
    rf"(?:(?i:flat|apt|unit|studio|psc)\.? \w{{1,5}},?\s(?:Box \d{{1,5}}\s)?)?"
    rf"(?:{_NUMBER},?\s)?(?:{_TOWN},?\s){{0,3}}\Z"
)
_FLOOR = r"(?:,? (?i:piso|puerta|apt|apartamento|appartamento|interno|int|appt|esc|wohnung)\.? ?\w{1,5}\b ?)?"
_POSTAL = (
    rf"{_FLOOR}(?:(?:,| -)?\s(?:[A-Z]{{1,3}}-)?\d{{2,5}}(?:[ -]\d{{2,3}})?(?: ?[A-Z]{{2}}\b)?,?\s{_TOWN}"
    r"(?: \([A-Z]{2}\))?)?"
)
_HOUSE = r"\d{1,5}(?:[A-Za-z]\b| ?(?:bis|ter)\b)?(?:[/-]\d{1,4}[A-Za-z]?)?(?![\w%€$]|[.:,]\d)"
_FORWARD = re.compile(
    # 12 bis, rue de la Paix, 75002 Paris
    rf"{_NUMBER},? (?i:{_RUE})(?: (?:d[eu]s?|la|les?|aux?|l'|d'))*(?:[ '’]{_CAPITAL}(?:-\w+)*){{1,4}}{_POSTAL}"
    # rue de la Paix, 75002 Paris
    rf"|(?i:{_RUE})(?: (?:d[eu]s?|la|les?))*(?: {_CAPITAL}){{1,4}},?\s\d{{5}}\s{_TOWN}"
    # Calle de Alcalá 12, 28014 Madrid; Via Roma, 5; Rua Augusta, 1500; ul. Długa 7/3
    rf"|(?i:{_STREET})(?: (?:d[aeio]s?|del|della|dei|las?|los|e|y))*"
    rf"(?: {_CAPITAL}){{1,4}},? (?:(?i:n)\.?[ºo°]? ?)?{_HOUSE}{_POSTAL}"
    r"|(?i:p\.? ?o\.? box|postfach|apartado|bo[iî]te postale) \d{1,6}(?:[ -]\d{2,4})*\b"
)
_COMPOUND = re.compile(rf"(?i:{_WEG}) {_HOUSE}{_POSTAL}")


def _find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    done = 0
    for start in starts:
        span = _at(text, start, done) if start >= done else None
        if span:
            done = span[1]
            yield span


def _at(text: str, start: int, done: int) -> tuple[int, int] | None:
    """The address whose house number, street or code is at `start`; nothing of it before `done`."""
    if match := _FORWARD.match(text, start):
        return match.span()
    if match := _ENGLISH.match(text, start):
        before = text[max(done, start - 16) : start]
        if text[start : start + 2] in ("19", "20") and _YEAR.search(before):
            return None
        flat = _FLAT.search(before)
        return start - (len(flat.group()) if flat else 0), match.end()
    return _named(text, start, done) or _coded(text, start, done)


def _named(text: str, start: int, done: int) -> tuple[int, int] | None:
    """What a name ends with that has its own kind of street in it: Hauptstraße 12."""
    match = _COMPOUND.match(text, start)
    if match is None:
        return None
    floor = max(done, start - 80)
    begin = start
    while begin > floor and (text[begin - 1].isalnum() or text[begin - 1] in "-."):
        begin -= 1
    for _ in range(3):  # words that belong to the name: Am Alten Weg
        previous = text.rfind(" ", floor, begin - 1) + 1 or floor
        if text[begin - 1 : begin] != " " or begin - previous < 2 or not text[previous].isupper():
            break
        begin = previous
    return (begin, match.end()) if text[begin].isupper() else None


def _coded(text: str, start: int, done: int) -> tuple[int, int] | None:
    """A town and its code, or a UK postcode by itself; two letters and five digits are neither."""
    match = _CODE.match(text, start)
    if match is None:
        return None
    floor = max(done, start - 80)
    town = _BEFORE_CODE.search(text[floor:start])
    if not (town and town.group()) and not match.group()[2].isalnum():
        return None
    return (floor + town.start() if town else start), match.end()


def canonical(value: str) -> str:
    """Words and numbers in lower case, apart by one space.

    >>> canonical("12 Main St., Springfield")
    '12 main st springfield'
    """
    return " ".join(re.findall(r"\w+", value.casefold()))


RECOGNIZER = Recognizer(
    name="street_address",
    entity="LOCATION",
    triggers=(
        r"(?-i:\b[0-9]{1,6}(?:-[0-9]{1,5})?[A-Za-z]?,? (?:[A-Z]|[0-9]{1,3}(?:st|nd|rd|th)))",
        r"(?-i:\b[A-Z]{2})[ ,]{1,2}[0-9]{5}\b",
        r"(?-i:\b[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}\b)",
        r"(?-i:\b(?:[A-Z]{2} )?[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]\b)",
        r"(?-i:\b(?:NSW|VIC|QLD|SA|WA|TAS|NT|ACT),? [0-9]{4}\b)",
        rf"\b[0-9]{{1,4}}[a-z]?(?: ?(?:bis|ter))?,? {_RUE}\b",
        rf"(?-i:\b(?i:{_RUE})(?: d[eu]s?)?(?: la)? [A-Z])",
        rf"\b{_STREET} ",
        rf"{_WEG} [0-9]",
        r"\b(?:p\.? ?o\.? box|postfach|apartado|bo.te postale) [0-9]",
    ),
    find=_find,
    canonical=canonical,
    examples=(
        "lives at «123 Main Street, Springfield, IL 62704», in «45 W 42nd St Apt 5B» and «7 Elm Ave.»",
        "«221B Baker Street, London NW1 6XE» and «10 Downing Street»",
        "ship to «4821 Kenneth Canyon Suite 12\nEast Johnview, TX 79901» please",
        "Ich wohne in der «Hauptstraße 12, 10115 Berlin», vorher «Am Lindenweg 3a».",
        "«12 bis, rue de la Paix, 75002 Paris» et «5 avenue Victor Hugo»",
        "«Calle de Alcalá 12, 28014 Madrid», «Via Roma, 5, 00184 Roma»",
        "«Rua Augusta, 1500» e «ul. Długa 7/3, 00-238 Warszawa»",
        "write to «P.O. Box 1234», postcode «SW1A 2AA»",
        "«Kerkstraat 12, 1017 GC Amsterdam» en «Storgatan 4»",
    ),
    counterexamples=(
        "in 2019 Wall Street fell; we took 3 steps on the way; drive 5 miles close to the park",
        "via email 3 times, via REST 2.0, a 10 way tie, 5 star place, section 4 court ruling",
        "the ring 5 was lost, plain 5 gate, GPT 4 way better, version v1 2ab, in 90210 cases",
        "OK 12345 was the answer, 3 St Patrick",
    ),
    keys=frozenset(
        {
            "address",
            "streetaddress",
            "street",
            "addressline1",
            "homeaddress",
            "billingaddress",
            "shippingaddress",
        }
    ),
    plausible=lambda text: (
        len(text) <= 200 and any(map(str.isdigit, text)) and any(map(str.isalpha, text))
    ),
)
