"""Statement → Feedback: the only maker of Feedback, as `records` is of Records."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping

from monitor.errors import PrivacyError
from monitor.feedback import MAX_NAME, MAX_TEXT, Feedback, Label, Statement, Verdict
from monitor.privacy.scrub import Scrub

Short = Callable[[Scrub, str, str], str]
"""(scrub, text, name of its field) → the text without personal data; for texts that are few."""

_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_HARMLESS = {"continues", "sealed"}
"""Redactions that leave the pseudonym where it is."""


def feedback(
    said: Statement, scrub: Scrub, short: Short, key: str, *, keeps_texts: bool
) -> Feedback:
    """Return what may be kept of a Statement; `key` is the id of the key of the `scrub`'s tokens.
    Of a correction and a note only a digest is kept, unless it `keeps_texts`.

    Each text is scanned as a Record's is, with the name that it has there, so that equal values
    have equal pseudonyms in both. Raises PrivacyError with the reason where one of them cannot be
    made safe: without it the item would say something else.
    """
    safe = _Safe(scrub, short, keeps_texts=keeps_texts)
    at = said.at
    done = Feedback(
        id=safe.once(said.id),
        trace_id=said.trace_id and said.trace_id.lower(),
        response_id=safe.once(said.response_id),
        business=safe.pairs(said.business, safe.once),
        label=safe.label(said.label, said.name),
        attributes=safe.pairs(said.attributes, safe.few),
        correction=safe.words(said.correction),
        rating=safe.number(said.rating),
        event=safe.few(said.event),
        verdict=said.verdict and _verdict(safe, said.verdict, said.name),
        name=safe.few(said.name),
        value=safe.number(said.value),
        at=at.timestamp() if isinstance(at, datetime.datetime) else at,
        key=safe.once(said.key),
        pseudonymized=key,
        continues=scrub.continues,
    )
    for reason in scrub.redactions:
        if reason not in _HARMLESS:
            raise PrivacyError(reason)
    return done


def business(said: Mapping[str, str], scrub: Scrub, short: Short) -> dict[str, str]:
    """Return the business keys of a Record, as feedback names them; those alone that can be made
    safe, and that are no longer than feedback may say them."""
    safe, kept = _Safe(scrub, short, keeps_texts=True), {}
    for name, value in said.items():
        before = set(scrub.redactions) - _HARMLESS
        try:
            done = safe.once(value, name) if len(value) <= MAX_NAME else None
        except PrivacyError:
            continue
        if done and not set(scrub.redactions) - _HARMLESS - before:
            kept[name] = done
    return kept


def _verdict(safe: _Safe, verdict: Verdict, name: str | None) -> Verdict:
    return Verdict(
        reviewer=safe.few(verdict.reviewer) or "",
        passed=verdict.passed,
        label=safe.label(verdict.label, name),
        note=safe.words(verdict.note),
    )


class _Safe:
    """Values of one item → the same without personal data, no longer than they may be; None stays.

    `name` is that of the field, which may say what its value is.
    """

    def __init__(self, scrub: Scrub, short: Short, *, keeps_texts: bool) -> None:
        self._scrub = scrub
        self._short = short
        self._keeps_texts = keeps_texts

    def few(self, value: str | None, name: str | None = None) -> str | None:
        """A text that others say too."""
        return value and _within(MAX_NAME, self._short(self._scrub, value, name or ""))

    def once(self, value: str | None, name: str | None = None) -> str | None:
        """A text that comes once: nothing to be remembered."""
        if value is None or _UUID.fullmatch(value):
            return value
        return _within(MAX_NAME, self._scrub.text(value, name or "", cached=False))

    def text(self, value: str | None, name: str | None = None) -> str | None:
        """A text of any length; a short one may be a class, which others say too."""
        if value is None:
            return None
        if len(value) <= MAX_NAME:
            return _within(MAX_TEXT, self._short(self._scrub, value, name or ""))
        return _within(MAX_TEXT, self._scrub.text(value, name or ""))

    def words(self, value: str | None) -> str | None:
        """What somebody wrote for people to read."""
        if value is None or self._keeps_texts:
            return self.text(value)
        return self._scrub.hashed(value, "ner")

    def label(self, value: Label | None, name: str | None) -> Label | None:
        """A label; one that is true or false as a text, as classes are named."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return self.text(value, name)
        return None if value is None else self._scrub.number(value, name or "")

    def number(self, value: float | None) -> float | None:
        """A number that only a number can stand for."""
        done = None if value is None else self._scrub.number(value)
        if isinstance(done, str):
            raise PrivacyError("personal data")
        return done

    def pairs(
        self, value: dict[str, str] | None, of: Callable[[str, str], str | None]
    ) -> dict[str, str] | None:
        """Values by name."""
        if value is None:
            return None
        return {self.few(name) or "": of(one, name) or "" for name, one in value.items()}


def _within(limit: int, text: str) -> str:
    if len(text) > limit:
        raise PrivacyError("expansion")
    return text
