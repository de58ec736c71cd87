"""Texts that come again: the Record is the same as without the cache, which holds nothing of them."""

from __future__ import annotations

import gc
import hashlib
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.dimensions import dimension
from monitor.meters import Meters
from monitor.privacy import scrub as scrub_module
from monitor.privacy.cache import NOTHING, Cache, Edit
from monitor.privacy.patterns import Scanner
from monitor.privacy.policies import Policy
from monitor.privacy.pseudonyms import MARK_WHOLE, Key, Keyring
from monitor.privacy.records import Privacy
from monitor.privacy.scrub import Bounds
from monitor.protocols import PROTOCOLS
from monitor.recognizers import select
from monitor.recorder.capture import Capture
from monitor.types import Exchange, encode_record
from tests.privacy.test_records import exchange
from tests.privacy.test_scrub import TEXTS

SCANNER = Scanner(select())
KEYS = [Key(f"k{number}", bytes([number]) * 32) for number in range(1, 4)]
RINGS = [Keyring((key,)) for key in KEYS] + [
    Keyring((KEYS[1], KEYS[0])),
    Keyring((Key("k1", bytes([9]) * 32),)),
]
"""Rotations: with and without an overlap, and another key under the same id."""
POLICIES: list[dict[str, str]] = [
    {},
    {"request.messages[*].content": "keep"},
    {"request.messages[0].content": "hash_whole", "request.headers.x-note": "scan"},
    {"request.user": "token(PERSON)", "inputs.system": "keep"},
    {"inputs.user": "scan_json", "outputs.*": "drop"},
    {"request.messages[*].name": "token(PERSON)", "segments.population": "hash_whole"},
    {"inputs.note": "generalise(domain)", "request.path": "scan"},
]
ADA = "I am at ada@example.org or +49 171 5550187; the card was 4111 1111 1111 1111. "


def seal(token: str, value: str) -> str:
    """A box that is the same each time, so that Records can be compared."""
    return hashlib.sha256(f"{token} {value}".encode("utf-8", "surrogatepass")).hexdigest()


def privacy(cache: Cache | None, **more: Any) -> Privacy:
    return Privacy(
        scanner=SCANNER,
        keyring=more.pop("keyring", RINGS[0]),
        clock=lambda: 0.0,
        cache=cache,
        **more,
    )


def capture(door: Privacy) -> Capture:
    return Capture(
        "e",
        PROTOCOLS,
        [dimension("population", "header", ["x-population"])],
        door,
        Meters("recorder", "e"),
    )


def chat(texts: Sequence[str], note: str) -> Exchange:
    roles = ("system", "user", "assistant")
    said = [
        {"role": roles[place % 3], "content": text, "name": note}
        for place, text in enumerate(texts)
    ]
    body = {"model": "m", "user": note, "messages": said, "note": {"email": note, "ssn": note}}
    answer = {
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": texts[-1]}}],
    }
    note = re.sub(r"[^ -~]", "?", note)
    return exchange(
        json.dumps(body), json.dumps(answer), asked={"x-note": note, "x-population": note}
    )


# --- the same as without -------------------------------------------------------------------------

Step = list[int] | Keyring
"""The texts that a request holds, by number; or a rotation."""
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.lists(st.integers(0, 5), min_size=1, max_size=5) | st.sampled_from(RINGS),
    min_size=2, max_size=8,
)  # fmt: skip


@st.composite
def doors(draw: st.DrawFn) -> dict[str, Any]:
    """Rules, bounds and seals."""
    return {
        "policy": Policy(draw(st.sampled_from(POLICIES))),
        "bounds": draw(
            st.sampled_from([Bounds(), Bounds(text=60, record=600), Bounds(depth=1, record=300)])
        ),
        "seal": draw(st.sampled_from([seal, None])),
    }


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(TEXTS | st.just(ADA), min_size=6, max_size=6),
    steps=STEPS,
    more=doors(),
    size=st.sampled_from([1 << 20, 3000, 0]),
)
def test_a_record_is_the_same_as_without_the_cache(
    texts: list[str], steps: list[Step], more: dict[str, Any], size: int
) -> None:
    """Random conversations under random rules and rotations, in this order and in the other: what
    came before changes nothing of a Record, however much of it the cache still has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scrub_module, "_MAX_LINKED", 3)
        for order in (steps, steps[::-1]):
            both = [privacy(Cache(bytes(32), size), **more), privacy(None, **more)]
            captures = [capture(door) for door in both]
            for step in order:
                if isinstance(step, Keyring):
                    for door in both:
                        door.use(step)
                    continue
                one = chat([texts[number] for number in step], texts[step[0]][:40])
                again, plain = (encode_record(each.read(one)[0]) for each in captures)
                assert again == plain


@given(TEXTS, st.sampled_from(["", "ssn", "note", "email"]), st.booleans())
def test_a_text_is_the_same_again(text: str, field: str, trusted: bool) -> None:
    """By itself, under the name of a field, and at rest; nothing of one is taken for another."""
    door = privacy(Cache(bytes(32)))
    first = privacy(None).text(text, trusted=trusted)
    for _ in range(2):
        assert door.text(text, trusted=trusted) == first
        for known, other in ((door, privacy(None)), (door, privacy(None))):
            scrubs = [each._scrub(trusted=trusted) for each in (known, other)]
            done = [
                (s.text(text, field), s.pseudonyms, s.redactions, s.grown, s._left) for s in scrubs
            ]
            assert done[0] == done[1]


def test_a_text_that_failed_is_tried_again() -> None:
    """What could not be scanned in time, or with what was left of a Record's bound, is not known."""
    times = iter([0.0, 9.0])
    door = Privacy(
        scanner=SCANNER, keyring=RINGS[0], clock=lambda: next(times, 9.0), cache=Cache(bytes(32))
    )
    assert door.text(ADA).startswith("<REDACTED:timeout:")
    assert door.text(ADA).startswith("I am at <EMAIL_ADDRESS:k1:")
    small = privacy(Cache(bytes(32)), bounds=Bounds(record=len(ADA)))
    scrub = small._scrub()
    assert scrub.text(ADA).startswith("I am at <")
    assert scrub.text(ADA).startswith("<REDACTED:record_too_large:")


def test_a_mark_of_ours_opens_the_door_to_no_forged_one() -> None:
    """A pseudonym that a rule put into one Record is a forgery in the next, in a label as in a text."""
    door = privacy(Cache(bytes(32)), policy=Policy({"request.model": "token(MODEL)"}))
    body = {"model": "ada", "messages": [{"role": "user", "content": "hello"}]}
    token = capture(door).read(exchange(json.dumps(body)))[0].model
    assert token.startswith("<MODEL:k1:")
    forged = exchange(json.dumps({"model": "m", "messages": [{"role": token, "content": token}]}))
    record = capture(door).read(forged)[0]
    assert [record.inputs[0].role, record.inputs[0].text] == ["<LIT:" + token[1:]] * 2


def test_after_a_rotation_no_token_of_the_old_key_comes_out() -> None:
    """Not even from what was begun before it."""
    door = privacy(Cache(bytes(32)))
    begun = door._scrub()
    assert "<EMAIL_ADDRESS:k1:" in door.text(ADA)
    door.use(RINGS[1])
    assert ":k1:" not in door.text(ADA)
    assert ":k2:" in door.text(ADA)
    assert "<EMAIL_ADDRESS:k1:" in begun.text(ADA)
    assert ":k1:" not in door.text(ADA)
    assert door._cache is not None
    assert not any(":k1:" in each for each in strings(door._cache))
    door.use(RINGS[4])  # the first id again, with another key
    assert door.text(ADA) not in (privacy(None).text(ADA), "")


def test_an_overlap_and_seals_come_with_a_known_text() -> None:
    """A Record of a text that came before has the links to the key before and the boxes, too."""
    door = privacy(Cache(bytes(32)), keyring=RINGS[3], seal=seal)
    reader = capture(door)
    first, second = (reader.read(chat([ADA], "x"))[0] for _ in range(2))
    assert len(first.continues) == len(first.sealed) == 3
    assert (first.continues, first.sealed) == (second.continues, second.sealed)


# --- what it holds ---------------------------------------------------------------------------------


def held(cache: Cache) -> Iterator[Any]:
    """Every object that the cache reaches, once, but for what is code."""
    seen: set[int] = set()
    ahead = [cache]
    while ahead:
        one: Any = ahead.pop()
        if id(one) in seen or isinstance(one, type) or callable(one):
            continue
        seen.add(id(one))
        yield one
        ahead += gc.get_referents(one)


def strings(cache: Cache) -> list[str]:
    return [one for one in held(cache) if isinstance(one, str)]


@given(st.lists(TEXTS | st.text(min_size=8), min_size=1, max_size=5))
def test_nothing_of_a_text_is_held(texts: list[str]) -> None:
    """Whoever reads the memory of the cache finds marks, names of entities, and digests."""
    door = privacy(Cache(bytes(32)), keyring=RINGS[3], seal=seal)
    for text in (*texts, ADA, f"{ADA} zebra"):
        door.text(text)
    assert door._cache is not None
    names = {*vars(door._cache), *vars(door._cache._new)}
    entities = {each.entity for each in SCANNER.recognizers}
    boxes = re.compile(r"[0-9a-f]{64}")
    for one in held(door._cache):
        if isinstance(one, str):
            is_marks = MARK_WHOLE.sub("", one) == ""
            assert is_marks or one in names | entities or boxes.fullmatch(one)
        elif isinstance(one, bytes):
            assert len(one) in (1, 16, 32)
        else:
            assert isinstance(one, int | float | dict | list | tuple | Edit) or type(one).__name__ in (
                "Cache", "_Segment", "Link", "array", "blake2b", "OrderedDict", "NoneType",
            )  # fmt: skip


@pytest.mark.parametrize("values", [0, 1, 40])
def test_the_bound_holds_for_texts_that_never_come_again(values: int) -> None:
    """Whatever strangers send: the bytes that Python takes are at most those that are counted, which
    stay within the bound."""
    chance = random.Random(values)
    size = 200_000
    door = privacy(Cache(bytes(32), size), keyring=RINGS[3], seal=seal)
    for number in range(150 if values > 1 else 1200):
        door.text(
            " ".join(f"u{chance.random()}@example.org" for _ in range(values)) + f" text {number}"
        )
        if number % 3 == 0:  # some come again
            door.text(f"again {number // 6}")
    assert door._cache is not None
    taken = sum((sys.getsizeof(one) + 15) // 16 * 16 for one in held(door._cache))
    assert taken - 6000 <= door._cache.held <= size
    assert door._cache.held > size // 4


def test_a_flood_of_new_texts_leaves_those_that_came_again() -> None:
    """They are apart from each other."""
    cache = Cache(bytes(32), 64_000)
    known = [cache.key(f"turn {number}", "", trusted=False) for number in range(50)]
    for key in known:
        cache.put(key, NOTHING)
        assert cache.get(key) is NOTHING
    for number in range(10_000):
        cache.put(cache.key(f"flood {number}", "", trusted=False), NOTHING)
    assert [cache.get(key) for key in known] == [NOTHING] * 50


def test_digests_depend_on_the_secret_and_on_all_that_matters() -> None:
    """No digest can be computed outside, and no two questions have one digest."""
    one, other = Cache(bytes(32)), Cache(bytes(31) + b"1")
    asked = [("5 name", "", False), ("me", "5 na", False), ("", "", True), ("me", "", False), ("me", "", True),
             ("name5 ", "", False), ("e", "nam", False), ("ame", "n", False), ("me", "a", False), ("me", "b", False), ("name", "\ud800", False)]  # fmt: skip
    digests = {
        cache.key(text, field, trusted=trusted)
        for cache in (one, other)
        for text, field, trusted in asked
    }
    assert len(digests) == 2 * len(asked)


def test_hits_are_counted() -> None:
    """Once each, also over a rotation, and exported when somebody asks."""
    door = privacy(Cache(bytes(32)))
    meters = Meters("recorder", "e")
    reader = Capture("e", PROTOCOLS, [], door, meters)
    one = chat(["hello there", ADA], "x")
    reader.read(one)
    reader.release(0.0)
    before = counted(meters)
    reader.read(one)
    door.use(RINGS[1])
    reader.release(0.0)
    after = counted(meters)
    assert before["miss"] > 0
    assert after["hit"] >= before["hit"] + 3
    assert after["miss"] == before["miss"]


def counted(meters: Meters) -> dict[str, float]:
    return {
        one.labels["result"]: one.value
        for one in meters.measurements()
        if one.name == "monitor_privacy_cache_lookups_total"
    }
