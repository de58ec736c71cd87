"""Call → Inference: what the first protocol that claims it reads, whatever the parts raise."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor import bodies
from monitor.errors import ParseError
from monitor.interfaces import Protocol
from monitor.types import Call, Inference, Part

Failures = dict[str, BaseException]
"""What protocols raised on an exchange, by their names: once each, however often it is read."""


class Reading:
    """Reads Calls by these protocols; the last one must claim and read everything."""

    def __init__(self, protocols: Sequence[Protocol]) -> None:
        *self._dialects, self._any_json = protocols

    def read(self, call: Call, failures: Failures) -> Inference:
        """What the first protocol that claims the call reads, else what any JSON says. What a
        protocol raises is noted in `failures`, and the call read as what else it is."""
        for protocol in self._dialects:
            try:
                if protocol.claims(call):
                    return self._dialect(protocol, call, failures)
            except Exception as error:  # noqa: BLE001  a protocol's defect is not the exchange's
                failures.setdefault(protocol.name, error)
        return self._plain(call, failures)

    def _dialect(self, protocol: Protocol, call: Call, failures: Failures) -> Inference:
        try:
            return protocol.read(call)
        except ParseError:
            pass
        except Exception as error:  # noqa: BLE001  a protocol's defect is not the exchange's
            failures.setdefault(protocol.name, error)
        return msgspec.structs.replace(self._plain(call, failures), protocol=protocol.name)

    def _plain(self, call: Call, failures: Failures) -> Inference:
        any_json = self._any_json
        try:
            return any_json.read(call)
        except Exception as error:  # noqa: BLE001  its bodies are texts at least
            failures.setdefault(any_json.name, error)
        texts = bodies.text(call.request_body), bodies.text(call.response_body)
        asked, told = ([Part(text=text)] if text else [] for text in texts)
        return Inference(any_json.name, "http", "", inputs=asked, outputs=told)
