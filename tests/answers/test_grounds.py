"""What an answer can rest on."""

from __future__ import annotations

from monitor.answers.grounds import grounds
from monitor.types import Part
from monitor.view import View

LONG = "The mill at Ulm made board. " * 20
SAID = [Part(role="assistant", text="It made board.")]


def test_a_context_is_long_or_comes_from_a_tool() -> None:
    """What the model has said before grounds an answer, and makes no context."""
    asked = Part(role="user", text="What did it make?")
    assert grounds(View(inputs=[Part(role="system", text=LONG), asked], outputs=SAID), 400)
    assert grounds(View(inputs=[asked, Part(role="tool", text="Board.")], outputs=SAID), 400)
    assert not grounds(View(inputs=[asked], outputs=SAID), 400)
    assert not grounds(View(inputs=[Part(role="assistant", text=LONG), asked], outputs=SAID), 400)
    searched = View(inputs=[asked], outputs=[Part(role="tool", text="Board."), *SAID])
    assert grounds(searched, 400) == [asked.text, "Board."]


def test_what_was_not_wholly_seen_is_no_ground() -> None:
    """A body that was cut, an image, a file."""
    inputs = [Part(role="system", text=LONG)]
    assert not grounds(View(inputs=inputs, outputs=SAID, inputs_cut=True), 400)
    image = Part(role="user", text="What is it?\n[image image/png 6 bytes]")
    assert not grounds(View(inputs=[*inputs, image], outputs=SAID), 400)
    assert not grounds(View(inputs=inputs), 400)
