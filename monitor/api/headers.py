"""Answers of the admin port → the same with headers that keep browsers from harm; HEAD as GET."""

from __future__ import annotations

from monitor.api.access import OPEN, App, Receive, Scope, Send

POLICY = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
CONSOLE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""What the console's pages may load: nothing from elsewhere, and no script or style within them."""
CONSOLE = "/console"
ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
UNKEPT = (b"cache-control", b"no-store")
"""For answers that say nothing of caches."""


class Headers:
    """Adds headers to every answer but those for probes and scrapes; answers HEAD as GET without a
    body (RFC 9110, section 9.3.2)."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application does."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        path = scope["path"]
        policy = CONSOLE_POLICY if path.startswith(CONSOLE) else POLICY

        async def sending(message: Scope) -> None:
            if message["type"] == "http.response.start" and path not in OPEN:
                headers = [
                    *message.get("headers", ()),
                    *ALWAYS,
                    (b"content-security-policy", policy),
                ]
                if not any(name.lower() == UNKEPT[0] for name, _ in headers):
                    headers.append(UNKEPT)
                message = {**message, "headers": headers}
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"} if is_head else scope, receive, sending)
