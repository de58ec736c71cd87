"""Laws of every feature."""

from __future__ import annotations

import itertools
import typing
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.assembly import meaning
from monitor.features import FEATURES, MORE, tensors
from monitor.interfaces import Feature
from monitor.texts import asked, told
from monitor.types import (
    Kind,
    Observation,
    Outcome,
    Part,
    Record,
    RequestSummary,
    ResponseSummary,
    Tokens,
    Verdict,
    decode_record,
    encode_record,
)

EVERY = (*FEATURES, *MORE)
KINDS = set(typing.get_args(Kind))

anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.integers(10**300, 10**400), st.floats(),
        st.text(), st.sampled_from(["2024-02-30", "2024-02-29T12:00:00Z", "0001-01-01", "x" * 99]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)  # fmt: skip
strange = st.text(st.characters(), max_size=300) | st.sampled_from(
    ["", "\ud800", "{", '{"a": 1}', "```json\n{}\n```", "<EMAIL_ADDRESS:k1:" + "a" * 22 + ">", "[1"]
)
parts = st.builds(
    Part,
    role=st.none() | st.sampled_from(["user", "assistant", "error", "tool_call", "refusal", "?"]),
    text=st.none() | strange,
    name=st.none() | st.sampled_from(["age", "duration", "input_tokens", ""]) | strange,
    datatype=st.none() | st.sampled_from(["FP32", "INT64", "BOOL", "BYTES", "", "?"]),
    shape=st.none() | st.lists(st.integers(-2, 10**12) | st.integers(0, 5), max_size=4),
    data=st.none() | st.lists(anything, max_size=6),
)
records = st.builds(
    Record,
    id=st.text(max_size=40),
    duration=st.floats(),
    time_to_first_token=st.none() | st.floats(),
    time_per_output_token=st.none() | st.floats(),
    outcome=st.sampled_from(Outcome),
    request=st.builds(RequestSummary, method=st.sampled_from(["", "POST"])),
    response=st.builds(ResponseSummary),
    inputs=st.lists(parts, max_size=3),
    outputs=st.lists(parts, max_size=3),
    tokens=st.none() | st.builds(Tokens),
    finish_reasons=st.lists(strange, max_size=3),
    segments=st.just({}),
)

every_feature = pytest.mark.parametrize("feature", EVERY, ids=lambda feature: feature.name)


hostile = settings(
    max_examples=110,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # each example is shown to all features: to make one takes longer than to look at it


@hostile
@given(several=st.lists(records, min_size=1, max_size=4))
def test_whatever_stands_in_records_each_is_observed_alone_and_with_many(
    several: list[Record],
) -> None:
    """There are observations of known kinds under real names. Where a feature looks at several
    together, it sees the same in each, in the same order of names."""
    for feature in EVERY:
        alone = [list(feature.observe(record)) for record in several]
        for observation in itertools.chain(*alone):
            assert observation.feature, feature.name
            assert observation.kind in KINDS, feature.name
        if feature.observe_said is not None:
            said = [(asked(record), told(record)) for record in several]
            many = feature.observe_said([asked for asked, _ in said], [told for _, told in said])
        elif (found := feature.observe_many(several)) is not None:
            many = found
        else:
            continue
        together: list[list[Observation]] = [[] for _ in several]
        for values in many:
            for place, value in zip(values.places, values.values, strict=True):
                together[place].append(Observation(values.feature, values.kind, value))
        assert list(map(repr, together)) == list(map(repr, alone)), feature.name  # NaN is like NaN


DEEP = ("[" * 20_000 + "]" * 20_000, '{"a":' * 20_000, "```json\n" + "[" * 20_000 + "\n```")


@every_feature
@pytest.mark.parametrize("text", DEEP, ids=["closed", "open", "fenced"])
def test_a_text_that_is_nested_deep_ends_no_feature(
    feature: Feature, text: str, record: Callable[..., Record]
) -> None:
    """Whether it is a question, an answer, the name of a field or a value."""
    tensor = Part(name=text, datatype="BYTES", shape=[1], data=[text])
    one = record(
        inputs=[Part(role="user", text=text), tensor],
        outputs=[Part(role="assistant", text=text), tensor],
        finish_reasons=[text],
    )
    for answer in (one, msgspec.structs.replace(one, outputs=one.outputs[:1])):
        assert all(observation.kind in KINDS for observation in feature.observe(answer))


@every_feature
def test_a_record_that_was_written_down_observes_the_same(feature: Feature, record) -> None:
    """Live equals replay: through JSON and back nothing changes."""
    one = record(
        inputs=[
            Part(role="user", text="Wo ist die Rechnung, die Sie mir geschickt haben? " * 9),
            Part(name="age", datatype="FP32", shape=[2, 1], data=[1.5, None]),
        ],
        outputs=[Part(name="p", datatype="FP64", shape=[1, 2], data=[0.25, 0.75])],
    )
    again = decode_record(encode_record(one))
    assert list(feature.observe(again)) == list(feature.observe(one))


@every_feature
def test_a_new_key_is_not_drift(feature: Feature, record) -> None:
    """Pseudonyms of another key, of another length, change no observation."""
    text = "Please write to <EMAIL_ADDRESS:{}:{}> about the invoice and the order. " * 3

    def made(key: str, token: str) -> Record:
        said = text.replace("{}", "%s") % ((key, token) * 3)
        tensor = Part(
            name="mail", datatype="BYTES", shape=[1], data=[f"<EMAIL_ADDRESS:{key}:{token}>"]
        )
        return record(
            inputs=[Part(role="user", text=said), tensor],
            outputs=[Part(role="assistant", text=said)],
        )  # fmt: skip

    old, new = made("k1", "a" * 22), made("k22", "Zz9-_" * 6)
    assert list(feature.observe(old)) == list(feature.observe(new))


@every_feature
def test_names_of_features_are_reserved(feature: Feature, record) -> None:
    """No tensor can pass itself off as a feature of ours."""
    if feature.name in ("tensors", "embedding"):
        return  # they are named after tensors
    one = record(
        time_to_first_token=0.1,
        time_per_output_token=0.01,
        outputs=[
            Part(role="assistant", text="the word and the other " * 20),
            Part(name="p", datatype="FP64", shape=[1, 2], data=[0.25, 0.75]),
        ],
        inputs=[Part(role="user", text="the word and the other " * 20)],
        checks={"citation": Verdict(False, 1, 3)},
    )
    names = {observation.feature for observation in feature.observe(one)}
    assert names
    assert all(map(tensors.is_taken, names)), (
        f"name {sorted(names - tensors.TAKEN)} in TAKEN (monitor/features/tensors.py), so that no "
        "tensor of a client can pass itself off as them"
    )


def test_what_can_be_configured_is_known_to_checkpoints_and_documents() -> None:
    """The features that `drift.features` may name."""
    document = (Path(__file__).parents[2] / "CONFIGURATION.md").read_text(encoding="utf-8")
    for feature in MORE:
        assert feature.name in meaning._FEATURES, (
            f"say in _FEATURES (monitor/assembly/meaning.py) what {feature.name} sees, so that a "
            "checkpoint forgets it when it is switched off"
        )
        line = next(one for one in document.splitlines() if one.strip().startswith("features: ["))
        assert feature.name in line, f"name {feature.name} at drift.features in CONFIGURATION.md"


def test_names_are_unique() -> None:
    """There is one feature of each name."""
    assert len({feature.name for feature in EVERY}) == len(EVERY)
