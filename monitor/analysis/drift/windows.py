"""Observation → bin: the fixed bins of a feature, and which of them a value falls into.

Bins are made once, from a sample of the reference; from then on a window is a vector of counts
over them, and windows add up exactly. After the ordinary bins come those of `types.SPECIAL`.
"""

from __future__ import annotations

import math
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from functools import lru_cache
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, Literal

import msgspec
import numpy as np

from monitor.analysis.drift.clusters import bandwidth, centers, distances, table
from monitor.tables.blocks import Ints, Numbers
from monitor.texts import VOCABULARY, hashes, visible
from monitor.types import SPECIAL

INNER_BINS = 10
"""Bins of a numeric feature between the smallest and the largest value of the sample."""

VALUES_PER_BIN = 20
"""A smaller sample makes fewer numeric bins: at least this many of its values in each."""

WITH_TAILS, TAIL = 500, 3
"""Of so many numbers or more the outermost bins are parted, where their third value is: one value
that is far out would else hide what moves before it."""

CATEGORY_BINS = 64
"""Categories with a bin of their own; all others share the last."""

CLUSTERS = 12
"""Bins of a vector feature."""

FAR = 0.98
"""Part of the vectors that are near some center."""

GRID = 1 << 16
"""Steps into which the sample's range is cut to add values up exactly, as integers."""

EXACT = 1 << 53
"""Integers up to here are floats without loss."""

FEW_TEXTS = 12
"""Fewer texts are held against a vocabulary quicker one by one."""

SEARCHED = 4000
"""Fewer numbers are looked for among the edges; each edge is compared with more of them."""

HALF, HALF_MOST = 2.0**-11, 65504.0
"""Floats of 16 bits are as near as this to what they stand for, relatively; their largest number
(IEEE 754 binary16)."""

SINGLE = 2.0**-24
"""The same of 32 bits (binary32)."""

Shape = Literal["numeric", "categorical", "vector", "words", "nothing"]


class Bins(msgspec.Struct, frozen=True, omit_defaults=True):
    """The ordinary bins of a feature.

    numeric: `edges` e0 ≤ e1 < … < eJ make J + 2 bins: below e0, [e0, e1], (e1, e2] … , above eJ;
    with `exact` they are all the values there were, each twice: v1, v1, v2, v2 … make a bin of each
    value and one of what lies between it and the next. In profiles of older versions each but v1
    stands there once, and a bin is what is nearest to each.
    categorical: one for each of `categories`, then one for every other value.
    vector: one for each of `centers`, whichever is nearest, then one for what is farther than
    `radius` from all; their random Fourier features have a kernel of `bandwidth`. nothing: one for
    whatever comes, because no value had been seen when the bins were made. A text's hashed words
    are the number that is their share outside `vocabulary`. With `tails` the outermost bins of
    numbers are parted, see `number_bins`.
    """

    shape: Shape
    edges: list[float] = []
    categories: list[str] = []
    centers: list[list[float]] = []
    radius: float = 0.0
    bandwidth: float = 0.0
    exact: bool = False
    vocabulary: bytes = b""
    tails: bool = False

    @property
    def ordinary(self) -> int:
        """Number of bins without the special ones."""
        match self.shape:
            case "numeric":
                return len(self.edges) + 1
            case "categorical":
                return len(self.categories) + 1
            case "vector":
                return len(self.centers) + 1
            case _:
                return 1

    @property
    def between(self) -> range:
        """The bins of what was none of the `exact` values: below, between and above them."""
        apart = self.exact and self.edges[-2] == self.edges[-1]
        return range(0, self.ordinary if apart else 0, 2)

    @property
    def size(self) -> int:
        """Number of bins with the special ones."""
        return self.ordinary + len(SPECIAL)


def locator(bins: Bins) -> Callable[[Any], int]:
    """The function value → bin, total on anything.

    >>> locate = locator(Bins("numeric", edges=[0, 1, 2]))
    >>> [locate(value) for value in (-1, 0, 1, 1.5, 2, 3, None, float("nan"), "1", True)]
    [0, 1, 1, 2, 2, 3, 4, 5, 6, 6]
    >>> locate = locator(Bins("categorical", categories=["a", "b"]))
    >>> [locate(value) for value in ("b", "z", None, 1.0)]
    [1, 2, 3, 5]
    """
    match bins.shape:
        case "numeric" if bins.vocabulary:
            return _locate_words(bins)
        case "numeric":
            return _locate_number(bins)
        case "categorical":
            return _locate_category(bins)
        case "vector":
            return _locate_vector(bins)
        case _:
            return _locate_anything


def numbers_locator(bins: Bins) -> Callable[[Numbers], Ints]:
    """`locator` for many finite numbers at once.

    >>> bins = Bins("numeric", edges=[0, 1, 2])
    >>> numbers_locator(bins)(np.array([-1, 0, 1, 1.5, 2, 3])).tolist()
    [0, 1, 1, 2, 2, 3]
    """
    if bins.shape != "numeric":
        same = locator(bins)(0.0)
        return lambda numbers: np.full(len(numbers), same)
    edges = float_limits(bins)
    ordered = np.array(edges)

    def locate(numbers: Numbers) -> Ints:
        if len(numbers) < SEARCHED:
            return ordered.searchsorted(numbers)
        # Of many a comparison with every edge takes a quarter of the time of a search among them.
        found = np.zeros(len(numbers), dtype=np.min_scalar_type(len(edges)))
        for edge in edges:
            found += numbers > edge
        return found

    return locate


def numbers_reader(bins: Bins) -> Callable[[Sequence[Any]], Sequence[float] | None]:
    """The function many values → the finite numbers that `locator` would find among the edges, each
    of them; None where one is no such number.

    >>> read = numbers_reader(Bins("numeric", edges=[0, 1, 2]))
    >>> read([1, 2]), read([0.5]), read([0.5, None]), read([True])
    ([1.0, 2.0], [0.5], None, None)
    """
    if bins.shape != "numeric":
        return lambda _: None
    vocabulary = bins.vocabulary
    return (lambda values: _shares(values, vocabulary)) if vocabulary else _floats


def shape_of(value: Any) -> Shape:
    """What a value is; `nothing` for what is missing, not finite or of a type we do not count.

    >>> [shape_of(value) for value in (1, 0.5, "a", True, [0.1, 0.2], b"..", None)]
    ['numeric', 'numeric', 'categorical', 'categorical', 'vector', 'words', 'nothing']
    >>> shape_of(float("inf")), shape_of({})
    ('nothing', 'nothing')
    """
    kind = type(value)
    if kind is float or kind is int:
        return "numeric" if _finite(value) else "nothing"
    if kind is str or kind is bool:
        return "categorical"
    if kind is bytes:
        return "words" if value else "nothing"
    if (kind is list or kind is tuple) and _is_vector(value):
        return "vector"
    return "nothing"


def text_of(value: str | bool) -> str:
    """A category's name, bounded and printable; a boolean is the category `true` or `false`."""
    return visible(value) if isinstance(value, str) else str(value).lower()


def keepable(value: Any) -> Any:
    """A value that falls into the same bin of any bins as `value` does, small and of a kind that
    can be written down and read again: None, a boolean, number, string, bytes, or list of numbers.

    >>> [keepable(value) for value in (2**128, 10**400, "a\\x00", {"a": 1}, [1, 2**70], [None])]
    [3.402823669209385e+38, inf, 'a ', [], [1.0, 1.1805916207174113e+21], []]
    """
    kind = type(value)
    if kind is float or value is None or kind is bool or kind is bytes:
        return value
    if kind is int:
        return value if abs(value) <= EXACT else _float(value)
    if kind is str:
        return text_of(value)
    return [float(item) for item in value] if shape_of(value) == "vector" else []


def number_bins(values: Sequence[float], inner: int = INNER_BINS) -> Bins:
    """Bins at the quantiles of `values` (at least one), each distinct value its own if few.

    An edge stands between values that recur, never on one: the same number has another last digit
    after a detour through another width of floats. Other edges are rounded to a hundredth of the
    narrower bin beside them, the outermost outwards: a profile is no place for anybody's exact
    value. A value that is several quantiles at once, such as the 0 of those who bought nothing, has
    a bin of its own, and the others share the bins that it leaves: else all would be in one.
    Of many values the outermost bins are parted, `TAIL` values from the end.

    >>> number_bins([0, 1, 1, 0, 0]).edges
    [0.0, 0.0, 1.0, 1.0]
    >>> number_bins([7]).edges
    [7.0, 7.0]
    >>> number_bins([i * 1.2345678 for i in range(100)], inner=4).edges
    [0.0, 30.9, 61.7, 91.4, 122.3]
    >>> number_bins([i / 10 for i in range(40)] * 2, inner=4).edges
    [-0.05, 1.05, 2.05, 2.95, 3.95]
    >>> number_bins([0] * 900 + list(range(1, 101))).edges
    [-0.5, 0.5, 20.0, 40.0, 60.0, 80.0, 98.0, 100.0]
    """
    ordered = sorted(map(float, values))
    counts = Counter(ordered)
    distinct = sorted(counts)
    if len(distinct) <= inner:
        return Bins("numeric", edges=[value for value in distinct for _ in "[]"], exact=True)
    last = len(ordered) - 1
    raw = [ordered[round(place * last / inner)] for place in range(inner + 1)]
    quantiles = Counter(raw)
    heavy = {value for value, places in quantiles.items() if places > 1}
    between, last_below = _beside(ordered, heavy, inner) if heavy else (set(raw), [])
    chosen = sorted({*between, raw[0], raw[-1]})
    edges = [
        _between(distinct, edge, place) if counts[edge] > 1 else _round(chosen, place)
        for place, edge in enumerate(chosen)
    ]
    edges += [_between(distinct, value, 1) for value in last_below]
    if raw[0] == raw[1]:  # the smallest value fills a bin of its own
        edges.append(_between(distinct, raw[0], 1))
    edges = sorted(set(edges))
    parted = [
        edge for value, near, far in
        ((ordered[TAIL - 1], edges[1], edges[0]), (ordered[-TAIL], edges[-2], edges[-1]))
        if len(ordered) >= WITH_TAILS and counts[value] == 1
        for edge in _parting(value, near, far)
    ]  # fmt: skip
    return Bins("numeric", edges=sorted([*edges, *parted]), tails=bool(parted))


def _parting(value: float, near: float, far: float) -> Iterator[float]:
    """The edge at a value within a bin, rounded to at most 1 % of how far that is from the bin's
    inner end, `near`; none where it is an end of the bin then."""
    step = abs(value - near) / 100
    if 1e-300 < step < 1e300:
        edge = _rounded(value, -math.floor(math.log10(step)))
        if min(near, far) < edge < max(near, far):
            yield edge


def _beside(
    ordered: Sequence[float], heavy: Set[float], inner: int
) -> tuple[set[float], list[float]]:
    """Values at which bins end where some are `heavy`: these, and quantiles of the runs of values
    between them; and the last of each run that has a heavy value above."""
    others = sum(value not in heavy for value in ordered)
    ends, last = set(heavy), list[float]()
    for is_heavy, values in groupby(ordered, heavy.__contains__):
        run = list(values)
        most = len(run) // VALUES_PER_BIN
        if is_heavy or not most:
            continue
        parts = min(max((inner - len(heavy)) * len(run) // others, 1), most)
        ends |= {run[place * len(run) // parts - 1] for place in range(1, parts)}
        if run[-1] < ordered[-1]:
            last.append(run[-1])
    return ends, last


def _between(distinct: Sequence[float], value: float, place: int) -> float:
    """A number half-way from `value` to its larger neighbour; from the smallest one (`place` 0) as
    far to the other side, from the largest as far as its smaller neighbour is."""
    index = bisect_left(distinct, value)
    near = distinct[index + 1] if index + 1 < len(distinct) else distinct[index - 1]
    half = abs(near - value) / 2 if math.isfinite(near - value) else 0.0
    middle = value - half if place == 0 else value + half
    if not 1e-300 < half < 1e300:
        return value
    nearby = _rounded(middle, 1 - math.floor(math.log10(half)))
    return nearby if math.isfinite(nearby) else value


def duration_bins(values: Sequence[float]) -> Bins:
    """Bins for times: usual is within a factor of three of the median of `values`, which may not
    be empty. How fast an answer comes depends on who else asks; only large steps mean something.

    >>> duration_bins([0.2, 0.1, 0.3]).edges
    [0.0, 0.067, 0.6, 2.0]
    """
    middle = sorted(map(float, values))[len(values) // 2]
    edges = [float(f"{max(middle, 1e-6) * factor:.2g}") for factor in (1 / 3, 3, 10)]
    return Bins("numeric", edges=[0.0, *(min(edge, sys.float_info.max) for edge in edges)])


def category_bins(values: Sequence[str]) -> Bins:
    """A bin for each category that occurs at least twice, the most frequent, in order of name.

    Not in order of frequency: evidence looks at neighbouring bins together, and neighbours that
    were chosen for their counts would seem to change as soon as chance evens them out.

    >>> category_bins(["b", "a", "b", "c", "a", "b"]).categories
    ['a', 'b']
    """
    counts = Counter(values)
    kept = sorted((-count, value) for value, count in counts.items() if count > 1)
    return Bins("categorical", categories=sorted(value for _, value in kept[:CATEGORY_BINS]))


def vector_bins(vectors: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> Bins:
    """A bin for each of a few centers of `vectors`; one in fifty of `others` is far from all.

    >>> vector_bins([[0.0], [0.2], [5.0], [5.2]], [[0.1], [5.4]]).radius
    0.1
    """
    made = centers(vectors, CLUSTERS)
    away = np.sort(np.sqrt(distances(table(others), table(made)).min(axis=1)))
    radius = float(away[int(FAR * (len(away) - 1))])
    width = bandwidth(others)
    return Bins("vector", centers=made, radius=float(f"{radius:.4g}"), bandwidth=width)


def word_bins(chosen: Sequence[bytes], others: Sequence[bytes], inner: int) -> Bins:
    """Bins for the share of unknown words in each of `others`; known are those of two of `chosen`.

    What one text alone holds is no vocabulary, and might tell of somebody.
    """
    texts = Counter(word for text in chosen for word in set(hashes(text)))
    known = bytearray(VOCABULARY // 8)
    for word, count in texts.items():
        if count > 1 and word < VOCABULARY:
            known[word >> 3] |= 1 << (word & 7)
    vocabulary = bytes(known)
    shares = [unknown(text, vocabulary) for text in others]
    return msgspec.structs.replace(number_bins(shares, inner), vocabulary=vocabulary)


def unknown(text: bytes, vocabulary: bytes) -> float:
    """The share of a text's hashed words that are not in a vocabulary.

    >>> unknown(bytes([3, 0, 4, 0]), bytes([1 << 3]))
    0.5
    """
    count, pick = _picking(text)
    try:
        return 1 - sum(pick(_spread(vocabulary))) / count
    except (IndexError, ZeroDivisionError):  # bytes of somebody's own feature, which are no words
        return 1.0


def _shares(texts: Sequence[Any], vocabulary: bytes) -> Sequence[float] | None:
    """`unknown` of many texts; None where one is none, or has no words."""
    if set(map(type, texts)) != {bytes} or not all(texts):
        return None
    if len(texts) < FEW_TEXTS:
        return [unknown(text, vocabulary) for text in texts]
    sizes = np.fromiter(map(len, texts), np.intp, len(texts))
    if (sizes & 1).any():
        return None
    words, counts = np.frombuffer(b"".join(texts), dtype=np.uint16), sizes >> 1
    if words.max() >= VOCABULARY:
        return None
    known = np.frombuffer(_spread(vocabulary), dtype=np.uint8)[words]
    found = np.add.reduceat(known, np.cumsum(counts) - counts, dtype=np.intp)
    shares: list[float] = (1 - found / counts).tolist()
    return shares


def _floats(values: Sequence[Any]) -> Sequence[float] | None:
    kinds = set(map(type, values))
    if kinds == {float}:
        return values if math.isfinite(sum(values)) else None
    if kinds == {int} and min(values) >= -EXACT and max(values) <= EXACT:
        return list(map(float, values))
    return None


@lru_cache(maxsize=4)
def _picking(text: bytes) -> tuple[int, Callable[[bytes], Iterable[int]]]:
    """How many words a text has, and what takes them out of a spread vocabulary; the same text is
    held against that of each segment."""
    words = hashes(text)
    if len(words) < 2:  # of one place `itemgetter` gives no tuple
        return len(words), lambda known: [known[word] for word in words]
    return len(words), itemgetter(*words)


@lru_cache(maxsize=512)
def _spread(vocabulary: bytes) -> bytes:
    """A byte for each bit: 16 KB, and five times as fast."""
    bits = np.unpackbits(np.frombuffer(vocabulary, dtype=np.uint8), bitorder="little")
    return np.resize(bits, VOCABULARY).tobytes()


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond any float
        return False


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


_NUMBERS = frozenset((float, int))


def _is_vector(value: Sequence[Any]) -> bool:
    try:
        return (
            bool(value) and _NUMBERS.issuperset(map(type, value)) and all(map(math.isfinite, value))
        )
    except OverflowError:  # an integer beyond any float
        return False


def _round(edges: Sequence[float], index: int) -> float:
    """`edges[index]` to a step of 10^k that is at most 1 % of the narrower neighbouring bin."""
    edge = edges[index]
    widths = [edges[i + 1] - edges[i] for i in (index - 1, index) if 0 <= i < len(edges) - 1]
    step = min(widths) / 100
    if not 1e-300 < step < 1e300:
        return edge
    digits = -math.floor(math.log10(step))
    if index == 0:
        nearby = _floor(edge, digits)
    elif index == len(edges) - 1:
        nearby = -_floor(-edge, digits)
    else:
        nearby = _rounded(edge, digits)
    return nearby if math.isfinite(nearby) else edge


def _floor(value: float, digits: int) -> float:
    nearby = _rounded(value, digits)
    return nearby if nearby <= value else _rounded(nearby - 10.0**-digits, digits)


def _rounded(value: float, digits: int) -> float:
    """`round`, but of the largest numbers, of which it may be beyond what a float holds."""
    return round(value, digits) if abs(value) < 1e300 else value


def _locate_number(bins: Bins) -> Callable[[Any], int]:
    edges, ordinary = limits(bins), bins.ordinary
    first = edges[0]

    def locate(value: Any) -> int:
        kind = type(value)
        if kind is float:
            if value - value:  # NaN, which is true, for all that is not finite
                return ordinary + 1
        elif kind is not int:
            return ordinary if value is None else ordinary + 2
        elif not _finite(value):
            return ordinary + 1
        return bisect_left(edges, value) or int(value == first)

    return locate


def limits(bins: Bins) -> list[float]:
    """Where one bin ends and the next begins: at the edges, or as far on both sides of each of the
    values there were as it may move in another width of floats."""
    edges = bins.edges
    if not bins.exact:
        return edges
    if not bins.between:
        return _halves(edges[1:])
    values = edges[::2]
    apart = [math.inf, *(high / 8 - low / 8 for low, high in pairwise(values)), math.inf]
    whole = all(value.is_integer() for value in values)
    found: list[float] = []
    for value, *near in zip(values, apart, apart[1:], strict=False):
        margin = min(_rounding(value, whole=whole), *near)
        # A bin ends with its limit: what lies between two values ends one float before the second.
        low = value - margin
        found += [math.nextafter(low, -math.inf) if found else low, value + margin]
    return found


def _rounding(value: float, *, whole: bool) -> float:
    """How far a value may move in another width of floats: of `whole` numbers never to another."""
    if whole:
        return max(min(SINGLE * abs(value), 0.4), sys.float_info.min)
    part = HALF if abs(value) <= HALF_MOST else SINGLE
    return max(part * abs(value), sys.float_info.min)


def _halves(values: Sequence[float]) -> list[float]:
    """Limits half-way between the values, as older versions counted."""
    halves = [low / 2 + high / 2 for low, high in pairwise(values)]
    margin = 0.002 * max(abs(values[0]), abs(values[-1]))
    margin = min(margin, values[1] / 2 - values[0] / 2, values[-1] / 2 - values[-2] / 2)
    return [values[0] - margin, *halves, values[-1] + margin]


def float_limits(bins: Bins) -> list[float]:
    """`limits` in which a finite float's bin is simply where it would be inserted.

    The first bin ends before the first edge, not with it: one float earlier.
    """
    first, *others = limits(bins)
    return [math.nextafter(first, -math.inf), *others]


def _locate_words(bins: Bins) -> Callable[[Any], int]:
    locate, vocabulary = _locate_number(bins), bins.vocabulary

    def locate_words(value: Any) -> int:
        return locate(unknown(value, vocabulary) if type(value) is bytes and value else value)

    return locate_words


def _locate_category(bins: Bins) -> Callable[[Any], int]:
    places = {category: index for index, category in enumerate(bins.categories)}
    other, ordinary = len(bins.categories), bins.ordinary

    def locate(value: Any) -> int:
        if type(value) is str:
            place = places.get(value)
            return places.get(text_of(value), other) if place is None else place
        if type(value) is bool:
            return places.get(text_of(value), other)
        return ordinary if value is None else ordinary + 2

    return locate


def _locate_vector(bins: Bins) -> Callable[[Any], int]:
    ordinary, middles = bins.ordinary, table(bins.centers)
    width, reach = middles.shape[1], bins.radius**2

    def locate(value: Any) -> int:
        if value is None:
            return ordinary
        if shape_of(value) != "vector" or len(value) != width:
            return ordinary + 2
        away = distances(table([value]), middles)[0]
        nearest = int(np.argmin(away))
        return nearest if away[nearest] <= reach else ordinary - 1

    return locate


def _locate_anything(value: Any) -> int:
    if value is None:
        return 1
    if type(value) in (float, int) and not _finite(value):
        return 2
    return 0 if shape_of(value) != "nothing" else 3
