"""View → the texts that an answer can rest on: what it was given, and what tools have told."""

from __future__ import annotations

import re

from monitor.view import View

_OWN = frozenset(("assistant", "model", "tool_call", "reasoning"))
"""Roles of inputs that a model has said before: grounds, but no context."""
_TOOLS = frozenset(("tool", "function", "document"))
_MEDIA = re.compile(r"\[(?:image|file|document|audio|video|media)[ \]]")


def grounds(view: View, least: int) -> list[str]:
    """Return the texts of the inputs, and the results of tools that the endpoint called.

    None are returned where an answer need not rest on them: without results of tools, documents or
    `least` characters that are not the model's own; and where not all was seen: of a body that was
    cut, of which a rule left something out, and of images and files.
    """
    if not view.marked_answers or view.inputs_hidden:
        return []
    found = [part for part in view.inputs if part.text]
    found += [part for part in view.outputs if part.text and part.role in _TOOLS]
    length = sum(len(part.text or "") for part in found if part.role not in _OWN)
    if length < least and not any(part.role in _TOOLS for part in found):
        return []
    texts = [part.text for part in found if part.text]
    return [] if any("[" in text and _MEDIA.search(text) for text in texts) else texts
