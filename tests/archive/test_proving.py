"""One row of an archive, by its id, proved without the others."""

from __future__ import annotations

import pytest
from nacl.signing import SigningKey

from monitor.archive import proving
from monitor.archive.chain import Chain, signer
from monitor.archive.storage import Storage
from monitor.audit import proofs
from monitor.errors import ArchiveError
from monitor.streams.entries import started_by
from tests.archive import replacing
from tests.archive.conftest import add, kept

KEY = SigningKey(bytes(32))


@pytest.fixture
def chain(storage: Storage) -> Chain:
    """Files of 3, 5 and 4 Records of two days."""
    made = Chain(storage, "bot", 0)
    made.open()
    for first, count, day in ((0, 3, 0), (3, 5, 0), (0, 4, 1)):
        assert add(made, kept(first, count, day), signer(KEY))
    return made


def test_each_record_is_proved_by_either_id(chain: Chain) -> None:
    """By the checkpoint of the manifest that brought it, whose size it is; nobody else's is found."""
    index = 0
    for first, count, day in ((0, 3, 0), (3, 5, 0), (0, 4, 1)):
        for one in kept(first, count, day):
            for name in (one.sid, one.record.id):
                if name == one.record.id and day == 1:
                    continue  # the same ids as on the day before
                found = proving.find(chain, name, started_by(name))
                assert found
                assert (found.sid, found.record) == (one.sid, one.document.decode())
                proof = proving.prove(chain, found, with_record=True)
                assert proof.index == index
                said = proofs.verify(proof, [KEY.verify_key])
                assert said.size == (3, 8, 12)[int(said.manifest)]
                bare = proving.prove(chain, found, with_record=False)
                assert bare.record is bare.nonce is bare.sid is None
                proofs.verify(bare, [KEY.verify_key])
            index += 1
    for name in ("1700000000003-1", "nobody", "", "9" * 40):
        assert proving.find(chain, name, None) is None


def test_a_tombstone_is_proved_by_its_leaf(chain: Chain) -> None:
    """And the rows beside it as before, although their file was replaced."""
    rows = kept(3, 5)
    before = proving.find(chain, rows[1].sid, None)
    assert before
    replacing.erase(chain, 1, [1], signer(KEY))
    found = proving.find(chain, rows[1].sid, None)
    assert found
    assert found.record is None
    proof = proving.prove(chain, found, with_record=True)
    assert proof == proving.prove(chain, before, with_record=False)
    beside = proving.find(chain, rows[2].sid, None)
    assert beside
    proofs.verify(proving.prove(chain, beside, with_record=True), [KEY.verify_key])


def test_a_file_with_other_rows_proves_nothing(chain: Chain) -> None:
    """That is said, and verification says more; so is a file that cannot be read."""
    held = replacing.current(chain)
    place = chain.storage.place(held[1].file.path)
    other = chain.storage.place(held[2].file.path).read_bytes()
    sid = kept(0, 4, 1)[0].sid
    found = proving.find(chain, sid, None)
    assert found
    with pytest.raises(ArchiveError, match="has other rows than its manifest lists"):
        proving.prove(chain, found._replace(held=held[1]), with_record=True)
    place.write_bytes(other[:-20])
    with pytest.raises(ArchiveError, match="cannot be read"):
        proving.find(chain, kept(3, 1)[0].sid, None)
