"""Every Record says what served it, and no stranger can make that a list of their own words."""

from __future__ import annotations

import json

from monitor import __version__
from monitor.assembly import build
from monitor.meters import Meters
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.protocols import PROTOCOLS
from monitor.recorder.capture import VALUES, Capture
from monitor.settings.schema import LineageSource, Settings
from monitor.types import Exchange, Message, Outcome, Record, decode_record, encode_record

NAMED = Settings(
    lineage={
        "model_version": LineageSource(header="X-Model-Version"),
        "corpus": LineageSource(header=["x-corpus", "x-index"]),
        "adapter": LineageSource(value="lora-17"),
    }
)


class Scene:
    """A recorder's reading part with the settings given."""

    def __init__(self, settings: Settings) -> None:
        self.meters = Meters("recorder", "e")
        keyring = Keyring((Key("k1", bytes(range(32))),))
        self._capture = Capture(
            "e", PROTOCOLS, [], build.privacy(settings, keyring), self.meters,
            lineage=build.lineage(settings),
        )  # fmt: skip

    def record(
        self, asked: str = "", answered: str = "", status: int = 200, body: bytes = b"{}"
    ) -> Record:
        request = Message(f"POST / HTTP/1.1\r\n{asked}\r\n".encode(), b"{}", 2)
        head = f"HTTP/1.1 {status} X\r\n{answered}\r\n".encode()
        answer = Message(head, body, len(body))
        record, _ = self._capture.read(Exchange("i", 1.0, 0.1, request, answer, [], Outcome.OK))
        return record

    def counted(self) -> dict[tuple[str, str], float]:
        return {
            (one.labels["fact"], one.labels["value"]): one.value
            for one in self.meters.measurements()
            if one.name == "monitor_lineage_records_total"
        }


def test_a_body_may_state_a_fact() -> None:
    """As text or a number, pseudonymized like all else; nothing where it is not there, or no JSON.
    What clients vary takes no more values than a header's."""
    source = LineageSource(json="response.system.version")
    scene = Scene(Settings(lineage={"version": source}))
    for body, said in (
        (b'{"system": {"version": "fp_1"}}', "fp_1"),
        (b'{"system": {"version": 7}}', "7"),
        (b'{"system": {"version": "ann@example.com"}}', "<EMAIL_ADDRESS:"),
        (b'{"system": []}', ""),
        (b"data: {}", ""),
    ):
        assert scene.record(body=body).lineage.get("version", "").startswith(said)
    for number in range(VALUES + 9):
        scene.record(body=b'{"system": {"version": "v%d"}}' % number)
    assert len([one for one, _ in scene.counted() if one == "version"]) <= VALUES + 1


def test_a_record_says_what_served_it() -> None:
    """The answer's word counts before the request's; of several headers the first that is there."""
    scene = Scene(NAMED)
    record = scene.record("x-model-version: asked\r\nx-index: i2\r\n", "x-model-version: 3.1\r\n")
    assert record.lineage["model_version"] == "3.1"
    assert record.lineage["corpus"] == "i2"
    assert record.lineage["adapter"] == "lora-17"
    assert record.lineage["monitor"] == __version__
    assert decode_record(encode_record(record)).lineage == record.lineage
    assert scene.record("x-model-version: asked\r\n").lineage["model_version"] == "asked"
    assert "model_version" not in scene.record().lineage


def test_every_record_says_under_which_configuration_it_was_made() -> None:
    """Without any setting; another configuration has another digest, another policy too."""
    plain, named = Scene(Settings()).record().lineage, Scene(NAMED).record().lineage
    assert set(plain) == {"config", "policy", "monitor"}
    assert plain["config"] != named["config"]
    assert plain["policy"] == named["policy"]


def test_personal_data_in_a_fact_is_replaced() -> None:
    """A header is text like any other."""
    record = Scene(NAMED).record("x-model-version: for ada@example.org\r\n")
    assert record.lineage["model_version"].startswith("for <EMAIL_ADDRESS:k1:")
    assert b"ada@" not in encode_record(record)


def test_records_are_counted_by_fact_within_a_budget() -> None:
    """Versions beyond the budget are `other`, and what the endpoint refused enters none."""
    scene = Scene(NAMED)
    scene.record("x-model-version: refused\r\n", status=400)
    for number in range(4 * VALUES):
        scene.record(f"x-model-version: {number}\r\n")
    counted = scene.counted()
    values = [value for fact, value in counted if fact == "model_version"]
    assert len(values) == VALUES + 1
    assert "refused" not in values
    assert counted["model_version", "other"] == 3 * VALUES + 1
    assert counted["adapter", "lora-17"] == 4 * VALUES + 1


def test_a_fact_is_bounded() -> None:
    """A value longer than a label may be is not kept."""
    record = Scene(NAMED).record(f"x-model-version: {'v ' * 500}\r\n")
    assert len(json.dumps(record.lineage)) < 300


def test_a_replay_says_so_and_no_endpoint_can() -> None:
    """A request's header alone marks it, as a fact that is counted like all and bounded like all."""
    scene = Scene(Settings())
    assert scene.record("x-monitor-replay: r1\r\n").lineage["replay"] == "r1"
    assert scene.counted()[("replay", "r1")] == 1
    assert "replay" not in scene.record("", "x-monitor-replay: r2\r\n").lineage
    for number in range(2 * VALUES):
        scene.record(f"x-monitor-replay: run{number}\r\n")
    assert len([fact for fact, _ in scene.counted() if fact == "replay"]) <= VALUES + 1
