"""What a whole `monitor` says on stderr."""

from __future__ import annotations

import json
from collections.abc import Callable


def test_the_log_as_json(model: str, start: Callable[..., object], free_port: int) -> None:
    """Every line is an object; where things are, which store is away and why, and the signal."""
    away = f"redis://:hunter2@127.0.0.1:{free_port}/0"
    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0", "--redis", away, log="json"
    )
    system.until(lambda: "waiting for the store" in system.log())
    assert system.stop() == 0
    lines = [json.loads(line) for line in system.data.joinpath("log").read_text().splitlines()]
    assert all(list(line) == ["time", "level", "role", "message"] for line in lines)
    said = {(line["level"], line["role"], line["message"]) for line in lines}
    shown = f"redis://127.0.0.1:{free_port}/0"
    places = [text for _, role, text in said if role == "supervisor"]
    for start_of in ("traffic http://127.0.0.1:", "admin   http://", f"store   {shown} (given)"):
        assert any(text.startswith(start_of) for text in places)
    assert ("INFO", "supervisor", "SIGTERM: draining what is under way, then ending") in said
    assert any(
        level == "WARNING" and role == "analyzer" and shown in text for level, role, text in said
    )
    assert "hunter2" not in str(lines)
