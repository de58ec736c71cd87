"""(Record, Inference) → View: all that a rule about one exchange may look at."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Set
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from monitor import finish_reasons, shapes
from monitor.finish_reasons import FinishReason
from monitor.hidden import ALL, hides, is_hidden, is_mark, kept
from monitor.lazy import once
from monitor.refusals import is_refusal
from monitor.texts import plain
from monitor.types import Inference, Outcome, Part, Record, Tokens

WRITING = frozenset(("chat", "text_completion", "generate_content"))
"""Operations whose answer a model writes."""

ANSWERING = WRITING | {"infer", "predict", "realtime"}
"""Operations whose answer is a model's, though it may be no text."""

MOST_ANSWERS = 16
"""Of more answers in one exchange the first are looked at: a request may ask for thousands."""

MOST_CELLS = 4096
"""Of more values in known columns the first are looked at."""

NO_ANSWERS = frozenset(("error", "tool_call", "tool", "reasoning", "refusal"))
"""Roles of outputs that are no answers."""

_NO = frozenset(("filter", "refusal"))
"""Finish reasons of a model, or of a filter of its provider, that said no."""

_HALF_WORD = re.compile(r"(?<=\s)\S{1,64}\Z")

_CHARACTERS_A_TOKEN = 4
"""Of English text, about."""


class Usual(NamedTuple):
    """What a reference says of a column: its least and largest number and their standard
    deviation, or its categories. Of numbers it has no categories, of categories no numbers."""

    low: float = 0.0
    high: float = 0.0
    deviation: float = 0.0
    categories: frozenset[str] = frozenset()


class View(msgspec.Struct, frozen=True, dict=True, kw_only=True):
    """One exchange, as rules see it. Every text is pseudonymized.

    `is_accepted` says that the endpoint took the request and answered it. `inputs_cut` and
    `outputs_cut` say that the body was longer than what is kept, so that its end was not read,
    `inputs_withheld` and `outputs_withheld` of which roles and columns a rule left something out.
    `finish` are the normal forms of the finish reasons. `tools`, `schema` and `wants_json` are what
    the request asked for, as in Inference; of a request that was cut there are no tools and no
    schema, because parts of them would judge wrongly. `context` are the tokens that the model can
    hold, None where that is not known. `usual` is what a reference says of columns, by name;
    empty without one. `repeated_after` is how many seconds ago the last equal request came; None
    where none is remembered. `answered_before` is what the last answer to an equal request came
    down to (`answers.gist`); empty where none is remembered.
    """

    protocol: str = "openai_chat"
    operation: str = "chat"
    model: str = ""
    outcome: Outcome = Outcome.OK
    is_accepted: bool = True
    streamed: bool = False
    duration: float = 0.0
    first_token: float | None = None
    segments: Mapping[str, str] = {}
    inputs: list[Part] = []
    outputs: list[Part] = []
    inputs_cut: bool = False
    outputs_cut: bool = False
    inputs_withheld: Collection[str] = ()
    outputs_withheld: Collection[str] = ()
    tokens: Tokens | None = None
    finish: list[FinishReason] = []
    confidence: float | None = None
    confidence_min: float | None = None
    pseudonyms: Mapping[str, int] = {}
    redactions: Mapping[str, int] = {}
    tools: Mapping[str, Any] = {}
    schema: Any = None
    wants_json: bool = False
    context: int | None = None
    usual: Mapping[str, Usual] = {}
    repeated_after: float | None = None
    answered_before: str = ""

    @once
    def question(self) -> str:
        """What was asked: the last text of the user, else the last text; a pseudonym is reduced to
        its entity. Empty where it is not there to be seen."""
        if self.inputs_withheld and not {"user", ALL}.isdisjoint(self.inputs_withheld):
            return ""
        last = ""
        for part in reversed(self.inputs):
            if part.text is not None or part.role == "user":
                text = "" if is_hidden(part) else part.text or ""
                if part.role == "user":
                    return plain(text)
                last = last or text
        return plain(last)

    @once
    def inputs_hidden(self) -> bool:
        """Whether not all that the model was given is here: its body was cut, or something of it is
        not kept."""
        return self.inputs_cut or bool(self._hidden)

    @once
    def outputs_hidden(self) -> bool:
        """The same of what it answered."""
        return self.outputs_cut or bool(self.outputs_withheld) or any(map(hides, self.outputs))

    def hides(self, roles: Set[str | None]) -> bool:
        """Whether something is not here that was said by somebody in one of these roles."""
        return any(
            one in roles or one == ALL or (one is not None and is_mark(one)) for one in self._hidden
        )

    @once
    def _hidden(self) -> Set[str | None]:
        """Roles and columns of the inputs of which not all is here."""
        return {*self.inputs_withheld, *(one.name or one.role for one in self.inputs if hides(one))}

    @once
    def answers(self) -> list[str]:
        """The texts that a model answered, `MOST_ANSWERS` at most, without errors, reasoning,
        refusals and calls of tools; a pseudonym is reduced to its entity."""
        return [plain(text) for text in self.marked_answers]

    @once
    def marked_answers(self) -> list[str]:
        """The same with pseudonyms as they are: equal values have equal ones. Of an answer that was
        cut the last word is left out, of which it may be half. One of which nothing is left is
        none."""
        if not (self.is_accepted and self.operation in ANSWERING):
            return []
        found = (
            part.text for part in self.outputs
            if part.text and part.role not in NO_ANSWERS and not is_hidden(part)
        )  # fmt: skip
        return [self._certain(text) for text in islice(found, MOST_ANSWERS)]

    def _certain(self, text: str) -> str:
        """A text; of an answer that was cut without what may be half a word, or half a number."""
        whole, text = text, kept(text)
        half = _HALF_WORD.search(text[-65:]) if self.outputs_cut or text is not whole else None
        return text[: -len(half[0])] if half else text

    @once
    def notes(self) -> dict[tuple[str, int], Any]:
        """What a rule found that another asks for, too, by (the first one's name, its threshold).

        It goes with the View: the recorder asks a rule about many Views before it asks the next
        one, and what a few of them had in common would be forgotten by then.
        """
        return {}

    @once
    def refuses(self) -> bool:
        """Whether the finish reason or a part says no, or the first words of an answer do."""
        if not _NO.isdisjoint(self.finish):
            return True
        if any(part.role == "refusal" and part.text for part in self.outputs):
            return True
        return any(map(is_refusal, self.answers))

    @once
    def calls_tools(self) -> bool:
        """Whether the answer calls a tool."""
        return any(part.role == "tool_call" for part in self.outputs)

    @once
    def input_tokens(self) -> int:
        """Tokens read, as the endpoint reported them, else by the length of the texts."""
        said = None if self.tokens is None else self.tokens.input
        if said is not None:
            return said
        return sum(len(part.text or "") for part in self.inputs) // _CHARACTERS_A_TOKEN

    @once
    def cells(self) -> list[tuple[Usual, Any]]:
        """The values of the inputs' columns that a reference knows, each with what is usual in its
        column, `MOST_CELLS` at most."""
        found: list[tuple[Usual, Any]] = []
        for part in self.inputs if self.usual else ():
            data, columns = part.data, shapes.columns(part.shape)
            if not data or columns > shapes.COLUMNS:
                continue
            for place in range(columns):
                usual = self._usual_of(part.name or "input", place if columns > 1 else None)
                if usual is not None:
                    left = MOST_CELLS - len(found)
                    found += [(usual, value) for value in data[place : left * columns : columns]]
        return found[:MOST_CELLS]

    def _usual_of(self, name: str, place: int | None) -> Usual | None:
        """What is usual in a column; one that is called like a feature of ours is `input.NAME`."""
        column = name if place is None else f"{name}[{place}]"
        return self.usual.get(column) or self.usual.get(f"input.{column}")


def view(
    record: Record,
    inference: Inference,
    *,
    context: int | None = None,
    usual: Mapping[str, Usual] | None = None,
    repeated_after: float | None = None,
) -> View:
    """What rules see of an exchange."""
    return View(
        protocol=record.protocol,
        operation=record.operation,
        model=record.model,
        outcome=record.outcome,
        is_accepted=record.is_accepted,
        streamed=record.streamed,
        duration=record.duration,
        first_token=record.time_to_first_token,
        segments=record.segments,
        inputs=record.inputs,
        outputs=record.outputs,
        inputs_cut=record.request.truncated,
        outputs_cut=record.response.truncated,
        inputs_withheld=record.withheld.get("inputs", ()),
        outputs_withheld=record.withheld.get("outputs", ()),
        tokens=record.tokens,
        finish=[finish_reasons.normal(reason) for reason in record.finish_reasons],
        confidence=record.confidence,
        confidence_min=record.confidence_min,
        pseudonyms=record.pseudonyms,
        redactions=record.redactions,
        tools={} if record.request.truncated else inference.tools,
        schema=None if record.request.truncated else inference.schema,
        wants_json=inference.wants_json,
        context=context,
        usual=usual or {},
        repeated_after=repeated_after,
    )
