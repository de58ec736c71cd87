"""YAML text → plain values, strictly: a key that is there twice is an error with its line.

PyYAML's own loader is slower than that of libyaml (half a second for 200 KB, where settings have
2), but it names the character that is wrong, and does not crash where somebody nests too deep.
"""

from __future__ import annotations

from typing import Any

import yaml

from monitor.errors import ConfigError


def load(text: str, name: str) -> Any:
    """Parse one document; `name` is the file or variable it came from.

    Raises ConfigError, one line with `name` and the line, for what is no YAML, is nested deeper
    than Python can follow or has a key twice in a mapping.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506  a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        place = f"{name}:{mark.line + 1}" if mark else name
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
        raise ConfigError(f"{place}: {_cause(error)}{problem}") from None
    except RecursionError:
        raise ConfigError(f"{name}: not YAML that can be read: nested too deep") from None
    except (ValueError, TypeError, ArithmeticError) as error:  # as in the date 2024-13-45
        raise ConfigError(f"{name}: not YAML that can be read: {error}") from None


def _cause(error: yaml.YAMLError) -> str:
    return "" if isinstance(error, _TwiceError) else "not YAML: "


class _TwiceError(yaml.constructor.ConstructorError):
    """A key that is there twice."""


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            line = key.start_mark.line + 1
            if key.value in seen:
                message = f"{key.value!r} is there twice, first in line {seen[key.value]}"
                raise _TwiceError(None, None, message, key.start_mark)
            seen[key.value] = line
        return super().construct_mapping(node, deep)
