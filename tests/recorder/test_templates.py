"""The template of an exchange: declared, named as a stored prompt, or found in its texts."""

from __future__ import annotations

import json

from monitor.meters import Meters
from monitor.recorder.capture import Capture
from monitor.recorder.sampler import Sampler
from monitor.templates.miner import Miner
from monitor.types import Receipt, Template, decode_record, encode_record
from tests.recorder.test_capture import exchange, reader_of, values_of
from tests.templates.test_miner import judge, sentence

ANSWER = json.dumps({"model": "m", "choices": [{"index": 0, "message": {"content": "Y"}}]}).encode()


def asked(text: str) -> bytes:
    turns = [("system", ""), ("user", "What was before?"), ("assistant", "This."), ("user", text)]
    messages = [{"role": role, "content": said} for role, said in turns]
    return json.dumps({"model": "m", "messages": messages}).encode()


def mining() -> tuple[Capture, Meters]:
    return reader_of(mined="template", miner=Miner())


def test_a_template_that_is_found_is_a_segment_of_its_own() -> None:
    """In the Record and in every metric by segment, from the eighth text on; `none` before."""
    reader, meters = mining()
    records = [reader.read(exchange(asked(judge(n)), ANSWER))[0] for n in range(12)]
    assert [one.template for one in records[:7]] == [None] * 7
    assert records[6].segments["template"] == "none"
    found = records[11].template
    assert found is not None
    assert found.id.startswith("t_")
    assert not found.declared
    assert records[11].segments["template"] == found.id
    assert decode_record(encode_record(records[11])).template == found
    assert found.id in values_of(meters, "template")


def test_what_a_request_declares_goes_before() -> None:
    """A header, else the stored prompt that it names; what is declared is not learned from."""
    reader, _ = mining()
    for number in range(12):
        record, _ = reader.read(
            exchange(asked(judge(number)), ANSWER, headers={"x-template": "j1"})
        )
    assert record.template == Template("j1", declared=True)
    stored = {"model": "m", "prompt": {"id": "pmpt_7", "version": "3"}, "input": "hello"}
    body = json.dumps(stored).encode()
    record, _ = reader.read(
        exchange(body, b'{"object": "response", "output": []}', target="/v1/responses")
    )
    assert record.template == Template("pmpt_7@3", declared=True)
    assert record.segments["template"] == "pmpt_7@3"
    assert reader.read(exchange(asked(judge(50)), ANSWER))[0].template is None


def test_personal_data_is_in_no_template() -> None:
    """Texts are looked at as they are on record: what privacy found is a gap, also where all have it."""
    found = Miner()
    reader, _ = reader_of(mined="template", miner=found)
    for number in range(12):
        text = f"Write to ada@example.org, card 4111 1111 1111 1111.\nAnswer this letter: {sentence(number)}"
        record, _ = reader.read(exchange(asked(text), ANSWER, headers={}))
    assert record.template is not None
    written = json.dumps([one.literals for one in found.news().values()])
    assert "Answer this letter" in written
    assert not any(one in written for one in ("ada", "4111", "EMAIL", "CREDIT", "k1"))


def test_without_a_mined_dimension_nothing_is_found() -> None:
    """Nothing is learned, and Records say nothing."""
    reader, _ = reader_of()
    for number in range(12):
        record, _ = reader.read(exchange(asked(judge(number)), ANSWER))
    assert record.template is None
    assert b'"template":{' not in encode_record(record)


def test_a_miner_that_fails_costs_the_template_alone() -> None:
    """It is counted; the record stays."""

    class Broken(Miner):
        def name(self, *_: object, **__: object) -> str:
            raise RuntimeError

    reader, meters = reader_of(mined="template", miner=Broken())
    record, _ = reader.read(exchange(asked("hi"), ANSWER))
    assert record.template is None
    failed = {
        m.labels["name"] for m in meters.measurements() if m.name == "monitor_part_failures_total"
    }
    assert "template" in failed


def test_what_is_not_recorded_is_not_looked_at() -> None:
    """It counts under `unknown`, so that shares have a denominator."""
    reader, meters = mining()
    none = Sampler(1e-9, bytes(32))
    receipts = [reader.sample(exchange(asked(judge(n)), ANSWER), none) for n in range(40)]
    assert any(isinstance(one, Receipt) for one in receipts)
    assert "unknown" in values_of(meters, "template")
