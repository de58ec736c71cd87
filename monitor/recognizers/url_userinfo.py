"""Credentials in URLs: the userinfo before the host (RFC 3986 section 3.2.1), password included."""

from __future__ import annotations

from monitor.finders import anchored
from monitor.interfaces import Recognizer

RECOGNIZER = Recognizer(
    name="url_userinfo",
    entity="SECRET",
    triggers=(r"://[^\s/?#@:]{0,80}:[^\s@]",),
    find=anchored(r"://(?P<value>[^\s/?#@:\"'<>]{0,80}:(?!\d{1,5}/)[^\s@\"'<>]{1,256})@(?=[\w\[])"),
    canonical=str.strip,
    examples=(
        "postgres://«app:s3cr3t»@db.example.com:5432/x",
        "redis://«:p4ss»@10cache/0 and https://«bob:pa/ss»@example.com",
    ),
    counterexamples=("http://localhost:8080/a@b and https://example.com:443/", "see http://a:b c"),
)
