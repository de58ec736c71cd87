"""Settings made into parts."""

from __future__ import annotations

from monitor.app import build
from monitor.meters import Meters
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.protocols import PROTOCOLS
from monitor.recorder.capture import Capture
from monitor.settings.schema import DimensionSource, Privacy, Settings
from monitor.types import Exchange, Message, Outcome


def test_a_hashed_dimension_is_a_keyed_pseudonym() -> None:
    """The same person is the same token; what the operator says of the segment goes first."""
    segments = {
        "user": DimensionSource(query="user", hash=True),
        "tier": DimensionSource(query="tier", hash=True),
    }
    rules = {"segments.tier": "drop"}
    settings = Settings(segments=segments, privacy=Privacy(paths=rules))
    dimensions, crossed = build.dimensions(settings)
    privacy = build.privacy(settings, Keyring((Key("k1", bytes(range(32))),)))
    capture = Capture("e", PROTOCOLS, dimensions, privacy, Meters("recorder", "e"), crossed=crossed)

    def segment(target: str) -> dict[str, str]:
        head = f"POST {target} HTTP/1.1\r\n\r\n".encode()
        answer = Message(b"HTTP/1.1 200 OK\r\n\r\n", b"{}", 2)
        record, _ = capture.read(Exchange("i", 0.0, 0.0, Message(head), answer, [], Outcome.OK))
        return record.segments

    ada = segment("/a?user=ada&tier=gold")
    assert ada["user"].startswith("<SEGMENT:k1:")
    assert ada["tier"] == "none"
    assert segment("/b?user=ada")["user"] == ada["user"] != segment("/a?user=bob")["user"]
    assert segment("/a")["user"] == "none"
