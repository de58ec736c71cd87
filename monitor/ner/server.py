"""The process of a model of names: texts in, the places of names and locations out.

`python -m monitor.ner.server MODEL` speaks frames (monitor.framing) on standard input and
output. The first frame is "" if the model is loaded, else the reason. Then each list of texts gets
a list of lists of (start, end, entity), or None if the model failed.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import msgspec
import setproctitle

from monitor.framing import pack

Found = list[list[tuple[int, int, str]]]
Find = Callable[[Sequence[str]], Found]

ENTITIES = {
    "PERSON": "PERSON",
    "PER": "PERSON",
    "GPE": "LOCATION",
    "LOC": "LOCATION",
    "FAC": "LOCATION",
}
"""The entities of spaCy's models → ours."""

_UNUSED = ["tagger", "parser", "lemmatizer", "attribute_ruler", "senter", "morphologizer"]


def load(name: str) -> Find:
    """Load a model: `package.module:NAME` is called once and returns a `Find`; any other name is a
    spaCy model. Raises whatever that raises."""
    module, colon, attribute = name.partition(":")
    if colon:
        return getattr(importlib.import_module(module), attribute)()  # type: ignore[no-any-return]
    nlp: Any = importlib.import_module("spacy").load(name, exclude=_UNUSED)

    def find(texts: Sequence[str]) -> Found:
        return [
            [
                (each.start_char, each.end_char, ENTITIES[each.label_])
                for each in document.ents
                if each.label_ in ENTITIES
            ]
            for document in nlp.pipe(texts)
        ]

    return find


def serve(
    name: str, source: BinaryIO, sink: BinaryIO, silence: Callable[[], None] = lambda: None
) -> int:
    """Answer until the source ends; return the exit code. `silence` is called before there are
    texts."""

    def say(value: object) -> None:
        sink.write(pack(value))
        sink.flush()

    try:
        find = load(name)
    except Exception as error:  # noqa: BLE001  whatever a model's code raises
        say(f"{type(error).__name__}: {error}")
        return 2
    say("")
    silence()
    while head := source.read(4):
        texts = msgspec.msgpack.decode(source.read(int.from_bytes(head, "big")), type=list[str])
        try:
            say(find(texts))
        except Exception:  # noqa: BLE001  what it says may quote the texts
            say(None)
    return 0


def main() -> int:
    """Serve with standard output kept for frames: what a model prints while it loads goes to the
    log. Afterwards, when it may quote texts, it goes nowhere."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the recorder closes our input
    setproctitle.setproctitle("monitor: ner")
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def silence() -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)

    return serve(sys.argv[1], sys.stdin.buffer, sink, silence)


if __name__ == "__main__":
    sys.exit(main())
