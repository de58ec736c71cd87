"""The store of the tests of streams is that of the review queue, too."""

from tests.streams.conftest import url

__all__ = ["url"]
