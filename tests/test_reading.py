"""An exchange is read by what claims it, live and in replay alike; what raises is counted once for it,
however often it is read."""

from __future__ import annotations

import msgspec
import pytest

from monitor.errors import ParseError
from monitor.interfaces import Protocol
from monitor.logged import Logged
from monitor.meters import Meters
from monitor.privacy.policies import Policy
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.reading import Failures, Reading
from monitor.recorder import calls
from monitor.recorder.capture import Capture
from monitor.replay.recording import Recording, _call
from monitor.types import Call, Inference, Outcome, Part, Record, encode_record
from tests.recorder.test_capture import SCANNER, broken, chat, counted, exchange


def raises_on(word: bytes) -> Protocol:
    """A protocol that claims everything, and raises where a word stands in the request."""

    def read(call: Call) -> Inference:
        return broken(call) if word in call.request_body else Inference("mine", "chat", "m")  # type: ignore[no-any-return]

    return Protocol("mine", lambda _: True, read)


def test_each_protocol_that_raises_is_noted_by_its_name() -> None:
    """Also where two readings of an exchange do; the call is read as what else it is."""
    claiming = Protocol("claiming", broken, broken)
    reading = Reading((claiming, raises_on(b"hello"), PROTOCOLS[-1]))
    failures: Failures = {}
    for _ in range(2):
        found = reading.read(calls.read(exchange(chat("hello"))), failures)
        assert (found.protocol, "hello" in str(found.inputs)) == ("mine", True)
    assert list(failures) == ["claiming", "mine"]


@pytest.mark.parametrize(
    "rules",
    [
        {}, {"request.user": "token(PERSON)"}, {"request.user": "drop"},
        {"request.messages[*].content": "drop"}, {"response.id": "drop"},
    ],
    ids=str,
)  # fmt: skip
def test_a_protocol_that_raises_counts_once_for_an_exchange(rules: dict[str, str]) -> None:
    """Whatever rules take out of it, and whether the protocol raises on what is left or only on what
    was there before."""
    privacy = Privacy(
        scanner=SCANNER, keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0,
        policy=Policy(rules),
    )  # fmt: skip
    meters = Meters("recorder", "e")
    reader = Capture("e", (raises_on(b"hello"), *PROTOCOLS), [], privacy, meters)
    body = b'{"user": "Eve", "messages": [{"role": "user", "content": "hello"}]}'
    reader.read(exchange(body, b'{"id": "a"}'))
    assert counted(meters, "monitor_part_failures_total") == {("protocol", "mine"): 1}


def alike(said: Logged, privacy: Privacy, protocols: tuple[Protocol, ...] = PROTOCOLS) -> Record:
    """The Record of an exchange in replay, once it is known to be that of live traffic."""
    live = Capture("e", protocols, [], privacy, Meters("recorder", "e"))
    ((record, _),) = live.taken([_call(said, 0)])  # type: ignore[misc]
    replayed = Recording("e", privacy, reading=Reading(protocols)).record(said, 0)
    assert encode_record(replayed) == encode_record(record)
    return replayed


def refuses(call: Call) -> Inference:
    raise ParseError("not of my dialect")


def knows_none(call: Call) -> bool:
    return broken(call)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("protocols", "name"),
    [
        ((Protocol("mine", lambda _: True, refuses), *PROTOCOLS), "mine"),
        ((Protocol("mine", lambda _: True, broken), *PROTOCOLS), "mine"),
        ((Protocol("mine", knows_none, broken), *PROTOCOLS), "openai_chat"),
        ((Protocol("any", lambda _: True, broken),), "any"),
    ],
    ids=["refuses", "raises on reading", "raises on claiming", "raises, and is the last"],
)
@pytest.mark.parametrize("rules", [None, {"request.messages[*].content": "drop"}], ids=str)
def test_a_defective_protocol_gives_the_same_record_live_and_in_replay(
    protocols: tuple[Protocol, ...], name: str, rules: dict[str, str] | None
) -> None:
    """Byte for byte, under the same name, whatever rules take out."""
    said = Logged(
        target="/v1/chat/completions", status=200, started=1.0, duration=0.5, outcome=Outcome.OK,
        request=chat("hello from ada@example.org"),
        response=b'{"id": "a", "choices": [{"message": {"content": "Hi"}}]}',
    )  # fmt: skip
    privacy = Privacy(
        scanner=SCANNER, keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0,
        policy=None if rules is None else Policy(rules),
    )  # fmt: skip
    replayed = alike(said, privacy, protocols)
    assert replayed.protocol == name


WIDE = Inference("mine", "chat", "m", inputs=[Part(role="user" * 99, text="x")] * 99)
HALF = Inference(
    "mine", "a\ud800", "m", inputs=[Part(role="user", name="a\ud800", data=["a\ud800"])]
)


@pytest.mark.parametrize("odd", [WIDE, HALF], ids=["grows", "cannot be encoded"])
def test_what_cannot_be_recorded_is_mended_live_and_in_replay(odd: Inference) -> None:
    """A side that is larger than its body allows, or that nobody can write, is the body's text; a
    number beyond 64 bits is one that every encoding has."""
    mine = Protocol("mine", lambda _: True, lambda _: odd)
    privacy = Privacy(scanner=SCANNER, keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0)
    said = Logged(target="/any", status=200, started=1.0, duration=0.5, request=chat("hello"))
    replayed = alike(said, privacy, (mine, *PROTOCOLS))
    assert replayed.redactions["expansion"] == 1
    large = b'{"instances": [{"a": 1180591620717411303424, "b": 1' + b"0" * 400 + b"}]}"
    said = msgspec.structs.replace(said, target="/v1/models/m:predict", request=large)
    assert [part.data for part in alike(said, privacy).inputs] == [[2.0**70], ["1e400"]]
