"""Passwords, keys and tokens in assignments: `password=…`, `api_key: "…"`, `my password is …`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from monitor.interfaces import Recognizer
from monitor.lazy import lazy

_ASSIGNED = lazy(
    r"(?P<word>pass(?:word|wd|phrase|code)|pwd|passwort|kennwort|contraseña|mot de passe|senha|secret|token"
    r"|(?:api|access|auth|secret|private|encryption|signing|account|shared|master)[ _-]?key)s?"
    r"[\"'`\]]{0,2}(?P<sign>\s{0,3}(?:=>|:=|[:=])\s{0,3}|\s(?:is|ist|es|est|é)(?: now)?:?\s)"
    r"(?:[bru]?(?P<quote>\\?[\"'`])(?P<quoted>[^\"'`\n\\]{4,512})(?P=quote)|(?P<bare>(?:[^\s\"'`<>,;&|(){}\[\]]|&(?![\w.-]+=)){4,512}))",
    re.IGNORECASE,
)
_OTHER = lazy(
    r"(?:page|next|max|min|per|num|sync|eos|bos|pad|unk|stop|special|continuation)[ _-]?\Z",
    re.IGNORECASE,
)
_STAND_IN = lazy(
    r"[*x•.#-]+|(?:your|my|the|some|example|insert|enter)[-_ ].*|\$.*|%.*%|.*\(.*|(?:process\.)?env[.\[].*"
    r"|os\.environ.*|getenv.*|string|str|password|passwd|required|optional|boolean|integer|number|object"
    r"|hidden|redacted|masked|secret|token|text|null|none|undefined|true|false|unknown|missing|invalid|empty",
    re.IGNORECASE,
)
_PLACE = lazy(r"(?:[~.]{0,2}/|[A-Za-z]:\\)[\w./\\@~-]*")
"""Where a shell is (PWD): no password, though called so."""
_HUMPS = lazy(r"[a-z][A-Z]")
_KEY = lazy(r"[\w./+=~:-]{12,}")


def _find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    done = 0
    for start in starts:
        if start < done:
            continue
        match = _ASSIGNED.match(text, start)
        if match is None or (start and text[start - 1] == "<"):
            continue
        quoted = match["quoted"] is not None
        begin, end = match.span("quoted" if quoted else "bare")
        if not quoted:
            end = begin + len(text[begin:end].rstrip(".:!?"))
        value = text[begin:end]
        word = match["word"].lower()
        if word == "token" and _OTHER.search(text[max(0, start - 14) : start]):
            continue
        if word == "pwd" and _PLACE.fullmatch(value):
            continue
        human = word.startswith(("pass", "pwd", "kenn", "contra", "mot", "senha"))
        judge = _is_password if human else _is_key
        if not _STAND_IN.fullmatch(value) and judge(value, quoted=quoted):
            done = end
            yield begin, end


def _is_password(value: str, *, quoted: bool) -> bool:
    """More than a word of prose: a digit or a sign inside, or a whole quoted word."""
    if any(map(str.isdigit, value)):
        return len(value) >= 4
    if quoted:
        return len(value) >= 6 and " " not in value
    return len(value) >= 6 and bool(re.search(r"[^\w.'/-]|[a-z][A-Z]", value))


def _is_key(value: str, *, quoted: bool) -> bool:
    """Long enough and mixed: what a machine made."""
    if not _KEY.fullmatch(value):
        return False
    digits = sum(map(str.isdigit, value))
    if digits == len(value):
        return False
    return (digits >= 2 and (quoted or len(value) >= 12)) or len(_HUMPS.findall(value)) >= 4


def _plausible(text: str) -> bool:
    return 1 <= len(text.strip()) <= 256


RECOGNIZER = Recognizer(
    name="credential",
    entity="SECRET",
    triggers=(
        (
            r"(?:pass(?:word|wd|phrase|code)|pwd|passwort|kennwort|contrase?a|mot de passe|senha|secret|token|key)"
            r"s?[\"'`\]]{0,2}\s{0,3}(?:[:=]|is |ist |es |est |\? )"
        ),
        (
            r"(?:api|access|auth|secret|private|encryption|signing|account|shared|master)[ _-]?"
            r"keys?[\"'`\]]{0,2}\s{0,3}(?:[:=]|is |ist |es |est |\? )"
        ),
    ),
    find=_find,
    canonical=str.strip,
    examples=(
        "password: «hunter2», pwd=«S3cret!x»; my password is «Tr0ub4dor&3».",
        'api_key = "«a1b2c3d4e5f6a7b8c9d0»" and {"token": "«0f9e8d7c6b5a49382716»"}',
        "DB_PASSWORD='«correct-horse»' client_secret=«Zx81kL0pQ2rT5vWy»",
        "AWS_SECRET_ACCESS_KEY=«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY7»",
        "?token=«8f14e45fceea167a5a36dedd4bea2543»&x=1",
    ),
    counterexamples=(
        "password: required, the password is wrong, password=${DB_PASSWORD}, token: 42",
        "max_tokens: 4096, next_page_token: 1234567890ab, key: value, the secret is patience",
        "PWD=/home/app/src2/api OLDPWD=/var/lib/app2, pwd: ~/work-2/x, pwd = C:\\Users\\x2",
        "password: ******** and password = os.environ['P'], api_key=YOUR_KEY, token usage is 123",
    ),
    keys=frozenset(
        {
            "password",
            "passwd",
            "pwd",
            "passphrase",
            "passcode",
            "secret",
            "userpassword",
            "pin",
            "cvv",
            "cvc",
        }
    ),
    plausible=_plausible,
)
