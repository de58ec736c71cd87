"""A model that is defined meanwhile is built when it is used; one that is defined later, at once."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from monitor.api import deferred


def defined() -> Any:
    class Model(BaseModel):
        number: int

    return Model


def test_a_model_is_built_when_it_is_used() -> None:
    """It checks what it takes as any other does, and what is defined later is as before."""
    with deferred.models():
        early = defined()
    later = defined()
    assert (early.__pydantic_complete__, later.__pydantic_complete__) == (False, True)
    for model in (early, later):
        assert model(number="7").number == 7
        with pytest.raises(ValidationError):
            model(number="seven")
    assert early.__pydantic_complete__
    assert "defer_build" not in BaseModel.model_config
