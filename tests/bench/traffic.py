"""Requests for a running proxy and the answers to them, endless and from a seed; no two of a kind are the same.

Conversations are those of `conversations`, many at once; the values of the other kinds are those of `privacy_texts`.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import phonenumbers

from tests.bench import conversations, privacy_texts
from tests.bench.privacy_texts import Texts

POPULATIONS = ("north", "south", "west")
AT_ONCE = 40
"""Conversations under way."""
MANY = 44
"""Personal values of a chat with many."""
PROMPT = 8192
"""Characters of a long prompt."""
LARGE = 10_000
"""Personal values in a body of 1 MB."""
END = b"}\n"
"""How every answer ends, and no piece of one."""


class Traffic:
    """Makes requests, and writes their answers to files of a directory for the endpoint."""

    def __init__(self, directory: Path, seed: int = 7) -> None:
        self._directory = directory
        self._seed = seed
        self._number = 0
        self._chance = random.Random(seed)
        self._answer("", self._chat("What is new?")[1])  # for requests that name none

    def conversations(self) -> Iterator[bytes]:
        """Requests of AT_ONCE conversations, in random order."""
        systems = conversations.prompts(self._chance)
        under_way = [self._conversation(systems) for _ in range(AT_ONCE)]
        while True:
            at = self._chance.randrange(AT_ONCE)
            request = next(under_way[at], None)
            if request is None:
                under_way[at] = self._conversation(systems)
            else:
                yield request

    def many_values(self) -> Iterator[bytes]:
        """Chats of one message with MANY personal values."""
        while True:
            yield self._single(" ".join(self._chance.sample(self._facts, MANY)))

    def long_prompts(self) -> Iterator[bytes]:
        """Chats of one message of PROMPT characters."""
        for number in itertools.count():
            first, second = self._chance.choices(self._prose, k=2)
            at = self._chance.randrange(PROMPT)
            yield self._single(f"Case {number}. {first[:at]}{second[at:]}")

    def large(self) -> Iterator[bytes]:
        """Chats of 1 MB with LARGE personal values."""
        while True:
            text = " ".join(self._chance.sample(self._facts, LARGE))
            rest = "".join(self._chance.choices(self._prose, k=200))
            yield self._single(text + rest[: 1_000_000 - len(text)])

    def _conversation(self, systems: list[str]) -> Iterator[bytes]:
        kind = self._chance.randrange(len(systems))
        population = self._chance.choice(POPULATIONS)
        for asked, told in conversations.conversation(self._chance, systems[kind]):
            yield self._request(asked, told, population, f"application-{kind}")

    def _single(self, text: str) -> bytes:
        return self._request(*self._chat(text), "north", "application-0")

    def _chat(self, text: str) -> tuple[bytes, bytes]:
        answer = {"role": "assistant", "content": conversations.message(self._chance, 900)}
        return conversations.bodies([{"role": "user", "content": text}], answer)

    def _request(self, asked: bytes, told: bytes, population: str, template: str) -> bytes:
        self._number += 1
        self._answer(str(self._number), told)
        return (
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: model\r\nContent-Type: application/json\r\n"
            b"Accept: application/json\r\nUser-Agent: OpenAI/Python 1.60.0\r\n"
            b"Authorization: Bearer sk-abcdefghijklmnopqrstuvwxyz0123\r\nX-Answer: %d\r\n"
            b"X-Population: %s\r\nX-Template: %s\r\nContent-Length: %d\r\n\r\n%s"
            % (self._number, population.encode(), template.encode(), len(asked), asked)
        )

    def _answer(self, name: str, told: bytes) -> None:
        (self._directory / f"{name}.json").write_bytes(told + b"\n")

    @cached_property
    def _texts(self) -> Texts:
        return Texts(self._seed)

    @cached_property
    def _facts(self) -> list[str]:
        return [self._fact() for _ in range(LARGE + 2000)]

    @cached_property
    def _prose(self) -> list[str]:
        return [conversations.message(self._chance, PROMPT) for _ in range(200)]

    def _fact(self) -> str:
        """A sentence with a personal value in it."""
        texts, style = self._texts, phonenumbers.PhoneNumberFormat.INTERNATIONAL
        kinds: list[tuple[Callable[[], str], tuple[str, ...]]] = [
            (texts.email, privacy_texts.NEUTRAL),
            (lambda: texts.phone(self._chance.choice(("US", "GB", "DE")), style), privacy_texts.PHONE),
            (texts.card, privacy_texts.NEUTRAL),
            (texts.iban, privacy_texts.NEUTRAL),
            (texts.ssn, privacy_texts.NEUTRAL),
            (lambda: texts.faker().address(), privacy_texts.LIVES),
            (lambda: texts.faker().name(), privacy_texts.NAMED),
            (texts.born, privacy_texts.BORN),
        ]  # fmt: skip
        make, templates = self._chance.choice(kinds)
        return self._chance.choice(templates).replace("{}", make())
