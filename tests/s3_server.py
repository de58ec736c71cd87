"""A server of objects, as S3 is, on loopback: moto's."""

from __future__ import annotations

import contextlib
import json
import logging
import random
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from monitor import places

REGION = "us-east-1"
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


MOODS = ("away", "refuses", "hangs", "is deaf", "is torn")
"""What may become of a request: the server hangs up; it answers 503; it says nothing; it does what it is
asked to and hangs up; each of these, and doing it, by chance."""


class Weather:
    """What stands before a server: in a mood other than `""` it does not do what it is asked."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._changed = threading.Condition()
        self._mood = ""

    def turn(self, mood: str) -> None:
        """Have another mood; whoever waits for an answer is hung up on."""
        with self._changed:
            self._mood = mood
            self._changed.notify_all()

    def __call__(self, asked: dict[str, Any], answer: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request, or not (PEP 3333)."""
        with self._changed:
            mood = self._mood
            if mood == "is torn":
                mood = random.choice(("", *MOODS[:4]))
            if mood == "hangs":
                self._changed.wait(300)
        if mood in ("away", "hangs"):
            self._hang_up(asked)
        if mood == "refuses":
            asked["wsgi.input"].read(int(asked.get("CONTENT_LENGTH") or 0))
            answer("503 Slow Down", [("Content-Type", "application/xml")])
            return [b"<Error><Code>SlowDown</Code></Error>"]
        found = self._application(asked, answer)
        if mood == "is deaf":
            list(found)
            self._hang_up(asked)
        return found

    @staticmethod
    def _hang_up(asked: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            asked["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError


@dataclass(frozen=True)
class S3:
    """The server: where it is, a client of it, the (name, word) of somebody it knows, and what stands
    before it."""

    url: str
    client: Any
    known: tuple[str, str]
    weather: Weather

    def put(self, bucket: str, **objects: bytes) -> None:
        """Put objects into a bucket, which is made if new."""
        self.client.create_bucket(Bucket=bucket)
        for name, content in objects.items():
            self.client.put_object(Bucket=bucket, Key=name, Body=content)

    def asks_who(self, *, asks: bool) -> None:
        """Have it look at credentials from now on, or no more."""
        request = urllib.request.Request(
            f"{self.url}/moto-api/reset-auth", data=b"0" if asks else b"inf", method="POST",
            headers={"Content-Type": "text/plain"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=20):
            pass


def log_in(patch: pytest.MonkeyPatch, server: S3, known: tuple[str, str] | None) -> None:
    """Have the environment say where the server is, and who asks; nobody where that is None."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        patch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        patch.setenv(name, "/nowhere")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    patch.setenv("AWS_ENDPOINT_URL", server.url)
    patch.setenv("AWS_DEFAULT_REGION", REGION)
    if known is not None:
        patch.setenv("AWS_ACCESS_KEY_ID", known[0])
        patch.setenv("AWS_SECRET_ACCESS_KEY", known[1])
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    places.file_system.cache_clear()


@contextmanager
def served() -> Iterator[S3]:
    """The server, until the end."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").disabled = True
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        weather = server._server.app = Weather(server._server.app)  # type: ignore[union-attr]
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        how: dict[str, Any] = {
            "endpoint_url": url, "region_name": REGION,
            "aws_access_key_id": "test", "aws_secret_access_key": "test",
        }  # fmt: skip
        # What another server of this process held is held by this one, too.
        with urllib.request.urlopen(f"{url}/moto-api/reset", data=b"", timeout=20):
            pass
        people = boto3.client("iam", **how)
        people.create_user(UserName="reader")
        policy = json.dumps({"Version": "2012-10-17", "Statement": [ALL]})
        people.put_user_policy(UserName="reader", PolicyName="all", PolicyDocument=policy)
        key = people.create_access_key(UserName="reader")["AccessKey"]
        known = key["AccessKeyId"], key["SecretAccessKey"]
        how |= {"aws_access_key_id": known[0], "aws_secret_access_key": known[1]}
        yield S3(url, boto3.client("s3", **how), known, weather)
    finally:
        server.stop()
