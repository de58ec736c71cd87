"""HTTP sessions whose deliveries end in time, however slowly the other side answers.

The time-out of a library is for each read, and a server may answer a byte now and then.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests


class Connections:
    """The connections of one delivery, which another thread can cut in the middle of a read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []  # second handles: a TLS socket takes over the first
        self.over = self._closed = False

    def session(self) -> requests.Session:
        """A session whose connections are noted here."""
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.connection import HTTPConnection, HTTPSConnection
        from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

        note = self._note

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return note(super()._new_conn())

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return note(super()._new_conn())

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        class Adapter(HTTPAdapter):
            def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
                super().init_poolmanager(*arguments, **options)
                self.poolmanager.pool_classes_by_scheme = pools

            def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
                manager = super().proxy_manager_for(*arguments, **options)
                manager.pool_classes_by_scheme = pools
                return manager

        pools = {"http": PlainPool, "https": SecurePool}
        self._session = requests.Session()
        for scheme in pools:
            self._session.mount(f"{scheme}://", Adapter())
        return self._session

    def cut(self) -> None:
        """End what is open; nothing is opened until `renew`."""
        with self._lock:
            self.over = True
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def renew(self) -> None:
        """The delivery is over: close what is open, and let the next one begin."""
        with self._lock:
            for one in self._open:
                one.close()
            self._open.clear()
            self.over = False
        self._session.close()

    def close(self) -> None:
        """End what is open, and let nothing be opened ever again."""
        self._closed = True
        self.cut()

    def _note(self, made: socket.socket) -> socket.socket:
        with self._lock:
            if self.over or self._closed:
                made.close()
                raise TimeoutError("the time for the delivery is up")
            self._open.append(made.dup())
        return made
