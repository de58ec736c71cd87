"""Plays all goldens, or those that the command line names, and writes their files (README.md)."""

from __future__ import annotations

from tests.protocols.goldens import (
    aws_cases,
    cohere_cases,
    grpc_cases,
    openai_cases,
    openai_media_cases,
    other_cases,
    realtime,
    text_server_cases,
)
from tests.protocols.goldens.scripted import record

if __name__ == "__main__":
    record(openai_cases.CASES + openai_media_cases.CASES, "openai")
    record(other_cases.ANTHROPIC, "anthropic")
    record(other_cases.GOOGLE, "google-genai")
    record(other_cases.LOCAL, "ollama")
    record(other_cases.MAKERS[:2], "cohere")
    record(other_cases.MAKERS[2:], "httpx")
    record(aws_cases.CASES, "boto3")
    record(cohere_cases.CASES, "cohere")
    record(text_server_cases.TGI, "huggingface-hub")
    record(text_server_cases.LOCAL + text_server_cases.SERVED, "httpx")
    grpc_cases.record()
    realtime.record()
