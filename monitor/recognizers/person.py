"""Names of people where the words around them say so: a title, "my name is", a salutation, a signature, a
label, a verb of speaking, a relation. A name in running text needs a model (`privacy.ner`).

Some words leave no doubt (Mr, "my name is"): any capitalised word after them is a name. After others (this is, spoke
to, name:) stand products, places and companies as well: there a name has two words that look like those of people,
of which none is in the lists of `words/person_names`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from monitor.interfaces import Recognizer
from monitor.lazy import lazy
from monitor.words.person import (
    AM,
    BY,
    CLOSING,
    ELEMENT,
    FIELD,
    KIN,
    LABEL,
    NAMED,
    OWN,
    ROLE,
    SAID,
    SALUTATION,
    TALK,
    TITLE,
)
from monitor.words.person_names import LETTER, is_person, is_somebody

_WORD = rf"[{LETTER}](?:[^\W\d_]|['’-](?=[^\W\d_]))*"
_LINK = r"(?:v[ao]n(?: de[rn]?)?|de(?: la| los)?|d[aeio]s?|del|della|di|du|la|le|bin|ibn|al|el|ter|ten|zu|zum|y|e)"
_PART = rf"(?:[{LETTER}]\.|{_WORD})"
_FIRST = rf"(?:{_LINK} )?{_PART}"
_NAME = rf"(?:[ -](?:{_LINK} )?{_PART})"
_ONE = rf"(?P<value>{_FIRST}{_NAME}{{0,4}})"
_SEVERAL = rf"(?P<value>{_FIRST}{_NAME}{{1,4}})"
_MORE = rf"(?:(?:{TITLE})\.? ){{0,3}}"
_STOP = r"(?=\s*(?:[,.!?;:)\"\n|<]|\Z))"
_ON = (
    r"(?=\s*(?:[,.!?;:)\"\n|<]|\Z)|(?:'s)? (?:from|speaking|calling|here|again|with|writing|and|who|aus|vom?|de|del|d[ae]l?|van|von"
    r"|och|og|en|y|i|et|und|z|fra|f.?r.?n|yesterday|today|this|on|at|in|about|twice|gestern|ayer|ieri|ontem|hier|wczoraj)\b)"
)
_KIND = lazy(
    rf"(?P<title>(?:{TITLE})\.? )|(?P<said>(?i:{SAID})\s+)|(?P<kin>(?i:{KIN})(?:, | is | named | called | )(?=[{LETTER}]))"
    rf"|(?P<greeted>(?i:(?:{SALUTATION})[,!.]{{0,3}} (?:this is|it's|i'm|i am|here is|my name's)) )"
    rf"|(?P<speaker>(?i:this is|it's|my name's) )|(?P<am>(?i:{AM}),? )"
    rf"|(?P<own>(?:(?i:{OWN})[\"']?\s{{0,3}}[:=>]|(?i:{ELEMENT}))\s{{0,8}}[\"']?)|(?P<label>(?i:{LABEL})[\"']?\s*[:=|\t\n]\s*[\"']?)"
    rf"|(?P<field>(?i:{FIELD})[\"']?(?:\s?[:=|\t]){{1,2}}\s{{0,8}}[\"']?)"
    rf"|(?P<name>_?[Nn]ame[\"']?(?:\s?[:=|\t]){{1,2}}\s{{0,8}}[\"']?)"
    rf"|(?P<talk>(?i:{TALK}|{BY}|{NAMED}|{ROLE}) )"
    rf"|(?P<closing>(?i:{CLOSING})\s*[,.!]?\s*\n\s*)|(?P<salutation>(?i:{SALUTATION}),? )"
)
_NAMES = {
    kind: lazy(_MORE + name)
    for kind, name in {
        "title": _ONE,
        "said": _ONE,
        "own": _ONE + r"(?=[\"']?\s*(?:[,.;<}&]|\\n|\n|\Z|/?>| [a-zA-Z_]{2,20}=))",
        "label": _SEVERAL,
        "closing": _ONE
        + r"(?=,? (?:[BM]\.(?:Sc|Eng|A|Ed)\.|MBA\.?|MSc|BSc|Ph\.?D\.?|MD)\s*(?:\n|\Z)|\s*(?:,|\n|\Z))",
        "salutation": _ONE
        + r"(?<! [A-Z])(?=\s*(?:[,!:.]|\n|\Z)| (?:here|speaking|calling|and (?:team|all|family|colleagues|everyone))\b)",
        "greeted": rf"(?:{_SEVERAL}|(?P<single>{_PART})(?=,|[.!] |[.!]?\Z| (?:from|calling|speaking|here|again|with)\b))",
        "kin": _ONE,
        "speaker": _SEVERAL + _ON,
        "am": _SEVERAL + _ON,
        "talk": _SEVERAL,
        "field": rf"(?P<value>{_FIRST}, {_PART}{_NAME}?|{_FIRST}{_NAME}{{1,4}})" + _STOP,
        "name": rf"(?P<value>{_FIRST}, {_PART}{_NAME}?|{_FIRST}{_NAME}{{1,4}})" + _STOP,
    }.items()
}
_DOUBTED = frozenset({"kin", "greeted", "speaker", "am", "talk", "field", "name"})
"""Kinds of words after which a name must look like one of a person."""
_FIELDS = frozenset({"own", "label", "field", "name"})
_BEFORE = lazy(rf"(?:\A|[\s>\"'(:,;])(?P<value>{_FIRST}{_NAME}{{1,3}})[\s\"',(]{{1,3}}\Z")
"""A name before what only people do: write, speak, be born, have an address."""
_AFTER = r"wrote:|(?:speaking|here)[,.]|d\.?o\.?b\b|(?:is )?an? [0-9]{2}[- ]year|[0-9]{2} ?(?:yo|y/o|years? old)\b|born on"
_AT_AFTER = lazy(rf"<|{_AFTER}", re.IGNORECASE)


def _find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    done = 0
    for start in starts:
        if start < done:
            continue
        after = _AT_AFTER.match(text, start) is None
        span = _after_words(text, start) if after else _before_words(text, start, done)
        if span:
            done = span[1]
            yield span


def _after_words(text: str, start: int) -> tuple[int, int] | None:
    """The name after the words that begin at `start`."""
    words = _KIND.match(text, start)
    if words is None:
        return None
    kind = words.lastgroup or ""
    name = _NAMES[kind].match(text, words.end())
    if name is None:
        return None
    group = "value" if name["value"] else "single"
    value = name[group]
    if kind in _FIELDS and _TYPE.fullmatch(value):
        return None
    if kind in _DOUBTED or (kind in ("salutation", "closing") and " " in value):
        is_one = is_person(value) and not _THING.match(text, name.end(group))
        if kind == "name":
            is_one = is_one and not _PRODUCT.search(text, max(0, start - 60), name.end() + 80)
    else:
        is_one = is_somebody(value)
    return name.span(group) if is_one else None


def _before_words(text: str, start: int, done: int) -> tuple[int, int] | None:
    """The name before the words that begin at `start`, not before `done`."""
    floor = max(done, start - 60)
    last = text[floor:start].rstrip(" \n\"',(")
    if not last[last.rfind(" ") + 1 :].lstrip("\n\"'>(")[:1].isupper():
        return None  # as nearly always
    name = _BEFORE.search(text[floor:start])
    while name and not is_person(name["value"]):  # without the first word, perhaps
        name = _BEFORE.search(text[floor:start], name.start("value") + 1)
    return (floor + name.start("value"), floor + name.end("value")) if name else None


_THING = lazy(
    r"(?:'s)?[ -](?:users?|people|team|support|customers?|apps?|accounts?|servers?|pages?|version|edition|office|branch|airport|store|hotel"
    r"|based|released?|department|station|library|framework|tools?|website|product|employees|residents|fans|of|inc|ltd|llc|gmbh)\b|[ -][&\d]",
    re.IGNORECASE,
)
"""What follows the names of other things."""
_TYPE = lazy(
    r"String|Text|Str|Varchar|VARCHAR|TEXT|STRING|CHAR|Char(?:Field)?|Column|Field|Optional|None|Null|NULL|True|False|Unknown|Anonymous"
    r"|Missing|Required|.*(?:[Nn]ame|NAME).*"
)
"""What stands for a name in programs, schemas and forms."""
_PRODUCT = lazy(
    r"(?i:price|sku|\bversion|\bsize|qty|quantity|colou?r|stock|product|\bitem|image:|replicas|namespace|apiversion|\bkind:|spec:"
    r"|container|\bpath|\burl|\bfile|\bhost|license|module|package|category|brand|model|isbn|genre|album|artist|director|population"
    r"|capital:|country:|company|project|service|server|app\b|plan:|event|venue)"
)
"""What stands around a field `name` that is none of a person."""


def canonical(value: str) -> str:
    """Words in lower case without accents, apart by one space; titles are no part of a value.

    >>> canonical("José  Muñoz")
    'jose munoz'
    """
    if value.isascii():
        return " ".join(value.lower().split())
    plain = unicodedata.normalize("NFKD", value.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


_NOBODY = frozenset(
    (
        "",
        "na",
        "nan",
        "nil",
        "none",
        "null",
        "nobody",
        "undefined",
        "unknown",
        "anonymous",
        "missing",
        "redacted",
        "unbekannt",
    )
)
"""What stands in a field for names where there is none, letters only."""


def _plausible(text: str) -> bool:
    if "".join(filter(str.isalpha, text)).lower() in _NOBODY:
        return False
    return len(text) <= 80 and any(map(str.isalpha, text)) and not any(map(str.isdigit, text))


_WRITTEN = r"(?:[A-Z?][a-z?'.]|[A-Z]{2}[A-Z ?'.-])"
"""How names begin, for a trigger."""

RECOGNIZER = Recognizer(
    name="person",
    entity="PERSON",
    triggers=(
        rf"(?-i:\b(?:{TITLE})[. ]{{1,2}}(?:[A-Z?]|v[ao]n |de |di |da |del ))",
        rf"\b(?:{SAID})",
        r"(?-i:\b(?:[Tt]his is|[Ii]t's|[Mm]y name's) [A-Z?])",
        rf"(?-i:\b(?i:{SALUTATION})[,!.]{{0,3}} (?i:this is|it's|i'm|i am|here is|my name's) [A-Z?])",
        rf"(?-i:\b(?i:{SALUTATION}),? [A-Z?])",
        rf"(?-i:\b(?i:{AM}),? [A-Z?])",
        *(rf"(?-i:\b(?i:{words}) (?:{_WRITTEN}|v[ao]n ))" for words in (TALK, BY, ROLE)),
        rf"(?-i:\b(?i:{NAMED}) [A-Z?])",
        rf"(?-i:\b(?i:{KIN})(?:, | is | named | called | )[A-Z?])",
        rf"\b(?:{CLOSING})\s{{0,3}}[,.!]?\s{{0,3}}\n",
        rf"(?:{OWN})[\"']?\s{{0,3}}[:=>]",
        rf"\b{ELEMENT}",
        rf"\b(?:{LABEL})[\"']?\s{{0,3}}[:=|\t\n]",
        rf"\b(?:{FIELD}|name)[\"']?\s?[:=|\t]",
        r"_name[\"']?\s?[:=|\t]",
        rf"\b(?:{_AFTER})",
        r"<[a-z0-9_.+-]{1,40}@",
    ),
    find=_find,
    canonical=canonical,
    examples=(
        "Mr. «Jones» and Dr «Ana María García» met Prof. Dr. «Karl-Heinz Müller», then Frau «von der Leyen».",
        "My name is «Alice Liddell», je m'appelle «Zoé», mi chiamo «Luca Rossi»; me llamo «José».",
        "Dear Mrs «O'Brien»,\nthank you.\nBest regards,\n«Bob Smith»\n",
        "This is «Jane Roe» speaking",
        "Hi «Carol», hello «Dave»!",
        "Patient: «John Q. Public»; customer_name = «Mary Poppins»",
        "Hi, this is «Ada». This is «Jane Roe», I'm «Jan van der Berg» from Utrecht; it's «Luca Rossi» again.",
        "I spoke to «Jane Roe» and met «José Muñoz»; reported by «Mary Major», I called «Max Power» today.",
        "my wife «Carol», his lawyer «Bob Loblaw»; customer «Erika Mustermann» agreed; ask for «Jan Kowalski»",
        "From: «Jane Roe» <j@example.org>\nOn Monday «Richard Roe» wrote:\nName: «Doe, Jane»\nCaller: «Max Power»",
        "customerLastName: «Muster»\n<firstName>«Erika»</firstName> {'surname': '«Doe»', 'given_name': '«Jane»'} vorname=«Karl»&nachname=«Braun»",
        '<given>«Isabella»</given><family qualifier="BR">«Jones»</family>, <given value="«Ann»"/> <hl7:family>«Roe»</hl7:family>',
        "Paciente: «Reynaldo Egea Rocha», 45 años. Estimada señora «Crescencia Piña Chaves», gracias.\nMit freundlichen Grüßen\n«Danilo Geisel» B.Sc.\n",
        "«Zoë O'Neill» speaking, «Karl Braun» (DOB 1 May), ich bin «Karl Braun», habl\u00e9 con «Ana García» ayer",
    ),
    counterexamples=(
        "Dear customer, Dear Sir or Madam, Hi there, hello World!, Dear Team,",
        "Paciente: Urgencias. Estimada señora, gracias; estimado señor:\nHola. Patiente: Oui, Estimado Cliente",
        "Mr is a title. The Dr said: my name is on the list; name: value, patient: stable",
        "Best regards,\nthe team; Thanks,\n42; dear Customer,",
        "This is Visual Studio Code. A tool called Apache Kafka; I spoke to Wells Fargo and Customer Service.",
        "It's Black Friday! Hello Red Hat, I'm New York based; we met San Francisco people, reported by Docker Desktop users",
        "name: Blue Jacket, price: 12; name: Checkout Service; my account Premium Plan; From: Monday Morning",
        "firstName: String, last_name = Column(String(50)), lastName: string; <label for='last_name'>Last Name</label>, surname: None",
        "family: Roboto, given: Examples, family = Sans, a family value",
        "First Name: Last Name: | First Name | Last Name | Phone |",
        "This is Machine Learning, see Release Notes wrote: and Plan B here. Owner: Human Resources; this is NOT FINE.",
    ),
    keys=frozenset(
        {
            "fullname", "firstname", "lastname", "surname", "givenname", "familyname", "middlename", "customername",
            "patientname", "employeename", "cardholdername", "accountholder", "contactname", "recipientname", "maidenname",
            "namefirst", "namelast", "namefamily", "namegiven", "clientname", "membername", "studentname", "guestname", "passengername", "beneficiaryname", "doctorname",
            "vorname", "nachname", "familienname", "apellido", "apellidos", "prenom", "prénom", "nomdefamille", "cognome",
            "voornaam", "achternaam", "imie", "imię", "nazwisko", "sobrenome", "fornavn", "etternavn", "efternavn",
            "förnamn", "efternamn", "etunimi", "sukunimi",
            "имя", "фамилия", "отчество", "фио", "имяифамилия", "імя", "прізвище", "піб", "име", "όνομα", "επώνυμο", "ονοματεπώνυμο",
            "姓名", "名字", "姓", "氏名", "名前", "お名前", "フリガナ", "ふりがな", "联系人", "收件人", "收货人", "客户姓名", "患者姓名", "患者名",
            "이름", "성명", "성함", "환자명", "고객명", "수취인", "예금주", "الاسم", "الاسمالكامل", "الاسمالأول", "اسمالمريض", "اسمالعميل",
            "שם", "שםמלא", "שםפרטי", "שםמשפחה",
            "नम", "परनम", "उपनम",  # नाम, पूरा नाम, उपनाम: vowel signs are left out of names of fields
        }
    ),
    plausible=_plausible,
)  # fmt: skip
