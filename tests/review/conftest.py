"""The store of the tests of streams is that of the review queue, too."""

from tests.streams.conftest import server, url

__all__ = ["server", "url"]
