"""Names of people where the words around them say so: a title, "my name is", a salutation, a signature, a
label. A name in running text needs a model (`privacy.names`)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from monitor.interfaces import Recognizer

_TITLE = (
    r"Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Dame|Lord|Lady|Rev|Fr|Capt|Col|Herrn?|Frau|Monsieur|Madame|Mademoiselle|Mme|Mlle"
    r"|Se.or|Se.ora|Se.orita|Sra?|Don|Do.a|Signora?|Sig|Sig\.ra|Dott|Dott\.ssa|Senhora?|Mevrouw|Meneer|Dhr|Mevr|Pan|Pani"
)
_SAID = (
    r"my (?:full |first |last |user)?name(?: is|'s|:)|i am called|people call me"
    r"|signed by|mein name ist|ich hei.e|ich hei.{1,2}e|je m.appelle|mon nom est|me llamo|mi nombre es|mi chiamo"
    r"|il mio nome .|meu nome .|chamo-me|mijn naam is|ik heet|nazywam si.|mam na imi.|jag heter|jeg hedder|jeg heter"
)
_SALUTATION = (
    r"dear|hi|hello|hey|good (?:morning|afternoon|evening)|liebe[rs]?|hallo|sehr geehrter?|bonjour|cher|ch.re|salut|hola"
    r"|estimad[oa]|querid[oa]|ciao|caro|cara|gentile|ol(?:á|a|\?)|prezad[oa]|beste|geachte|cze..|drogi|hej|k.ra"
)
_CLOSING = (
    r"(?:(?:kind|best|warm) )?regards|sincerely(?: yours)?|yours (?:truly|sincerely|faithfully)|cheers|many thanks|thanks"
    r"|mit freundlichen gr.{1,2}en|viele gr.{1,2}e|lg|cordialement|saludos|un saludo|cordiali saluti|atenciosamente"
    r"|met vriendelijke groeten?|pozdrawiam"
)
_LABEL = (
    r"(?:full|first|last|customer|patient|employee|client|card ?holder|account ?holder|passenger|guest|contact|maiden)"
    r"[ _-]?name|surname|vorname|nachname|nom|pr.nom|nombre|apellidos?|cognome|imi.|nazwisko|patient|attn|signed"
)
_LETTER = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĘĚĞĢĪİŁŃŇŐŒŘŚŞŠŢŤŪŮŰŹŻŽΑ-ΩА-Я"
_WORD = rf"[{_LETTER}](?:[^\W\d_]|['’-](?=[^\W\d_]))*"
_LINK = r"(?:v[ao]n(?: de[rn]?)?|de(?: la| los)?|d[aeio]s?|del|della|di|du|la|le|bin|ibn|al|el|ter|ten|zu|zum|y|e)"
_PART = rf"(?:[{_LETTER}]\.|{_WORD})"
_FIRST = rf"(?:{_LINK} )?{_PART}"
_NAME = rf"(?:[ -](?:{_LINK} )?{_PART})"
_ONE = rf"(?P<value>{_FIRST}{_NAME}{{0,4}})"
_SEVERAL = rf"(?P<value>{_FIRST}{_NAME}{{1,4}})"
_MORE = rf"(?:(?:{_TITLE})\.? ){{0,3}}"
_KIND = re.compile(
    rf"(?P<title>(?:{_TITLE})\.? )|(?P<said>(?i:{_SAID})\s+)|(?P<speaker>[Tt]his is )"
    rf"|(?P<label>(?i:{_LABEL})[\"']?\s*[:=]\s*[\"']?)|(?P<closing>(?i:{_CLOSING})\s*[,.!]?\s*\n\s*)"
    rf"|(?P<salutation>(?i:{_SALUTATION}),? )"
)
_NAMES = {
    kind: re.compile(_MORE + name)
    for kind, name in {
        "title": _ONE,
        "said": _ONE,
        "speaker": _ONE + r"(?= (?:speaking|calling|here|from)\b)",
        "label": _SEVERAL,
        "closing": _ONE + r"(?=\s*(?:,|\n|\Z))",
        "salutation": _ONE + r"(?=\s*(?:[,!:.]|\n|\Z))",
    }.items()
}
_NOBODY = frozenset(
    [
        "all",
        "anyone",
        "assistant",
        "bot",
        "chatgpt",
        "claude",
        "client",
        "colleague",
        "colleagues",
        "customer",
        "damen",
        "doctor",
        "everybody",
        "everyone",
        "folks",
        "friend",
        "friends",
        "gemini",
        "god",
        "guest",
        "guys",
        "hiring",
        "herr",
        "herren",
        "i",
        "it",
        "john-doe",
        "ladies",
        "madam",
        "madame",
        "manager",
        "mr",
        "ms",
        "mrs",
        "nobody",
        "none",
        "null",
        "patient",
        "professor",
        "reader",
        "readers",
        "santa",
        "senhor",
        "señor",
        "señora",
        "sir",
        "sirs",
        "team",
        "test",
        "the",
        "there",
        "this",
        "to",
        "unknown",
        "user",
        "valued",
        "world",
        "you",
        "your",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "dr",
        "pepper",
        "support",
        "service",
        "sales",
    ]
)


def _find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    done = 0
    for start in starts:
        if start < done:
            continue
        kind = _KIND.match(text, start)
        name = _NAMES[kind.lastgroup or ""].match(text, kind.end()) if kind else None
        if name and _somebody(name["value"]):
            done = name.end("value")
            yield name.span("value")


def _somebody(value: str) -> bool:
    return len(value) > 2 and value.split(maxsplit=1)[0].lower() not in _NOBODY


def canonical(value: str) -> str:
    """Words in lower case without accents, apart by one space; titles are no part of a value.

    >>> canonical("José  Muñoz")
    'jose munoz'
    """
    plain = unicodedata.normalize("NFKD", value.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def _plausible(text: str) -> bool:
    return len(text) <= 80 and any(map(str.isalpha, text)) and not any(map(str.isdigit, text))


RECOGNIZER = Recognizer(
    name="person",
    entity="PERSON",
    triggers=(
        rf"(?-i:\b(?:{_TITLE})\.? (?:[A-Z?]|v[ao]n |de |di |da |del ))",
        rf"\b(?:{_SAID})",
        r"(?-i:\b[Tt]his is [A-Z])",
        rf"(?-i:\b(?i:{_SALUTATION}),? [A-Z?])",
        rf"\b(?:{_CLOSING})\s{{0,3}}[,.!]?\s{{0,3}}\n",
        rf"\b(?:{_LABEL})[\"']?\s{{0,3}}[:=]",
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
    ),
    counterexamples=(
        "Dear customer, Dear Sir or Madam, Hi there, hello World!, Dear Team,",
        "Mr is a title. The Dr said: my name is on the list; name: value, patient: stable",
        "Best regards,\nthe team; Thanks,\n42; dear Customer,",
    ),
    keys=frozenset(
        {
            "fullname", "firstname", "lastname", "surname", "givenname", "familyname", "middlename", "customername",
            "patientname", "employeename", "cardholdername", "accountholder", "contactname", "recipientname", "maidenname",
        }
    ),
    plausible=_plausible,
)  # fmt: skip
