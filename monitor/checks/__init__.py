"""View → Verdicts: one file for each check of answers, in the order in which Records have them."""

from monitor.checks import (
    empty,
    language,
    leak_system,
    refusal,
    repetition,
    schema,
    sections,
    tool_call,
    truncated,
    unfilled_slot,
)
from monitor.interfaces import Check

CHECKS: tuple[Check, ...] = (
    empty.CHECK,
    truncated.CHECK,
    refusal.CHECK,
    schema.CHECK,
    tool_call.CHECK,
    sections.CHECK,
    repetition.CHECK,
    language.CHECK,
    unfilled_slot.CHECK,
    leak_system.CHECK,
)
