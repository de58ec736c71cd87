"""View → Verdicts: one file for each check of answers, in the order in which Records have them."""

from monitor.checks import empty, language, refusal, repetition, truncated
from monitor.interfaces import Check

CHECKS: tuple[Check, ...] = (
    empty.CHECK,
    truncated.CHECK,
    refusal.CHECK,
    repetition.CHECK,
    language.CHECK,
)
