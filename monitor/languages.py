"""Text → the language it is written in, or the script where that is not Latin."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from functools import lru_cache

from monitor.texts import OPENING, REMEMBERED, runs

_SCRIPTS = (
    (0x0000, "latin"), (0x0370, "greek"), (0x0400, "cyrillic"), (0x0530, "armenian"),
    (0x0590, "hebrew"), (0x0600, "arabic"), (0x0700, "other"), (0x0750, "arabic"),
    (0x0780, "other"), (0x08A0, "arabic"), (0x0900, "devanagari"), (0x0980, "indic"),
    (0x0E00, "thai"), (0x0E80, "other"), (0x10A0, "georgian"), (0x1100, "hangul"),
    (0x1200, "other"), (0x1E00, "latin"), (0x1F00, "greek"), (0x2000, "sign"), (0x2C60, "latin"),
    (0x2C80, "other"), (0x3000, "sign"), (0x3040, "kana"), (0x3100, "han"), (0x3130, "hangul"),
    (0x3190, "han"), (0xA000, "other"), (0xAC00, "hangul"), (0xD7B0, "other"), (0xF900, "han"),
    (0xFB00, "latin"), (0xFB1D, "hebrew"), (0xFB50, "arabic"), (0xFE00, "sign"),
    (0xFE70, "arabic"), (0xFF00, "sign"), (0xFF66, "kana"), (0xFFA0, "other"),
    (0x1F000, "sign"), (0x20000, "han"),
)  # fmt: skip
"""First code point of each stretch of Unicode 16 blocks, and the script it holds."""

SURE, LEAST, LEAD = 240, 4, 2
"""Characters that say whether a text is clearly of a language, how many different stop words of it
they have then, and how many more than of any other."""

_STARTS = [start for start, _ in _SCRIPTS]

_STOP_WORDS = {
    "en": "the of and to in is that it for was on are with as this be at have from or you not",
    "de": "der die und in das den von zu mit sich des auf für ist im dem nicht ein eine als ich",
    "fr": "de la le et les des en un une du est que pour dans qui sur pas au plus par je vous il",
    "es": "de la que el en y los se del las un por con una su para es al lo como más pero no",
    "it": "di e il la che in un per è una sono del non con le si da della dei come anche ho mi",
    "pt": "de a o que e do da em um para com não uma os no se na por mais as dos como mas ao",
    "nl": "de het een van en in is dat op te zijn met voor niet aan er om ook als dan maar ik",
    "sv": "och att det som en på är av för med till den inte om ett har jag men var så kan",
    "pl": "w i na z do się nie to że jest o jak po za od co ale przez dla są czy tym",
    "tr": "ve bir bu da de için ile çok ne daha gibi var mi olarak ben ama en kadar sonra",
}  # fmt: skip


CODES = list(_STOP_WORDS)
"""The languages that have stop words."""

VOTES = Counter[str]()
for _place, _words in enumerate(_STOP_WORDS.values()):
    VOTES.update(dict.fromkeys(_words.split(), 1 << 8 * _place))
"""The languages that a word speaks for: one in the byte of each, so that votes add up in C."""

_STOP = frozenset(VOTES)


def language(text: str) -> str:
    """The language with most stop words among the first words; the script where it is not Latin.

    A hint: short or telegraphic texts are `unknown`, neighbours (Norwegian, Danish) read as one.

    >>> language("Where is the invoice that you sent to me?"), language("Wo ist denn die Rechnung?")
    ('en', 'de')
    >>> language("Где мой счёт?"), language("発票はどこですか"), language("42")
    ('cyrillic', 'kana', 'unknown')
    """
    return _language(text[:OPENING])[0]  # it does not change after them


def sure(text: str) -> str:
    """The same where the text says so clearly: `LEAST` stop words, and `LEAD` more than of any
    other language, or a script that is not Latin; else nothing.

    >>> sure("It is not clear to me what I am to do with that, so please say it again.")
    'en'
    >>> sure("la nota"), sure("42")
    ('', '')
    """
    found, is_sure = _language(text[:SURE])
    return found if is_sure else ""


@lru_cache(maxsize=REMEMBERED)
def _language(start: str) -> tuple[str, bool]:
    """The language, and whether the text says so clearly."""
    if not start.isascii():
        script = _script(start)
        if script != "latin":
            return script, True
    votes = sum(map(VOTES.__getitem__, _STOP.intersection(runs(start))))
    by_language = votes.to_bytes(len(CODES), "little")
    *_, second, most = sorted(by_language)
    if most == second:
        return "unknown", False
    return CODES[by_language.index(most)], most >= LEAST and most - second >= LEAD


def _script(text: str) -> str:
    """The script of most letters; any kana makes Han Japanese."""
    count = Counter[str]()
    for char, times in Counter(text).items():
        if char.isalpha():
            latin = char < "\x80"
            count["latin" if latin else _SCRIPTS[bisect_right(_STARTS, ord(char)) - 1][1]] += times
    del count["sign"]
    if not count:
        return "latin"
    if count["kana"] and count["kana"] * 10 > count["han"]:
        count["kana"] += count.pop("han", 0)
    return count.most_common(1)[0][0]
