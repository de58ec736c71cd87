"""The parts of a Record's input → the texts of which a template may be found."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.types import Part

SYSTEM = frozenset({"system", "developer"})


def texts(parts: Sequence[Part]) -> list[str]:
    """The system's text, and the last one of the user. What came between is history.

    >>> said = [("system", "Be brief."), ("user", "Hello"), ("assistant", "Yes?"), ("user", "Bye")]
    >>> texts([Part(role=role, text=text) for role, text in said])
    ['Be brief.', 'Bye']
    """
    rules = [one.text for one in parts if one.text and one.role in SYSTEM]
    asked = next((one.text for one in reversed(parts) if one.text and one.role == "user"), None)
    found = ["\n".join(rules)] if rules else []
    return [*found, asked] if asked else found
