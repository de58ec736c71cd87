"""Chats as people have them: a system prompt of 2 KB, one to eight turns, some messages personal.

Every request of a conversation carries its system prompt and all turns before it. What is said is made up, seeded.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

PERSONAL = 0.25
"""Share of the messages with personal data in them."""

MOST_TURNS = 8
PROMPTS = 12
"""So many applications, each with a system prompt of its own."""

PROMPT = 2000
"""Characters of a system prompt."""


def _words(text: str) -> list[str]:
    return text.split()


_NOUNS = _words(
    "invoice order parcel contract password account meeting report policy claim router printer subscription ticket refund "
    "delivery booking flight hotel recipe garden battery screen warranty server database query function module table chart "
    "budget lesson exam essay paragraph translation poem letter proposal tenant landlord mortgage salary holiday doctor"
)
_VERBS = _words(
    "change cancel explain compare repair return extend summarise check translate improve move open pay plan write"
)
_WHEN = (
    "last Tuesday",
    "since Monday",
    "two weeks ago",
    "this morning",
    "in March",
    "yesterday evening",
    "on the 14th",
)
_SENTENCES = (
    "Could you tell me how to {verb} the {noun} that I received {when}?", "The {noun} does not match the {noun2}, and nobody answers.",
    "I would like to {verb} my {noun} before the {noun2} ends.", "What is the difference between a {noun} and a {noun2}?",
    "Please {verb} the {noun} in simple words, with {number} examples.", "I paid {number} euros for the {noun} {when}.",
    "To {verb} your {noun}, open the {noun2} and choose the third entry.", "If the {noun} is older than {number} days, we {verb} it.",
    "Thank you, that helped; but the {noun} still shows the old {noun2}.", "You will find the {noun} below, after the {noun2}.",
    "There are {number} ways to {verb} a {noun}: the first is the quickest, the second is the safest.", "Never {verb} a {noun} without asking.",
)  # fmt: skip
_FIRST = _words(
    "Ada Grace Linus Maria Jonas Aisha Chen Olga Pierre Lucía Piotr Emma Noah Mia Ravi Fatima"
)
_LAST = _words(
    "Lovelace Hopper Schmidt García Kowalski Nguyen Rossi Okafor Larsen Dubois Novak Silva Brown Meyer"
)
_SAID = (
    "I am at {mail}.", "Call me on {phone}.", "My name is {first} {last}, born {birth}.", "The card was {card}.",
    "Send it to {first} {last}, {house} Baker Street, London.", "My IBAN is {iban}.", "Write to {mail} or {phone}.",
)  # fmt: skip


Exchanges = Iterator[tuple[bytes, bytes]]


def exchanges(conversations: int, seed: int) -> Exchanges:
    """Yield (request, response) bodies of an OpenAI chat, turn by turn of each conversation."""
    chance = random.Random(seed)
    systems = prompts(chance)
    for _ in range(conversations):
        yield from conversation(chance, chance.choice(systems))


def prompts(chance: random.Random) -> list[str]:
    """Return the system prompts of PROMPTS applications."""
    return [_text(chance, PROMPT) for _ in range(PROMPTS)]


def conversation(chance: random.Random, prompt: str) -> Exchanges:
    """Yield (request, response) bodies, turn by turn of one conversation under this system prompt."""
    said = [{"role": "system", "content": prompt}]
    for _ in range(chance.randint(1, MOST_TURNS)):
        said.append({"role": "user", "content": message(chance, chance.randint(40, 400))})
        answer = {"role": "assistant", "content": message(chance, chance.randint(200, 1200))}
        yield bodies(said, answer)
        said.append(answer)


def bodies(said: list[dict[str, str]], answer: dict[str, str]) -> tuple[bytes, bytes]:
    """Return the request that carries what was said, and the response with the answer."""
    model = "llama-3.1-8b"
    asked, told = (sum(len(one["content"]) for one in some) // 4 for some in (said, [answer]))
    usage = {"prompt_tokens": asked, "completion_tokens": told, "total_tokens": asked + told}
    choice = {"index": 0, "message": answer, "finish_reason": "stop"}
    found = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [choice],
        "usage": usage,
    }
    return tuple(  # type: ignore[return-value]
        json.dumps(one, ensure_ascii=False).encode()
        for one in ({"model": model, "messages": said}, found)
    )


def message(chance: random.Random, length: int) -> str:
    """Return a text of about so many characters, personal at the rate of PERSONAL."""
    text = _text(chance, length)
    if chance.random() >= PERSONAL:
        return text
    sentences = text.split(". ")
    sentences.insert(chance.randrange(len(sentences) + 1), _personal(chance))
    return ". ".join(sentences)


def _text(chance: random.Random, length: int) -> str:
    text = ""
    while len(text) < length:
        noun, noun2 = chance.sample(_NOUNS, 2)
        text += chance.choice(_SENTENCES).format(
            noun=noun,
            noun2=noun2,
            verb=chance.choice(_VERBS),
            when=chance.choice(_WHEN),
            number=chance.randint(2, 99),
        )
        text += " " if chance.random() < 0.85 else "\n\n"
    return text[:length].rstrip()


def _personal(chance: random.Random) -> str:
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    return chance.choice(_SAID).format(
        first=first, last=last, mail=f"{first}.{last}{chance.randint(1, 999)}@example.org".lower(),
        phone=f"+49 171 {chance.randint(1000000, 9999999)}", birth=f"{chance.randint(1, 28)}.{chance.randint(1, 12)}.1979",
        card="4111 1111 1111 1111", house=chance.randint(1, 250), iban="DE89 3704 0044 0532 0130 00",
    )  # fmt: skip
