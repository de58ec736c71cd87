"""View → Verdicts: one file for each check of answers, in the order in which Records have them."""

from monitor.checks import (
    citation,
    consistency,
    empty,
    language,
    leak_system,
    quote,
    refusal,
    repetition,
    schema,
    sections,
    tool_call,
    truncated,
    unfilled_slot,
    unsupported_number,
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
    unsupported_number.CHECK,
    citation.CHECK,
    quote.CHECK,
    consistency.CHECK,
)
