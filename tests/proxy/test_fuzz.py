"""Random talk in any pieces, cut short in any way, with edits, little memory and short limits: what
arrives is what was said, nothing is left behind, and nothing of ours raises."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from typing import Any

import hpack
import pytest

from monitor.proxy.copies import Budget
from monitor.proxy.edits import Edits
from monitor.proxy.frames import DATA, HEADERS, SETTINGS, frame
from tests.proxy.corpus import CASES
from tests.proxy.test_splice import GET, OK, PATIENCE, Proxied, proxied, reset, run, until
from tests.proxy.test_states import BEGUN, SWITCHED, UPGRADE, Seen

TOGETHER = 12
ASKED = hpack.Encoder().encode(
    [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")]
)
ANSWERED = hpack.Encoder().encode([(":status", "200")])


def said(chance: random.Random, by: str) -> list[bytes]:
    """What one side says: of the corpus, or of a protocol, in pieces."""
    kind = chance.random()
    if kind < 0.5:
        data = b"".join(what for who, what in chance.choice(CASES).turns if who == by)
    elif kind < 0.7:
        data = BEGUN if by == ">" else frame(SETTINGS, 0, 0, b"")
        for number in range(1, 2 * chance.randint(0, 5), 2):
            flags = chance.choice([0, 4, 5])
            data += frame(HEADERS, flags, number, ASKED if by == ">" else ANSWERED)
            data += frame(DATA, chance.choice([0, 1]), number, bytes(chance.randint(0, 500)))
    elif kind < 0.8:
        data = UPGRADE + b"\x81\x82abcd\x09\x08" if by == ">" else SWITCHED + b"\x81\x02hi" * 9
    else:
        data = (GET if by == ">" else OK) * chance.randint(1, 200)
    cuts = sorted(chance.randint(0, len(data)) for _ in range(chance.randint(0, 6)))
    return [data[a:b] for a, b in itertools.pairwise([0, *cuts, len(data)]) if a < b]


async def say(writer: asyncio.StreamWriter, pieces: list[bytes], chance: random.Random) -> None:
    with contextlib.suppress(ConnectionError, RuntimeError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(chance.choice([0, 0, 0.001, 0.03]))
        end = chance.choice(["reset", "half", "close", "nothing"])
        if writer.transport.is_closing():
            return
        if end == "reset":
            reset(writer)
        elif end == "half":
            writer.write_eof()
        elif end == "close":
            writer.close()


async def hear(reader: asyncio.StreamReader) -> bytes:
    heard = b""
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65536):
            heard += piece
    return heard


async def talk(
    proxy: Proxied, pairing: asyncio.Lock, chance: random.Random, *, exact: bool
) -> None:
    async with pairing:
        client, endpoint = await proxy.pair()
    up, down = said(chance, ">"), said(chance, "<")
    hearing = [asyncio.create_task(hear(reader)) for reader, _ in (endpoint, client)]
    await asyncio.gather(say(client[1], up, chance), say(endpoint[1], down, chance))
    await asyncio.wait(hearing, timeout=0.2)
    for _, writer in (client, endpoint):
        writer.transport.abort()
    arrived, answered = await asyncio.wait_for(asyncio.gather(*hearing), PATIENCE)
    if exact:
        assert b"".join(up).startswith(arrived)
        ours = answered.rfind(b"HTTP/1.1 504 Gateway Timeout\r\n")
        assert b"".join(down).startswith(answered if ours < 0 else answered[:ours])


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_said_and_however_it_ends(seed: int) -> None:
    """The connections of one proxy, side by side."""
    chance = random.Random(seed)
    seen = Seen()
    room = chance.choice([1 << 30, 200_000, 3000, 0])
    seen.budget = Budget(room)
    if chance.random() < 0.5:
        seen.budget.limit = room + chance.choice([0, 500, 5000])
    edited = seed % 2 == 1
    faults: list[Any] = []

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, what: faults.append(what))
        async with proxied(
            build=seen,
            edits=lambda peer: Edits(host=b"other", peer=b"192.0.2.7") if edited else None,
            head_timeout=chance.choice([0.1, 60]),
            idle_timeout=chance.choice([0, 0.1, 60]),
            silence_timeout=chance.choice([0.2, 60]),
        ) as proxy:
            pairing = asyncio.Lock()
            await asyncio.gather(
                *(talk(proxy, pairing, chance, exact=not edited) for _ in range(TOGETHER))
            )
            await until(lambda: len(proxy.listener) == 0)
            assert "observer_failed" not in proxy.listener.opaque

    run(story())
    assert not faults
    assert seen.budget.used == 0
