"""Who asks while an answer is being made."""

from __future__ import annotations

import asyncio

import pytest

from monitor.api.sharing import Sharing


def test_however_many_ask_few_answers_are_made_and_none_was_begun_before_it_was_asked_for() -> None:
    """The first ones at once; all others, as many as there are, share one of each question."""
    begun: list[str] = []

    async def story() -> None:
        go = asyncio.Event()

        async def answer(question: str) -> int:
            begun.append(question)
            await go.wait()
            return len(begun)

        sharing = Sharing(answer, 2)
        first = asyncio.ensure_future(sharing.of("a"))
        await asyncio.sleep(0.01)
        second = asyncio.ensure_future(sharing.of("a"))
        await asyncio.sleep(0.01)
        assert begun == ["a", "a"], "with room each has its own"
        many = [asyncio.ensure_future(sharing.of("ab"[n % 2])) for n in range(50)]
        await asyncio.sleep(0.01)
        assert len(begun) == 2
        many[0].cancel()
        go.set()
        await asyncio.gather(first, second, *many[1:])
        assert begun == ["a", "a", "a", "b"]

    asyncio.run(story())


def test_what_fails_fails_for_all_who_wait_and_not_for_the_next() -> None:
    """As it would without others."""

    async def story() -> None:
        plan = iter((ValueError("no"), None))

        async def answer(question: str) -> str:
            if (error := next(plan)) is not None:
                raise error
            return question

        sharing = Sharing(answer, 1)
        both = await asyncio.gather(sharing.of("a"), sharing.of("a"), return_exceptions=True)
        assert [type(one) for one in both] == [ValueError, ValueError]
        assert await sharing.of("a") == "a"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("monitor.logs.error", lambda text: None)
        asyncio.run(story())
