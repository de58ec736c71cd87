"""Vectors → centers: a partition without chance, for the bins of embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ROUNDS = 10
PAIRS = 200
"""Of so many vectors the distances are looked at for the width of a kernel."""

LARGEST = 1e150
"""Coordinates beyond are taken for this, so that squares stay finite."""


def centers(vectors: Sequence[Sequence[float]], count: int) -> list[list[float]]:
    """At most `count` centers of `vectors`, all of one width, in a fixed order.

    The cluster with the largest scatter is cut at its mean across its principal direction (Boley
    1998) until there are enough, then come Lloyd's rounds (1982). No start is drawn: the same
    vectors give the same centers.

    >>> sorted(centers([[0.0], [0.1], [5.0], [5.1]], 2))
    [[0.05], [5.05]]
    >>> centers([[1.0, 2.0]] * 3, 4)
    [[1.0, 2.0]]
    """
    points = table(vectors)
    clusters = [points]
    while len(clusters) < count:
        widest = max(range(len(clusters)), key=lambda index: _scatter(clusters[index]))
        sides = _halves(clusters[widest])
        if sides is None:
            break
        clusters[widest : widest + 1] = sides
    middles = np.stack([cluster.mean(axis=0) for cluster in clusters])
    for _ in range(ROUNDS):
        member = np.argmin(distances(points, middles), axis=1)
        middles = np.stack(
            [
                points[member == index].mean(axis=0) if (member == index).any() else middle
                for index, middle in enumerate(middles)
            ]
        )
    return [[float(f"{value:.5g}") for value in middle] for middle in middles.tolist()]


def bandwidth(vectors: Sequence[Sequence[float]]) -> float:
    """The median distance of two vectors, the usual width of the kernel; 1 where all are one.

    >>> bandwidth([[0.0], [3.0], [0.0], [3.0], [6.0]])
    3.0
    """
    points = table(vectors[:PAIRS])
    apart = np.sqrt(distances(points, points))[np.triu_indices(len(points), 1)]
    middle = float(np.median(apart)) if apart.size else 0.0
    return float(f"{middle:.4g}") or 1.0


def table(vectors: Sequence[Sequence[float]]) -> Floats:
    """Vectors as rows of finite numbers, (vectors, width)."""
    return np.minimum(np.maximum(np.asarray(vectors, dtype=np.float64), -LARGEST), LARGEST)


def distances(points: Floats, middles: Floats) -> Floats:
    """Squared distances, (points, centers)."""
    if len(points) == 1:  # at once, to the same bit: most are of one vector
        return np.asarray(np.square(points - middles).sum(axis=1)[np.newaxis])
    return np.asarray(
        np.stack([np.square(points - middle).sum(axis=1) for middle in middles], axis=1)
    )


def _scatter(cluster: Floats) -> float:
    return float(np.square(cluster - cluster.mean(axis=0)).sum())


def _halves(cluster: Floats) -> list[Floats] | None:
    """The two sides of a cluster across its principal direction; None where it is one point."""
    centered = cluster - cluster.mean(axis=0)
    scale = np.abs(centered).max()
    if scale == 0:
        return None
    centered = centered / scale
    direction = centered[np.argmax(np.square(centered).sum(axis=1))]
    for _ in range(ROUNDS):
        direction = centered.T @ (centered @ direction)
        length = np.sqrt(np.square(direction).sum())
        if length == 0:
            return None
        direction = direction / length
    ahead = centered @ direction > 0
    if ahead.all() or not ahead.any():
        return None
    return [cluster[ahead], cluster[~ahead]]
