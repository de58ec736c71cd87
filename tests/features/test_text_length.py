"""Text lengths."""

from __future__ import annotations

from monitor.features.text_length import FEATURE
from monitor.types import Outcome, Part


def test_all_texts_count_and_errors_do_not(record, seen) -> None:
    """System prompt and history are input; what an error says is no output."""
    one = record(
        inputs=[Part(role="system", text="Be brief."), Part(role="user", text="Hello?")],
        outputs=[Part(role="assistant", text="Hi."), Part(role="error", text="x" * 500)],
    )
    assert seen(FEATURE, one) == {"input_text_length": [15], "output_text_length": [3]}


def test_an_empty_answer_has_length_0_and_a_failed_one_none(record, seen) -> None:
    """A model that says nothing is an observation; one that could not is not."""
    assert seen(FEATURE, record(outputs=[]))["output_text_length"] == [0]
    failed = record(outputs=[], outcome=Outcome.SERVER_ERROR)
    assert "output_text_length" not in seen(FEATURE, failed)


def test_a_classifier_has_no_text(record, seen) -> None:
    """Tensors alone observe nothing here."""
    tensor = Part(name="x", datatype="FP32", shape=[1], data=[1.0])
    assert seen(FEATURE, record(inputs=[tensor], outputs=[tensor])) == {}


def test_a_pseudonym_counts_as_its_entity(record, seen) -> None:
    """`<PHONE_NUMBER>` has 14 characters whatever the key."""
    text = "<PHONE_NUMBER:k1:abcdefghijklmnop>"
    found = seen(FEATURE, record(inputs=[Part(role="user", text=text)]))
    assert found["input_text_length"] == [14]
