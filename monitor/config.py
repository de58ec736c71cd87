"""Settings: YAML file, `MONITOR_*` environment, command line → one frozen struct, checked once.

Command line beats environment beats file. `MONITOR_CAPTURE_MAX_BODY_BYTES` sets
`capture.max_body_bytes`: the key in capitals, dots as underscores; values are read as YAML.
Only `monitor.cli` and `monitor.app` read settings; parts take plain arguments.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from monitor.errors import ConfigError
from monitor.urls import shown

Positive = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group of settings; an unknown key is an error."""


class Capture(_Section, frozen=True):
    """How much of an exchange is kept, and how much may wait for the recorder."""

    max_body_bytes: Annotated[int, msgspec.Meta(ge=0)] = 1048576
    buffer_bytes: Positive = 67108864


class Ner(_Section, frozen=True):
    """A model that finds names and places, in a process of its own: one that spaCy can load (extra
    `ner`), or `package.module:NAME` (monitor/app/ner.py). It has `timeout` seconds for the texts of
    a record; without an answer they are replaced by their digest, or kept."""

    model: str = ""
    timeout: Annotated[float, msgspec.Meta(gt=0)] = 5.0
    on_failure: Literal["digest", "keep"] = "digest"


class Differential(_Section, frozen=True):
    """Noise in the counts of exchanges by segment, once each `period` (seconds): which segments one
    exchange was of is hidden up to `epsilon` and `delta` (`recorder.releases`; extra `dp`)."""

    epsilon: Annotated[float, msgspec.Meta(gt=0)] | None = None
    delta: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 1e-6
    period: Annotated[float, msgspec.Meta(gt=0)] = 3600


class Privacy(_Section, frozen=True):
    """Pseudonymization; `key_file` absent: a key is made under the data directory.

    `paths` are rules for places, the first that matches wins. `without` are entities not to look
    for, `with` those to look for besides the default ones. `region` completes national telephone
    numbers. Equal values have equal pseudonyms within a `tenant`. Values are sealed to the public
    key in `seal_to`, for `monitor reveal`. A segment's value that was seen fewer than `min_group`
    times is `other`.
    """

    key_file: str | None = None
    paths: dict[str, str] = {}
    without: list[str] = []
    also: list[str] = msgspec.field(default_factory=list, name="with")
    region: str = "US"
    tenant: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = "default"
    seal_to: str | None = None
    ner: Ner = Ner()
    min_group: Positive = 1
    differential: Differential = Differential()


class StreamSettings(_Section, frozen=True):
    """The Redis Streams of one endpoint."""

    shards: Positive = 1
    max_length: Positive = 1000000


class Spool(_Section, frozen=True):
    """The disk spool that takes records while Redis is away."""

    max_bytes: Annotated[int, msgspec.Meta(ge=0)] = 1073741824


class Windows(_Section, frozen=True):
    """Panes of `pane` seconds; one is closed `lateness` seconds after its end.

    The current window is the newest panes that hold `samples` values.
    """

    pane: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    lateness: Seconds = 5.0
    samples: Positive = 500


class Reference(_Section, frozen=True):
    """What is usual: a profile read from `file`, or learned from the first `learn` records.

    With `renew` it rolls: what came in so many seconds without drift is the next reference. With
    `variant` every other variant is compared with that one, as both come; with `hour_of_week`
    everything else with the same hour of earlier weeks.
    """

    file: str | None = None
    learn: Positive = 1000
    renew: Annotated[float, msgspec.Meta(gt=0)] | None = None
    variant: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    hour_of_week: bool = False

    @property
    def versus(self) -> tuple[str, str] | None:
        """(dimension, value) that `variant` means: `NAME`, or `DIMENSION=NAME` for another."""
        if self.variant is None:
            return None
        dimension, equals, value = self.variant.partition("=")
        return (dimension, value) if equals else ("variant", self.variant)


class Drift(_Section, frozen=True):
    """When a change is believed, and when it matters.

    `alpha` is the probability of any false alarm while nothing changes, over all features and
    segments and `patience` panes; a believed change with a corrected PSI of `tolerance` is drift.
    At most `watches` features x segments are watched. `features` are looked at beside the usual
    ones: `latency`, `variety`, `ngrams`, or somebody's own as `package.module:NAME`. `together` is
    how many records hang together, as those of one session do, and count as one in the evidence.
    `embed` is the directory of a small model that turns texts into vectors (`analysis.embed`).
    """

    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 0.02
    alpha: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.05
    patience: Positive = 43200
    watches: Positive = 5000
    together: Positive = 1
    features: list[str] = []
    embed: str = ""


class DimensionSource(_Section, frozen=True):
    """Where a dimension's value comes from."""

    header: str


class Limits(_Section, frozen=True):
    """`connections` at a time per worker; more wait in the backlog, then are refused."""

    connections: Positive = 10000


class Timeouts(_Section, frozen=True):
    """Seconds: to connect to the endpoint; the endpoint silent while it owes bytes, or either side
    taking none of those it is sent. 0 is never."""

    connect: Seconds = 10.0
    idle: Seconds = 3600.0


class Tls(_Section, frozen=True):
    """PEM files: `cert` and `key` are shown to clients; the others are for an https upstream."""

    cert: str = ""
    key: str = ""
    ca: str = ""
    client_cert: str = ""
    client_key: str = ""


class Edits(_Section, frozen=True):
    """What may be changed on the wire. `host: auto` rewrites Host for a remote https upstream.

    With one of the first two on, a request that cannot be edited with certainty is refused.
    `exchange_id` adds X-Monitor-Exchange-Id to answers; one it cannot be added to stays as it is.
    """

    host: Literal["auto", "never", "always"] = "auto"
    forwarded_for: bool = False
    exchange_id: bool = False


class Drain(_Section, frozen=True):
    """Seconds to keep accepting after SIGTERM, and for active exchanges to finish after that."""

    delay: Seconds = 0.0
    timeout: Seconds = 30.0


class Otlp(_Section, frozen=True):
    """A collector that is sent every measurement each `interval` seconds; without it, none is."""

    endpoint: str = ""
    interval: Annotated[float, msgspec.Meta(ge=1)] = 15.0


def _default_segments() -> dict[str, DimensionSource]:
    return {name: DimensionSource(f"x-{name}") for name in ("population", "template", "variant")}


class Settings(_Section, frozen=True):
    """Everything that can be set. `log` is how lines on stderr are written."""

    endpoint: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = "default"
    upstream: str = ""
    listen: str = "127.0.0.1:8080"
    admin: str = "127.0.0.1:9464"
    redis: str = ""
    data: str = ".monitor"
    log: Literal["text", "json"] = "text"
    workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    segments: dict[str, DimensionSource] = msgspec.field(default_factory=_default_segments)
    capture: Capture = Capture()
    privacy: Privacy = Privacy()
    stream: StreamSettings = StreamSettings()
    spool: Spool = Spool()
    windows: Windows = Windows()
    reference: Reference = Reference()
    drift: Drift = Drift()
    drain: Drain = Drain()
    otlp: Otlp = Otlp()
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    tls: Tls = Tls()
    edits: Edits = Edits()


def load(
    file: str | None = None,
    environment: Mapping[str, str] = os.environ,
    options: Mapping[str, Any] | None = None,
) -> Settings:
    """Read and check the settings.

    Raises ConfigError with one line that names the file, variable or option, the key, and what
    would be right.
    """
    tree: dict[str, Any] = {}
    if file:
        tree = _read_file(file)
        settings = _convert(tree, f"{file}: ")
    for path, (variable, kind) in _variables().items():
        if variable in environment:
            text = environment[variable]
            _put(tree, path, text if kind == "str" else _scalar(text, variable))
            settings = _convert(tree, f"{variable}: ")
    for name, value in (options or {}).items():
        if value is not None:
            _put(tree, (name,), value)
            settings = _convert(tree, f"--{name.replace('_', '-')}: ")
    settings = _convert(tree, "")
    _check(settings)
    return settings


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """`MONITOR_…` variables that set nothing, without those Kubernetes makes for a Service."""
    known = {variable for variable, _ in _variables().values()} | {"MONITOR_CONFIG"}
    injected = ("_SERVICE_HOST", "_SERVICE_PORT", "_PORT")
    return sorted(
        name
        for name in environment
        if name.startswith("MONITOR_")
        and name not in known
        and not name.endswith(injected)
        and "_PORT_" not in name
        and "_SERVICE_PORT_" not in name
    )


def address(text: str, key: str) -> tuple[str, int]:
    """`HOST:PORT` or `[V6]:PORT` → (host, port); raises ConfigError naming `key`."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"{key}: {text!r} is not HOST:PORT, as in 127.0.0.1:8080")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104  an empty host means all


def _read_file(file: str) -> dict[str, Any]:
    import yaml  # only here and below: children read no YAML, and start the faster

    try:
        tree = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: is not UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}:{mark.line + 1}" if mark else file
        raise ConfigError(f"{place}: not YAML: {getattr(error, 'problem', error)}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{file}: must be a mapping of keys, as in `upstream: http://…`")
    return tree


def _variables(
    struct: type[msgspec.Struct] = Settings, path: tuple[str, ...] = ()
) -> dict[tuple[str, ...], tuple[str, str]]:
    """Key path → (variable, `str` when its text is taken as it is and else `yaml`)."""
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    for field in msgspec.structs.fields(struct):
        here = (*path, field.encode_name)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            found.update(_variables(field.type, here))
        else:
            info = msgspec.inspect.type_info(field.type)
            kinds = info.types if isinstance(info, msgspec.inspect.UnionType) else (info,)
            is_text = any(isinstance(kind, msgspec.inspect.StrType) for kind in kinds)
            found[here] = ("MONITOR_" + "_".join(here).upper(), "str" if is_text else "yaml")
    return found


def _scalar(text: str, variable: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(f"{variable}: cannot be read as a YAML value") from None


def _put(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value


def _convert(tree: dict[str, Any], origin: str) -> Settings:
    try:
        return msgspec.convert(tree, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(origin + _explain(str(error))) from None


def _explain(message: str) -> str:
    """msgspec's `Expected … - at `$.a.b`` → `a.b: expected …`, with a near miss for a typo."""
    text, _, path = message.partition(" - at `$")
    key = path.rstrip("`").lstrip(".")
    if "unknown field" in text:
        name = text.split("`")[1]
        full = f"{key}.{name}" if key else name
        names = [".".join(known) for known in _variables()] + [
            field.name for field in msgspec.structs.fields(Settings)
        ]
        near = difflib.get_close_matches(full, names, 1)
        return f"{full}: unknown key" + (f"; did you mean {near[0]}?" if near else "")
    text = text.replace("Object missing required field", "missing key")
    return f"{key}: {text[:1].lower()}{text[1:]}" if key else text


def _check(settings: Settings) -> None:
    address(settings.listen, "listen")
    address(settings.admin, "admin")
    if settings.upstream:
        _check_url(settings.upstream, "upstream", ("http", "https"), "http://127.0.0.1:9000")
    if settings.redis:
        schemes = ("redis", "rediss", "unix")
        _check_url(settings.redis, "redis", schemes, "redis://127.0.0.1:6379/0")
    for name in settings.segments:
        if name == "all" or not name.isidentifier():
            raise ConfigError(f"segments.{name}: a dimension is a word other than `all`")


def _check_url(text: str, key: str, schemes: tuple[str, ...], example: str) -> None:
    """Raise ConfigError where it cannot be used, without what may be a password in it."""
    try:
        parts = urlsplit(text)
        host = parts.path if parts.scheme == "unix" else parts.hostname
        usable = parts.scheme in schemes and host and parts.port != 0
    except ValueError:  # brackets or a port that are none
        usable = False
    if not usable:
        raise ConfigError(f"{key}: {shown(text)!r} is not a URL like {example}")
