"""A key is random and begins where no word goes on; names made of words are no keys."""

from __future__ import annotations

import random
import string

import pytest

from monitor.privacy.patterns import Scanner
from monitor.recognizers import select

SCANNER = Scanner(select())
ALNUM = string.ascii_letters + string.digits
URL_SAFE = ALNUM + "-_"
HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"
# As their issuers make them: what a key begins with, the characters of the rest and how many of them.
ISSUED = [
    ("sk-", ALNUM, 48), ("sk-proj-", URL_SAFE, 48), ("sk-ant-api03-", URL_SAFE, 93), ("sk-or-v1-", HEX, 64), ("sk-", HEX, 32),
    ("sk_live_", ALNUM, 24), ("pk_test_", ALNUM, 24), ("rk_live_", ALNUM, 24), ("whsec_", ALNUM, 32), ("AKIA", BASE32, 16),
    ("ASIA", BASE32, 16), ("ghp_", ALNUM, 36), ("gho_", ALNUM, 36), ("github_pat_", ALNUM, 82), ("glpat-", URL_SAFE, 20),
    ("gldt-", URL_SAFE, 20), ("glrt-", URL_SAFE, 20), ("xapp-1-A012ABCDEF-", HEX, 64), ("npm_", ALNUM, 36),
    ("pypi-AgEIcHlwaS5vcmc", URL_SAFE, 150), ("hf_", string.ascii_letters, 34), ("r8_", ALNUM, 37), ("gsk_", ALNUM, 52),
    ("xai-", ALNUM, 80), ("AIza", URL_SAFE, 35), ("GOCSPX-", URL_SAFE, 28), ("ya29.", URL_SAFE, 120), ("hvs.", URL_SAFE, 90),
    ("key-", HEX, 32), ("SK", HEX, 32), ("dop_v1_", HEX, 64), ("shpat_", HEX, 32), ("sq0atp-", URL_SAFE, 22),
    ("dapi", HEX, 32), ("lin_api_", ALNUM, 40), ("secret_", ALNUM, 43), ("ntn_", ALNUM, 46), ("xoxb-123456789012-", ALNUM, 24),
]  # fmt: skip
AROUND = ("{}", "key {}.", "KEY='{}'", "密钥{}谢谢", "_{}", '{{"key": "{}"}}', r"a\n{}", "https://h/?k={}", "<{}>", "`{}`")  # fmt: skip
WORDS = [
    "notification", "background", "agents", "assessment", "framework", "results", "usage", "monitoring", "daemon",
    "confirmation", "page", "kubernetes", "networking", "anything", "resnet50", "v2", "2026", "q3", "coco", "image",
    "cluster", "label", "wrapper", "container", "primary", "dark", "loader", "skeletonLoader", "Header", "user",
    "profile", "settings", "api", "gateway", "retry", "policy", "prod", "eu", "west", "1", "config", "yaml", "test",
    "FINAL", "README",
]  # fmt: skip
STEMS = ("ta", "ri", "de", "di", "ma", "fla", "hu", "du", "mon", "don", "ho", "p", "client_my")


@pytest.mark.parametrize(("prefix", "alphabet", "size"), ISSUED)
def test_a_key_as_issued_is_found_to_its_last_character(
    prefix: str, alphabet: str, size: int
) -> None:
    """Whatever stands around it."""
    chance = random.Random(prefix)
    for number in range(150):
        key = prefix + "".join(chance.choice(alphabet) for _ in range(size - 1))
        key += chance.choice(alphabet.rstrip("-_"))
        text = AROUND[number % len(AROUND)].format(key)
        start = text.index(key)
        spans = SCANNER.scan(text)
        assert any(s.start <= start and start + len(key) <= s.end for s in spans), text


PREFIXES = [
    "sk-", "sk_live_", "pk_test_", "whsec_", "ghp_", "github_pat_", "glpat-", "gldt-", "xoxb-", "xapp-1-", "npm_",
    "hf_", "r8_", "gsk_", "xai-", "GOCSPX-", "ya29.", "hvs.", "SG.", "sq0atp-", "key-", "secret_", "ntn_", "lin_api_",
    "dop_v1_",
]  # fmt: skip


@pytest.mark.parametrize("prefix", PREFIXES)
def test_words_after_a_prefix_are_no_key(prefix: str) -> None:
    """Names of files, classes, templates and pages in their usual spellings."""
    chance = random.Random(prefix)
    for _ in range(150):
        words = [chance.choice(WORDS) for _ in range(chance.randint(3, 8))]
        text = f"see {prefix.rstrip('-_.')}{chance.choice('-_.')}{chance.choice('-_').join(words)} there"
        assert [s for s in SCANNER.scan(text) if s.entity == "SECRET"] == [], text


@pytest.mark.parametrize("prefix", ["sk-", "pk_test_", "rk_live_", "key-", "npm_", "secret_"])
def test_what_begins_inside_a_word_is_no_key(prefix: str) -> None:
    """`task-` with an id or a digest after it is a task."""
    chance = random.Random(prefix)
    for stem in STEMS:
        for alphabet, size in ((HEX, 32), (HEX, 40), (HEX, 64), (ALNUM, 21), (ALNUM.lower(), 36)):
            rest = "".join(chance.choice(alphabet) for _ in range(size))
            text = f"see {stem}{prefix}{rest} there"
            assert [s for s in SCANNER.scan(text) if s.entity == "SECRET"] == [], text


@pytest.mark.parametrize(("prefix", "alphabet", "size"), ISSUED)
def test_a_key_in_a_binary_field_is_found(prefix: str, alphabet: str, size: int) -> None:
    """Its length stands before it, which may read as a letter (Protocol Buffers)."""
    chance = random.Random(prefix)
    for _ in range(20):
        rest = "".join(chance.choice(alphabet.replace("-", "")) for _ in range(size))
        length = chr(len(prefix + rest) % 128)
        assert "SECRET" in {s.entity for s in SCANNER.scan(f"\n{length}{prefix}{rest}\x12")}
