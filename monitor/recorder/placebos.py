"""View → the same answer beside what another exchange was given: what chance alone supports."""

from __future__ import annotations

from collections import deque

import msgspec

from monitor.picks import is_picked, pick
from monitor.types import Part
from monitor.view import View

KEPT, LONGEST, EVERY = 8, 65_536, 8
"""So many inputs are kept, of so many characters at most; one of so many answers is held against
them."""


class Placebos:
    """What the last exchanges were given; one per recorder, in memory only."""

    def __init__(self) -> None:
        self._given: deque[list[Part]] = deque(maxlen=KEPT)
        self._count = 0

    def swap(self, view: View) -> View | None:
        """Remember what an exchange was given. Return, once in `EVERY` times, the view with what an
        earlier one was given, less the texts that both share; None in between."""
        found = None
        if is_picked(self._count, EVERY) and self._given:
            own = {part.text for part in view.inputs}
            earlier = self._given[pick(self._count, len(self._given))]
            others = [part for part in earlier if part.text not in own]
            found = View(**{**msgspec.structs.asdict(view), "inputs": others}) if others else None
        if sum(len(part.text or "") for part in view.inputs) <= LONGEST:
            self._given.append(view.inputs)
        self._count += 1
        return found
