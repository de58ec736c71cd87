"""What served an exchange: facts that its headers state, and those that hold for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from monitor.types import Call


class Lineage(msgspec.Struct, frozen=True):
    """`constant` are facts by name that every Record has; `headers` are names of the headers that
    state one, the first that an exchange has counts, an answer's before a request's: the endpoint
    knows better than a client what it runs.
    """

    constant: Mapping[str, str] = {}
    headers: Mapping[str, Sequence[str]] = {}

    def stated(self, call: Call) -> dict[str, str]:
        """What the headers of an exchange state, as they state it."""
        found = {}
        for fact, names in self.headers.items():
            for headers in (call.response_headers, call.request_headers):
                said = next((said for one in names if (said := headers.get(one, "").strip())), "")
                if said:
                    found[fact] = said
                    break
        return found
