"""The inbox: what is posted to it can be looked at, whatever it is."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.demo import inbox

ALERT = {
    "version": "4",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "MonitorDrift"},
            "annotations": {"description": "mean texture <script>alert(1)</script> & more"},
        }
    ],
}


@pytest.fixture(scope="module")
def connection() -> Iterator[http.client.HTTPConnection]:
    server = inbox.InboxServer(("127.0.0.1", 0))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connected = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    yield connected
    connected.close()
    server.shutdown()
    server.server_close()


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> Any:
    connection.request(method, path, body)
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), answer.headers


def test_what_is_posted_is_on_the_page_as_text(connection: http.client.HTTPConnection) -> None:
    """What a label or a description holds is no markup; the page itself may run nothing."""
    assert "Nothing yet" in ask(connection, "GET", "/")[1]
    assert ask(connection, "POST", "/pages", json.dumps(ALERT))[0] == 200
    status, page, headers = ask(connection, "GET", "/")
    assert status == 200
    assert "<td>/pages</td><td>firing</td><td>MonitorDrift</td><td>mean texture &lt;script" in page
    assert "<script" not in page
    assert headers["content-security-policy"].startswith("default-src 'none'")
    (kept,) = json.loads(ask(connection, "GET", "/messages")[1])
    assert (kept["path"], kept["body"]) == ("/pages", ALERT)


def test_what_is_no_message_is_refused(connection: http.client.HTTPConnection) -> None:
    """In one line; and what is too long is not read."""
    assert ask(connection, "POST", "/", "{")[0] == 400
    assert ask(connection, "POST", "/", "[" * 100_000)[0] == 400
    connection.putrequest("POST", "/")
    connection.putheader("content-length", str(inbox.MOST_BYTES + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, answer.read()[:4]) == (413, b"give")


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["alerts", "labels", "annotations", "status", "description", "alertname"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=30)
@given(JSON)
def test_any_json_has_a_row(body: Any) -> None:
    """At least one, of five cells, all of them text."""
    found = list(inbox.rows({"at": "12:00:00", "path": "/", "body": body}))
    assert found
    assert all(len(row) == 5 and all(isinstance(cell, str) for cell in row) for row in found)
