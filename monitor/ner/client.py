"""Record → the same Record with pseudonyms for the names that a model finds, in its own process."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from monitor.errors import ConfigError, PrivacyError
from monitor.framing import pack
from monitor.ner.server import Found
from monitor.privacy.hits import Hit
from monitor.privacy.pseudonyms import MARK_WHOLE
from monitor.privacy.records import Privacy
from monitor.privacy.scrub import Scrub
from monitor.supervision import priority
from monitor.supervision.forks import environment
from monitor.tasks import own
from monitor.types import Part, Record

_ENTITY = re.compile(r"[A-Z][A-Z_]{0,39}")

LOADING = 120.0
"""Seconds that a model may take to load."""
AGAIN = 10.0
"""Seconds between two attempts to load it again; until it is loaded no text gets an answer."""


class Names:
    """One model, one Record at a time; meanwhile the others wait in the proxy's bounded buffer.

    A text without an answer in `timeout` seconds is then a digest, or stays, as `on_failure` says.
    `count` is called with what was pseudonymized (`entity`, its name, how often) and what was
    replaced (`reason`). `clock` is in seconds.
    """

    def __init__(
        self,
        model: str,
        privacy: Privacy,
        count: Callable[[str, str, int], None],
        *,
        timeout: float,
        on_failure: Literal["digest", "keep"],
        clock: Callable[[], float],
    ) -> None:
        self._model = model
        self._privacy = privacy
        self._count = count
        self._timeout = timeout
        self._on_failure = on_failure
        self._clock = clock
        self._process: asyncio.subprocess.Process | None = None
        self._one = asyncio.Lock()
        self._loading: asyncio.Task[None] | None = None
        self._load_after = 0.0

    async def start(self) -> None:
        """Load the model; raises ConfigError if it cannot be loaded."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "monitor.ner.server",
            self._model,
            env=environment("OTEL_", "AWS_"),  # third-party code gets none of our credentials
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(LOADING):
                problem = await self._receive(str)
        except (TimeoutError, asyncio.IncompleteReadError):
            problem = "it does not start"
        if problem:
            await self._end()
            raise ConfigError(f"privacy.ner.model: {self._model!r} cannot be loaded: {problem}")
        await priority.lower(self._process.pid)

    async def cover(self, record: Record) -> Record:
        """Return the Record with pseudonyms for the names and places in its texts; never raises."""
        texts = list(_texts(record))
        if not texts:
            return record
        async with self._one:
            found = await self._ask([MARK_WHOLE.sub(_blank, text) for text in texts])
        if found is None and self._on_failure == "keep":
            return record
        scrub = self._privacy.again()
        scrub.continues.update(record.continues)  # the bounds of a Record hold for both steps
        scrub.sealed.update((token, box) for token, _, box in map(_parted, record.sealed))
        done: dict[str, str] = {}
        for number, text in enumerate(texts):
            spans = None if found is None else _sound(found[number], text)
            done[text] = scrub.redacted(text, "ner") if spans is None else _put(scrub, text, spans)
        for kind, counts in (("entity", scrub.pseudonyms), ("reason", scrub.redactions)):
            for name, count in counts.items():
                self._count(kind, name, count)
        return msgspec.structs.replace(
            record,
            inputs=[_covered(part, done) for part in record.inputs],
            outputs=[_covered(part, done) for part in record.outputs],
            pseudonyms=_sum(record.pseudonyms, scrub.pseudonyms),
            redactions=_sum(record.redactions, scrub.redactions),
            continues=scrub.continues,
            sealed=[f"{token} {box}" for token, box in scrub.sealed.items()],
        )

    async def close(self) -> None:
        """End the model's process."""
        if self._loading is not None:
            self._loading.cancel()
        await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _load(self) -> None:
        with contextlib.suppress(
            ConfigError, OSError
        ):  # or no process or descriptor is free just now
            await self.start()

    def _load_again(self) -> None:
        """Load the model, unless it is loaded, is loading or was tried within AGAIN seconds."""
        if self._loading is not None and self._loading.done():
            self._loading = None
        now = self._clock()
        if self._process is None and self._loading is None and now >= self._load_after:
            self._load_after = now + AGAIN
            self._loading = own(self._load(), "loading the model of names")

    async def _ask(self, texts: list[str]) -> Found | None:
        self._load_again()
        process = self._process
        if self._loading is not None or process is None or process.stdin is None:
            return None
        try:
            async with asyncio.timeout(self._timeout):
                process.stdin.write(pack(texts))
                await process.stdin.drain()
                found: Found | None = await self._receive(Found | None)
        except Exception:  # noqa: BLE001  whatever it was, there is no answer
            await self._end()  # a late answer would belong to this question
            self._load_again()
            return None
        return found if found is not None and len(found) == len(texts) else None

    async def _receive(self, kind: Any) -> Any:
        assert self._process is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        size = int.from_bytes(await self._process.stdout.readexactly(4), "big")
        return msgspec.msgpack.decode(await self._process.stdout.readexactly(size), type=kind)


def _texts(record: Record) -> Iterator[str]:
    """Yield what people may have written: texts, and strings in tensors and columns."""
    seen = set()
    for part in (*record.inputs, *record.outputs):
        for text in (part.text, *(part.data or ())):
            if isinstance(text, str) and text not in seen and any(map(str.isalpha, text)):
                seen.add(text)
                yield text


def _parted(line: str) -> tuple[str, str, str]:
    return line.partition(" ")


def _blank(mark: Any) -> str:
    return " " * len(mark[0])


def _sound(spans: list[tuple[int, int, str]], text: str) -> list[tuple[int, int, str]] | None:
    """Return the spans in order, without overlaps; None if some are impossible, or are of what is
    no name of an entity: it becomes a part of pseudonyms and a label of metrics."""
    sound: list[tuple[int, int, str]] = []
    for start, end, entity in sorted(spans):
        if not (0 <= start < end <= len(text) and _ENTITY.fullmatch(entity)):
            return None
        if not sound or start >= sound[-1][1]:
            sound.append((start, end, entity))
    return sound


def _put(scrub: Scrub, text: str, spans: list[tuple[int, int, str]]) -> str:
    """Replace the spans with pseudonyms; none of them overlaps an existing one."""
    marks = [match.span() for match in MARK_WHOLE.finditer(text)]
    hits = [
        Hit(start, end, ((entity, text[start:end]),))
        for start, end, entity in spans
        if not any(begin < end and start < stop for begin, stop in marks)
    ]
    try:
        return scrub.replaced(text, hits)
    except PrivacyError as error:
        return scrub.failed(text, error)


def _covered(part: Part, done: dict[str, str]) -> Part:
    data = part.data
    if data is not None:
        data = [done.get(item, item) if isinstance(item, str) else item for item in data]
    text = part.text if part.text is None else done.get(part.text, part.text)
    return msgspec.structs.replace(part, text=text, data=data)


def _sum(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
