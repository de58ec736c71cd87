"""A stand-in for a model of names, small and foreseeable: what stands after "with " is a person.

A real one (spaCy's) is measured in tests/bench/bench_privacy.py; it is too large for the suite.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence

from monitor.ner.server import Found


def model() -> Callable[[Sequence[str]], Found]:
    """Loads at once; some texts make it fail in the ways in which models do."""

    print("models tell what they load", file=sys.stderr)

    def find(texts: Sequence[str]) -> Found:
        print("models print what they like:", *texts, file=sys.stdout)
        print("and warn of it:", *texts, file=sys.stderr, flush=True)
        if any("boom" in text for text in texts):
            raise ValueError("secret boom")
        if any("forever" in text for text in texts):
            time.sleep(60)
        if any("nonsense" in text for text in texts):
            return [[(5, 100000, "PERSON")] for _ in texts]
        if any("own words" in text for text in texts):
            return [[(0, len(text), text.upper())] for text in texts]
        return [
            [(*each.span(1), "PERSON") for each in re.finditer(r"with ([A-Z]\w+(?: [A-Z]\w+)*)", t)]
            for t in texts
        ]

    return find


def broken() -> Callable[[Sequence[str]], Found]:
    """Its weights are not there."""
    raise OSError("no such model")
