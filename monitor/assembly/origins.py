"""A user's own settings → lines that say what their preset adds, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from monitor.settings import layers


def lines(tree: dict[str, Any]) -> Iterator[str]:
    """Yield lines for a person, as `explanation.explain` does; none without a preset."""
    found = layers.layers(tree)
    if not found:
        return
    preset, *modifiers = found
    told = list(layers.origins(tree))
    own = sum(one.before is not None for one in told)
    yield f"preset      {preset.name}: {preset.about['title']}"
    yield f"            sets {len(told)} keys, of which you set {own} otherwise:"
    for one in told:
        yield f"            {one.path} {_value(one)}: {one.reason}"
    for answered in modifiers:
        yield f"answer      {answered.name}: {answered.about['if_yes']}"
    about = preset.about
    yield f"protocols   {', '.join(about['protocols'])} are usual here; every other is read, too"
    yield f"labels      {about['labels']}"


def _value(one: layers.Origin) -> str:
    """The value with who said it.

    >>> _value(layers.Origin("review.control", 0.1, ("legal", "cost_tight"), "", 0.2))
    '0.1 (yours; 0.2 by legal, cost_tight)'
    """
    by = ", ".join(one.layers)
    if one.before is None:
        return f"{_inline(one.value)} (by {by})"
    if one.value is None:
        return f"{_inline(one.before)} (by {by}; taken away by you)"
    return f"{_inline(one.value)} (yours; {_inline(one.before)} by {by})"


def _inline(value: Any) -> str:
    """A value as it stands on one line of YAML.

    >>> _inline({"header": "x-site"}), _inline([1, "a"]), _inline("$x"), _inline("")
    ('{header: x-site}', '[1, a]', '$x', "''")
    """
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False)
    return text.partition("\n")[0]
