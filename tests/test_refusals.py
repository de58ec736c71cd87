"""How models say no."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.refusals import LONG, is_refusal
from tests.pace import is_within

GOES_ON = " ".join(["word"] * LONG)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that request.",
        "I’m sorry, I cannot help with that.",
        "Sorry, I can't do that.",
        "I'm afraid I can't open that file for you.",
        "Hello!\nSorry, I can't tell you how that is made.",
        "I am unable to provide medical advice.",
        "I won't help with that.",
        "Unfortunately, I am not able to discuss pending cases.",
        "I must respectfully decline.",
        "That's not something I can help with.",
        "As an AI language model, I have no opinions.",
        "As an AI, I cannot give legal advice. Please ask a lawyer.",
        "Thank you for asking! However, I can't share internal documents.",
        "I can't help with this. Here is what you may do instead: " + GOES_ON,
        "I cannot answer without more context.",
        "Es tut mir leid, dabei kann ich Ihnen leider nicht helfen.",
        "Ich kann dazu leider keine Auskunft geben.",
        "Je ne peux pas vous aider avec cela.",
        "Lo siento, no puedo ayudar con eso.",
        "Mi dispiace, non posso aiutarti con questo.",
        "Desculpe, não posso ajudar com isso.",
    ],
)
def test_refusals(text: str) -> None:
    """The ways models commonly say no, in the languages they say it in."""
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I'm sorry to hear that. Your order will arrive tomorrow.",
        "I'm sorry to hear that your card can't be used here.",
        "I'm sorry, but I can't find an order with that number.",
        "You can't return it after 30 days, but I can help you exchange it.",
        "“I cannot help you pass,” said the guard.",
        'She looked up. "Stop. I can\'t help you with that," she said.',
        "The guard said: I cannot help you.",
        "The store cannot ship to this address.",
        "As an AI engineer, you will build pipelines.",
        "As an AI assistant, I can look that up for you.",
        "I can't give an exact figure without the invoice, but it is near 300. " + GOES_ON,
        "I can help with that.",
        "Why can't I help myself? A song that we all know.",
        "Ich kann nicht glauben, wie schön das Wetter heute ist.",
        "Not a problem! It is done.",
    ],
)
def test_answers_that_are_no_refusals(text: str) -> None:
    """Regret, negation, quotations and partial answers."""
    assert not is_refusal(text)


@given(
    st.lists(
        st.sampled_from(
            [
                "sorry,",
                "i'm",
                "can't",
                "ai",
                "as",
                "an",
                "but",
                ".",
                "“",
                '"',
                "\n",
                "unfortunately",
            ]
        )
    )
)
def test_any_words_are_looked_at(words: list[str]) -> None:
    """Whatever is said, it is a refusal or none."""
    assert is_refusal(" ".join(words)) in (True, False)


@pytest.mark.parametrize(
    "unit", ["i'm sorry, but ", "unfortunately, ", "\n ", ". ", "kann ich nicht "]
)
def test_long_leads_take_no_time(unit: str) -> None:
    """What only begins like a refusal, again and again."""
    begun = time.process_time()
    for _ in range(100):
        is_refusal("not " + unit * 100_000)
    assert is_within(time.process_time() - begun, 2)
