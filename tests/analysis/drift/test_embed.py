"""Texts → vectors: a model of files alone; what is wrong with them is one sentence.

The model here is made up, thirty words with a direction each: what a real one weighs does not
belong into a test. `tests/bench/bench_embed.py DIR` runs a real one.
"""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.analysis.drift import embed
from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.monitors import analysis_of
from monitor.assembly.analysis import features_of
from monitor.distances import LIVE, psi
from monitor.errors import ConfigError
from monitor.settings.load import load
from monitor.types import Part, Record

ORDERS = ["order", "parcel", "refund", "invoice", "late", "lost"]
PHYSICS = ["quantum", "lattice", "boson", "tensor", "spinor", "field"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A model2vec model in which words of one topic point the same way, roughly."""
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[UNK]", *ORDERS, *PHYSICS]
    tokenizer = Tokenizer(
        models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    rng = np.random.default_rng(1)
    topics = rng.standard_normal((2, 16))
    rows = [np.zeros(16)] + [
        topics[place // 6] + 0.7 * rng.standard_normal(16) for place in range(12)
    ]
    made = StaticModel(np.stack(rows).astype(np.float32), tokenizer, normalize=True)
    made.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def text(words: list[str], seed: int) -> str:
    return " ".join(random.Random(seed).choices(words, k=8))


def test_a_new_topic_is_drift_of_the_embedding(directory: Path, record: Any) -> None:
    """Through the settings, as live and as at rest."""
    settings = load(None, {"MONITOR_DRIFT_EMBED": str(directory)})
    (*_, feature) = features_of(settings)
    assert feature.name == "embed"
    analysis = analysis_of((feature,), Rules(psi.MEASURE, LIVE), Baseline(learn=500))
    for number in range(1500):
        words = PHYSICS if number >= 1200 and number % 3 == 0 else ORDERS
        analysis.add(record(text(words, number), started=1.7e9 + number))
    found = {finding.feature: finding for finding in analysis.findings()}
    assert found["input_embedding"].status == "drift"
    assert found["input_embedding"].scores["mmd"] > 0.02
    assert found["output_embedding"].status == "ok"


def test_a_text_is_a_vector_of_one_length(directory: Path) -> None:
    """However long, and whatever it says."""
    encode = embed.load(str(directory))
    for said in ("order", "order lost " * 5000, "nothing known", "\ud800", "ünïcödé 发票"):
        vector = encode(said[: embed.OPENING])
        assert len(vector) == 16
        assert all(math.isfinite(value) for value in vector)


def test_of_a_transformer_the_words_are_used(tmp_path: Path, directory: Path) -> None:
    """Its tokenizer and the table of word pieces, nothing else of it."""
    from safetensors.numpy import load_file, save_file

    table = load_file(directory / "model.safetensors")["embeddings"]
    other = tmp_path / "transformer"
    other.mkdir()
    save_file({"embeddings.word_embeddings.weight": table}, other / "model.safetensors")
    (other / "tokenizer.json").write_bytes((directory / "tokenizer.json").read_bytes())
    one, two = embed.load(str(directory)), embed.load(str(other))
    assert two("order lost") == pytest.approx(one("order lost"))


def test_what_is_no_model_is_said(tmp_path: Path) -> None:
    """Missing, damaged, of another kind."""
    from safetensors.numpy import save_file

    with pytest.raises(ConfigError, match=r"holds no model\.safetensors"):
        embed.load(str(tmp_path))
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(ConfigError, match="cannot be read"):
        embed.load(str(tmp_path))
    save_file({"weights": np.zeros(3, dtype=np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(ConfigError, match="no table of word pieces"):
        embed.load(str(tmp_path))


@pytest.fixture
def record() -> Any:
    """(text, started) → a chat about it."""
    import msgspec

    from tests.commands.test_replay import record as chat

    def make(said: str, started: float) -> Record:
        return msgspec.structs.replace(
            chat(int(started) % 1000, shifted=False),
            started=started,
            inputs=[Part(role="user", text=said)],
        )

    return make
