"""Values that somebody may write into a configuration, by mistake or to see what happens."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st

TEXTS = st.sampled_from([
    "", " ", "\0", "\n", "\x1b[31m", "\u202e", "two", "80²", "١", "-1", "1e400", "0x", "null", "~",
    "http://", "http://[::1", "http://h:99999", "http://h:0", "http://h:bad", "http://u:PW@h:bad",
    "ftp://u:PW@h/", "redis://h/zero", "redis://u/PW@h/0", "unix:", "unix://", "://", "@", ":", "::",
    "[", "h:80²", "a..b:80", ".", "..", "...", "os:path", "..:x", ":x", "x:", "no.such:thing",
    "this.nowhere", "/proc/x", "/dev/null/x", "a" * 5000, "é" * 300, "*", "[*]", "request.[", "scan",
    "token(", "\ud800", "{{}}", "%s", "US", "EMAIL",
])  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.text(max_size=20), st.dates(),
    st.sampled_from([2**31, 2**63, 2**64, 10**30, 10**400, -(10**30), 1e308, -0.0, b"\xff"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.integers(), inner, max_size=3)
    ),
    max_leaves=5,
)


def document(key: str, value: object) -> str:
    """A YAML file with one key, `a.b`, and its value."""
    tree: Any = value
    for name in reversed(key.split(".")):
        tree = {name: tree}
    return str(yaml.dump(tree, allow_unicode=False))
