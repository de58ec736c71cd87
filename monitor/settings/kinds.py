"""What a setting may be: numbers within bounds, names, addresses, and groups of settings."""

from __future__ import annotations

from typing import Annotated

import msgspec

MOST = 1 << 48
"""No count or number of bytes is larger: stores and clocks can still take it as a number."""
LONGEST = 1e9
"""No time in seconds is longer: thirty years."""

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=MOST)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST)]
Duration = Annotated[float, msgspec.Meta(gt=0, le=LONGEST)]
Address = Annotated[str, msgspec.Meta(description="HOST:PORT, as in 127.0.0.1:8080")]
Name = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9._-]{1,100}\Z",
        description="a name of up to 100 letters, digits, dots, dashes and underscores",
    ),
]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group of settings; an unknown key is an error."""
