"""Street addresses as they are written in English, German, French, Spanish, Italian, Portuguese, Dutch,
Polish and the Scandinavian languages: a street with its house number, what of unit, town and postal code
stands beside, post office boxes, and UK postcodes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from monitor.interfaces import Recognizer
from monitor.lazy import lazy
from monitor.turns import in_turns

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
_OF = r"(?:am|an der|im|ob|bei|upon|on|de|de la|d[aeo]s?|del|della|dell'|di|la|le|les|sur|den|aan den|d'|van|von)"
_PLACE = rf"(?:{_OF} )?{_CAPITAL}(?:(?:[ -]|')(?:{_OF}[ -]?){{0,2}}{_CAPITAL}){{0,5}}"
"""A town or a quarter: Purbach am Neusiedler See."""
_COUNTRY = (
    r"(?:the )?(?:United (?:States(?: of America)?|Kingdom)|U\.?S\.?A\.?|U\.?K\.?|England|Scotland|Wales|(?:Northern |Republic of )?Ireland"
    r"|Canada|Australia|New Zealand|Germany|Deutschland|Austria|.sterreich|Switzerland|Schweiz|Suisse|France|Belgi(?:um|.|que)"
    r"|(?:Kingdom of the |The )?Netherlands|Nederland|Spain|Espa.a|Portugal|Italy|Italia|Poland|Polska|Bra[sz]il|Denmark|Danmark"
    r"|Sweden|Sverige|Norway|Norge|Finland|Suomi|Czech(?:ia| Republic)|.esko|Hungary|Greece|Romania|Bulgaria|Croatia|Luxembourg"
    r"|India|Japan|China|Mexico|M.xico|Argentina|Chile|Colombia|Peru|South Africa|Israel|Turkey|Ukraine|Russia"
    r"|Afghanistan|Albania|Algeria|Angola|Armenia|Azerbaijan|Bahamas|Bahrain|Bangladesh|Barbados|Belarus"
    r"|Belize|Benin|Bhutan|Bolivia|Bosnia and Herzegovina|Botswana|Burkina Faso|Burundi|Cambodia|Cameroon"
    r"|Chad|Congo|Costa Rica|Cuba|Cyprus|Dominican Republic|Ecuador|Egypt|El Salvador|Eritrea|Estonia"
    r"|Ethiopia|Fiji|Gabon|Gambia|Georgia|Ghana|Gibraltar|Grenada|Guatemala|Guinea|Guyana|Haiti|Honduras"
    r"|Hong Kong|Iceland|Indonesia|Iran|Iraq|Jamaica|Jordan|Kazakhstan|Kenya|(?:South |North )?Korea|Kuwait"
    r"|Kyrgyz Republic|Laos|Latvia|Lebanon|Lesotho|Liberia|Libya|Liechtenstein|Lithuania|Macao|Macedonia"
    r"|Madagascar|Malawi|Malaysia|Mali|Malta|Mauritania|Mauritius|Moldova|Monaco|Mongolia|Montenegro"
    r"|Morocco|Mozambique|Myanmar|Namibia|Nepal|Nicaragua|Niger|Nigeria|Oman|Pakistan|Panama|Paraguay"
    r"|Philippines|Puerto Rico|Qatar|Russian Federation|Rwanda|Samoa|San Marino|Saudi Arabia|Senegal|Serbia"
    r"|Seychelles|Sierra Leone|Singapore|Slovakia|Slovenia|Somalia|Sri Lanka|Sudan|Suriname|Syria|Taiwan"
    r"|Tajikistan|Tanzania|Thailand|Togo|Tonga|Trinidad and Tobago|Tunisia|Uganda|United Arab Emirates"
    r"|Uruguay|Uzbekistan|Vanuatu|Venezuela|Viet ?nam|Yemen|Zambia|Zimbabwe"
    r")\b"
)
_NEXT = r"(?: ?, ?| ?\n[> \t]{0,4}| - | )"
_THEN_COUNTRY = (
    rf"(?:{_NEXT},? ?{_COUNTRY}(?: (?:\d{{4,5}}|[A-Z]\d[A-Z] ?\d[A-Z]\d|{_POSTCODE})\b)?)?"
)
_UNIT = r"(?:,?\s[> ]{0,4}(?i:apt|apartment|suite|ste|unit|flat|floor|fl|room|rm|studio|#)\.? ?\w{1,6}\b)?"
_NUMBER = r"(?<![\w.,:$€£#/-])(?<!\d )\d{1,6}(?: ?[A-Za-z]\b|[-/]\d{1,5})?(?: ?(?:bis|ter))?"
_ENGLISH = lazy(
    rf"(?:{_NUMBER}|(?i:flat|apt|unit|suite|studio|level|shop)\.? \w{{1,5}},?\s\d{{1,5}}\b)(?:, ?|\s)(?:"
    # 1640 Castillo Shoal Suite 774, New Haven, Guinea 93693: a flat tells a house, whatever the street is called
    rf"(?=\D{{4,80}}\d){_TOWN}(?:,?\s[> ]{{0,4}}(?i:apt|apartment|suite|ste|flat)\.? ?\d{{1,5}}\b){{1,2}}"
    rf"(?:(?:{_NEXT},? ?{_TOWN})?{_NEXT}(?:{_ZIP}|{_POSTCODE})|(?:{_NEXT},? ?{_PLACE}){{0,3}}(?:,?[ \n]{{1,2}}(?:\d{{4,5}}(?:-\d{{4}})?|\d[A-Z]\d|\d[A-Z]{{2}})\b)?)"
    rf"|(?:{_CAPITAL},? ){{1,4}}?(?=[A-Z])(?i:{_SUFFIX})\b\.?(?: (?:N|S|E|W|NE|NW|SE|SW)\b\.?)?{_UNIT}"
    rf"(?:(?:{_NEXT}{_TOWN})?{_NEXT}(?:{_ZIP}|{_POSTCODE})|{_NEXT}{_TOWN}(?={_NEXT}{_COUNTRY})|(?: ?\n[> ]{{0,4}}RD \d+)?{_NEXT}{_TOWN} (?!19|20)\d{{4}}\b|, {_TOWN})?"
    rf"|{_TOWN}{_UNIT}{_NEXT}{_TOWN}{_NEXT}(?:{_ZIP}|{_POSTCODE})"
    # 48 Rotorangi Cove, High Beattiefort 2541
    rf"|(?=[^\n,]{{2,60}}[\n,])(?:{_TOWN}{_UNIT}(?: ?\n[> ]{{0,4}}RD \d+)? ?\n[> ]{{0,4}}{_TOWN} (?!19|20)\d{{4}}\b"
    # 76783 Mcdonald Springs, Ryanbury, TN 77672, line by line
    rf"|{_TOWN}{_NEXT}{_TOWN}{_NEXT},? ?{_STATE}{_NEXT}(?:{_PLACE} )?\d{{5}}\b"
    rf"|{_TOWN},\s{_TOWN}(?=,\s{_COUNTRY})"
    # 803 Adams Key, Suite 611, Sullivantown, United States 69412: line by line
    rf"|{_TOWN}(?: ?\n[> ]{{0,4}}[A-Z][a-z]{{1,8}}\.? \w{{1,5}})? ?\n[> ]{{0,4}}{_TOWN}(?= ?\n,?[> ]{{0,4}}{_COUNTRY}))"
    rf"){_THEN_COUNTRY}"
)
_AMID = frozenset(".,:$€£#/-")
"""Before a number of which no house has one."""
_COUNTED = lazy(
    r"\b(?:chapter|figure|fig\.|table|section|page|pp?\.|episode|season|step|lesson|exhibit|rule|week|scene|verse|track|top|best)\s\Z",
    re.IGNORECASE,
)
_REPORTER = lazy(r"\d{1,3} S\. ?Ct\. \d")
_THINGS = {
    "drive": ("google ", "hard ", "flash ", "usb ", "test ", "disk "),
    "view": ("street ", "tree ", "list ", "grid ", "web ", "map ", "table ", "world ", "model "),
    "way": ("one ", "two ", "half ", "all ", "any "),
    "court": ("supreme ", "high ", "tennis ", "food ", "district ", "appeal ", "appeals "),
    "place": ("first ", "second ", "third ", "work ", "market "),
    "row": ("table ", "data ", "front ", "header "),
    "loop": ("event ", "for ", "while ", "feedback ", "closed ", "inner ", "main "),
    "park": ("car ", "theme ", "business ", "national ", "central "),
    "shops": ("high street ",),
    "lane": ("python ", "swim ", "bus ", "fast "),
    "walk": ("board ", "cat ", "space "),
}
"""What is counted, though it ends as streets do: words by the one that they stand before."""
_THING = lazy("|".join(_THINGS))
_PLACES = lazy(r"\b\d+ place \w+s\b(?! \d)")
_FLATS = frozenset("FfAaUuSsLl")
"""How the words for a flat begin that an English address may begin with."""
_FLAT = lazy(r"(?i)(?:flat|apt|unit|suite|studio|level|shop)\.? (?:\w{1,5},?[\s/])?\Z")
_YEAR = lazy(r"(?i)\b(?:in|since|of|by|until|during|before|after|from|to) \Z")
_CODE = lazy(rf"(?:{_ZIP}|{_POSTCODE}){_THEN_COUNTRY}")
_BEFORE_CODE = lazy(
    rf"(?:(?i:flat|apt|unit|studio|level|suite|psc)\.? \w{{1,5}},?[\s/](?:Box \d{{1,5}},?\s)?)?"
    rf"(?:{_NUMBER},?\s)?(?:{_TOWN},?\s){{0,3}}\Z"
)
_FLOOR = (
    r"(?:,? ?(?i:piso|puerta|planta|edif|depto|interior|piano|apt|apartamento|appartamento|interno|int|appt|esc|escalera|wohnung|top|stiege|etage|lok|m)"
    r"\.? ?\w{1,5}\b ?|, ?\d{1,2}(?:\. ?(?:OG|Stock|sal|tv|th|etasje|mf)|º ?[A-Z]?)\b)?"
)
_POST_CODE = r"(?:[A-Z]{1,3}-)?(?:\d{4} ?[A-Z]{2}|\d{4}-\d{3}|\d{5}-?\d{3}|\d{2}-\d{3}|\d{3} \d{2}|\d{4,5})\b"
_POST_TOWN = (
    rf"(?:{_NEXT}{_POST_CODE},?\s[> \t]{{0,4}}{_PLACE}(?: \([A-Z]{{2}}\)| / [A-Z]{{2}})?"
    rf"|{_NEXT}{_PLACE}, (?:[A-Z]{{2,5}} )?\d{{5}}\b(?!-\d{{3}}\b)(?:-\d{{4}})?)"
)
_QUARTER = r"(?: ?(?:\n[> \t]{0,4}|, )[A-ZÀ-Þ][^\d\n,]{2,30}(?:\d?[aª] [A-Z]\w+)?)?"
_POSTAL = rf"{_FLOOR}{_FLOOR}(?:{_POST_TOWN}{_THEN_COUNTRY}|{_QUARTER}{_POST_TOWN}{_THEN_COUNTRY})?"
_HOUSE = r"\d{1,5}(?:[A-Za-z]\b| ?(?:bis|ter)\b)?(?:[/-]\d{1,4}[A-Za-z]?)?(?![\w%€$]|[.:,]\d)"
_NUMBER_FIRST = lazy(
    # 12 bis, rue de la Paix, 75002 Paris
    rf"{_NUMBER},? (?i:{_RUE})(?: (?:d[eu]s?|la|les?|aux?|l'|d'))*(?:[ '’]{_CAPITAL}(?:-\w+)*){{1,4}}{_POSTAL}"
)
_FORWARD = lazy(
    # rue de la Paix, 75002 Paris
    rf"(?i:{_RUE})(?: (?:d[eu]s?|la|les?))*(?: {_CAPITAL}){{1,4}},?\s[> ]{{0,4}}\d{{5}}\s{_TOWN}{_THEN_COUNTRY}"
    # Alameda Rodrigo Barbosa, Cardoso, 00475-565 Vasconcelos
    rf"|(?i:{_STREET})(?: (?:{_OF} )?{_CAPITAL}){{1,5}}{_QUARTER}{_NEXT}\d{{5}}-?\d{{3}} {_PLACE}(?: / [A-Z]{{2}})?"
    # Calle de Alcalá 12, 28014 Madrid; Via Roma, 5; Rua Augusta, 1500; ul. Długa 7/3
    rf"|(?i:{_STREET})(?: (?:d[aeio]s?|del|della|dei|las?|los|e|y))*"
    rf"(?: (?:{_OF} )?{_CAPITAL}){{1,5}}(?:,? (?:(?i:n)\.?[ºo°]? ?)?{_HOUSE}|, ?[sS]/[nN]){_POSTAL}"
    r"|(?i:p\.? ?o\.? box|postfach|apartado|bo[iî]te postale) \d{1,6}(?:[ -]\d{2,4})*\b"
)
_COMPOUND = lazy(rf"(?i:{_WEG}) {_HOUSE}{_POSTAL}")


_BEFORE_TOWN = lazy(
    rf"(?:\A|[\s>(|\"':])(?P<street>(?:(?i:{_RUE}) (?:{_OF} )?)?{_CAPITAL}(?:[ -](?:{_OF}[ -]?)?{_CAPITAL}){{0,5}}"
    rf"(?:,? (?:n\.?[ºo°]? ?)?\d{{1,4}}(?: ?[A-Za-z]\b)?(?:[-/]\d{{1,4}}[A-Za-z]?)?{_FLOOR}{_FLOOR}|, ?[sS]/[nN]){_QUARTER}),?\s?\Z"
)
_AT_TOWN = lazy(rf"{_POST_TOWN}{_THEN_COUNTRY}")
_LINED_CODE = lazy(r"\d[\d -]*(?: ?[A-Z]{2}\b)?")
_IN_COUNTRY = lazy(_COUNTRY)
_WORD = lazy(r"\w+")
_GAP = lazy(r"[,\n][> \t]*")
_NO_STREET = lazy(
    r"(?i)\b(?:chapter|figure|fig|table|version|section|page|windows|step|part|phase|level|model|episode|season|item|line|option|room"
    r"|class|grade|type|day|week|month|year|version|vol|volume|no|nr|number|python|release|january|february|march|april|may|june|july"
    r"|august|september|october|november|december|order|invoice|ticket|build|port|code|error|total|score|count)\b"
)
_CUE = lazy(
    r"(?i)address|adress|adres|indirizzo|direcci|endere|\b(?:live|lives|lived|living|located|resid\w+|ship|send|sent|deliver\w*|moved|meet"
    r"|wohn\w*|habit\w*|viv[oe]|abit\w*|bor|bo|woon\w*|mieszka\w*|mor[oa]|post|return|visit|to|from|at)\b|[|:>]"
)
"""Words before an address whose code of four digits could be a year or a count."""


def _find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    done = 0
    for start in in_turns(starts):
        span = _at(text, start, done) if start >= done else None
        if span:
            done = span[1]
            yield span


def _at(text: str, start: int, done: int) -> tuple[int, int] | None:
    """The address whose house number, street or code is at `start`; nothing of it before `done`."""
    first = text[start]
    if first in ",\n" and (gap := _GAP.match(text, start)):
        number = gap.end()  # the comma may hide what begins at the number after it
        return _lined(text, start, done) or (
            _at(text, number, done) if text[number : number + 1].isdigit() else None
        )
    is_number = "0" <= first <= "9"
    if is_number and (text[start - 1 : start] in _AMID or _is_counted(text, start)):
        return None
    forward = _NUMBER_FIRST if first.isdigit() else _FORWARD
    if (match := forward.match(text, start)) and not _is_thing(text[start : match.end() + 8]):
        return match.span()
    if first.isdigit() or first in _FLATS:
        match = _ENGLISH.match(text, start)
        if match and not _is_thing(text[start : match.end() + 8]):
            return _english(text, match, done)
    if is_number:
        return None
    return _named(text, start, done) or _coded(text, start, done) or _lined(text, start, done)


def _is_counted(text: str, start: int) -> bool:
    """Whether the number at `start` counts chapters and the like, or cites a reporter of courts."""
    return (
        _COUNTED.search(text, max(0, start - 12), start) is not None
        or _REPORTER.match(text, start) is not None
    )


def _is_thing(text: str) -> bool:
    """Whether there is one of `_THINGS`, or a number of places."""
    text = text.lower()
    for match in _THING.finditer(text):
        if text.endswith(_THINGS[match[0]], 0, match.start()):
            return True
    return " place " in text and _PLACES.search(text) is not None


def _english(text: str, match: re.Match[str], done: int) -> tuple[int, int] | None:
    """An English address with the flat before it, unless the number is a year."""
    start, end = match.span()
    before = text[max(done, start - 16) : start]
    is_year = text[start : start + 2] in ("19", "20") and not text[start + 4].isdigit()
    if is_year and _YEAR.search(before):
        return None
    flat = _FLAT.search(before)
    return start - (len(flat.group()) if flat else 0), end


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


def _lined(text: str, start: int, done: int) -> tuple[int, int] | None:
    """A street of any name with a house number, and after it, from `start`, the code and the town."""
    if text[start].isalnum():  # the end of a town, whose code is behind it
        floor = max(done, start - 40)
        start = max(text.rfind(",", floor, start), text.rfind("\n", floor, start), floor)
    match = _AT_TOWN.match(text, start) if text[start] in " ,\n" else None
    if match is None:
        return None
    floor = max(done, start - 70)
    street = _BEFORE_TOWN.search(text[floor:start])
    if street is None or _NO_STREET.search(street["street"]):
        return None
    begin = floor + street.start("street")
    code = _LINED_CODE.search(match.group())
    is_short = code is not None and len(code.group().strip()) == 4
    if (
        is_short
        and not _CUE.search(text, max(0, begin - 40), start)
        and not _IN_COUNTRY.search(match.group())
    ):
        return None
    return begin, match.end()


def canonical(value: str) -> str:
    """Words and numbers in lower case, apart by one space.

    >>> canonical("12 Main St., Springfield")
    '12 main st springfield'
    """
    return " ".join(_WORD.findall(value.casefold()))


RECOGNIZER = Recognizer(
    name="street_address",
    entity="LOCATION",
    triggers=(
        r"(?-i:\b[0-9]{1,6}(?:[-/][0-9]{1,5})?[A-Za-z]?,? (?:[A-Z]|[0-9]{1,3}(?:st|nd|rd|th)))",
        r"(?-i:\b[A-Z]{2})[ ,]{1,2}[0-9]{5}\b",
        r"(?-i:\b[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}\b)",
        r"(?-i:\b(?:[A-Z]{2} )?[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]\b)",
        r"(?-i:\b(?:NSW|VIC|QLD|SA|WA|TAS|NT|ACT),? [0-9]{4}\b)",
        rf"\b[0-9]{{1,4}}[a-z]?(?: ?(?:bis|ter))?,? {_RUE}\b",
        rf"(?-i:\b(?i:{_RUE})(?: d[eu]s?)?(?: la)? [A-Z])",
        rf"\b{_STREET} ",
        r"(?-i:[,\n][> \t]{0,4}(?:[A-Z]{1,3}-)?(?:[0-9]{4,5}(?:-[0-9]{3})?|[0-9]{2}-[0-9]{3}|[0-9]{3} [0-9]{2}|[0-9]{8})(?: ?[A-Z]{2})?,?[\s>]{1,5}[A-Z?])",
        r"(?-i:[a-z?], (?:[A-Z]{2,5} )?[0-9]{5}\b)",
        r"\b(?:flat|apt|unit|suite|studio|level|shop)\.? [0-9]{1,5},?\s[0-9]",
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
        "send it to «803 Adams Key\nSuite 611\nSullivantown\nUnited States 69412» or «Flat 8\nArnold Plaza\nNeilport\nN9E 2SS, UK»",
        "Adres: «Sophiahof 386\n8115 CW\nSint Jansklooster»; vivo en «Pasadizo Marino Abril 31 Piso 7, Murcia, 32985»",
        "abita in «Canale Bombieri, 37\n41045, Farneta (MO)», ou «Estação de Câmara, 56\nDom Joaquim\n04783-554 Praia / PE, Brazil»",
        "Anschrift:\n«Heimplatz 419\n3250 Purbach am Neusiedler See, Austria»\n> «7 Flowers Access\n> Port Amber, WA, 2447, Australia»",
    ),
    counterexamples=(
        "in 2019 Wall Street fell; we took 3 steps on the way; drive 5 miles close to the park",
        "via email 3 times, via REST 2.0, a 10 way tie, 5 star place, section 4 court ruling",
        "the ring 5 was lost, plain 5 gate, GPT 4 way better, version v1 2ab, in 90210 cases",
        "OK 12345 was the answer, 3 St Patrick",
        "Chapter 57 The Long Road, Figure 12 Results Drive, Top 10 Places to see in Park Lane, 86 S. Ct. 21, 892 (1966)",
        "5 Google Drive folders, 12 Supreme Court rulings, 3 Street View images, 18 Place Settings, 40 Event Loop stalls",
        "Chapter 5, 12345 Words; Figure 2, 1998 Census; Windows 10, 2019 Edition; Version 3\n2024 Roadmap; Team 4, 5000 Points",
        "12 New Features\nKnown Issues\n30 Main Changes\nOpen Questions",
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
            "адрес",
            "адреса",
            "διεύθυνση",
            "住所",
            "地址",
            "住址",
            "주소",
            "العنوان",
            "כתובת",
            "पत",  # पता: vowel signs are left out of names of fields
        }
    ),
    plausible=lambda text: (
        len(text) <= 200 and any(map(str.isdigit, text)) and any(map(str.isalpha, text))
    ),
)
