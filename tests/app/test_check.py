"""`monitor check`: a configuration in sentences."""

from __future__ import annotations

from monitor.app.check import explain
from monitor.config import Settings


def test_it_says_where_everything_is_and_no_password() -> None:
    """One fact a line; what is secret stays so."""
    settings = Settings(upstream="http://127.0.0.1:9000", redis="redis://:hunter2@store:6379/0")
    text = "\n".join(explain(settings))
    for fact in ("http://127.0.0.1:9000", "redis://store:6379/0", "x-population", "1,000"):
        assert fact in text
    assert "hunter2" not in text


def test_without_a_store_it_names_the_embedded_one() -> None:
    """The default is one command on one machine."""
    assert "embedded Valkey under .monitor/store" in "\n".join(explain(Settings()))
