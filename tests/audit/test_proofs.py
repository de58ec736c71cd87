"""Proofs: there and back, what they prove, and what is none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from nacl.signing import SigningKey

from monitor.audit import proofs
from monitor.audit.checkpoints import Checkpoint, signed
from monitor.audit.merkle import Tree, leaf, path
from monitor.audit.proofs import Proof, Wrong

KEY, OTHER = SigningKey(bytes(32)), SigningKey(bytes(range(32)))
DOCUMENTS = ["{}", '{"a": "ä"}', "[]", "x", "y"]
LEAVES = [
    leaf(bytes([n] * 16), f"{n + 1}-0".encode(), one.encode()) for n, one in enumerate(DOCUMENTS)
]


def made(at: int, key: SigningKey | None = KEY, **changes: Any) -> Proof:
    tree = Tree().grown(LEAVES)
    note = signed(Checkpoint("monitor/a/b/0", tree.size, tree.root, 7, "ab" * 32), key)
    proof = Proof(
        1, note, at, [one.hex() for one in path(at, Tree(), LEAVES)], LEAVES[at].hex(),
        f"{at + 1}-0", bytes([at] * 16).hex(), DOCUMENTS[at],
    )  # fmt: skip
    return replace(proof, **changes)


FORGED = proofs.encode(made(1)).replace(b"{", b'{"record": "{}",', 1)
"""A reader who takes the first value of a key sees another record than the one that is proved."""


@pytest.mark.parametrize("index", range(5))
def test_a_record_is_proved_alone(index: int) -> None:
    """Signed or not, with it or by its leaf."""
    for proof in (made(index), made(index, sid=None, nonce=None, record=None)):
        again = proofs.decode(proofs.encode(proof))
        assert again == proof
        found = proofs.verify(again, [OTHER.verify_key, KEY.verify_key])
        assert (found.origin, found.size, found.manifest, found.is_signed) == (
            "a/b/0",
            5,
            "7",
            True,
        )
    assert not proofs.verify(made(index, None), []).is_signed


@pytest.mark.parametrize(
    ("proof", "keys", "what"),
    [
        (made(1, record='{"a": "o"}'), [], "the record was altered"),
        (made(1, sid="3-0"), [], "the record was altered"),
        (made(1, nonce="00" * 16), [], "the record was altered"),
        (made(1, record="\ud800"), [], "the record was altered"),
        (made(1, index=2), [], "its path does not lead"),
        (made(1, index=5), [], "its path does not lead"),
        (made(1, path=[]), [], "its path does not lead"),
        (made(1, leaf="00" * 32, sid=None, nonce=None, record=None), [], "its path does not lead"),
        (made(1, checkpoint=""), [], "its checkpoint is none"),
        (made(1, checkpoint="a\n1\n*\nmanifest 1 ff\n\n"), [], "its checkpoint is none"),
        (made(1, checkpoint="a\n" + "9" * 5000 + "\n\nmanifest 1 f"), [], "its checkpoint is none"),
        (made(1), [OTHER], "signed by another key"),
        (made(1, None), [KEY], "signed by nobody"),
        (made(1, checkpoint=made(1).checkpoint.replace("manifest 7", "manifest 8")), [KEY],
         "signed by another key"),
    ],
)  # fmt: skip
def test_what_is_not_proved_is_said(proof: Proof, keys: list[SigningKey], what: str) -> None:
    """The first thing that is wrong."""
    with pytest.raises(Wrong, match=what):
        proofs.verify(proof, [key.verify_key for key in keys])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "it is no JSON"),
        (b"PAR1", "it is no JSON"),
        (b"\xff\xfe", "it is no JSON"),
        (b"[" * 100_000, "is no proof"),
        (b"[]", "is no proof: Expected `object`"),
        (b"{}", "missing required field `version`"),
        (proofs.encode(made(1, version=2)), "has version 2; this monitor reads version 1"),
        (proofs.encode(made(1, index=-1)), "index"),
        (proofs.encode(made(1, index=10**30)), "is no proof"),
        (proofs.encode(made(1, leaf="zz")), "leaf"),
        (proofs.encode(made(1, path=["00" * 32] * 65)), "path"),
        (proofs.encode(made(1, nonce="00")), "nonce"),
        (proofs.encode(made(1, sid="x")), "sid"),
        (proofs.encode(made(1, sid=None)), "it has all, or none"),
        (proofs.encode(made(1)).replace(b'"index"', b'"more": 1, "index"'), "unknown field `more`"),
        (FORGED, "is no proof: `record` is there twice"),
        (FORGED.replace(b"record", b"\\u0072ecord", 1), "is no proof: `record` is there twice"),
        (FORGED.replace(b'"record"', b'"index"', 1).replace(b'"{}"', b"0"), "`index` is there twice"),
    ],
)  # fmt: skip
def test_what_is_no_proof_is_said(data: bytes, what: str) -> None:
    """Whatever somebody sends."""
    with pytest.raises(ValueError, match=what):
        proofs.decode(data)


def test_what_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its bytes, before anything is made of them."""
    monkeypatch.setattr(proofs, "LARGEST", 10)
    with pytest.raises(ValueError, match="more than 10 bytes"):
        proofs.decode(proofs.encode(made(1)))


FACTS = st.dictionaries(
    st.sampled_from(Proof.__struct_fields__),
    st.none() | st.integers() | st.text(max_size=70) | st.lists(st.text(max_size=3), max_size=3),
)


@given(FACTS)
def test_any_document_is_a_proof_or_a_sentence(facts: dict[str, Any]) -> None:
    """And never anything else."""
    right = msgspec.to_builtins(made(1))
    said = ""
    try:
        proof = proofs.decode(msgspec.json.encode(right | facts))
        said = proofs.verify(proof, []).origin
    except (ValueError, Wrong) as error:
        said = str(error)
    assert said
