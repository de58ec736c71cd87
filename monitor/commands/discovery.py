"""An upstream, or a sample of its log → what can be known of the traffic without asking anybody."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from monitor.damage import Damage
from monitor.errors import SourceError, UsageError
from monitor.extras import advice
from monitor.logged import Logged
from monitor.logs import plain
from monitor.texts import printable
from monitor.types import Record
from monitor.urls import named

PATIENCE = 2.0
"""Seconds for one answer, and for each of its pieces."""
ALL = 10.0
"""Seconds for all of them."""
MOST_BYTES = 1 << 18
"""Bytes of an answer that are read."""
EXCHANGES = 1000
"""Exchanges of a log that are read."""
SHOWN = 3
"""Models that are named, at most."""
SHUT = (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN)
"""What a server answers that wants a key; it may say so in the form of its protocol."""

_NAME = re.compile(r"[^\W\d][\w.-]{0,39}")
"""What looks like the name of a column: no number, no date, no address, no sentence."""

_MODEL = re.compile(r"[\w./:+-]{1,100}")
"""What looks like the name of a model or of a protocol; all else may be somebody's text."""


@dataclass(frozen=True)
class Spoken:
    """The protocol that an upstream speaks, and models that it names."""

    protocol: str
    models: tuple[str, ...] = ()

    def __str__(self) -> str:
        named = f", with the model {', '.join(self.models)}" if self.models else ""
        return f"speaks {self.protocol}{named}"


def _named(document: object, key: str, member: str) -> tuple[str, ...]:
    """The names of the things in a list of a document."""
    found = document.get(key) if isinstance(document, dict) else None
    names = [one.get(member) for one in found if isinstance(one, dict)] if found else []
    return tuple(printable(one)[:100] for one in names if isinstance(one, str))[:SHOWN]


def _is_list(document: object, key: str) -> bool:
    return isinstance(document, dict) and isinstance(document.get(key), list)


def _has(document: object, *keys: str) -> bool:
    return isinstance(document, dict) and all(key in document for key in keys)


def _ollama(document: object) -> Spoken | None:
    return (
        Spoken("ollama", _named(document, "models", "name"))
        if _is_list(document, "models")
        else None
    )


def _tgi(document: object) -> Spoken | None:
    return Spoken("tgi") if _has(document, "model_id", "version") else None


def _llama_cpp(document: object) -> Spoken | None:
    return Spoken("llama_cpp") if _has(document, "default_generation_settings") else None


def _kserve_v2(document: object) -> Spoken | None:
    return Spoken("kserve_v2") if _has(document, "name", "version", "extensions") else None


def _models(document: object) -> Spoken | None:
    """`/v1/models` lists objects with an id for OpenAI's dialect, with a `display_name` too for
    Anthropic's, names for KServe V1. Without a key Anthropic's says so in a form of its own."""
    match document:
        case {"data": [{"display_name": _, "type": "model"}, *_]}:
            return Spoken("anthropic_messages", _named(document, "data", "id"))
        case {"type": "error", "error": {"type": _}}:
            return Spoken("anthropic_messages")
    if _is_list(document, "data"):
        return Spoken("openai_chat", _named(document, "data", "id"))
    return Spoken("kserve_v1") if _is_list(document, "models") else None


def _torchserve(document: object) -> Spoken | None:
    return Spoken("torchserve") if _has(document, "status") else None


QUESTIONS: tuple[tuple[str, Callable[[object], Spoken | None]], ...] = (
    ("/api/tags", _ollama),
    ("/info", _tgi),
    ("/props", _llama_cpp),
    ("/v2", _kserve_v2),
    ("/v1/models", _models),
    ("/ping", _torchserve),
)
"""What is asked, in this order: servers that speak OpenAI's dialect too are known by their own."""


def probe(upstream: str) -> Spoken | str:
    """Ask an upstream what it is, by GETs that no model answers; a text says why nothing is known.

    Takes `ALL` seconds at most, whatever the other side does.
    """
    found: list[Spoken | str] = []
    thread = threading.Thread(target=lambda: found.append(_probed(upstream)), daemon=True)
    thread.start()
    thread.join(ALL)
    return found[0] if found else f"did not answer within {ALL:g} s"


def _probed(upstream: str) -> Spoken | str:
    is_shut = False
    for path, reads in QUESTIONS:
        try:
            status, answer = _get(upstream, path)
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            return f"cannot be asked: {printable(str(reason)).lower()[:100]}"
        is_shut = is_shut or status in SHUT
        if status in (http.HTTPStatus.OK, *SHUT) and (spoken := reads(answer)) is not None:
            return spoken
    why = "wants a key before it says anything" if is_shut else "says nothing"
    return f"{why} of its protocol, which is read from the traffic all the same"


def _get(upstream: str, path: str) -> tuple[int, object]:
    """The status and the JSON document at a path, None where there is none."""
    parts = urlsplit(upstream)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(
            host, parts.port, timeout=PATIENCE, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        body, until = b"", time.monotonic() + PATIENCE
        while len(body) < MOST_BYTES and time.monotonic() < until:
            piece = response.read1(MOST_BYTES - len(body))
            if not piece:
                break
            body += piece
        try:
            return response.status, json.loads(body)
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
            return response.status, None
    finally:
        connection.close()


@dataclass(frozen=True)
class Sample:
    """What a sample of a log says: its format, exchanges, protocols and models by number, and
    durations in seconds; of a table its columns."""

    format: str
    exchanges: int = 0
    protocols: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    slowest: float | None = None
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.columns:
            if not all(map(_NAME.fullmatch, self.columns)):
                return f"{self.kept}, whose first row does not look like their names"
            shown = ", ".join(self.columns[:8]) + (" …" if len(self.columns) > 8 else "")
            return f"is a table ({self.format}) with the columns {shown}"
        return self.kept

    @property
    def kept(self) -> str:
        """The same for a file that is kept: of a table without a header the first row is data, of
        persons perhaps, and nobody can be sure which it is. So no name of a column is in it."""
        if self.columns:
            count = len(self.columns)
            return f"is a table ({self.format}) of {count:,} column{'s' if count != 1 else ''}"
        said = [f"holds {self.exchanges:,} exchanges ({self.format})"]
        said += [", ".join(self.protocols)] if self.protocols else []
        said += [f"with the model {', '.join(self.models)}"] if self.models else []
        said += [f"95 % took up to {self.slowest:.3g} s"] if self.slowest is not None else []
        return ", ".join(said)


def sample(name: str) -> Sample:
    """Read the first exchanges of a log, in any format that `monitor replay` reads; nothing of what
    was said in them is looked at. Raises UsageError."""
    from monitor.replay import files

    try:
        (path, source), *_ = files.find([name])
        if source.table is not None:
            return Sample(source.name, columns=tuple(map(printable, source.table(path).names)))
        if source.exchanges is not None:
            logged: Iterator[Logged] = source.exchanges([path], Damage())
            return _of_logged(source.name, itertools.islice(logged, EXCHANGES))
        records = source.records(path, Damage()) if source.records else ()
        return _of_records(source.name, itertools.islice(records, EXCHANGES))
    except ImportError:
        raise UsageError(advice("replay", f"--sample: {named(name)}")) from None
    except (SourceError, ValueError) as error:
        raise UsageError(f"--sample: {plain(str(error))}") from None


def _of_logged(form: str, logged: Iterable[Logged]) -> Sample:
    said = [(one.model, one.duration) for one in logged]
    models, durations = zip(*said, strict=True) if said else ((), ())
    return Sample(form, len(said), (), _most(models), _slowest(durations))


def _of_records(form: str, records: Iterable[Record]) -> Sample:
    said = [(one.protocol, one.model, one.duration) for one in records]
    protocols, models, durations = zip(*said, strict=True) if said else ((), (), ())
    return Sample(form, len(said), _most(protocols), _most(models), _slowest(durations))


def _most(names: Iterable[str]) -> tuple[str, ...]:
    counted = Counter(one for one in names if _MODEL.fullmatch(one))
    return tuple(name for name, _ in counted.most_common(SHOWN))


def _slowest(durations: Iterable[float | None]) -> float | None:
    """The time within which 95 % were answered.

    >>> _slowest([None, 0.0]), _slowest([1.0] * 95 + [9.0] * 5)
    (None, 1.0)
    """
    found = sorted(one for one in durations if one)
    return found[-(-len(found) * 19 // 20) - 1] if found else None
