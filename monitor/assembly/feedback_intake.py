"""Documents of feedback → Feedback in the stream: what the pages and `monitor feedback` do alike.

Recognizers take 0.2 s of CPU time and 8 MB to build where a recorder has kept what it compiled, and
0.7 s and 35 MB elsewhere, so a process builds them when the first item comes. All that is long is
done in a thread of its own, one body at a time. The pages give way to all else: beside a load of 16
they had one hundredth of a core, and the first item waited for a minute. So `within` bounds it, and
what was built by then is there for the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import msgspec

from monitor import logs
from monitor.assembly import keyring
from monitor.errors import ConfigError, PrivacyError, StreamError
from monitor.feedback import Feedback, FeedbackError, NotJsonError, Statement, items, read
from monitor.privacy import keys
from monitor.streams.redis import RedisStream
from monitor.turns import give_way

if TYPE_CHECKING:
    from monitor.privacy.pseudonyms import Keyring
    from monitor.privacy.records import Privacy
    from monitor.settings.schema import Settings

T = TypeVar("T")
Numbered = tuple[int, Statement]
"""A Statement and its place in the request."""


class Rejected(msgspec.Struct, frozen=True):
    """An item that was not taken: its place in the request, and one sentence that says why."""

    index: int
    error: str


class Taken(msgspec.Struct, frozen=True):
    """What became of a request: how many items are in the stream, and which are not."""

    accepted: int
    rejected: list[Rejected]


class Intake:
    """Takes feedback for one endpoint, under the keys that its recorders use.

    It makes no key: without the recorders' one, no pseudonym would equal theirs. What is not read
    and safe `within` so many seconds is a StreamError; the store has its own time.
    """

    def __init__(self, settings: Settings, *, within: float | None = None) -> None:
        self._settings = settings
        self._stream = RedisStream(
            settings.redis, settings.endpoint, max_length=settings.stream.max_length
        )
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feedback")
        self._one = asyncio.Lock()
        self._key_file = keyring.KeyFile(settings)
        self._privacy: Privacy | None = None
        self._built: Privacy | None = None
        self._within = within

    async def take(self, body: bytes, *, are_lines: bool) -> Taken:
        """Put the items of a body into the stream, all that can be taken or none.

        Raises FeedbackError where no item can be read, ConfigError where there are no keys for it,
        and StreamError where the store is away.
        """
        rejected: list[Rejected] = []

        async def made() -> list[Feedback]:
            said = await self._aside(lambda: _read(body, rejected, are_lines=are_lines))
            return await self._made(said, rejected) if said else []

        taken = await self._append(made())
        rejected.sort(key=lambda one: one.index)
        return Taken(taken, rejected)

    async def append(self, said: Sequence[Statement]) -> Taken:
        """Put Statements into the stream, all that can be or none. Raises ConfigError and
        StreamError as `take`."""
        rejected: list[Rejected] = []
        made = self._made(list(enumerate(said)), rejected)
        return Taken(await self._append(made), rejected)

    async def safe(self, said: Statement) -> Feedback:
        """Return what may be kept of a Statement. Raises ConfigError and StreamError as `take`, and
        PrivacyError where a text in it cannot be made safe."""

        async def made() -> Feedback:
            privacy = await self._ready()
            return await self._aside(lambda: privacy.feedback(said))

        return await self._patiently(made())

    async def close(self) -> None:
        """Close the connection to the store."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        await self._stream.close()

    async def _append(self, made: Awaitable[list[Feedback]]) -> int:
        found = await self._patiently(made)
        if found:
            await self._stream.append_feedback(found)
        return len(found)

    async def _made(self, said: list[Numbered], rejected: list[Rejected]) -> list[Feedback]:
        privacy = await self._ready()
        return await self._aside(lambda: _safe(privacy, said, rejected))

    async def _patiently(self, work: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._within):
                return await work
        except TimeoutError:
            raise StreamError(
                f"this machine is too busy to read it within {self._within:g} s"
            ) from None

    async def _ready(self) -> Privacy:
        """Return what makes Feedback, under the current key of the key file."""
        async with self._one:
            if self._privacy is None:
                self._key_file = keyring.KeyFile(self._settings)
                ring = keys.read(keyring.key_file(self._settings))
                await self._compare(ring)
                self._privacy = await self._aside(lambda: self._under(ring))
                return self._privacy
            privacy = self._privacy
            try:
                changed = self._key_file.changed()
            except ConfigError as error:
                logs.warning(f"{error}; the key from before stays in use for feedback")
                return privacy
            if changed is not None:
                self._privacy = None  # until all have agreed
                await self._compare(changed)
                self._privacy = await self._aside(lambda: self._under(changed))
            return privacy

    def _under(self, ring: Keyring) -> Privacy:
        """Return what makes Feedback under these keys; built once, also for nobody who waits."""
        if self._built is None:
            self._built = _built(self._settings, ring)
        else:
            self._built.use(ring)
        return self._built

    async def _compare(self, ring: Keyring) -> None:
        """Raise ConfigError where another replica has another key under the same id."""
        new = keys.agree(ring, await self._stream.notes.fingerprints())
        if new:
            await self._stream.notes.add_fingerprints(new)

    async def _aside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _read(body: bytes, rejected: list[Rejected], *, are_lines: bool) -> list[Numbered]:
    documents = items(body, are_lines=are_lines)
    said: list[Numbered] = []
    unreadable = 0
    for index, document in enumerate(documents):
        give_way()
        try:
            said.append((index, read(document)))
        except FeedbackError as error:
            unreadable += isinstance(error, NotJsonError)
            rejected.append(Rejected(index, str(error)))
    if documents and unreadable == len(documents):
        raise FeedbackError(f"the body {rejected[0].error}")
    return said


def _safe(privacy: Privacy, said: list[Numbered], rejected: list[Rejected]) -> list[Feedback]:
    found = []
    for index, one in said:
        try:
            found.append(privacy.feedback(one))
        except PrivacyError as error:
            why = str(error).replace("_", " ")
            sentence = f"personal data in it cannot be replaced safely ({why})"
            rejected.append(Rejected(index, sentence))
    return found


def _built(settings: Settings, ring: Keyring) -> Privacy:
    from monitor.assembly import build  # it knows all recognizers

    section = msgspec.structs.replace(settings.privacy, seal_to=None)  # nothing here is revealed
    settings = msgspec.structs.replace(settings, privacy=section)
    return build.privacy(settings, ring, keeps_scanner=True)
