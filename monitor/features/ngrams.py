"""Record → one hashed character trigram of the input and of the output: how the texts are spelt."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from monitor.interfaces import Feature
from monitor.texts import answer, cell, question
from monitor.types import Observation, Record

CELLS = 256
"""So many cells need thousands of records before anything can be said of them."""


def observe(record: Record) -> Iterator[Observation]:
    """`input_ngrams` and `output_ngrams`: the cell of three neighbouring characters, lower case.

    The record's id chooses the place, one a record; see `monitor.features.words` for why.
    """
    for name, text in (("input_ngrams", question(record)), ("output_ngrams", answer(record))):
        if len(text) >= 3:
            seed = record.id.encode(errors="surrogatepass")
            place = crc32(seed) % (len(text) - 2)
            yield Observation(name, "categorical", cell(text[place : place + 3].lower(), CELLS))


FEATURE = Feature("ngrams", observe)
