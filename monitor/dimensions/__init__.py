"""(Call, Inference) → values of dimensions: one file per place that a value can come from."""

from __future__ import annotations

from monitor.dimensions.header import dimension as from_header

__all__ = ["from_header"]
