"""Whatever is asked of the API, as its own description allows or against it: never a 5xx."""

from __future__ import annotations

import functools
import hashlib
import itertools
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from monitor.api.access import ROLES, Guard, Tokens
from monitor.api.headers import Headers
from monitor.api.pages import application
from monitor.errors import UsageError
from monitor.exporters.prometheus import render
from monitor.queries import QUERIES
from tests.api.test_review import STATS, TASK, Desk
from tests.api.test_silences import Book
from tests.queries.house import House

TOKEN = "fuzz"
PART = 8
"""An eighth of the usual number of examples: requests of each operation and kind."""


@functools.cache
def operations() -> dict[str, Any]:
    """The operations of the application as it stands behind the admin port, by method and path."""
    import schemathesis

    house, book, clock = House(), Book(), itertools.count()

    async def findings() -> bytes:
        return b"{}"

    async def is_ready() -> bool:
        return True

    async def take(body: bytes, are_lines: bool) -> dict[str, Any]:
        return {"accepted": 0, "rejected": []}

    class Reading(Desk):
        async def next(self, reader: str, now: float) -> Any:
            if not reader:
                raise UsageError("reviewer: is not a name")
            return TASK

        async def answer(self, item: str, said: Any, now: float) -> Any:
            return "taken"

    pages: Any = application(
        house.measurements, findings, is_ready, render, version="1", take=take,
        desk=lambda: Reading(STATS), system=lambda: house, clock=float,
        silenced=lambda: book, new_id=lambda: f"id-{next(clock)}",
    )  # fmt: skip
    tokens = Path(tempfile.mkdtemp()) / "tokens"
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    tokens.write_text(f"kim {','.join(ROLES)} {digest}\n")
    guard = Guard(
        pages, tokens=Tokens(tokens, print), is_exposed=True, clock=lambda: float(next(clock))
    )
    schema = schemathesis.openapi.from_asgi(
        "/api/v1/openapi.json", Headers(guard), headers={"authorization": f"Bearer {TOKEN}"}
    )
    tokens.unlink()  # what it said holds
    tokens.parent.rmdir()
    found = (one.ok() for one in schema.get_all_operations())
    return {f"{one.method.upper()} {one.path}": one for one in found}


PATHS = [
    *(f"GET /api/v1/{query.path}" for query in QUERIES),
    "GET /api/v1/review", "GET /api/v1/review/next", "POST /api/v1/review/{item}",
    "POST /api/v1/feedback", "GET /api/v1/silences", "POST /api/v1/silences",
    "GET /api/v1/silences/{name}", "DELETE /api/v1/silences/{name}",
]  # fmt: skip


def test_all_operations_are_asked() -> None:
    """None is described that is not named here."""
    assert set(operations()) == set(PATHS)


@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("path", PATHS)
def test_no_request_makes_it_fail(path: str, mode: str) -> None:
    """Answers have a status, a type and a body as they are described."""
    from schemathesis.generation import GenerationMode
    from schemathesis.specs.openapi.checks import (
        negative_data_rejection,
        positive_data_acceptance,
    )

    operation = operations()[path]

    @settings(
        max_examples=settings.default.max_examples // PART, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))
    def asked(case: Any) -> None:
        answer = case.call(headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code < 500
        # A schema does not say which ids there are, and here each request has a token.
        unsaid = [positive_data_acceptance, negative_data_rejection]
        case.validate_response(
            answer, excluded_checks=unsaid, headers={"authorization": f"Bearer {TOKEN}"}
        )

    asked()
