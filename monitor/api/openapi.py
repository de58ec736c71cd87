"""The paths below `/api/v1` → their OpenAPI 3.1 document; schemas come from the structs."""

from __future__ import annotations

from typing import Any

import msgspec

from monitor import documents
from monitor.alerting.silences import MATCHERS, Posted, Shown
from monitor.feedback import MAX_NAME, Statement
from monitor.queries import QUERIES
from monitor.queries.query import MAX_TEXT, Query
from monitor.review.desk import Said, Task
from monitor.review.queue import Stats
from monitor.web import APIRoute, FastAPI, get_openapi

AT = "#/components/schemas/{name}"
PROBLEMS = {
    400: "A parameter or the body is wrong; the sentence names it and says what would be right.",
    401: "The token is missing or not known.",
    403: "The token does not have the role.",
    404: "It is not there.",
    408: "The body did not come in time.",
    409: "The answer does not count.",
    413: "The body is too large.",
    415: "The body is of another type.",
    429: "Too many requests in a short time; ask again after `Retry-After` seconds.",
    503: "Something that is needed is away; ask again after `Retry-After` seconds.",
}
ALWAYS = (401, 403, 429, 503)
WORDS = (
    "What a running `monitor` has found. Texts of requests and answers are pseudonymized. Times "
    "are Unix seconds. Lists come in pages: ask again with `cursor` until it is null."
)


class Problem(msgspec.Struct, frozen=True):
    """Why there is no other answer."""

    error: str
    """One sentence for a person."""


OTHERS = (Problem, Statement, Said, Task, Stats, Posted, Shown)
"""What other paths than those of queries take and answer."""

TAKEN = {
    "type": "object",
    "description": "What became of the items of a request.",
    "required": ["accepted", "rejected"],
    "properties": {
        "accepted": {"type": "integer", "description": "Items that are in the stream."},
        "rejected": {
            "type": "array",
            "description": "Items that are not: their place in the request, and why.",
            "items": {
                "type": "object",
                "required": ["index", "error"],
                "properties": {"index": {"type": "integer"}, "error": {"type": "string"}},
            },
        },
    },
}
JUDGED = {
    "type": "object",
    "description": "The item, and its result: `passed`, `failed` or `skipped`.",
    "required": ["item", "result"],
    "properties": {"item": {"type": "string"}, "result": {"type": "string"}},
}


def described(query: Query) -> dict[str, Any]:
    """What OpenAPI says of a query: its parameters, and what it answers."""
    _, parts = documents.components([query.asked], AT)
    asked = parts[query.asked.__name__]
    parameters = []
    for name, field in asked["properties"].items():
        is_in_path = f"{{{name}}}" in query.path
        parameters.append({
            "name": name,
            "in": "path" if is_in_path else "query",
            "required": is_in_path,
            "description": field.pop("description", ""),
            "schema": field,
        })  # fmt: skip
    missing = (404,) if "{" in query.path else ()
    return {
        "parameters": parameters,
        "responses": {"200": _holds(query.answer.__name__), **problems(400, *missing)},
    }


def _holds(name: str) -> dict[str, Any]:
    schema = {"$ref": AT.format(name=name)}
    return {"description": name, "content": {"application/json": {"schema": schema}}}


def problems(*statuses: int) -> dict[str, Any]:
    """The answers with a sentence that a path may give, by status."""
    return {
        str(status): _holds("Problem") | {"description": PROBLEMS[status]}
        for status in sorted({*statuses, *ALWAYS})
    }


FEEDBACK = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"$ref": AT.format(name="Statement")},
                        {"type": "array", "items": {"$ref": AT.format(name="Statement")}},
                    ]
                }
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    },
    "responses": {"202": _holds("Taken"), **problems(400, 408, 413, 415)},
}
REVIEW = {"responses": {"200": _holds("Stats"), **problems()}}
REVIEW_NEXT = {
    "parameters": [{
        "name": "reviewer", "in": "query", "required": True, "description": "Who asks for an item.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
    }],
    "responses": {
        "200": _holds("Task"), "204": {"description": "Nothing waits."}, **problems(400),
    },
}  # fmt: skip
REVIEW_ITEM = {
    "parameters": [{
        "name": "item", "in": "path", "required": True, "description": "The item that is judged.",
        "schema": {"type": "string"},
    }],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": AT.format(name="Said")}}},
    },
    "responses": {"200": _holds("Judged"), **problems(400, 404, 408, 409, 413)},
}  # fmt: skip
SILENCES = {
    "parameters": [{
        "name": "filter", "in": "query", "required": False,
        "description": "A name and a value that a silence's own matchers must have, as "
        "`name=\"value\"`, or with `!=`, `=~` or `!~`; repeat it, and all must hold.",
        "schema": {
            "type": "array", "maxItems": MATCHERS,
            "items": {"type": "string", "maxLength": MAX_TEXT},
        },
    }],
    "responses": {
        "200": {
            "description": "All silences, the last to end first.",
            "content": {
                "application/json": {
                    "schema": {"type": "array", "items": {"$ref": AT.format(name="Shown")}}
                }
            },
        },
        **problems(400),
    },
}  # fmt: skip
SILENCE_POST = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": AT.format(name="Posted")}}},
    },
    "responses": {"200": _holds("Kept"), **problems(400, 404, 408, 413, 415)},
}
_NAMED: dict[str, Any] = {
    "parameters": [{
        "name": "name", "in": "path", "required": True, "description": "The silence's id.",
        "schema": {"type": "string"},
    }],
}  # fmt: skip
SILENCE = {**_NAMED, "responses": {"200": _holds("Shown"), **problems(404)}}
SILENCE_DELETE = {
    **_NAMED, "responses": {"200": {"description": "It has ended."}, **problems(404)},
}  # fmt: skip
KEPT = {
    "type": "object",
    "description": "The id of the silence.",
    "required": ["silenceID"],
    "properties": {"silenceID": {"type": "string"}},
}


def add_to(app: FastAPI, start: str) -> None:
    """Make the document of the paths that were added to the pages; kept once it is made.

    Those of queries begin with `start`, and are described when somebody asks: what their keys mean
    is read from the code, for a tenth of a second.
    """

    def document() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        asked = {start + query.path: query for query in QUERIES}
        for route in app.routes:
            if isinstance(route, APIRoute) and (query := asked.get(route.path_format)):
                route.openapi_extra = described(query)
        made = get_openapi(
            title=app.title, version=app.version, description=WORDS, routes=app.routes
        )
        kinds: list[type[Any]] = [*dict.fromkeys(one.answer for one in QUERIES), *OTHERS]
        _, parts = documents.components(kinds, AT)
        made["components"] = {
            "schemas": {**parts, "Taken": TAKEN, "Judged": JUDGED, "Kept": KEPT},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        }
        made["security"] = [{"token": []}]
        app.openapi_schema = made
        return made

    app.openapi = document  # type: ignore[method-assign]
