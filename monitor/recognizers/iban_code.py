"""International bank account numbers (ISO 13616: country, length, structure, ISO 7064 check)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from monitor.checkdigits import mod97
from monitor.finders import alphanumeric
from monitor.interfaces import Recognizer
from monitor.lazy import lazy

# BBAN structures from the SWIFT IBAN registry, release 101: n digits, a letters, c either.
_STRUCTURES = (
    "AD:8n12c AE:19n AL:8n16c AT:16n AZ:4a20c BA:16n BE:12n BG:4a6n8c BH:4a14c BI:23n "
    "BR:23n1a1c BY:4c4n16c CH:5n12c CR:18n CY:8n16c CZ:20n DE:18n DJ:23n DK:14n DO:4c20n EE:16n "
    "EG:25n ES:20n FI:14n FK:2a12n FO:14n FR:10n11c2n GB:4a14n GE:2a16n GI:4a15c GL:14n "
    "GR:7n16c GT:24c HN:4a20n HR:17n HU:24n IE:4a14n IL:19n IQ:4a15n IS:22n IT:1a10n12c "
    "JO:4a4n18c KW:4a22c KZ:3n13c LB:4n20c LC:4a24c LI:5n12c LT:16n LU:3n13c LV:4a13c LY:21n "
    "MC:10n11c2n MD:20c ME:18n MK:3n10c2n MN:16n MR:23n MT:4a5n18c MU:4a19n3a NI:4a20n NL:4a10n "
    "NO:11n OM:3n16c PK:4a16c PL:24n PS:4a21c PT:21n QA:4a21c RO:4a16c RS:18n RU:14n15c "
    "SA:2n18c SC:4a20n3a SD:14n SE:20n SI:15n SK:20n SM:1a10n12c SO:19n ST:21n SV:4a20n TL:19n "
    "TN:20n TR:6n16c UA:6n19c VA:18n VG:4a16n XK:16n YE:4a4n18c"
)
_CLASSES = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
_GAP = r"[-\s._,]{0,2}"
_WIDE = r"[-\s._,/]{0,3}"


def _compile(structure: str) -> tuple[str, re.Pattern[str], re.Pattern[str]]:
    """Country → how it may be written, how it must be built."""
    country, _, bban = structure.partition(":")
    parts = [(int(size), kind) for size, kind in re.findall(r"(\d+)([nac])", bban)]
    length = 2 + sum(size for size, _ in parts)
    written = lazy(
        rf"{country}{_WIDE}\d\d(?:{_WIDE}[A-Z0-9]){{{length - 2}}}", re.IGNORECASE | re.ASCII
    )
    built = lazy(r"[A-Z]{2}\d\d" + "".join(f"{_CLASSES[kind]}{{{n}}}" for n, kind in parts))
    return country, written, built


_COUNTRIES = {
    country: (written, built) for country, written, built in map(_compile, _STRUCTURES.split())
}


def _begins() -> str:
    """An expression for the countries, by their first letters."""
    seconds: dict[str, str] = {}
    for country in sorted(_COUNTRIES):
        seconds[country[0]] = seconds.get(country[0], "") + country[1]
    return f"(?:{'|'.join(f'{first}[{some}]' for first, some in seconds.items())})"


_BEGINS = _begins()
_IS_WIDE = lazy(r"/|[-\s._,]{3}")
_PIECES = lazy(r"[A-Za-z0-9]+")


def _find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    done = 0
    for start in starts:
        forms = _COUNTRIES.get(text[start : start + 2].upper()) if start >= done else None
        if forms is None:
            continue
        written, built = forms
        match = written.match(text, start)
        if match is None:
            continue
        said = match.group()
        if not said[:2].isupper() and said[2:].lstrip(" .").isdigit() and not said[2].isdigit():
            continue  # "at 1758482836049779968" is a time, "no. …" a number
        if _IS_WIDE.search(match.group()) and (
            text[start - 1 : start] == "/" or not _are_fours(match.group())
        ):
            continue  # a path, or a row of other numbers
        value = alphanumeric(match.group())
        if built.fullmatch(value) and mod97(value[4:] + value[:4]):
            done = match.end()
            yield match.span()


def _are_fours(written: str) -> bool:
    """Whether a number stands in groups of four: in a row of other numbers it hardly does.

    >>> _are_fours("DE 89 / 3704 / 0044 / 0532 / 0130 / 00"), _are_fours("DE89 / 37040 / 044")
    (True, False)
    """
    pieces = _PIECES.findall(written)
    if len(pieces[0]) == 2:  # the country alone
        pieces[:2] = ["".join(pieces[:2])]
    *fours, last = pieces
    return all(len(one) == 4 for one in fours) and len(last) <= 4


RECOGNIZER = Recognizer(
    name="iban_code",
    entity="IBAN_CODE",
    triggers=(
        rf"{_BEGINS}[0-9]{{2}}(?:[-\s._,]{{0,2}}[a-z0-9]){{5}}",
        rf"{_BEGINS}{_WIDE}[0-9]{{2}}[-\s._,/]{{1,3}}[a-z0-9]{{4}}[-\s._,/]",
        rf"{_BEGINS}[-\s._,]{{1,2}}[0-9]{{2}}(?:{_GAP}[a-z]){{0,6}}(?:{_GAP}[0-9]){{3}}",
    ),
    find=_find,
    canonical=alphanumeric,
    examples=(
        "IBAN «DE89 3704 0044 0532 0130 00» please",
        "«GB29NWBK60161331926819», «fr14 2004 1010 0505 0001 3m02 606».",
        "glued: IBAN«DE89370400440532013000»und weiter",
        "«DE89-3704-0044-0532-0130-00»;«NL91_ABNA_0417_1643_00»",
        "«DE 89 3704 0044 0532 0130 00» with a space",
        "one space: «DE 89370400440532013000», «gb 29 nwbk60161331926819», «NL-91AB NA04 1716 4300»",
        "wrapped «BE68 5390\n0754 7034», indented «BE68 5390\n  0754 7034»",
        "«DE89/3704/0044/0532/0130/00», «NL91 - ABNA - 0417 - 1643 - 00», «BE 68   5390   0754   7034»",
    ),
    counterexamples=(
        "DE88 3704 0044 0532 0130 00 and GB29NWBK60161331926818",
        "md5 453e82b54828ae54ee794d4cce211ac2",
        "digest de893704004405320130ab and SE10 is a part of London",
        "at 1758482836049779968 and is 175848283604977996812345, order No. 0411442694208",
        "DE / 89370400440532013000 and row BE 6 / 85390 / 0754 / 7034 and path /be/68/5390/0754/7034",
    ),
    keys=frozenset({"iban", "ibancode"}),
    plausible=lambda text: sum(map(str.isalnum, text)) >= 15,
)
