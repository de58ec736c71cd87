"""FastAPI, of whose models for the OpenAPI document each is built when the first asks for it.

It defines some 40 with pydantic, and without building them it loads for a quarter less CPU time.
Whoever needs it takes it from here, so that nobody else loads it first.
"""

from __future__ import annotations

import os

# Read by pydantic: what others have installed for theirs is not looked for.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from pydantic import BaseModel

BaseModel.model_config["defer_build"] = True
try:
    from fastapi import FastAPI, Request, Response
    from fastapi.openapi.utils import get_openapi
    from fastapi.routing import APIRoute
finally:
    del BaseModel.model_config["defer_build"]

__all__ = ["APIRoute", "FastAPI", "Request", "Response", "get_openapi"]
