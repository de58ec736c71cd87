"""Values at rest → values that may be looked at: what leaves `monitor replay` goes by this door.

Tables have no key. Their values are compared and counted, never kept, so of personal data only the
kind stays (`<EMAIL_ADDRESS>`), and of what a rule hashes or makes a pseudonym of.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.assembly import build
from monitor.marks import DIGEST
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.settings.schema import Settings
from monitor.texts import LONGEST, plain, visible

if TYPE_CHECKING:
    from monitor.privacy.records import Privacy

_REMEMBERED = 1 << 14
_DIGESTS = re.compile(rf"<(REDACTED:[a-z_]+|MEDIA:[\w.+/-]+):(?:\d+:)?{DIGEST}(?::\d+)?>")


class Sanitizer:
    """What `privacy` in the configuration says, done to values one by one.

    `outputs` are the columns that the rules call `outputs.NAME`; the others are `inputs.NAME`. It
    can be sent to another process, which makes its own.
    """

    def __init__(self, settings: Settings, outputs: frozenset[str] = frozenset()) -> None:
        self._outputs = outputs
        key = Key("replay", os.urandom(32))  # of no use to anybody: no token of it is kept
        section = msgspec.structs.replace(settings.privacy, seal_to=None, key_file=None)
        settings = Settings(privacy=section)  # no more than that goes to another process
        self._made = (settings, outputs)
        self.scanner = build.scanner(settings)
        self._privacy: Privacy = build.privacy(settings, Keyring((key,)), compiled=self.scanner)
        self.cell: Callable[[str, Any], Any] = lru_cache(_REMEMBERED, typed=True)(self._cell)
        self.segment: Callable[[str, str], str] = lru_cache(_REMEMBERED)(self._segment)
        self.text: Callable[[str], str] = lru_cache(_REMEMBERED)(self._text)

    def __reduce__(self) -> tuple[Callable[..., Sanitizer], tuple[Settings, frozenset[str]]]:
        return _there, self._made

    def drops(self, column: str) -> bool:
        """Whether a rule says that the column is not to be looked at."""
        return self._privacy.drops(self._side(column), column)

    def minds(self, column: str) -> bool:
        """Whether the column's name or a rule says something of every value in it."""
        return self._privacy.minds(self._side(column), column)

    def _segment(self, dimension: str, value: str) -> str:
        """A dimension's value, `none` where nothing of it is kept."""
        return _kinds(self._privacy.segment(dimension, value))

    def _cell(self, column: str, value: Any) -> Any:
        """A value, not a list, of a column; None where nothing of it is kept."""
        found = self._privacy.cell(self._side(column), column, value)
        return _kinds(found) if isinstance(found, str) else found

    def _text(self, value: str) -> str:
        """A name, or a value of a Record, as it is where nothing is found in it; what is longer
        than a name may be is cut, as where it stands for a feature or a category."""
        found = self._privacy.text(value, trusted=True)
        found = value if found == value else _kinds(found)
        return visible(found) if len(found) > LONGEST else found

    def _side(self, column: str) -> str:
        return "outputs" if column in self._outputs else "inputs"


_held = threading.local()


def _there(settings: Settings, outputs: frozenset[str]) -> Sanitizer:
    """The Sanitizer of a thread that gets one task after the other: making it takes half a second
    of CPU time, and no two threads may use one."""
    made, found = getattr(_held, "one", (None, None))
    if made != (settings, outputs) or found is None:
        found = Sanitizer(settings, outputs)
        _held.one = (settings, outputs), found
    return found


def _kinds(text: str) -> str:
    """A text without the keyed part of any mark; `plain` would forget why one was left out."""
    return plain(_DIGESTS.sub(r"<\1>", text)) if "<" in text else text
