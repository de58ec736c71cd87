"""Texts of prompts → ids of the templates that they were made of, learned while they come.

Prompts are the reverse of log lines: few lines vary, and those vary wholly. So what is looked for
is lines that texts share, and inside a line the words that all have. Log parsers begin with the
number of words (Drain; He et al., ICWS 2017) and tear slots of free length apart.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import blake2b

import msgspec

from monitor.templates import pool as waiting
from monitor.templates.aliases import Aliases
from monitor.templates.fold import FOLDED, fold, spread
from monitor.templates.fold import LITERALS as MOST_LITERALS
from monitor.templates.index import SKELETONS, Index
from monitor.templates.pool import Pool
from monitor.templates.siblings import SIBLING, VERSIONS, one_place
from monitor.templates.skeleton import GAP, Skeleton, digest

DISTINCT = 8
"""A skeleton is made of so many different texts, at least, so that it is nobody's own."""
REPEATS, EXACT = 8, 40
"""A text of so many characters that came so often is a template without gaps."""
OFTEN = 3
"""A text that came so often counts with others that differ from it at one place."""
REPEATED = 4096
"""Characters of a text without gaps that is compared with others, at most."""
EXACTS = 512
"""Templates without gaps, at most."""
SHARED = 2048
"""Ids that recorders share, at most."""
FREE = 2048
"""After so many texts without a new template, one text in `ONE_IN` is learned from."""
ONE_IN = 8
CLIPPED, ENDING = 12_288, 4_096
"""Characters of a long text that are learned from, at its beginning and at its end."""


_EXACT = "t_"


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """A template as recorders share it: its literals; or the digest of a text without gaps; or the
    ids of the system's and the user's template. `new` is the id that took its place."""

    literals: list[str] = []
    exact: str = ""
    parts: list[str] = []
    new: str = ""


class Miner:
    """Deterministic: the same texts in the same order give the same ids in every process."""

    def __init__(self, least: int = DISTINCT) -> None:
        self._least = max(least, DISTINCT)
        self._index = Index()
        self._pool = Pool()
        self._aliases = Aliases()
        self._exact: dict[str, str] = {}
        self._repeated: dict[str, str] = {}
        self._pairs: dict[str, list[str]] = {}
        self._unmatched = 0
        self._told: dict[str, Known] = {}
        self.changes = 0
        """Rises with everything that is learned."""

    # --- naming -------------------------------------------------------------------------------

    def name(self, texts: Iterable[str], *, learns: bool = True) -> str:
        """The id of the template of a prompt's texts; empty where it is not known (yet).

        `texts` are the system's and the last of the user, where there are any.
        """
        read = self.learn if learns else self.look
        found = [name for text in texts if (name := read(text))]
        if len(found) < 2:
            return found[0] if found else ""
        pair = digest(found)
        if pair not in self._pairs:
            self._pairs[pair] = found
            self.changes += 1
            while len(self._pairs) > EXACTS:
                del self._pairs[next(iter(self._pairs))]
        return pair

    def look(self, text: str) -> str:
        """The id of the template of a text; empty where none is known."""
        found = self._index.look(text)
        if found is not None:
            return self._aliases.find(found.id)
        return self._repeats(text)

    def _repeats(self, text: str) -> str:
        """The id of a text without gaps."""
        if len(text) < EXACT or not self._exact:
            return ""
        name = self._exact.get(_whole(text), "")
        return name and self._aliases.find(name)

    def learn(self, text: str) -> str:
        """The id of the template of a text, which is learned from where none is known."""
        found = self._index.look(text)
        if found is not None:
            if found.is_own:
                self._remember(text, found.id)
            return self._aliases.find(found.id)
        if name := self._repeats(text):
            return name
        self._unmatched += 1
        if self._unmatched > FREE and zlib.crc32(text.encode("utf-8", "replace")) % ONE_IN:
            return ""
        clipped = _clipped(text)
        if clipped in self._pool.counts:
            count = self._pool.again(clipped)
            if count >= REPEATS and len(text) >= EXACT:
                self._keep_exact(text)
            elif count >= OFTEN and EXACT <= len(text) <= REPEATED:
                self._keep_siblings(text)
        elif clipped.strip():
            self._pool.add(clipped)
            self._look_for_groups(clipped)
        return self.look(text)

    def _remember(self, text: str, name: str) -> None:
        """Let a text have its id after a restart too, whose skeleton may not be written."""
        if len(self._exact) < EXACTS and (whole := _whole(text)) not in self._exact:
            self._exact[whole] = _EXACT + whole[:12]
            self._aliases.join(self._exact[whole], name)
            self.changes += 1

    def _keep_exact(self, text: str) -> None:
        """A text without gaps; of three that differ at one place, the skeleton."""
        whole = _whole(text)
        name = self._exact[whole] = _EXACT + whole[:12]
        self._aliases.revive(name)
        self._unmatched = 0
        self.changes += 1
        while len(self._exact) > EXACTS:
            gone = next(iter(self._exact))
            del self._exact[gone]
            self._repeated.pop(gone, None)
        if len(text) > REPEATED:
            return
        siblings = {
            other: place
            for other, one in self._repeated.items()
            if (place := one_place(text, one)) is not None
        }
        self._repeated[whole] = text
        merged = _merged(text, siblings.values())
        if merged is None:
            return
        merged = Skeleton(merged.literals, is_own=True)
        self.adopt(merged)
        for other in [whole, *siblings]:
            if merged.matches(self._repeated[other]):
                self._aliases.join(self._exact[other], merged.id)

    def _keep_siblings(self, text: str) -> None:
        """Texts that differ at one place and came often enough together, if none did alone."""
        counts = self._pool.counts
        those = [one for one in self._pool.like(text) if counts[one] >= OFTEN][-FOLDED:]
        those = [one for one in those if one_place(text, one) is not None]
        if len(those) >= VERSIONS and counts[text] + sum(counts[one] for one in those) >= REPEATS:
            for one in (*those, text):
                self._keep_exact(one)

    # --- learning -----------------------------------------------------------------------------

    def _look_for_groups(self, text: str) -> None:
        for key, group in self._pool.groups(text, self._least):
            growth = 2.0
            texts = waiting.alike(spread(group), self._least)
            if texts is None:
                growth = 1.25
            else:
                found = self._folded(texts)
                if isinstance(found, Skeleton) and found.is_strong():
                    self.adopt(found)
                    if text not in self._pool.counts:
                        return
                elif found is None:
                    growth = 1.25
            self._pool.fail(key, len(group), growth)

    def _folded(self, texts: list[str]) -> Skeleton | None:
        """The skeleton of texts; None where they may be versions of which none has enough yet."""
        while True:
            skeleton = fold(texts)
            if not skeleton.is_strong():
                return skeleton
            filled = [(one, text) for text in texts if (one := skeleton.fillers(text)) is not None]
            if len(filled) < self._least:
                return skeleton if len(skeleton.literals) == 1 else None
            columns = zip(*(one for one, _ in filled), strict=True)
            values = [list(dict.fromkeys(column)) for column in columns]
            two = next((n for n, one in enumerate(values) if len(one) == VERSIONS), None)
            if two is None:
                return skeleton
            sides = [[t for one, t in filled if one[two] == value] for value in values[two]]
            texts = max(sides, key=len)
            if len(texts) < self._least:
                return None

    def adopt(self, skeleton: Skeleton) -> None:
        """Take a skeleton in, in the place of those that it is more general than."""
        name = skeleton.id
        siblings = []
        for other in list(self._index):
            if other.text == skeleton.text:
                return
            if other.id == name:
                skeleton = self._wider(skeleton, other)
                self._index.remove(other)
            elif skeleton.matches(other.text) and _near(skeleton, other):
                self._replace(other, name)
            elif other.matches(skeleton.text) and _near(other, skeleton):
                self._aliases.join(name, other.id)
                return
            elif (place := one_place(skeleton.text, other.text)) is not None:
                siblings.append((place, other))
                if _has_slot(skeleton.text, place) or _has_slot(other.text, place):
                    siblings.append((place, other))  # it is known for a slot already
        merged = _merged(skeleton.text, [place for place, _ in siblings])
        if merged is not None:
            of_own = skeleton.is_own and all(other.is_own for _, other in siblings)
            for other in dict.fromkeys(other for _, other in siblings):
                if merged.matches(other.text):
                    self._replace(other, merged.id)
            self._aliases.join(name, merged.id)
            skeleton = Skeleton(merged.literals, is_own=of_own)
        self._aliases.revive(skeleton.id)
        self._index.add(skeleton)
        self._unmatched = 0
        self.changes += 1
        self._pool.settle([one for one in self._pool.counts if skeleton.matches(one)])

    def _wider(self, skeleton: Skeleton, other: Skeleton) -> Skeleton:
        """Of two with one id what both have; where that has another id, the newer one."""
        both = fold([skeleton.text, other.text])
        if both.id != skeleton.id or not both.is_strong():
            both = skeleton
        return Skeleton(both.literals, is_own=skeleton.is_own and other.is_own)

    def _replace(self, old: Skeleton, new: str) -> None:
        self._index.remove(old)
        self._aliases.join(old.id, new)

    # --- what recorders share -----------------------------------------------------------------

    def news(self) -> dict[str, Known]:
        """What others are to know by now and have not been `told`, by id.

        Of a text without gaps they learn the digest alone; nothing of what `is_own`.
        """
        found = {old: Known(new=self._aliases.find(old)) for old in self._aliases.new}
        for whole, name in self._exact.items():
            new = self._aliases.find(name)
            found[name] = Known(exact=whole, new="" if new == name else new)
        for pair, parts in self._pairs.items():
            found[pair] = Known(parts=parts)
        for one in self._index:
            if not one.is_own:
                found[one.id] = Known(literals=one.literals)
        return {name: one for name, one in found.items() if self._told.get(name) != one}

    def knows(self, name: str) -> bool:
        """Whether others have been told of an id, or have told of it."""
        return name in self._told

    def told(self, known: Mapping[str, Known]) -> None:
        """Note that other recorders know these templates, by id."""
        self._told.update(known)
        while len(self._told) > SHARED:
            del self._told[next(iter(self._told))]

    def take(self, known: Mapping[str, Known]) -> None:
        """Learn what other recorders have told, or this one before it was restarted."""
        new = {name: known[name] for name in sorted(known) if self._told.get(name) != known[name]}
        self.told(new)
        for name, one in new.items():
            if one.literals and len(self._index) < SKELETONS and _is_sound(one.literals):
                self.adopt(Skeleton(one.literals))
            elif one.exact and len(self._exact) < EXACTS:
                self._exact.setdefault(one.exact, name)
            elif one.parts and len(self._pairs) < EXACTS:
                self._pairs.setdefault(name, one.parts)
        lives = {one.id for one in self._index}
        for name, one in new.items():
            if one.new and name not in lives:
                self._aliases.join(name, one.new)


def _is_sound(literals: list[str]) -> bool:
    """Whether what a store says is a skeleton, as this program makes them."""
    size = sum(map(len, literals))
    if len(literals) > MOST_LITERALS or size > CLIPPED + ENDING or GAP in "".join(literals):
        return False
    return all(literals[1:-1]) and Skeleton(literals).is_strong()


def _clipped(text: str) -> str:
    if len(text) <= CLIPPED + ENDING:
        return text
    return text[:CLIPPED] + GAP + text[-ENDING:]


def _whole(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _near(general: Skeleton, special: Skeleton) -> bool:
    return special.size - general.size <= max(SIBLING, special.size // 10)


def _has_slot(text: str, place: tuple[int, int]) -> bool:
    return GAP in text[place[0] : len(text) - place[1]]


def _merged(text: str, siblings: Iterable[tuple[int, int]]) -> Skeleton | None:
    """The skeleton of a text and its siblings, where they are too many for versions.

    A text may have siblings at several places: near ones count as one.
    """
    places = Counter(siblings)
    begin, end, count = len(text), len(text), 0
    for left, right in sorted(places, key=lambda one: (places[one], one), reverse=True):
        if len(text) - min(begin, left) - min(end, right) <= SIBLING:
            begin, end, count = min(begin, left), min(end, right), count + places[left, right]
    if count < VERSIONS:
        return None
    parts = (text[:begin] + GAP + text[len(text) - end :]).split(GAP)
    inner = [one for one in parts[1:-1] if one.strip()]
    merged = Skeleton([parts[0], *inner, parts[-1]])
    return merged if merged.is_strong() else None
