"""Texts that were made of one template → its skeleton."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence

from monitor.templates.skeleton import GAP, Skeleton
from monitor.turns import give_way

FOLDED = 24
"""Texts that are laid over each other, at most."""
RUN_WORDS = 3
"""Fewer words that all texts have are an accident, unless they are a label at a line's start."""
SEARCHED = 500
"""Words of a block that are searched for runs which all texts have, at most."""
LITERALS = 64

VOLATILE = re.compile(
    r"<[A-Z_]+:[^<>\s]{0,400}>"  # a pseudonym or a redaction
    r"|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|\b[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"(?:[T ][0-9]{1,2}:[0-9]{2}[0-9:.]{0,12}(?:Z|[+-][0-9:]{2,5})?)?"
    r"|\b[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}\b"
    r"|\b[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\b"
    r"|\b(?:[0-9]{1,2} )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
    r" [0-9]{1,2}(?:, [0-9]{4})?\b"
    r"|\b(?=[a-fA-F]*[0-9])[0-9a-fA-F]{12,}\b"
    r"|\b[0-9]{4,}\b"
    r"|\0"
)
"""What is a gap from the start: a date is the same in all texts of a day."""

_TOKEN = re.compile(r"\w+|\W")
_WORD = re.compile(r"\w+")


def spread(texts: Iterable[str]) -> list[str]:
    """Texts in an order that is always the same and has nothing to do with their content."""
    return sorted(texts, key=lambda text: (zlib.crc32(text.encode("utf-8", "replace")), text))


def fold(texts: Iterable[str]) -> Skeleton:
    """What all texts have in common, in its order; it may be next to nothing."""
    masked = [VOLATILE.sub(GAP, text) for text in spread(texts)[:FOLDED]]
    first = min(masked, key=lambda text: (len(text), text))
    if all(one == first for one in masked):
        return _skeleton(first.split(GAP))
    head = _prefix(masked)
    rest = [one[len(head) :] for one in masked]
    tail = _suffix(rest)
    if not tail.strip(".!?,; "):
        tail = ""  # how sentences end
    rest = [one[: len(one) - len(tail)] for one in rest]
    inner: list[str] = []
    _lines(rest, inner)
    return _skeleton([*head.split(GAP), *inner, *tail.split(GAP)])


def _skeleton(literals: list[str]) -> Skeleton:
    """Of what comes again only the first stays, of what is short only the labels."""
    kept = [literals[0]]
    for one in literals[1:-1]:
        for part in one.split(GAP):
            if _is_literal(part) and part not in kept:
                kept.append(part)
    if len(literals) > 1:
        kept.append(literals[-1])
    return Skeleton(kept[:LITERALS])


def _is_literal(run: str) -> bool:
    words = len(_WORD.findall(run))
    if words >= RUN_WORDS:
        return True
    return bool(words) and "\n" in run and run.rstrip()[-1:] in (":", ">", "]", "#", "`")


def _lines(blocks: list[str], found: list[str]) -> None:
    """The lines that all blocks have once, and what all have between them."""
    if not all(blocks):
        return
    lines = [block.split("\n") for block in blocks]
    places = [_single(one) for one in lines]
    shortest = min(lines, key=lambda one: (len(one), one))
    last = [-1] * len(blocks)
    start = [0] * len(blocks)
    for line in shortest:
        if len(line.strip()) < 3 or GAP in line:
            continue
        at = [place.get(line, -1) for place in places]
        if any(here <= before for here, before in zip(at, last, strict=True)):
            continue
        here = [sum(map(len, one[:n])) + n for one, n in zip(lines, at, strict=True)]
        _runs([b[s : max(s, h - 1)] for b, s, h in zip(blocks, start, here, strict=True)], found)
        follows = all(before >= 0 and n == before + 1 for n, before in zip(at, last, strict=True))
        opens = "\n" if all(here) else ""
        if follows and found:
            found[-1] += "\n" + line
        else:
            found.append(opens + line)
        last = at
        start = [h + len(line) for h in here]
    if any(one >= 0 for one in last):
        _runs([block[s:] for block, s in zip(blocks, start, strict=True)], found)
    else:
        _runs(blocks, found)


def _single(lines: list[str]) -> dict[str, int]:
    """Line → its place, of those that come once."""
    places: dict[str, int] = {}
    for place, line in enumerate(lines):
        places[line] = -1 if line in places else place
    return places


def _runs(blocks: Sequence[str], found: list[str]) -> None:
    """The longest run of words that all blocks have, and what all have before and behind it."""
    if len(found) >= LITERALS or not all(blocks):
        return
    run = _longest(blocks)
    if not run:
        return
    at = [block.find(run) for block in blocks]
    _runs([block[:place] for block, place in zip(blocks, at, strict=True)], found)
    found.append(run)
    _runs([block[place + len(run) :] for block, place in zip(blocks, at, strict=True)], found)


def _longest(blocks: Sequence[str]) -> str:
    shortest = min(blocks, key=lambda block: (len(block), block))
    others = [block for block in blocks if block is not shortest]
    ends = [0]
    for token in _TOKEN.finditer(shortest):
        ends.append(token.end())
        if len(ends) > SEARCHED:
            break
    best = ""
    stop = 1
    for begin in range(len(ends) - 1):
        give_way()
        stop = max(stop, begin + 1)
        grown = False
        while stop < len(ends):
            run = shortest[ends[begin] : ends[stop]]
            if run[-1] == GAP or not _all_have(others, run):
                break
            stop += 1
            grown = True
        if not grown:
            continue
        run = shortest[ends[begin] : ends[stop - 1]]
        if len(run) > len(best) and _is_literal(run):
            best = run
    return best


def _all_have(blocks: Sequence[str], run: str) -> bool:
    return all(run in block for block in blocks)


def _prefix(texts: Sequence[str]) -> str:
    """How all begin, up to the end of a word."""
    low, high = min(texts), max(texts)
    least = min(len(low), len(high))
    size = next((n for n in range(least) if low[n] != high[n]), least)
    if size and any(text[size - 1].isalnum() and text[size : size + 1].isalnum() for text in texts):
        while size and low[size - 1].isalnum():
            size -= 1
    return low[:size]


def _suffix(texts: Sequence[str]) -> str:
    return _prefix([text[::-1] for text in texts])[::-1]
