"""Every rule by its own examples and near misses; no rule raises, or takes long, on anything."""

from __future__ import annotations

import math
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.edge_cases import EDGE_CASES, repetition
from monitor.finish_reasons import NORMAL
from monitor.interfaces import EdgeCase
from monitor.types import Outcome, Part, Tokens
from monitor.view import Usual, View
from tests.pace import is_within

NAMES = [
    "empty_output",
    "truncated",
    "refusal",
    "invalid_json",
    "tool_loop",
    "near_context_limit",
    "long_input",
    "unknown_category",
    "out_of_range",
    "low_confidence",
    "other_language",
    "repeated_request",
    "many_pseudonyms",
    "slow_first_token",
    "repetition",
]

BY_NAME = {one.name: one for one in EDGE_CASES}


SHORT = View(
    inputs=[Part(role="user", text="Where is the parcel that you have sent to me and is it mine?")],
    outputs=[Part(role="assistant", text="Das ist für die Tochter und den Sohn, und nicht für dich.")],
)  # fmt: skip


def names(view: View) -> list[str]:
    return [one.name for one in EDGE_CASES if one.holds(view, one.thresholds)]


def shown(view: View) -> str:
    changed = {f: v for f, v in msgspec.structs.asdict(view).items() if v != getattr(View(), f)}
    return repr(changed)[:300]


def test_the_names_are_those_that_others_rely_on() -> None:
    """The public list, in its order."""
    assert [one.name for one in EDGE_CASES] == NAMES


@pytest.mark.parametrize("edge_case", EDGE_CASES, ids=NAMES)
def test_a_rule_holds_for_its_examples_and_for_no_near_miss(edge_case: EdgeCase) -> None:
    """With the defaults; each has both."""
    assert edge_case.examples
    assert edge_case.near_misses
    for view in edge_case.examples:
        assert edge_case.holds(view, edge_case.thresholds) is True, shown(view)
    for view in edge_case.near_misses:
        assert not edge_case.holds(view, edge_case.thresholds), shown(view)


@pytest.mark.parametrize("edge_case", EDGE_CASES, ids=NAMES)
def test_a_rule_says_in_words_what_it_is(edge_case: EdgeCase) -> None:
    """One phrase, with the thresholds in it."""
    said = edge_case.words(edge_case.thresholds)
    assert said[0].islower()
    assert not said.endswith(".")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "changes", "view"),
    [
        ("long_input", {"tokens": 50}, View(tokens=Tokens(50, 1))),
        ("slow_first_token", {"seconds": 0.5}, View(first_token=0.5)),
        ("low_confidence", {"below": 0.95}, View(confidence=0.9)),
        ("many_pseudonyms", {"count": 1}, View(pseudonyms={"EMAIL_ADDRESS": 1})),
        ("repeated_request", {"within": 3600.0}, View(repeated_after=3000.0)),
        ("near_context_limit", {"context": 100}, View(tokens=Tokens(80, 1))),
        ("near_context_limit", {"share": 0.5}, View(tokens=Tokens(50, 1), context=100)),
        ("out_of_range", {"deviations": 0.0}, BY_NAME["out_of_range"].near_misses[0]),
        ("tool_loop", {"turns": 2}, BY_NAME["tool_loop"].near_misses[0]),
        ("tool_loop", {"polling_turns": 9}, BY_NAME["tool_loop"].near_misses[4]),
        ("repetition", {"words": 50}, View(outputs=[Part(role="assistant", text="very " * 55)])),
        ("other_language", {"words": 10}, SHORT),
    ],
)
def test_a_threshold_moves_the_rule(name: str, changes: dict[str, Any], view: View) -> None:
    """What the default lets pass, another threshold does not."""
    one = BY_NAME[name]
    assert not one.holds(view, one.thresholds)
    assert one.holds(view, msgspec.structs.replace(one.thresholds, **changes))


# --- anything ------------------------------------------------------------------------------------

ROLES = st.sampled_from(
    ["user", "system", "assistant", "tool", "tool_call", "reasoning", "refusal", "error", "", None]
)
TEXTS = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        ["", " ", "{", '{"a": 1}', "```json\n{}\n```", "very " * 70, "\ud800", "<A:k:" + "a" * 16 + ">",
         '{"name":"a","arguments":{}}', '{"name":', '{"name":"a"\n{"name":"a"', "I can't help with it."]
    ),
)  # fmt: skip
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=9),
    st.just({}),
    st.just([1]),
)
PARTS = st.lists(
    st.builds(
        Part,
        role=ROLES,
        text=st.none() | TEXTS,
        name=st.none() | st.sampled_from(["age", "plan", "x[1]"]),
        shape=st.none() | st.lists(st.integers(0, 70), max_size=3),
        data=st.none() | st.lists(VALUES, max_size=6),
    ),
    max_size=8,
)
USUAL = {"age": Usual(0.0, 1.0, 0.5), "plan": Usual(categories=frozenset("ab")), "x[1]": Usual()}
VIEWS = st.builds(
    View,
    operation=st.sampled_from(["chat", "text_completion", "infer", "predict", "embeddings", "http", ""]),
    outcome=st.sampled_from(Outcome),
    is_accepted=st.booleans(),
    first_token=st.none() | st.floats(),
    inputs=PARTS,
    outputs=PARTS,
    inputs_cut=st.booleans(),
    outputs_cut=st.booleans(),
    tokens=st.none() | st.builds(Tokens, st.none() | st.integers(), st.none() | st.integers()),
    finish=st.lists(st.sampled_from(NORMAL), max_size=3),
    confidence=st.none() | st.floats(),
    pseudonyms=st.dictionaries(st.text(max_size=3), st.integers(0, 10**6), max_size=3),
    redactions=st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=2),
    wants_json=st.booleans(),
    schema=st.none() | st.just({"type": "object"}),
    context=st.none() | st.integers(1, 10**6),
    usual=st.just({}) | st.just(USUAL),
    repeated_after=st.none() | st.floats(),
)  # fmt: skip


@given(VIEWS)
def test_any_view_has_names_of_the_closed_list(view: View) -> None:
    """No rule raises, whatever an exchange is."""
    found = names(view)
    assert set(found) <= set(NAMES)
    assert found == names(view)  # it says the same when asked again


CALL = '{"name":"find","arguments":{"order":%d,"filter":{"a":[1,2,3]}}}'
HOSTILE: dict[str, View] = {
    "10,000 calls in a turn": View(
        inputs=[
            Part(role="assistant", text="\n".join(CALL % (n + turn) for n in range(10_000)))
            for turn in range(3)
        ]
    ),
    "10,000 turns": View(inputs=[Part(role="assistant", text=CALL % 1)] * 10_000),
    "10,000 calls as parts": View(inputs=[Part(role="tool_call", text=CALL % 1)] * 10_000),
    "10,000 answers": View(
        wants_json=True, outputs=[Part(role="assistant", text="not json, I can't")] * 10_000
    ),
    "1 MB of one word": View(outputs=[Part(role="assistant", text="very " * 200_000)]),
    "1 MB of one letter": View(outputs=[Part(role="assistant", text="a" * 1_000_000)]),
    "1 MB of fences": View(outputs=[Part(role="assistant", text="```" * 333_333)]),
    "1 MB of bars": View(outputs=[Part(role="assistant", text="| " * 500_000)]),
    "1 MB of spaces": View(outputs=[Part(role="assistant", text=" " * 1_000_000)]),
    "1 MB of a long block": View(
        outputs=[Part(role="assistant", text=("word%d " * 59 % tuple(range(59))) * 3000)]
    ),
    "deep JSON": View(wants_json=True, outputs=[Part(role="assistant", text="[" * 1_000_000)]),
    "deep call": View(inputs=[Part(role="assistant", text='{"name":' * 100_000)] * 3),
    "many pseudonyms": View(
        wants_json=True,
        outputs=[Part(role="assistant", text="<A:k:" * 100_000 + "<EMAIL:k:aaaaaaaaaaaaaaaa>" * 20_000)],
    ),
    "1 MB of two languages": View(
        inputs=[
            Part(role="system", text="in that language " * 30_000),
            Part(role="user", text="where is the parcel that you have sent to me and is it for us " * 8000),
        ],
        outputs=[Part(role="assistant", text="das ist nicht der für die wir es von dem im " * 8000)],
    ),
    "a wide batch": View(
        operation="infer",
        inputs=[Part(name="age", shape=[100_000], data=list(range(100_000)))] * 3,
        usual={"age": Usual(-math.inf, math.inf, 0.0)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_takes_a_bounded_time(name: str) -> None:
    """Less than what is read of a body of that size takes; each rule by itself is linear."""
    begun = time.process_time()
    found = names(HOSTILE[name])
    assert is_within(time.process_time() - begun, 0.5)
    assert set(found) <= set(NAMES)


@given(
    st.lists(st.sampled_from(["a", "b", "--"]), max_size=12),
    st.lists(st.sampled_from(["a", "b", "c", "|"]), min_size=1, max_size=6),
    st.integers(1, 24),
)
def test_a_block_at_the_end_that_comes_again_is_found(
    before: list[str], block: list[str], times: int
) -> None:
    """As by comparing the ends of the words with each block that could be."""
    words = before + block * times

    def comes(period: int, length: int) -> bool:
        end = words[-length:]
        return len(end) == length and end[period:] == end[:-period]

    def is_loop(period: int) -> bool:
        is_said = any(map(str.isalnum, "".join(words[-period:])))
        return comes(period, max(4 * period, 48) * (1 if is_said else 4))

    longest = min(60, len(words) // 4)
    assert repetition._loops(words, 48) == any(map(is_loop, range(1, longest + 1)))
