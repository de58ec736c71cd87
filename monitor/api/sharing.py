"""Questions that are dear to answer → answers, a few at a time; who asks meanwhile shares one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from monitor.tasks import own

T = TypeVar("T")


class Sharing(Generic[T]):
    """Answers what is asked by `answer`, at most `most` at a time.

    Who asks while so many are being made waits for the next one of the same question, with all who
    ask the same. So no answer was begun before it was asked for, and however many ask, nobody waits
    for more than those under way and one of each question.
    """

    def __init__(self, answer: Callable[[str], Awaitable[T]], most: int) -> None:
        self._answer = answer
        self._room = asyncio.Semaphore(most)
        self._next: dict[str, asyncio.Task[T]] = {}

    async def of(self, question: str) -> T:
        """Return the answer; raises what `answer` does."""
        if (task := self._next.get(question)) is None:
            task = self._next[question] = own(self._made(question), "an answer of many")
        return await asyncio.shield(task)  # who leaves ends nobody else's

    async def _made(self, question: str) -> T:
        async with self._room:
            del self._next[question]
            return await self._answer(question)
