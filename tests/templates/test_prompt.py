"""The texts of a prompt: the rules, and what was asked last."""

from __future__ import annotations

from monitor.templates.prompt import texts
from monitor.types import Part


def test_history_tools_and_tensors_are_no_prompt() -> None:
    """Several system texts are one; a text that is empty is none."""
    parts = [
        Part(role="developer", text="Be brief."), Part(role="system", text="Be kind."), Part(role="user", text="before"),
        Part(role="assistant", text="an answer"), Part(role="user", text="now"), Part(role="tool", text="a result"),
        Part(role="user", text=""), Part(name="x", datatype="FP64", shape=[1], data=[1.0]),
    ]  # fmt: skip
    assert texts(parts) == ["Be brief.\nBe kind.", "now"]
    assert texts(parts[:2]) == ["Be brief.\nBe kind."]
    assert texts([]) == texts(parts[-2:]) == []
