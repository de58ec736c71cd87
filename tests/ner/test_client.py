"""Names that a model finds in a process of its own, and what happens when it finds none in time."""

from __future__ import annotations

import asyncio
import io
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import pytest

from monitor.assembly.build import check
from monitor.errors import ConfigError
from monitor.framing import Unpacker, pack
from monitor.metrics.labels import REDACTION_REASONS
from monitor.ner import client as module
from monitor.ner.client import Names
from monitor.ner.server import serve
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.recognizers import select
from monitor.settings.schema import Ner, Settings
from monitor.settings.schema import Privacy as PrivacySettings
from monitor.types import Call, Exchange, Inference, Message, Outcome, Part, Record

MODEL = "tests.ner.stand_in_model:model"
TOKEN = r"<PERSON:k1:[a-z]{24}>"
PRIVACY = Privacy(
    scanner=Scanner(select()), keyring=Keyring((Key("k1", bytes(range(32))),)), clock=lambda: 0.0
)


def record(*texts: str, data: list[Any] | None = None) -> Record:
    body = " ".join(texts).encode()
    exchange = Exchange("id", 1.0, 0.1, Message(b"", body), Message(b""), [], Outcome.OK)
    call = Call(exchange, "POST", "/", "", {}, body, False, 200, {}, b"", False, [], {})
    parts = [Part(role="user", text=text) for text in texts]
    inference = Inference("openai_chat", "chat", "m", inputs=parts, outputs=[Part(data=data)])
    return PRIVACY.record(call, inference, endpoint="e", segments={})


def told(
    story: Callable[[Names], Awaitable[None]],
    *,
    timeout: float = 30.0,
    on_failure: Literal["digest", "keep"] = "digest",
) -> Counter[tuple[str, str]]:
    """Run the story with a model that is there; what was counted."""
    counted: Counter[tuple[str, str]] = Counter()

    def count(kind: str, name: str, number: int) -> None:
        counted[kind, name] += number

    async def whole() -> None:
        one = Names(
            MODEL, PRIVACY, count, timeout=timeout, on_failure=on_failure, clock=time.monotonic
        )
        await one.start()
        try:
            await story(one)
        finally:
            await one.close()

    asyncio.run(whole())
    return counted


def texts(of: Record) -> list[str]:
    return [part.text or "" for part in of.inputs]


def test_names_in_running_text_become_pseudonyms_that_join() -> None:
    """The same person has the same pseudonym, whoever found the name; the rest stays as it was."""

    async def story(names: Names) -> None:
        made = record("Dear Jane Roe, hello", "a dance with Jane Roe", data=["lunch with Bob", 7])
        done = await names.cover(made)
        first, second = texts(done)
        assert re.fullmatch(f"a dance with {TOKEN}", second)
        assert first == texts(made)[0]
        assert re.findall(TOKEN, first) == re.findall(TOKEN, second)
        data = done.outputs[0].data
        assert data is not None
        assert re.fullmatch(f"lunch with {TOKEN}", data[0])
        assert data[1] == 7
        assert done.pseudonyms == {"PERSON": 3}

    assert told(story) == {("entity", "PERSON"): 2}


def test_a_pseudonym_that_is_there_is_not_looked_into() -> None:
    """Nor is any other mark of ours."""

    async def story(names: Names) -> None:
        made = record("with alice@example.com and with Bob")
        (text,) = texts(await names.cover(made))
        assert re.fullmatch(rf"with <EMAIL_ADDRESS:k1:[a-z]+> and with {TOKEN}", text)
        nothing = record("nothing here 42")
        assert await names.cover(nothing) == nothing

    told(story)


@pytest.mark.parametrize(
    "text", ["boom with Bob", "nonsense with Bob", "boom\nsecret", "own words with Bob"]
)
def test_a_model_that_fails_leaves_no_text(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Digest and size instead, counted under a reason that is in the catalogue. What it prints, or
    says that a text is, goes nowhere once it has texts."""

    async def story(names: Names) -> None:
        done = await names.cover(record(text))
        assert re.fullmatch(rf"<REDACTED:ner:[a-p]{{24}}:{len(text)}>", texts(done)[0])
        assert done.redactions == {"ner": 1}
        assert re.fullmatch(f"with {TOKEN}", texts(await names.cover(record("with Bob")))[0])

    counted = told(story)
    assert counted["reason", "ner"] == 1
    assert {name for kind, name in counted if kind == "entity"} == {"PERSON"}
    assert "ner" in REDACTION_REASONS
    assert "".join(capfd.readouterr()) == "models tell what they load\n"


def test_links_and_seals_are_bounded_for_both_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Record has at most 256 of each, and those that it has stay."""
    privacy = Privacy(
        scanner=Scanner(select()),
        keyring=Keyring((Key("k1", bytes(32)), Key("k0", bytes(range(32))))),
        clock=lambda: 0.0,
        seal=lambda _, value: value[::-1],
    )
    monkeypatch.setitem(globals(), "PRIVACY", privacy)
    mails = " ".join(f"a{number}@example.org" for number in range(255))

    async def story(names: Names) -> None:
        made = record(mails, "with Bob", "with Eve")
        assert (len(made.continues), len(made.sealed)) == (255, 255)
        done = await names.cover(made)
        assert (len(done.continues), len(done.sealed)) == (256, 256)
        assert made.continues.items() <= done.continues.items()
        assert done.sealed[:255] == made.sealed
        assert done.redactions == {"continues": 1, "sealed": 1}

    told(story)


def test_a_text_full_of_short_names_is_a_digest() -> None:
    """Their pseudonyms would be many times as long as the text."""
    spans = [(place * 3, place * 3 + 2, "PERSON") for place in range(400)]
    done = module._put(PRIVACY.again(), "Al " * 400, spans)
    assert re.fullmatch("<REDACTED:expansion:[a-p]{24}:1200>", done)


def test_a_model_that_takes_too_long_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the next one is there every text is replaced; then names are found again."""
    monkeypatch.setattr(module, "AGAIN", 0.0)

    async def story(names: Names) -> None:
        assert "REDACTED" in texts(await names.cover(record("forever with Bob")))[0]
        assert "REDACTED" in texts(await names.cover(record("with Bob")))[0]
        async with asyncio.timeout(60):
            while "REDACTED" in texts(await names.cover(record("with Bob")))[0]:
                await asyncio.sleep(0.05)

    told(story, timeout=1.0)


def test_texts_may_be_kept_without_an_answer() -> None:
    """If that is configured; what the recognizers found is out of them all the same."""

    async def story(names: Names) -> None:
        made = record("boom with Bob, alice@example.com")
        assert await names.cover(made) == made

    assert not told(story, on_failure="keep")


def test_a_model_that_cannot_be_loaded_is_named() -> None:
    """At the start, with the key that is wrong."""
    broken = "tests.ner.stand_in_model:broken"
    one = Names(
        broken, PRIVACY, lambda *_: None, timeout=30.0, on_failure="digest", clock=time.monotonic
    )
    with pytest.raises(ConfigError, match=r"privacy\.ner\.model: .*: OSError: no such model"):
        asyncio.run(one.start())
    for model in ("no.such.module:MODEL", "tests.no_such:MODEL"):
        with pytest.raises(ConfigError, match=r"privacy\.ner\.model"):
            check(Settings(privacy=PrivacySettings(ner=Ner(model))))


def test_the_process_speaks_in_frames_only() -> None:
    """One answer for each question, in order, until there are no more."""
    questions = [["with Bob"], ["boom"], []]
    sink = io.BytesIO()
    assert serve(MODEL, io.BytesIO(b"".join(map(pack, questions))), sink) == 0
    answers = Unpacker(object).feed(sink.getvalue())
    assert answers == ["", [[[5, 8, "PERSON"]]], None, []]
