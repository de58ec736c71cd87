"""Dates of birth: dates beside a word for birth, in nine languages; a date alone is no finding."""

from __future__ import annotations

from monitor.finders import beside
from monitor.interfaces import Recognizer
from monitor.lazy import lazy

_WORDS = (
    r"(?:\bd\.?o\.?b\b|\bdate.of.birth|birth.?(?:da(?:te|y)|time)|\bborn\b|\bbday\b|geboren|\bgeb\.|geburtsda|geburtstag"
    r"|\bn.e? (?:le|en)\b|date de naissance|fecha.de.nacimiento|nacid[oa] el|data di nascita|\bnat[oa] il\b"
    r"|data.de.nascimento|nascid[oa] em|geboortedatum|data urodzenia|f.delsedato|f.delsedato)"
)
_MONTH = (
    r"(?:jan|feb|f.v|m.r|apr|avr|abr|ma[iy]|mag|jun|juin|giu|jul|juil|lug|aug|ao[uû]|ago|sep|set|o[ckt]t|nov"
    r"|de[czs]|d.c|gen|ene)[^\W\d]{0,8}\.?"
)
_DATE = (
    r"(?i)(?<![\w-])(?:(?:18|19|20)\d\d([-/. ])[01]?\d\1[0-3]?\d|[0-3]?\d([-/. ])[0-3]?\d\2(?:(?:18|19|20)\d\d|\d\d)"
    rf"|[0-3]?\d(?:st|nd|rd|th|er|\.)?[ -](?:de |of )?{_MONTH},?[ -](?:de )?(?:18|19|20)\d\d"
    rf"|{_MONTH} [0-3]?\d(?:st|nd|rd|th)?,? (?:18|19|20)\d\d|(?:18|19|20)\d\d[01]\d[0-3]\d)"
    r"(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\w-]|/\d)"
)
_TIME = lazy(r"[t ]\d\d:\d\d.*")
_NUMBER = lazy(r"\d+")
_NAME = lazy(r"[^\W\d]{3,}")
_ORDINAL = lazy(r"(?<=\d)(?:st|nd|rd|th|er)")
_MONTHS = {
    "jan": 1, "gen": 1, "ene": 1, "feb": 2, "fév": 2, "fev": 2, "mar": 3, "mär": 3, "apr": 4, "avr": 4, "abr": 4,
    "may": 5, "mai": 5, "mag": 5, "jun": 6, "giu": 6, "jul": 7, "lug": 7, "aug": 8, "aoû": 8, "aou": 8, "ago": 8,
    "sep": 9, "set": 9, "oct": 10, "okt": 10, "ott": 10, "out": 10, "nov": 11, "dec": 12, "dez": 12, "déc": 12,
    "dic": 12,
}  # fmt: skip


def canonical(value: str) -> str:
    """Year, month, day where the date says which is which, else the numbers as they stand.

    >>> canonical("March 5th, 1980"), canonical("5.3.1980"), canonical("1980/03/05")
    ('1980-03-05', '1980-03-05', '1980-03-05')
    >>> canonical("1980-03-05T00:00:00Z")  # as most programs write a day
    '1980-03-05'
    """
    value = _TIME.sub("", value.lower())
    numbers = list(map(int, _NUMBER.findall(value)))
    name = _NAME.search(_ORDINAL.sub("", value)) if len(numbers) == 2 else None
    if name:
        word = name.group()
        month = {"juin": 6, "juil": 7}.get(word[:4]) or _MONTHS.get(word[:3])
        if month:
            day, year = numbers if numbers[1] > 31 else numbers[::-1]
            return f"{year}-{month:02}-{day:02}"
    if len(numbers) == 1 and len(value) == 8:
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    if len(numbers) == 3:
        first, second, third = numbers
        if first > 31:
            return f"{first}-{second:02}-{third:02}"
        if "." in value or first > 12:
            return f"{third}-{second:02}-{first:02}"
        return f"{third}-{first:02}-{second:02}"
    return value.strip()


RECOGNIZER = Recognizer(
    name="date_of_birth",
    entity="DATE_OF_BIRTH",
    triggers=(_WORDS,),
    find=beside(_WORDS, _DATE),
    canonical=canonical,
    examples=(
        "DOB: «03/05/1980», date of birth «1980-03-05», born on «March 5, 1980»",
        "geboren am «5. März 1980», née le «5 mars 1980», nato il «05.03.1980»",
        '{"birth_date": "«19800305»"} birthday «5th of March 1980»',
        '<birthTime value="«19750501»"/>',
        "dob: «1980-03-05T00:00:00.000Z», date of birth «1980-03-05 00:00:00»",
    ),
    counterexamples=(
        "meeting on 1980-03-05, 03/05/1980, due 5 March 1980",
        "the company was born in 1998; born 2 of 3; date of birth is required",
    ),
    keys=frozenset(
        {
            "dob",
            "dateofbirth",
            "birthdate",
            "birthday",
            "birthtime",
            "geburtsdatum",
            "datedenaissance",
            "fechanacimiento",
            "датарождения",
            "датанародження",
            "生年月日",
            "出生日期",
            "출생일",
            "생년월일",
            "تاريخالميلاد",
            "תאריךלידה",
            "ημερομηνίαγέννησης",
        }
    ),
    plausible=lambda text: 4 <= sum(map(str.isdigit, text)) <= 14,
)
