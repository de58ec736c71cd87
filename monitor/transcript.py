"""An answer put together from what came of it: a stream's events, or one body."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from monitor import bodies
from monitor.chat import (
    arrival,
    base64_size,
    error_part,
    is_success,
    is_throttle,
    sized,
    tool_call,
)
from monitor.counts import LARGEST, count
from monitor.errors import ParseError
from monitor.framings import json_array, sse
from monitor.media import joined
from monitor.types import Call, Inference, Part, Tokens

T = TypeVar("T")

INCOMPLETE = "incomplete"
"""The finish reason of a stream that ended before its dialect's end."""

_IMPOSSIBLE = -1000.0
"""exp of it is 0 in any float; servers write -9999 where they have no log-probability."""
_MAX_NAME = 1024
_MAX_TRIED = 64
"""A call in more fragments is not tried for whether it is whole: each try reads all of them."""


class _Tool:
    """One call of a tool, as far as it has come. Arguments are text in fragments, or one object."""

    __slots__ = ("fragments", "id", "index", "name", "whole")

    def __init__(self, identity: str, index: int | None) -> None:
        self.id = identity
        self.index = index
        self.name = ""
        self.fragments: list[str] = []
        self.whole: Any = None

    def goes_on(self, name: str, arguments: Any) -> bool:
        """Whether a fragment that has a name, and no id to tell, is of this call: a piece of the
        name before any arguments, or the name again beside another piece of them."""
        if name != self.name:
            return self.whole is None and not self.fragments
        return not (_begins(arguments) and self.is_whole())

    def is_met_again(self, name: str, arguments: Any, index: int | None) -> bool:
        """Whether a fragment with this call's id is of it: some servers have one id for all."""
        if not name or not self.name:
            return True
        is_elsewhere = index is not None and self.index is not None and index != self.index
        is_said = self.is_said(arguments)
        return not is_elsewhere and (is_said or self.goes_on(name, arguments))

    def is_whole(self) -> bool:
        """Whether its arguments may end where they are."""
        if self.whole is not None:
            return True
        if not self.fragments or not self.fragments[-1].rstrip().endswith("}"):
            return False
        if len(self.fragments) > _MAX_TRIED:
            return False
        try:
            bodies.document("".join(self.fragments).encode("utf-8", "replace"))
        except ParseError:
            return False
        return True

    def is_said(self, arguments: Any) -> bool:
        """Whether arguments are all that this call has, once more."""
        if not isinstance(arguments, str):
            return arguments is not None and arguments == self.whole
        return _begins(arguments) and arguments == "".join(self.fragments[: _MAX_TRIED + 1])

    def add(self, name: str, arguments: Any) -> None:
        if name and name != self.name and len(self.name) < _MAX_NAME:
            self.name += name
        if isinstance(arguments, str):
            if arguments and not (name and self.is_said(arguments)):
                self.fragments.append(arguments)
        elif arguments is not None:
            self.whole = arguments

    def text(self) -> str:
        given = "".join(self.fragments)
        return tool_call(self.name, given if given.strip() else self.whole)


def _begins(arguments: Any) -> bool:
    """Whether arguments are the beginning of some."""
    if isinstance(arguments, str):
        return arguments.lstrip().startswith("{")
    return arguments is not None


class Transcript:
    """What one response says. `is_complete` is set when its dialect's end has come; `outputs` are
    those that are whole already, after those put together here."""

    __slots__ = (
        "_counts", "_errors", "_first", "_last", "_least_likely", "_likelihood", "_likely", "_open",
        "_reasons", "_sounds", "_texts", "_tools", "call", "failed", "is_complete", "model",
        "outputs", "response_id", "service_tier", "streamed", "throttled", "units",
    )  # fmt: skip

    def __init__(self, call: Call, *, streamed: bool = False) -> None:
        self.model = self.response_id = self.service_tier = ""
        self.units: dict[str, float] = {}
        self.failed = self.throttled = False
        self.streamed = streamed
        self.is_complete = not streamed
        self.outputs: list[Part] = []
        self.call = call
        self._texts: dict[tuple[int, str], list[str]] = {}
        self._tools: dict[tuple[int, str], _Tool] = {}
        self._open: dict[tuple[int, Any], _Tool] = {}
        self._reasons: dict[int, str] = {}
        self._sounds: dict[int, list[str]] = {}
        self._counts: dict[str, int] = {}
        self._errors: list[Part] = []
        self._first = self._last = 0
        self._likely = self._likelihood = 0.0
        self._least_likely: float | None = None

    def add(self, choice: int, channel: str, fragment: str) -> None:
        """A fragment of a text; a channel is `assistant`, `reasoning`, `refusal` or `tool`."""
        key = (choice, channel)
        if key in self._texts:
            self._texts[key].append(fragment)
        else:
            self._texts[key] = [fragment]

    def add_tool(
        self,
        choice: int,
        name: Any,
        arguments: Any,
        *,
        index: int | None = None,
        id_: Any = None,
        is_new: bool = False,
    ) -> None:
        """A fragment of a call of a tool, or a whole one (`is_new`).

        It goes on the call with its id, else the one that is open at its index, without index the
        last one. A new id starts another call, and so does a complete name where one is used:
        servers send each call under the index 0, or under none.
        """
        name = name if isinstance(name, str) else ""
        identity = id_ if isinstance(id_, str) else ""
        tool = None if is_new else self._tool(choice, name, arguments, index, identity)
        if tool is None:
            tool = _Tool(identity, index)
            key = (choice, f"tool_call {len(self._tools)}")
            self._texts[key] = []
            self._tools[key] = tool
        if identity:
            tool.id = tool.id or identity
            self._open[choice, identity] = tool
        self._open[choice, index] = self._open[choice, None] = tool
        tool.add(name, arguments)

    def _tool(
        self, choice: int, name: str, arguments: Any, index: int | None, identity: str
    ) -> _Tool | None:
        """The call that a fragment goes on; None where it begins another."""
        known = self._open.get((choice, identity)) if identity else None
        if known is not None:
            return known if known.is_met_again(name, arguments, index) else None
        tool = self._open.get((choice, index))
        if tool is None:
            return None
        if identity and tool.id:
            return None if name or tool.is_whole() else tool
        return tool if not name or tool.goes_on(name, arguments) else None

    def add_sound(self, choice: int, data: Any) -> bool:
        """A piece of a sound in base64; whether it is one."""
        if not isinstance(data, str) or not data:
            return False
        self._sounds.setdefault(choice, []).append(data)
        return True

    def finish(self, choice: int, reason: Any) -> None:
        """Why an answer stopped, in the endpoint's own word."""
        if isinstance(reason, str) and reason:
            self._reasons[choice] = reason

    def count(self, name: str, value: Any) -> None:
        """A count by its dialect's name; a later one takes the place of that one alone."""
        if value is not None and (number := count(value)) is not None:
            self._counts[name] = number

    def counted(self, name: str, *more: str) -> int | None:
        """The sum of counts, None where the first of them was not said."""
        found = self._counts.get(name)
        if more and found is not None:
            found += sum(self._counts.get(one, 0) for one in more)
        return found

    def tokens(self, read: int | None, written: int | None, **parts: str) -> Tokens | None:
        """Counts by our convention; None where the endpoint said none of them. `parts` are fields
        of Tokens, with their dialect's names."""
        counts = self._counts
        if not counts:
            return None
        said = {}
        if not counts.keys().isdisjoint(parts.values()):
            said = {field: counts[name] for field, name in parts.items() if name in counts}
        if read is None and written is None and not any(said.values()):
            return None
        return Tokens(read, written, **said)  # type: ignore[arg-type]  # `estimated` is no count

    def note(self, *, model: Any = None, id_: Any = None, tier: Any = None) -> None:
        """What an answer, or an event of one, says of itself; what it does not say stays."""
        if model and isinstance(model, str):
            self.model = model
        if id_ and isinstance(id_, str):
            self.response_id = id_
        if tier and isinstance(tier, str):
            self.service_tier = tier

    def likely(self, logprob: Any) -> None:
        """The natural logarithm of the probability with which a token of the answer was chosen.

        What is none is passed over: above 0, not finite, or the -9999 of servers for "none".
        """
        if type(logprob) in (float, int) and _IMPOSSIBLE < logprob <= 0:
            self._likely += 1
            self._likelihood += logprob
            least = self._least_likely
            self._least_likely = logprob if least is None else min(least, logprob)

    def likely_on_average(self, logprob: Any, weight: float = 1.0) -> None:
        """The mean log-probability of a stretch of the answer, whose tokens are not told apart."""
        if type(logprob) in (float, int) and _IMPOSSIBLE < logprob <= 0 and weight > 0:
            self._likely += weight
            self._likelihood += weight * logprob

    def use(self, unit: str, amount: Any) -> None:
        """What is paid for beside tokens, by its name in `Inference.units`; a later amount takes
        the place of an earlier one, and nothing is not said."""
        if type(amount) in (float, int) and 0 < amount <= LARGEST:
            self.units[unit] = float(amount)

    def error(self, data: bytes, *, failed: bool = True) -> None:
        """What says that something went wrong, or could not be read."""
        self._errors += error_part(data)
        self.failed = self.failed or failed
        self.throttled = self.throttled or (failed and is_throttle(data))

    def heard(self, first: int, last: int = 0) -> None:
        """Content came, with the events that end at these offsets of the body; 0 is none."""
        self._first = self._first or first
        self._last = last or first or self._last

    def is_foreign(self, parts: list[Part]) -> None:
        """Nothing of the answer is of its dialect: `parts` are what any reader sees in it. Its text
        would be lost otherwise, and look cut."""
        self.outputs, self._errors, self.is_complete = parts, [], True

    def unreadable(self, data: bytes, *, failed: bool = False) -> None:
        """A body, or an event of one, that is not what its dialect says; JSON without its end was
        cut. Where the proxy did not keep the rest of the answer that is no error of anybody's."""
        is_cut = json_array.is_cut(data)
        if not (is_cut and self.call.response_truncated):
            self.error(data, failed=failed)
        self.is_complete = self.is_complete and not is_cut

    def decoded(
        self, data: bytes, decoder: msgspec.json.Decoder[T], *, failed: bool = False
    ) -> T | None:
        """A body, or an event of one, as `bodies.decode` reads it; None of one that is
        `unreadable`."""
        try:
            return bodies.decode(data, decoder)
        except ParseError:
            self.unreadable(data, failed=failed)
            return None

    @property
    def has_finished(self) -> bool:
        """Whether every answer that has begun gave a reason for its end."""
        begun = {choice for choice, _ in self._texts}
        return bool(self._reasons) and begun <= self._reasons.keys()

    def by_choice(self) -> dict[int, list[Part]]:
        """The outputs of each choice, in order of its channels' first words."""
        found: dict[int, list[Part]] = {}
        for key, texts in self._texts.items():
            tool = self._tools.get(key)
            said = joined("", texts)  # a single one as it is: it may be `Kept`
            role, text = ("tool_call", tool.text()) if tool else (key[1], said)
            found.setdefault(key[0], []).append(Part(role=role, text=text))
        for choice, pieces in self._sounds.items():
            held = () if self.call.response_truncated else pieces
            text = sized("audio", "", sum(map(base64_size, pieces)), *held)
            found.setdefault(choice, []).append(Part(role="assistant", text=text))
        return found

    def inference(
        self,
        protocol: str,
        operation: str,
        *,
        model: str,
        inputs: list[Part],
        tokens: Tokens | None = None,
        **asked: Any,
    ) -> Inference:
        """The whole exchange; `model` is the request's, `asked` what else it says: fields of
        Inference."""
        call = self.call
        outputs = self.outputs
        if self._texts or self._sounds:
            by_choice = self.by_choice()
            said = [part for choice in sorted(by_choice) for part in by_choice[choice]]
            outputs = said + outputs
        reasons = list(map(self._reasons.__getitem__, sorted(self._reasons)))
        is_cut = not (self.is_complete or self.failed or call.response_truncated)
        is_cut = is_cut and is_success(call)
        is_whole = self.streamed and self.is_complete and not call.response_truncated
        return Inference(
            protocol=protocol,
            operation=operation,
            model=self.model or model,
            inputs=inputs,
            outputs=outputs + self._errors,
            tokens=tokens,
            finish_reasons=[*reasons, INCOMPLETE] if is_cut else reasons,
            streamed=self.streamed,
            first_token=arrival(call, self._first) if self._first else None,
            last_token=arrival(call, self._last) if self._first else None,
            failed=self.failed,
            incomplete=is_cut,
            finished=is_whole and bool(reasons) and is_success(call),
            throttled=self.throttled,
            requested_model=model if self.model and model != self.model else "",
            response_id=self.response_id,
            service_tier=self.service_tier,
            units=self.units,
            confidence=math.exp(self._likelihood / self._likely) if self._likely else None,
            confidence_min=None if self._least_likely is None else math.exp(self._least_likely),
            **asked,
        )


class Documents(Generic[T]):
    """The JSON documents of an answer's event stream, each beside its event. To be gone through
    once.

    An event that cannot be read is told to the answer, and is of the dialect where it was cut or
    its type begins as one of `ours`. `is_ours` is set by the reader as soon as a document is of
    its dialect; `is_done` says that `[DONE]` came.
    """

    __slots__ = ("_answer", "_decoder", "_events", "_has_any", "_ours", "is_done", "is_ours")

    def __init__(
        self,
        answer: Transcript,
        events: Iterable[sse.Event],
        decoder: msgspec.json.Decoder[T],
        ours: tuple[str, ...] = (),
    ) -> None:
        self.is_ours = self.is_done = self._has_any = False
        self._answer, self._events, self._decoder, self._ours = answer, events, decoder, ours

    def __iter__(self) -> Iterator[tuple[sse.Event, T]]:
        decode = self._decoder.decode
        for event in self._events:
            self._has_any = True
            data = event.data
            if data == b"[DONE]":
                self.is_done = True
                continue
            try:
                document: T | None = decode(data)  # nearly every event, without a call of ours
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                document = self._odd(event)
            if document is not None:
                yield event, document

    def _odd(self, event: sse.Event) -> T | None:
        """The document of an event that is not as its dialect says; None where it is none."""
        found = self._answer.decoded(event.data, self._decoder, failed=event.type == "error")
        if found is None:
            is_typed = event.type.startswith(self._ours)
            self.is_ours = self.is_ours or is_typed or json_array.is_cut(event.data)
        return found

    @property
    def are_foreign(self) -> bool:
        """Whether there were events, and none of them was of the dialect."""
        return self._has_any and not self.is_ours
