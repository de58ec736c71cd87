"""FastAPI loads without building the models of its OpenAPI document."""

from __future__ import annotations

import importlib
import sys

import pytest
from pydantic import BaseModel

import monitor.web


def test_a_model_is_built_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as any other then; models that are defined later are built at once, as before."""
    for name in [one for one in sys.modules if one.partition(".")[0] == "fastapi"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "monitor.web")
    monkeypatch.setattr(monitor, "web", monitor.web)  # undone when the test is over
    fresh = importlib.import_module("monitor.web")
    model = sys.modules["fastapi.openapi.models"].OpenAPI
    assert not model.__pydantic_complete__
    assert "defer_build" not in BaseModel.model_config
    document = fresh.get_openapi(title="monitor", version="1", routes=[])
    assert document["info"] == {"title": "monitor", "version": "1"}
    assert model.__pydantic_complete__
