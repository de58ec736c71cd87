"""Record → where its texts lie in a space of meanings, by a small model of this machine's own.

A static model has a vector for every piece of a word; a text's is their mean. That costs a tenth of
a millisecond, no network and no GPU, and tells topics apart, which is what drift of texts is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from monitor.errors import ConfigError
from monitor.extras import advice
from monitor.interfaces import Feature
from monitor.texts import answer, question
from monitor.types import Observation, Record

MISSING = advice("embed", "drift.embed")

OPENING = 2000
"""So many characters of a text are embedded."""

Encode = Callable[[str], list[float]]


def feature(encode: Encode) -> Feature:
    """`input_embedding` and `output_embedding`, of the last user text and the answer: a vector."""

    def observe(record: Record) -> Iterator[Observation]:
        for name, text in (
            ("input_embedding", question(record)), ("output_embedding", answer(record)),
        ):  # fmt: skip
            if text:
                yield Observation(name, "vector", encode(text[:OPENING]))

    return Feature("embed", observe)


def load(directory: str) -> Encode:
    """The function text → vector of the model in a directory, which nothing is downloaded for.

    That is a model2vec model, or a transformer with its `tokenizer.json`, of which the table of
    word pieces is used alone. Raises ConfigError where it cannot be read, or the extra is missing.
    """
    try:
        from model2vec import StaticModel
        from safetensors import safe_open
        from tokenizers import Tokenizer
    except ImportError:
        raise ConfigError(MISSING) from None
    weights, pieces = Path(directory, "model.safetensors"), Path(directory, "tokenizer.json")
    for path in (weights, pieces):
        if not path.is_file():
            raise ConfigError(
                f"drift.embed: {directory} holds no {path.name}; name the directory of a model"
            )
    words = ""
    try:
        with safe_open(weights, framework="np") as tensors:
            names = set(tensors.keys())
            words = next((name for name in names if name.endswith("word_embeddings.weight")), "")
            if words:
                tokenizer = Tokenizer.from_file(str(pieces))
                tokenizer.no_padding()
                tokenizer.no_truncation()
                model: Any = StaticModel(tensors.get_tensor(words), tokenizer, normalize=True)
        if "embeddings" in names:
            model, words = StaticModel.from_pretrained(directory), "embeddings"
    except Exception as error:  # noqa: BLE001  whatever those libraries raise for a file that is none
        raise ConfigError(f"drift.embed: {directory} cannot be read: {error}") from None
    if not words:
        raise ConfigError(f"drift.embed: {weights} holds no table of word pieces")

    def encode(text: str) -> list[float]:
        whole = text.encode(errors="replace").decode()  # a tokenizer takes no half of a character
        vector: list[float] = model.encode([whole])[0].tolist()
        return vector

    return encode
