"""Call → Inference for MLflow's models, also behind Databricks: tables, tensors and chats.

https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally (the JSON of `/invocations`),
https://docs.databricks.com/api/workspace/servingendpoints/query
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import msgspec

from monitor.carriers import envelopes
from monitor.carriers.envelopes import Envelope
from monitor.chat import error_part, is_success
from monitor.types import Call, Inference, Part

_PATH = re.compile(r"(?:/serving-endpoints/(?P<name>[^/]+))?/invocations/?$")
_OURS = (b'"dataframe_split"', b'"dataframe_records"', b'"messages"', b'"params"')
_TABLES = ("dataframe_split.", "dataframe_records.", "instances.", "inputs.", "predictions.")
_INDEX = "dataframe_split.index"


def claims(call: Call) -> bool:
    """POSTs to `/invocations` with `dataframe_split`, `dataframe_records`, `messages` or `params`,
    which SageMaker's containers are not sent, and to `/serving-endpoints/NAME/invocations`."""
    match = _PATH.search(call.path) if call.method == "POST" else None
    if match is None or "/endpoints/" in call.path:
        return False
    return bool(match["name"]) or any(word in call.request_body for word in _OURS)


def opened(call: Call) -> Call:
    """Tables are columns by their names, whichever of MLflow's forms they come in; chats are read
    as OpenAI's. The model is the name of the endpoint, where there is one."""
    is_chat = b'"messages"' in call.request_body and isinstance(
        envelopes.members(call.request_body).get("messages"), list
    )
    return msgspec.structs.replace(call, path="/v1/chat/completions" if is_chat else "/")


def closed(call: Call, found: Inference) -> Inference:
    """What was read, under MLflow's name. Whoever is refused gets `error_code` and `message`, which
    are no columns."""
    match = _PATH.search(call.path)
    name = unquote(match["name"] or "") if match else ""
    is_rows = found.protocol == "generic_json"
    if is_rows:
        said = _named(found.outputs) if is_success(call) else error_part(call.response_body)
        found = found.asking(_named(found.inputs)).saying(said)
    return msgspec.structs.replace(
        found,
        protocol="mlflow",
        operation="infer" if is_rows else found.operation,
        model=found.model or name,
    )


PROTOCOL = Envelope("mlflow", claims, opened, closed)


def _named(parts: list[Part]) -> list[Part]:
    """Columns without the name of their table, and without its index."""
    return [
        part if part.name is None else msgspec.structs.replace(part, name=_bare(part.name))
        for part in parts
        if part.name != _INDEX
    ]


def _bare(name: str) -> str:
    return next((name[len(table) :] for table in _TABLES if name.startswith(table)), name)
