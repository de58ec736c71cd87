"""What pytest-xdist gives its workers by file, found in less time: it looks for the number of each
test among all, and counts what is left of a worker's files among all that this one ever had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsIndex

from xdist.scheduler import LoadFileScheduling


class Numbered(list[str]):
    """Names of tests, each of which is found at once."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names)
        self._numbers = {name: number for number, name in reversed([*enumerate(names)])}

    def index(self, name: str, *_: SupportsIndex) -> int:
        return self._numbers[name]


class ByFile(LoadFileScheduling):
    """The same tests for the same workers in the same order."""

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        super().add_node_collection(node, collection)
        if node in self.registered_collections:
            self.registered_collections[node] = Numbered(collection)

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        super().mark_test_complete(node, item_index, duration)
        files = self.assigned_work[node]
        file = self._split_scope(self.registered_collections[node][item_index])
        if all(files[file].values()):
            del files[file]
