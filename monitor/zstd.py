"""zstd (RFC 8878) undone, with a bound on what comes out."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 14):
    from compression.zstd import DecompressionParameter, ZstdDecompressor, ZstdError, ZstdFile
else:  # what became of it in the standard library, for those before it
    from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError, ZstdFile

__all__ = ["ZstdDecompressor", "ZstdError", "ZstdFile", "decompressor"]

_OPTIONS = {int(DecompressionParameter.window_log_max): 23}


def decompressor() -> ZstdDecompressor:
    """Undoes one frame, with a window of at most 8 MiB as RFC 9659 has it."""
    return ZstdDecompressor(options=_OPTIONS)
