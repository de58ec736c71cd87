"""Many Records → their questions and answers, and the words with which these begin: worked out
once for all features that ask, and for all texts together.

What is said of a text here is what `texts.hashed` and `languages.language` say of it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor import extras, languages, texts
from monitor.types import Record

WORTH = 30_000
"""Texts of a process from which on it is worth while to load pyarrow, which takes 0.1 s."""

Ints = npt.NDArray[np.integer[Any]]

_ODD = "\x1c\x1d\x1e\x1f"
"""White space of Python's that is none of pyarrow's."""
_TOLD = (*languages.CODES, "unknown")
_WIDTH = 16
"""Bytes of the votes of a word: one for each language, and some to spare."""

_read = 0


class Openings:
    """What many texts begin with: the `languages` of the texts, and their words as `hashed`."""

    def __init__(self, found: Sequence[str]) -> None:
        self.texts = found

    @cached_property
    def languages(self) -> list[str]:
        """The language of each text."""
        told = self._told
        return list(map(languages.language, self.texts)) if told is None else told[0]

    @cached_property
    def hashed(self) -> list[bytes]:
        """The hashed words of each text."""
        told = self._told
        return list(map(texts.hashed, self.texts)) if told is None else told[1]

    @cached_property
    def _told(self) -> tuple[list[str], list[bytes]] | None:
        global _read  # noqa: PLW0603  modules are loaded for a process
        _read += len(self.texts)
        if _read < WORTH or not extras.is_there("pyarrow"):
            return None
        return _together(self.texts)


class Talks:
    """What several Records say."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.questions = list(map(texts.asked, records))
        self.answers = list(map(texts.told, records))

    @cached_property
    def hold_data(self) -> bool:
        """Whether there is more in the Records than texts."""
        for record in self.records:
            for part in record.inputs:
                if part.data is not None:
                    return True
            for part in record.outputs:
                if part.data is not None:
                    return True
        return False


_latest = Talks(())


def talks(records: Sequence[Record]) -> Talks:
    """What Records say; that of the latest is remembered, by identity, for all features."""
    global _latest  # noqa: PLW0603  as `texts` remembers one Record
    if _latest.records is not records:
        _latest = Talks(records)
    return _latest


_latest_two: list[Openings] = []


def openings(found: Sequence[str]) -> Openings:
    """What texts begin with; that of the latest two is remembered, of questions and answers."""
    for known in _latest_two:
        if known.texts is found:
            return known
    made = Openings(found)
    _latest_two[:] = [*_latest_two[-1:], made]
    return made


def _together(found: Sequence[str]) -> tuple[list[str], list[bytes]]:
    """The languages and the hashed words of texts, whose words are told apart all at once."""
    starts = [text[: texts.OPENING] for text in found]
    whole = "".join(starts)
    if any(map(whole.__contains__, _ODD)):
        odd = [n for n, one in enumerate(starts) if not _is_plain(one)]
    else:
        odd = [] if whole.isascii() else [n for n, one in enumerate(starts) if not one.isascii()]
    for place in odd:
        starts[place] = ""
    offsets, codes, words = _words(starts)
    said = _languages(offsets, codes, words)
    packed = np.frombuffer(texts.vocabulary_cells(words), dtype=np.uint16)[codes].tobytes()
    edges = (offsets * 2).tolist()
    cut = [2 * (len(text) > texts.OPENING) for text in found]  # the last may be part of a word
    hashed = [
        packed[start : max(end - less, start)]
        for start, end, less in zip(edges, edges[1:], cut, strict=False)
    ]
    for place in odd:
        said[place] = languages.language(found[place])
        hashed[place] = texts.hashed(found[place])
    return said, hashed


def _is_plain(text: str) -> bool:
    """Whether there is nothing in a text that pyarrow does not take as Python does."""
    return text.isascii() and not any(one in text for one in _ODD)


def _words(starts: list[str]) -> tuple[Ints, Ints, list[str]]:
    """What stands between white space in ASCII texts, in lower case: where the words of each text
    begin and the last ends, which of the different words each is, and these."""
    import pyarrow as pa  # takes time to load, and is an extra
    import pyarrow.compute as pc

    # `pa.array` and `to_numpy` would load pandas, if it is there, which takes longer than all this.
    edges = np.cumsum([0, *map(len, starts)], dtype=np.int32)
    buffers = [None, pa.py_buffer(edges.tobytes()), pa.py_buffer("".join(starts).encode())]
    found: Any = pa.Array.from_buffers(pa.string(), len(starts), buffers)
    split: Any = pc.ascii_split_whitespace(pc.ascii_lower(found))
    coded = split.values.dictionary_encode()
    offsets, codes = _numbers(split.offsets).astype(np.intp), _numbers(coded.indices)
    words = coded.dictionary.to_pylist()
    if "" in words:  # what stands before the first and behind the last white space
        place = words.index("")
        is_word = codes != place
        offsets = np.append(0, np.cumsum(is_word))[offsets]
        codes = codes[is_word]
        words[place] = "-"
    return offsets, codes, words


def _numbers(found: Any) -> Ints:
    """What is in an array of pyarrow's of 32-bit integers, all of which are there."""
    if not len(found):
        return np.empty(0, dtype=np.int32)
    return np.frombuffer(found.buffers()[1], np.int32, len(found), 4 * found.offset)


def _languages(offsets: Ints, codes: Ints, words: Sequence[str]) -> list[str]:
    """The language of each ASCII text, by the words with which it begins."""
    votes = languages.VOTES
    speaking = [place for place, word in enumerate(words) if word in votes]
    total, width = len(offsets) - 1, len(speaking)
    counted = np.zeros((total, _WIDTH), dtype=np.uint8)
    if speaking:
        number = np.full(len(words), -1)
        number[speaking] = np.arange(width)
        spoken = number[codes]
        places = np.flatnonzero(spoken >= 0)
        text_of = np.repeat(np.arange(total), np.diff(offsets))[places]
        # A word that comes again in a text speaks once. Votes are bytes, which add up side by side.
        speaks = np.zeros(total * width, dtype=bool)
        speaks[text_of * width + spoken[places]] = True
        packed = b"".join([votes[words[place]].to_bytes(_WIDTH, "little") for place in speaking])
        by_word = np.frombuffer(packed, dtype=np.uint64).reshape(width, -1)
        pairs = np.flatnonzero(speaks)
        text_of, first = np.unique(pairs // width, return_index=True)
        if len(pairs):
            sums = np.add.reduceat(by_word[pairs % width], first, axis=0)
            counted[text_of] = sums.view(np.uint8)
    counted = counted[:, : len(languages.CODES)]
    most = counted.max(axis=1)
    is_clear = np.count_nonzero(counted == most[:, None], axis=1) == 1
    codes_of = np.where(is_clear, counted.argmax(axis=1), len(languages.CODES))
    return [_TOLD[place] for place in codes_of.tolist()]
