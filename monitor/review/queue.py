"""Picks ↔ verdicts: the queue of an endpoint, in Redis.

All keys begin with `monitor:{ENDPOINT}:review:` and lie in one slot of a cluster; each change is
one script, so that no two readers get the last place of an item, and a process that is killed
leaves nothing half done. An item names its Record by its place in the stream: what is deleted
there cannot be reviewed any more, and is counted as expired.

An item is `open` until as many people as `readers` have answered it, skipping included; of two who
disagree a third is asked. Of two readers some items need the first alone (`Item.once`). Places that
nobody answered within their lease are free again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, Literal

import msgspec

from monitor.errors import StreamError
from monitor.review.agreement import Agreement, agreement
from monitor.review.estimate import Estimate, estimate
from monitor.streams.connection import Command, refusal
from monitor.streams.entries import Entry
from monitor.streams.notes import READ
from monitor.streams.store import Store
from monitor.types import Record

Result = Literal["passed", "failed", "skipped"]
Answer = Literal["taken", "repeated", "answered", "leased", "closed", "unknown"]

MOST = 10_000
"""Open items. Beyond, the probability of every one is halved, and half of them go."""
REMEMBERED = 10_000
"""Closed items of which is still known who answered what."""
LOOKED_THROUGH = 1000
"""Of more open items the oldest are offered; a reader who has answered all these waits."""


class Item(msgspec.Struct, frozen=True):
    """Why a Record is in the queue, and where in the stream it stands.

    `propensity` is that with which it was picked, `started` is in Unix seconds. With `once` one
    person is to read it, where others have two.
    """

    record: str
    key: str
    entry: str
    reason: str
    propensity: float
    started: float
    once: bool = False


class Lease(msgspec.Struct, frozen=True):
    """An item that one reader has until a moment (Unix seconds); with its propensity as of now."""

    item: Item
    propensity: float
    until: float


class Stats(msgspec.Struct, frozen=True):
    """The queue in numbers: items, answers since it began, and how far readers agree.

    `thinned` are items that went because there were too many, `expired` those whose Record was
    gone. `response_rate` is the share of answers that were a verdict: a skip is a missing verdict,
    never a good one, so `least_failed` counts none of them as failed and `most_failed` each.
    `estimate` is what these say of all exchanges.
    """

    waiting: int
    leased: int
    passed: int
    failed: int
    skipped: int
    expired: int
    thinned: int
    response_rate: float | None
    least_failed: float | None
    most_failed: float | None
    agreement: Agreement
    estimate: Estimate | None = None


# Slots of an item: reader → when a lease ends (a number), or what was answered (a text).
_COMMON = """
local R = KEYS[1]
local function key(name) return R .. name end
local function slots_of(item)
  local told = redis.call('HGET', key('slots'), item)
  return told and cjson.decode(told) or {}
end
local function keep(item, slots)
  if next(slots) then redis.call('HSET', key('slots'), item, cjson.encode(slots))
  else redis.call('HDEL', key('slots'), item) end
end
local function wanted(item, slots, readers)
  if readers == 2 and redis.call('SISMEMBER', key('once'), item) == 1 then return 1 end
  local passed, failed = 0, 0
  for _, said in pairs(slots) do
    if said == 'passed' then passed = passed + 1 end
    if said == 'failed' then failed = failed + 1 end
  end
  if readers == 2 and passed == 1 and failed == 1 then return 3 end
  if readers == 2 and passed + failed == 3 then return 3 end
  return readers
end
local function taken(slots, now, but)
  local count, answered = 0, 0
  for reader, said in pairs(slots) do
    if type(said) == 'string' then count = count + 1; answered = answered + 1
    elseif said > now and reader ~= but then count = count + 1 end
  end
  return count, answered
end
local function remove(item, slots)
  for reader, said in pairs(slots) do
    if type(said) == 'number' then
      redis.call('ZREM', key('leases'), item .. '|' .. reader)
      redis.call('HDEL', key('held'), reader)
    end
  end
  redis.call('ZREM', key('open'), item)
  redis.call('ZREM', key('ratios'), item)
  redis.call('HDEL', key('items'), item)
  redis.call('HDEL', key('levels'), item)
  redis.call('SREM', key('once'), item)
end
"""

_ADD = (
    _COMMON
    + """
local most = tonumber(ARGV[1])
local level = tonumber(redis.call('HGET', key('counts'), 'level') or '0')
local added = 0
for place = 2, #ARGV, 4 do
  local item, document = ARGV[place], ARGV[place + 1]
  local started, ratio = ARGV[place + 2], ARGV[place + 3]
  if tonumber(ratio) < 2 ^ -level and redis.call('HEXISTS', key('items'), item) == 0
      and not redis.call('ZSCORE', key('done'), item) then
    redis.call('HSET', key('items'), item, document)
    redis.call('ZADD', key('open'), started, item)
    redis.call('ZADD', key('ratios'), ratio, item)
    redis.call('HSET', key('levels'), item, level)
    if cjson.decode(document)['once'] then redis.call('SADD', key('once'), item) end
    added = added + 1
  end
end
while redis.call('ZCARD', key('open')) > most and level < 40 do
  level = level + 1
  local bound = 2 ^ -level
  -- What somebody has begun stays, whatever its ratio: its probability is not halved.
  for _, item in ipairs(redis.call('ZRANGE', key('open'), 0, -1)) do
    if redis.call('HEXISTS', key('slots'), item) == 1 then
    elseif tonumber(redis.call('ZSCORE', key('ratios'), item)) < bound then
      -- What has outlived a higher level keeps it: the others of its time are gone.
      local known = tonumber(redis.call('HGET', key('levels'), item))
      redis.call('HSET', key('levels'), item, math.max(known, level))
    else
      remove(item, {})
      redis.call('HINCRBY', key('counts'), 'thinned', 1)
    end
  end
end
if level > 0 and redis.call('ZCARD', key('open')) < most / 4 then level = level - 1 end
redis.call('HSET', key('counts'), 'level', level)
return added
"""
)

_NEXT = (
    _COMMON
    + """
local reader, now, ends = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local readers, depth = tonumber(ARGV[4]), tonumber(ARGV[5])
local function lease(item, slots)
  slots[reader] = ends
  keep(item, slots)
  redis.call('ZADD', key('leases'), ends, item .. '|' .. reader)
  redis.call('HSET', key('held'), reader, item)
  return {redis.call('HGET', key('items'), item), redis.call('HGET', key('levels'), item)}
end
for _, gone in ipairs(redis.call('ZRANGE', key('leases'), '-inf', now, 'BYSCORE')) do
  local item, who = string.match(gone, '^([^|]+)|(.*)$')
  local slots = slots_of(item)
  slots[who] = nil
  keep(item, slots)
  redis.call('ZREM', key('leases'), gone)
  redis.call('HDEL', key('held'), who)
end
local held = redis.call('HGET', key('held'), reader)
if held and redis.call('HEXISTS', key('items'), held) == 1 then
  return lease(held, slots_of(held))
end
for _, item in ipairs(redis.call('ZRANGE', key('open'), 0, depth - 1)) do
  local slots = slots_of(item)
  if slots[reader] == nil and taken(slots, now, reader) < wanted(item, slots, readers) then
    return lease(item, slots)
  end
end
return false
"""
)

_ANSWER = (
    _COMMON
    + """
local item, reader, result = ARGV[1], ARGV[2], ARGV[3]
local now, readers, remembered = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local slots = slots_of(item)
if type(slots[reader]) == 'string' then
  return slots[reader] == result and 'repeated' or 'answered'
end
if redis.call('HEXISTS', key('items'), item) == 0 then
  return redis.call('ZSCORE', key('done'), item) and 'closed' or 'unknown'
end
if taken(slots, now, reader) >= wanted(item, slots, readers) then return 'leased' end
local before
for _, said in pairs(slots) do
  if said == 'passed' or said == 'failed' then before = before and 'several' or said end
end
if result ~= 'skipped' and (before == 'passed' or before == 'failed') then
  redis.call('HINCRBY', key('counts'), before .. ' ' .. result, 1)
end
local picked = cjson.decode(redis.call('HGET', key('items'), item))['propensity']
local propensity = picked * 2 ^ -tonumber(redis.call('HGET', key('levels'), item))
if result ~= 'skipped' and not before then
  local level = math.floor(0.5 - math.log(propensity) / math.log(2))
  redis.call('HINCRBY', key('counts'), 'first ' .. result .. ' ' .. level, 1)
end
redis.call('ZREM', key('leases'), item .. '|' .. reader)
redis.call('HDEL', key('held'), reader)
slots[reader] = result
keep(item, slots)
redis.call('HINCRBY', key('counts'), result, 1)
if ARGV[7] ~= '' then
  local document = ARGV[7] .. string.format('%.17g', propensity) .. ARGV[8]
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[9], '*', 'v', '1', 'feedback', document)
end
local _, answered = taken(slots, now, reader)
if answered >= wanted(item, slots, readers) then
  remove(item, slots)
  redis.call('ZADD', key('done'), now, item)
  local over = redis.call('ZCARD', key('done')) - remembered
  if over > 0 then
    local old = redis.call('ZPOPMIN', key('done'), over)
    for place = 1, #old, 2 do redis.call('HDEL', key('slots'), old[place]) end
  end
end
return 'taken'
"""
)

_EXPIRE = (
    _COMMON
    + """
local item = ARGV[1]
if redis.call('HEXISTS', key('items'), item) == 0 then return 0 end
remove(item, slots_of(item))
redis.call('HDEL', key('slots'), item)
redis.call('HINCRBY', key('counts'), 'expired', 1)
return 1
"""
)


class ReviewQueue:
    """The queue of one endpoint; `readers` people answer an item, who have it for `lease` seconds.

    Every method raises StreamError where the store does not answer.
    """

    def __init__(
        self, url: str, endpoint: str, *, readers: int, lease: float, most: int = MOST,
        timeout: float = 5.0,
    ) -> None:  # fmt: skip
        self._prefix = f"monitor:{{{endpoint}}}:review:"
        self._feedback = f"monitor:{{{endpoint}}}:feedback"
        self._access = f"monitor:{{{endpoint}}}:access"
        self._readers = readers
        self._lease = lease
        self._most = most
        # redis-py: 8 MB, and the pages need it only once somebody reviews
        from monitor.streams.clients import client_for

        self._client = client_for(url, self._prefix, timeout)
        self._store = Store(url, timeout)  # a stream is in another slot
        scripts = (_ADD, _NEXT, _ANSWER, _EXPIRE)
        self._add, self._next, self._answer, self._expire = map(
            self._client.register_script, scripts
        )

    async def add(self, items: Sequence[tuple[Item, float]]) -> int:
        """Put items in, each with its ratio (`sampling.Pick`); return how many are new."""
        arguments: list[Any] = [self._most]
        for item, ratio in items:
            arguments += (item.record, msgspec.json.encode(item), item.started, repr(ratio))
        return int(await self._told(self._add([self._prefix], arguments)))

    async def next(self, reader: str, now: float) -> Lease | None:
        """Lease the oldest item that a reader may answer, the one that they have if any; None where
        there is none. `now` is Unix seconds."""
        until = now + self._lease
        arguments: list[Any] = [reader, now, until, self._readers, LOOKED_THROUGH]
        found = await self._told(self._next([self._prefix], arguments))
        if not found:
            return None
        item = msgspec.json.decode(found[0], type=Item)
        return Lease(item, item.propensity * 2.0 ** -int(found[1]), until)

    async def item(self, record: str) -> Item | None:
        """An open item by the id of its Record."""
        found = await self._told(self._client.hget(self._prefix + "items", record))
        return None if found is None else msgspec.json.decode(found, type=Item)

    async def answer(
        self, record: str, reader: str, result: Result, now: float, feedback: str = "",
        *, most_feedback: int = 1_000_000,
    ) -> Answer:  # fmt: skip
        """Take what a reader says of an item, named by its Record.

        `feedback` is the document of a verdict, in which `PROPENSITY` stands for the number that
        only the queue knows; it is appended to the feedback stream with the answer. Returns `taken`
        for a first answer, `repeated` for the same again, `answered` where the reader has said
        something else before, `leased` where others have all places, `closed` where enough have
        answered, `unknown` for what is no item.
        """
        before, _, after = feedback.rpartition("PROPENSITY")
        arguments: list[Any] = [
            record, reader, result, now, self._readers, REMEMBERED, before, after, most_feedback,
        ]  # fmt: skip
        said = await self._told(self._answer([self._prefix, self._feedback], arguments))
        answers: dict[bytes, Answer] = {
            b"taken": "taken", b"repeated": "repeated", b"answered": "answered",
            b"leased": "leased", b"closed": "closed", b"unknown": "unknown",
        }  # fmt: skip
        return answers[bytes(said)]

    async def record(self, item: Item) -> Record | None:
        """The Record of an item; None where the stream has deleted it; or raise StreamError."""
        range_ = Command.of(item.key, "XRANGE", item.key, item.entry, item.entry, "COUNT", 1)
        (found,) = await self._store.ask([range_])
        if isinstance(found, Exception):
            raise StreamError(f"the review queue: {refusal(found)}")
        for id_, fields in found:
            return Entry(item.key, id_.decode(), fields).record()
        return None

    async def log(self, reader: str, record: str, now: float) -> None:
        """Write down that a reader was given the content of a Record."""
        access = {"at": now, "who": reader, "what": "review", "record": record}
        entry: Any = {"v": "1", "access": msgspec.json.encode(access)}
        await self._told(self._client.xadd(self._access, entry, maxlen=READ, approximate=True))

    async def expire(self, record: str) -> None:
        """Take out an item whose Record is gone."""
        await self._told(self._expire([self._prefix], [record]))

    async def stats(self, now: float, *, at_most: float | None = None) -> Stats:
        """The numbers as of now (Unix seconds), with the evidence that more than the share
        `at_most` of all answers are bad."""
        async with self._client.pipeline(transaction=True) as both:
            both.zcard(self._prefix + "open")
            both.zrangebyscore(self._prefix + "leases", f"({now!r}", "+inf")
            both.hgetall(self._prefix + "counts")
            opened, leases, counted = await self._told(both.execute())
        leased = len({bytes(one).partition(b"|")[0] for one in leases})
        counts = {bytes(name).decode(): int(count) for name, count in counted.items()}

        def count(name: str) -> int:
            return counts.get(name, 0)

        passed, failed, skipped = map(count, ("passed", "failed", "skipped"))
        answers = passed + failed + skipped
        return Stats(
            waiting=opened - leased,
            leased=leased,
            passed=passed,
            failed=failed,
            skipped=skipped,
            expired=count("expired"),
            thinned=count("thinned"),
            response_rate=(passed + failed) / answers if answers else None,
            least_failed=failed / answers if answers else None,
            most_failed=(failed + skipped) / answers if answers else None,
            agreement=agreement(
                count("passed passed"), count("passed failed"),
                count("failed passed"), count("failed failed"),
            ),
            estimate=estimate(
                {
                    (int(name.split()[2]), name.split()[1] == "failed"): number
                    for name, number in counts.items()
                    if name.startswith("first ")
                },
                at_most,
            ),
        )  # fmt: skip

    async def close(self) -> None:
        """Close the connections to the store."""
        await self._client.aclose()
        await self._store.close()

    async def _told(self, asked: Awaitable[Any]) -> Any:
        from monitor.streams.clients import RedisError, words

        try:
            return await asked
        except (RedisError, OSError) as error:
            raise StreamError(f"the review queue: {words(error)}") from None
