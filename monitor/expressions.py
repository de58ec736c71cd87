"""Regular expressions over what clients send, matched in linear time (RE2): none backtracks.

https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

from typing import Any

MAX_TEXT = 8192
"""Characters of a text that are looked at."""
MAX_MEMORY = 1 << 20
"""Bytes that an expression may take when it is compiled."""


def compiled(expression: str, *, needs_group: bool = False) -> Any:
    """Return the compiled expression; raises ValueError that says what is wrong with it."""
    import re2  # few configurations have an expression

    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    try:
        found = re2.compile(expression, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"{expression!r} is no regular expression of RE2: {reason}") from None
    if needs_group and not found.groups:
        raise ValueError(f"{expression!r} has no group; put what is the value into parentheses")
    return found


def first(expression: Any, text: str) -> str | None:
    """The first group of the first match, or all of it where there is no group; None without one.

    >>> first(compiled("^/v1/([^/]+)/"), "/v1/chat/completions"), first(compiled("^[a-z]+"), "ab1")
    ('chat', 'ab')
    """
    match = expression.search(text[:MAX_TEXT])
    if match is None:
        return None
    found: str | None = match[1] if expression.groups else match[0]
    return found or None
