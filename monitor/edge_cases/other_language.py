"""The answer is in another language than the question, and nobody asked for that."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from monitor.interfaces import EdgeCase
from monitor.languages import sure
from monitor.texts import OPENING
from monitor.types import Part
from monitor.view import WRITING, View

_INSTRUCTION = 4000
"""Characters of an instruction that are looked at, at its beginning and at its end."""
_ASKED_FOR = re.compile(
    r"translat|übersetz|tradu[cizs]|traduire|vertaal|översätt|przetłumacz|çevir|перевед|перевод"
    r"|翻訳|翻译|번역|ترجم|μετάφρασ|तर्जुमा|अनुवाद"
    r"|english|german|french|spanish|italian|portuguese|dutch|swedish|polish|turkish|russian"
    r"|chinese|japanese|korean|arabic|greek|hebrew|hindi|thai|danish|norwegian|finnish|czech"
    r"|ukrainian|mandarin"
    r"|englisch|deutsch|französisch|spanisch|italienisch|anglais|allemand|français|espagnol|italien"
    r"|inglés|alemán|francés|español|inglese|tedesco|francese|spagnolo|italiano|inglês|alemão"
    r"|português|engels|duits|frans|spaans|engelska|svenska|polsk|po angielsku|ingilizce|türkçe"
    r"|英語|日本語|英文|中文|영어|한국어|английск|русск",
    re.IGNORECASE,
)


_INSTRUCT = frozenset(("system", "developer", "user"))


class Thresholds(msgspec.Struct, frozen=True):
    """Question and answer have at least so many `words`."""

    words: Annotated[int, msgspec.Meta(ge=5)] = 20


def holds(view: View, thresholds: Thresholds) -> bool:
    """Whether both are long enough and clearly of two languages, and no instruction names one."""
    return is_other(view, thresholds) is True


def is_other(view: View, thresholds: Thresholds) -> bool | None:
    """Whether the languages differ; None where one is not clear, or another was asked for."""
    note = "other_language", thresholds.words
    if note not in view.notes:
        view.notes[note] = _is_other(view, thresholds)
    found: bool | None = view.notes[note]
    return found


def _is_other(view: View, thresholds: Thresholds) -> bool | None:
    if view.operation not in WRITING or not view.answers:
        return None
    question, answer = view.question, view.answers[0]
    if not (_is_long(answer, thresholds.words) and _is_long(question, thresholds.words)):
        return None
    asked, said = sure(question), sure(answer)
    if not asked or not said:
        return None
    if view.hides(_INSTRUCT):
        return None  # who may have asked for another one
    if asked == said:
        return False
    return None if any(_names_a_language(part) for part in view.inputs) else True


def _is_long(text: str, words: int) -> bool:
    """Whether a text has so many words, or three times as many characters where words have no
    spaces between them."""
    start = text[: OPENING * 4]
    return len(start.split(None, words)) >= words or (
        not start.isascii() and len(start) >= 3 * words and start.count(" ") * 10 < len(start)
    )


def _names_a_language(part: Part) -> bool:
    text = part.text or ""
    if part.role in ("assistant", "model", "tool"):
        return False
    if len(text) > 2 * _INSTRUCTION:
        text = f"{text[:_INSTRUCTION]} {text[-_INSTRUCTION:]}"
    return _ASKED_FOR.search(text) is not None


def _talk(asked: str, said: str, system: str = "You are brief.") -> View:
    return View(
        inputs=[Part(role="system", text=system), Part(role="user", text=asked)],
        outputs=[Part(role="assistant", text=said)],
    )


_ENGLISH = (
    "My parcel has not arrived and I would like to know where it is, because the shop has told me "
    "that it was sent on Monday and that I am to have it by now."
)
_GERMAN = (
    "Das Paket ist noch nicht angekommen, und ich kann Ihnen leider nicht sagen, wo es ist; der "
    "Händler hat es am Montag auf den Weg gebracht und wird es mit der Post zu Ihnen schicken."
)
_JAPANESE = (
    "お荷物は月曜日に発送されましたが、まだ届いていないようです。"
    "配送会社に確認しますので、しばらくお待ちください。ご不便をおかけします。"
)

EDGE_CASE = EdgeCase(
    "other_language",
    lambda given: f"an answer of {given.words} words in another language than the question",
    holds,
    Thresholds(),
    examples=(_talk(_ENGLISH, _GERMAN), _talk(_GERMAN, _ENGLISH), _talk(_ENGLISH, _JAPANESE)),
    near_misses=(
        _talk(_ENGLISH, _ENGLISH),
        _talk(_ENGLISH + " Please translate this.", _GERMAN),
        _talk(_ENGLISH, _GERMAN, "Always answer in German."),
        _talk("Wo ist das Paket, das ich am Montag bei Ihnen bestellt habe?", _ENGLISH),
        _talk(_ENGLISH, "Es ist auf dem Weg."),
        _talk(_ENGLISH, "def main():\n    x = [1, 2, 3]\n    return sum(x)\n" * 5),
    ),
)
