"""The languages of a Record."""

from __future__ import annotations

from monitor.features.language import FEATURE
from monitor.types import Part


def test_the_question_is_the_last_user_text(record, seen) -> None:
    """An English system prompt does not make a German question English."""
    one = record(
        inputs=[
            Part(role="system", text="You are the assistant of the shop and you are brief."),
            Part(role="user", text="Wo ist denn die Rechnung?"),
        ]
    )
    assert seen(FEATURE, one)["input_language"] == ["de"]
