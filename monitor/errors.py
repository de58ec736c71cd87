"""The exceptions of `monitor`: failures that are ours.

Failures of the *traffic* are data (`types.Outcome`), never exceptions.

* MonitorError
  x UsageError
    - ConfigError        a key, option or variable is wrong; exit 2, one line
    - SourceError        a file or stream given to replay cannot be read; exit 2, one line
  x ParseError           bytes are not what a protocol claimed they were
  x PrivacyError         a text could not be made safe; the caller drops it (fail closed)
  x ArchiveError         files of an archive cannot be written, read or trusted
  x StreamError          the store refused, is away or did not answer in time
  x SilentError          the analyzer, which runs, does not answer now
  x LeaseError           another analyzer owns the endpoint now
"""

from __future__ import annotations


class MonitorError(Exception):
    """Anything that `monitor` raises on purpose."""


class UsageError(MonitorError):
    """The user asked for something that cannot be done; the message is one line for a person."""


class ConfigError(UsageError):
    """A configuration key, option or variable is wrong; the message names it."""


class SourceError(UsageError):
    """A file or stream given to `replay` cannot be read; the message names file and line."""


class ParseError(MonitorError):
    """Bytes are not what a protocol claimed they were; the message never quotes them."""


class PrivacyError(MonitorError):
    """A text could not be made safe in time or within bounds; the message is a closed reason."""


class ArchiveError(MonitorError):
    """Files of an archive cannot be written, read or trusted; the message is one sentence."""


class StreamError(MonitorError):
    """The store refused, is away or did not answer in time.

    `ambiguous` is true when the store may have carried out the command although no answer came.
    """

    def __init__(self, message: str, *, ambiguous: bool = False) -> None:
        super().__init__(message)
        self.ambiguous = ambiguous


class SilentError(MonitorError):
    """The analyzer runs and does not answer in time: nothing is known of what it found."""

    def __init__(self) -> None:
        super().__init__("the analyzer does not answer now, so nothing is known of what it found")


class LeaseError(MonitorError):
    """Another analyzer owns the endpoint now: nothing was written; the message is its name."""
