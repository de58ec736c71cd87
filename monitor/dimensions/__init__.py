"""(Call, Inference) → values of dimensions: one file per place that a value can come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.dimensions import baggage, claim, header, json_path, path, query
from monitor.dimensions.transforms import Transform, bucketed, mapped, matched
from monitor.errors import ConfigError
from monitor.interfaces import Dimension, Origin
from monitor.types import ABSENT, Call, Inference

ORIGINS: tuple[Origin, ...] = (
    header.ORIGIN,
    json_path.ORIGIN,
    path.ORIGIN,
    query.ORIGIN,
    claim.ORIGIN,
    baggage.ORIGIN,
)


def dimension(
    name: str,
    origin: str,
    place: str | list[str],
    *,
    match: str = "",
    names: Mapping[str, str] | None = None,
    default: str = "",
    buckets: Sequence[float] = (),
) -> Dimension:
    """The dimension `name`, whose value stands at `place` of an origin.

    What was said is matched, then mapped by `names`, then put into `buckets`; where one of these
    does not know it the value is `default`, without one `none` (what `names` do not know stays as
    it is). Raises ConfigError that names the key.
    """
    found = next(one for one in ORIGINS if one.name == origin)
    key = f"segments.{name}"
    try:
        key = f"segments.{name}.{origin}"
        read = found.reader(place)
        steps: list[Transform] = []
        if match:
            key = f"segments.{name}.match"
            steps.append(matched(match))
        if names:
            key = f"segments.{name}.map"
            steps.append(mapped(names, is_closed=bool(default)))
        if buckets:
            key = f"segments.{name}.buckets"
            steps.append(bucketed(buckets))
    except ValueError as error:
        raise ConfigError(f"{key}: {error}") from None

    def value(call: Call, _: Inference) -> str:
        said = read(call)
        if said is None:
            return ABSENT
        for step in steps:
            said = step(said)
            if said is None:
                return default or ABSENT
        return said

    return Dimension(name, value)
