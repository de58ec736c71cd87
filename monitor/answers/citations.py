"""Text → the sources it cites, or holds: numbers, authors with years, addresses, identifiers.

Forms of identifiers are those of the DOI Handbook (10.PREFIX/SUFFIX), of arXiv since 2007
(YYMM.NNNNN) and before (archive/YYMMNNN), and of PubMed. Whether a source exists in the world is
not looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Literal, NamedTuple

from monitor.words import cues

Kind = Literal["number", "author", "url", "doi", "arxiv", "pmid"]

MOST = 500
"""Of more citations in a text the first are looked at."""

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,200}`", re.DOTALL)
_NUMBERS = r"\d{1,3}(?: ?(?:[,;–-]|, ?) ?\^?\d{1,3}){0,9}"
_BRACKETS = re.compile(
    rf"(?:\[\^?(?P<numbers>{_NUMBERS})(?:, ?(?:p|pp|S|sec|§)\.? ?\d{{1,4}})?\](?![(\[:])"
    rf"|\[\^?(?P<chained>{_NUMBERS})\](?=\[)"
    r"|[\[(](?:(?:see )?(?:source|sources|document|documents|doc|ref|reference|quelle|passage"
    r"|result)"
    rf"s?\.? ?#?(?P<named>{_NUMBERS}))[\])]"
    r"|【(?P<marked>\d{1,3})(?::\d{1,3})?(?:†[^】\n]{0,60})?】)",
    re.IGNORECASE,
)
_MATHS = re.compile(
    r"(?:\b(?:in|range|interval|between|over|from|=|∈|values?|domain)|[=∈×(,])[ ]?\Z"
)
_NAME = r"[A-ZÀ-Ý][A-Za-zÀ-ÿ'’-]{1,30}"
_AUTHOR = re.compile(
    rf"(?P<name>{_NAME})(?: et al\.?| und Kollegen|(?:,? (?:and|&|und) {_NAME}))?"
    r"(?:,? \(|, )(?P<year>(?:1[89]|20)\d\d)[a-z]?(?=[);,:])"
)
_IN_BRACKETS = re.compile(r"\((?=[^()\n]{0,300}\b(?:1[89]|20)\d\d[a-z]?[);:,])[^()\n]{1,300}\)")
_ADDRESS = re.compile(
    r"(?:https?://|(?<![\w.@/-])www\.)[^\s<>\"'“”`|{}\\^\])】]{3,2000}", re.IGNORECASE
)
_PSEUDONYM = re.compile(r"<URL:[a-z0-9]{1,40}:[A-Za-z0-9_-]{16,64}>")
_DOI = re.compile(r"(?<![\w.])10\.\d{4,9}/[^\s\"<>“”,;|\]】}]{1,200}")
_ARXIV = re.compile(
    r"(?:arxiv(?:\.org/(?:abs|pdf)/|[: ]\s?))"
    r"(?P<id>\d{4}\.\d{4,5}|[a-z-]{2,12}(?:\.[A-Z]{2})?/\d{7})",
    re.IGNORECASE,
)
_PMID = re.compile(
    r"(?:\bPMID[: #]{0,3}|pubmed\.ncbi\.nlm\.nih\.gov/)(?P<id>\d{4,9})", re.IGNORECASE
)
_DEFINED = re.compile(r"^[ \t>*-]{0,6}\[\^?(?P<number>\d{1,3})\](?::|[ \t]+\S)", re.MULTILINE)
_LISTED = re.compile(
    r"(?:\[\^?|【|[\"'](?:id|index|rank|number|ref|source|doc_?id|document_?id|source_?id"
    r"|citation)[\"']: ?[\"']?"
    r"|<(?:doc|document|source|passage|chunk|result|item)[^>\n]{0,40}?(?:id|index|number|n)=[\"']?"
    r"|\b(?:source|document|doc|passage|chunk|result|reference|ref|context|snippet|article|paper"
    r"|quelle"
    r"|exhibit)(?: (?:no\.?|nr\.?|number|id))?[ #:_-]{1,3})(?P<number>\d{1,3})(?!\d|\.\d)",
    re.IGNORECASE,
)
_MARKED = re.compile(r"^[ \t]{0,4}(?P<number>\d{1,3})[.):][ \t]+\S", re.MULTILINE)
_TRAILING = ".,;:!?'’\"*_~"
_NOWHERE = ("example.com", "example.org", "example.net", "localhost", "127.0.0.1")


class Citation(NamedTuple):
    """What a text points at, in a form that equal sources share."""

    kind: Kind
    source: str


def prose(text: str) -> str:
    """The text without code."""
    return _CODE.sub(" ", text) if "`" in text else text


def without_sources(text: str) -> str:
    """The text without addresses of pages and numbers of papers."""
    hints = _hints(text)
    if hints.addresses:
        for sign in ("www.", "://"):
            if sign in text:
                text = _ADDRESS.sub(" ", text)
    if hints.dois:
        text = _DOI.sub(" ", text)
    if "【" in text:
        text = _MARKED_SOURCE.sub(" ", text)
    if hints.arxiv or hints.pubmed or not text.isascii():  # there other letters are an i, too
        text = _PMID.sub(" ", _ARXIV.sub(" ", text))
    return text


class _Hints(NamedTuple):
    """What sources a text may hold."""

    addresses: bool
    dois: bool
    arxiv: bool
    pubmed: bool


def _hints(text: str) -> _Hints:
    return _hints_of_short(text) if len(text) <= _SHORT else _hints_of(text)


_SHORT = 8192
"""Characters of texts of which the hints are remembered, 2 MB in all."""


@lru_cache(maxsize=64)  # several checks ask for those of the same answers, a group of them each
def _hints_of_short(text: str) -> _Hints:
    return _hints_of(text)


def _hints_of(text: str) -> _Hints:
    lower = text.lower()
    return _Hints(
        "www." in text or ("/" in text and "://" in text),
        "10." in text,
        "arxiv" in lower,
        "pmid" in lower or "pubmed" in lower,
    )


_MARKED_SOURCE = re.compile(r"【[^】\n]{0,80}】")


def citations(text: str) -> list[Citation]:
    """Return what a text cites, in order of kinds; each source once.

    >>> citations("It grew [2], as shown before (Meyer et al., 2019).")
    [Citation(kind='number', source='2'), Citation(kind='author', source='meyer 2019')]
    >>> citations("See https://www.Ulm.example/a/?x=1 and doi:10.1000/xyz.5; take x[1] in [0, 1].")
    [Citation(kind='url', source='ulm.example/a'), Citation(kind='doi', source='10.1000/xyz.5')]
    """
    text = prose(text)
    found = dict.fromkeys(_all(text))
    return list(found)[:MOST]


def _all(text: str) -> Iterator[Citation]:
    for number in _numbers(text):
        yield Citation("number", str(number))
    for name, year in _authors(text):
        yield Citation("author", f"{name} {year}")
    for source in addresses(text):
        yield Citation("url", source)
    yield from identifiers(text)


def _numbers(text: str) -> Iterator[int]:
    """Numbers in brackets that are no index, no interval and no mark at the beginning of a line."""
    if "[" not in text and "(" not in text and "【" not in text:
        return
    for match in islice(_BRACKETS.finditer(text), MOST):
        start = match.start()
        bare = match["numbers"] or match["chained"]
        before = text[start - 1] if start else "\n"
        if bare:
            if before in "_)>\"'" or (before.isalnum() and _is_index(text, start)):
                continue
            if _DEFINED.match(text, text.rfind("\n", max(start - 8, 0), start) + 1 or start):
                continue
            if "," in bare and (
                bare.startswith("0") or _MATHS.search(text[max(start - 12, 0) : start])
            ):
                continue
            if "-" in bare and _MATHS.search(text[max(start - 12, 0) : start]):
                continue
        yield from _spread(bare or match["named"] or match["marked"])


def _is_index(text: str, start: int) -> bool:
    """Whether what stands before a bracket is a name in a program: `x[1]`, `list_of[0]`."""
    word = re.search(r"[\w.]{1,40}\Z", text[max(start - 40, 0) : start])
    said = word[0] if word else ""
    return len(said) <= 2 or "_" in said or "." in said.rstrip(".") or said in cues.VARIABLES


def _spread(said: str) -> Iterator[int]:
    """The numbers of `1, 3-5`.

    >>> list(_spread("1, 3-5"))
    [1, 3, 4, 5]
    """
    for piece in re.split(r"[,;]", said.replace("^", "")):
        ends = [int(one) for one in re.findall(r"\d+", piece)]
        if len(ends) == 2 and 0 <= ends[1] - ends[0] <= 50:
            yield from range(ends[0], ends[1] + 1)
        else:
            yield from ends


def _authors(text: str) -> Iterator[tuple[str, str]]:
    """(surname, year) of citations in brackets, and of names before a year in brackets."""
    if "(" not in text:
        return
    for match in islice(_AUTHOR.finditer(text), MOST):
        name = match["name"]
        in_brackets = " (" in match[0]
        if name in cues.NO_AUTHORS or name.isupper():
            continue
        if (
            in_brackets
            and " et al" not in match[0]
            and "&" not in match[0]
            and " and " not in match[0]
        ):
            if not _cites_alone(text, match.end()):
                continue
        elif not in_brackets and not _is_bracketed(text, match.start(), match.end()):
            continue
        yield name.lower(), match["year"]


def _cites_alone(text: str, end: int) -> bool:
    """Whether `Name (2020)` is followed by what an author does."""
    return re.match(
        r"\)(?:'s|,)? (?:[a-z]+ly )?(?:show|found|find|report|argu|propos|demonstrat|suggest|observ"
        r"|conclud"
        r"|describ|note|state|estimat|studi|claim|and colleagues|zeig|fand)",
        text[end : end + 60],
    ) is not None  # fmt: skip


def _is_bracketed(text: str, start: int, end: int) -> bool:
    opened = text.rfind("(", max(start - 300, 0), start)
    return opened >= 0 and text.find(")", opened, end) < 0


def addresses(text: str) -> Iterator[str]:
    """Host and path of each address of a page; a pseudonym of one as it is."""
    if _hints(text).addresses:
        for match in islice(_ADDRESS.finditer(text), MOST):
            source = address(match[0])
            if source and not source.startswith(_NOWHERE):
                yield source
    if "<URL:" in text:
        for match in islice(_PSEUDONYM.finditer(text), MOST):
            yield match[0]


def address(said: str) -> str:
    """Host and path of an address: what tells a page from another.

    >>> address("HTTPS://www.Example.ulm/a%20b/?utm=1#x."), address("www.example.ulm")
    ('example.ulm/a%20b', 'example.ulm')
    """
    rest = said.rstrip(_TRAILING).partition("://")[2] if "://" in said else said.rstrip(_TRAILING)
    rest = rest.partition("#")[0].partition("?")[0].rstrip(_TRAILING)
    if rest.count("(") < rest.count(")"):
        rest = rest[: rest.rfind(")")]
    host, slash, path = rest.partition("/")
    return (host.lower().removeprefix("www.") + slash + path).rstrip("/")


def identifiers(text: str) -> Iterator[Citation]:
    """DOIs, numbers of arXiv and of PubMed."""
    hints = _hints(text)
    if hints.dois:
        for match in islice(_DOI.finditer(text), MOST):
            source = match[0].rstrip(_TRAILING).lower()
            if source.endswith(")") and source.count("(") < source.count(")"):
                source = source.rstrip(")")
            yield Citation("doi", source)
    if hints.arxiv:
        for match in islice(_ARXIV.finditer(text), MOST):
            yield Citation("arxiv", match["id"].lower())
    if hints.pubmed:
        for match in islice(_PMID.finditer(text), MOST):
            yield Citation("pmid", match["id"])


def defined(text: str) -> set[int]:
    """The numbers that an answer's own list of sources gives.

    >>> sorted(defined("As known [1].\\n\\n[1] Meyer, Ulm.\\n[^2]: See there."))
    [1, 2]
    """
    return {int(match["number"]) for match in islice(_DEFINED.finditer(text), MOST)}


def numbered(text: str) -> set[int]:
    """The numbers that the sources in a text have.

    >>> sorted(numbered("[1] Rates rose.\\n[2] Rents fell.")), sorted(numbered('{"id": 7}'))
    ([1, 2], [7])
    >>> sorted(numbered("Sources:\\n1. Meyer\\n2. Huber"))
    [1, 2]
    """
    found = {int(match["number"]) for match in islice(_LISTED.finditer(text), MOST)}
    if found or not _HEADING.search(text):
        return found
    return {int(match["number"]) for match in islice(_MARKED.finditer(text), MOST)}


_HEADING = re.compile(
    r"\b(?:sources|documents|passages|references|context|results|excerpts|snippets|quellen"
    r"|dokumente|literature|evidence|articles|papers)\b[^\n]{0,60}\n",
    re.IGNORECASE,
)
