"""zstd (RFC 8878): frames made, and undone with a bound on what comes out."""

from __future__ import annotations

import sys
from collections.abc import Callable

if sys.version_info >= (3, 14):
    from compression.zstd import (
        DecompressionParameter,
        ZstdCompressor,
        ZstdDecompressor,
        ZstdError,
        ZstdFile,
    )
else:  # what became of it in the standard library, for those before it
    from backports.zstd import (
        DecompressionParameter,
        ZstdCompressor,
        ZstdDecompressor,
        ZstdError,
        ZstdFile,
    )

__all__ = ["ZstdDecompressor", "ZstdError", "ZstdFile", "compressor", "decompressor"]

_OPTIONS = {int(DecompressionParameter.window_log_max): 23}


def decompressor() -> ZstdDecompressor:
    """Undoes one frame, with a window of at most 8 MiB as RFC 9659 has it."""
    return ZstdDecompressor(options=_OPTIONS)


def compressor() -> Callable[[bytes], bytes]:
    """Return what makes one frame of data, again and again, at level 3: level 1 takes four fifths
    of its time."""
    made = ZstdCompressor(level=3)
    return lambda data: made.compress(data, ZstdCompressor.FLUSH_FRAME)
