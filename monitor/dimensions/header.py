"""(Call, Inference) → a dimension's value: what a request header says."""

from __future__ import annotations

from monitor.interfaces import Dimension
from monitor.types import ABSENT, Call, Inference


def dimension(name: str, header: str) -> Dimension:
    """The dimension `name` from the request header `header`; `none` where a request lacks it."""
    header = header.lower()

    def value(call: Call, _: Inference) -> str:
        return call.request_headers.get(header, "").strip() or ABSENT

    return Dimension(name, value)
