"""Settings: YAML file, `MONITOR_*` environment, command line → one frozen struct, checked once.

Command line beats environment beats file. `MONITOR_CAPTURE_MAX_BODY_BYTES` sets
`capture.max_body_bytes`: the key in capitals, dots as underscores; values are read as YAML.
Only `monitor.cli` and `monitor.app` read settings; parts take plain arguments.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from monitor.addresses import address, meet, url
from monitor.errors import ConfigError
from monitor.urls import shown

MOST = 1 << 48
"""No count or number of bytes is larger: stores and clocks can still take it as a number."""
LONGEST = 1e9
"""Nor a time in seconds: thirty years."""

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=MOST)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST)]
Duration = Annotated[float, msgspec.Meta(gt=0, le=LONGEST)]
Address = Annotated[str, msgspec.Meta(description="HOST:PORT, as in 127.0.0.1:8080")]
Header = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}\Z",
        description="the name of a header, as x-population",
    ),
]
Name = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9._-]{1,100}\Z",
        description="a name of up to 100 letters, digits, dots, dashes and underscores",
    ),
]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group of settings; an unknown key is an error."""


class Capture(_Section, frozen=True):
    """How much of an exchange is kept, and how much may wait for the recorder."""

    max_body_bytes: Count = 1048576
    buffer_bytes: Positive = 67108864


class Ner(_Section, frozen=True):
    """A model that finds names and places, in a process of its own: one that spaCy can load (extra
    `ner`), or `package.module:NAME` (monitor/app/ner.py). It has `timeout` seconds for the texts of
    a record; without an answer they are replaced by their digest, or kept."""

    model: str = ""
    timeout: Duration = 5.0
    on_failure: Literal["digest", "keep"] = "digest"


class Differential(_Section, frozen=True):
    """Noise in the counts of exchanges by segment, once each `period` (seconds): which segments one
    exchange was of is hidden up to `epsilon` and `delta` (`recorder.releases`; extra `dp`)."""

    epsilon: Annotated[float, msgspec.Meta(gt=0)] | None = None
    delta: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 1e-6
    period: Duration = 3600


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
    tenant: Name = "default"
    seal_to: str | None = None
    ner: Ner = Ner()
    min_group: Positive = 1
    differential: Differential = Differential()


class StreamSettings(_Section, frozen=True):
    """The Redis Streams of one endpoint: at most about `max_length` records in a shard, and none
    that was appended more than about `max_age` seconds ago (0: as old as they get)."""

    shards: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 1
    max_length: Positive = 1000000
    max_age: Seconds = 0.0


class Spool(_Section, frozen=True):
    """The disk spool that takes records while Redis is away."""

    max_bytes: Count = 1073741824


class Windows(_Section, frozen=True):
    """Panes of `pane` seconds; one is closed `lateness` seconds after its end.

    The current window is the newest panes that hold `samples` values.
    """

    pane: Duration = 60.0
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
    renew: Duration | None = None
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

    header: Header


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
    interval: Annotated[float, msgspec.Meta(ge=1, le=LONGEST)] = 15.0


def _default_segments() -> dict[str, DimensionSource]:
    return {name: DimensionSource(f"x-{name}") for name in ("population", "template", "variant")}


class Settings(_Section, frozen=True):
    """Everything that can be set. `log` is how lines on stderr are written."""

    endpoint: Name = "default"
    upstream: Annotated[str, msgspec.Meta(description="a URL like http://127.0.0.1:9000")] = ""
    listen: Address = "127.0.0.1:8080"
    admin: Address = "127.0.0.1:9464"
    redis: Annotated[str, msgspec.Meta(description="a URL like redis://127.0.0.1:6379/0")] = ""
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
        _convert(tree, f"{file}: ")
    for path, (variable, kind) in variables().items():
        if variable in environment:
            _put(tree, path, _value(environment[variable], kind, variable))
            _convert(tree, f"{variable}: ")
    kinds = {path[0]: kind for path, (_, kind) in variables().items() if len(path) == 1}
    for name, value in (options or {}).items():
        if value is not None:
            option = f"--{name.replace('_', '-')}"
            _put(tree, (name,), _value(value, kinds[name], option))
            _convert(tree, f"{option}: ")
    settings = _convert(tree, "")
    _check(settings)
    return settings


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """`MONITOR_…` variables that set nothing, without those Kubernetes makes for a Service."""
    known = {variable for variable, _ in variables().values()} | {"MONITOR_CONFIG"}
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


def _read_file(file: str) -> dict[str, Any]:
    from monitor import strict_yaml  # children read no YAML, and start the faster

    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {(error.strerror or '').lower()}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: is not UTF-8 text") from None
    except ValueError:
        raise ConfigError(f"{file!r}: is not the name of a file") from None
    tree = strict_yaml.load(text, file)
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{file}: must be a mapping of keys, as in `upstream: http://…`")
    return tree


def variables(
    struct: type[msgspec.Struct] = Settings, path: tuple[str, ...] = ()
) -> dict[tuple[str, ...], tuple[str, str]]:
    """Key path → (variable, `str` when its text is taken as it is and else `yaml`)."""
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    for field in msgspec.structs.fields(struct):
        here = (*path, field.encode_name)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            found.update(variables(field.type, here))
        else:
            info = msgspec.inspect.type_info(field.type)
            kinds = info.types if isinstance(info, msgspec.inspect.UnionType) else (info,)
            plain = [
                each.type if isinstance(each, msgspec.inspect.Metadata) else each for each in kinds
            ]
            texts = (msgspec.inspect.StrType, msgspec.inspect.LiteralType)
            is_text = any(isinstance(kind, texts) for kind in plain)
            found[here] = ("MONITOR_" + "_".join(here).upper(), "str" if is_text else "yaml")
    return found


def _value(text: Any, kind: str, origin: str) -> Any:
    """The text of a variable or an option as what its key takes."""
    from monitor import strict_yaml

    return strict_yaml.load(text, origin) if kind == "yaml" and isinstance(text, str) else text


def _put(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value


def _convert(tree: dict[str, Any], origin: str) -> Settings:
    from monitor import validation  # likewise: what a child is given was checked

    if wrong := validation.complaint(tree, Settings):
        raise ConfigError(origin + wrong)
    return msgspec.convert(tree, Settings)


def _check(settings: Settings) -> None:
    """What one key alone cannot say, as far as it needs no look at the machine."""
    listen, admin = address(settings.listen, "listen"), address(settings.admin, "admin")
    if listen[1] and meet(listen, admin):
        raise ConfigError(
            f"admin: {settings.admin} is where clients connect (listen: {settings.listen}); "
            "give one of them another port"
        )
    if settings.upstream:
        _check_upstream(settings.upstream, listen, admin)
    if settings.redis:
        _check_redis(settings.redis)
    if settings.otlp.endpoint:
        url(settings.otlp.endpoint, "otlp.endpoint", ("http", "https"), "http://127.0.0.1:4318")
    if not settings.data:
        raise ConfigError("data: is empty; name a directory, as .monitor")
    for name in settings.segments:
        if name == "all" or not name.isidentifier():
            raise ConfigError(f"segments.{name}: a dimension is a word other than `all`")


def _check_upstream(upstream: str, listen: tuple[str, int], admin: tuple[str, int]) -> None:
    parts = url(upstream, "upstream", ("http", "https"), "http://127.0.0.1:9000")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        bare = shown(upstream).partition("://")[2].partition("/")[0]
        raise ConfigError(
            f"upstream: {shown(upstream)!r} has a path, and requests pass as clients send them; "
            f"give {parts.scheme}://{bare} here and put the path into the clients' base URL"
        )
    target = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    for key, ours in (("listen", listen), ("admin", admin)):
        if ours[1] and meet(ours, target):
            raise ConfigError(
                f"upstream: {shown(upstream)} is this monitor itself ({key}); name the model's "
                "address"
            )


def _check_redis(text: str) -> None:
    example = "redis://127.0.0.1:6379/0"
    parts = url(text, "redis", ("redis", "rediss", "unix"), example)
    database = parts.path.strip("/")
    if parts.scheme != "unix" and database and not (database.isascii() and database.isdigit()):
        raise ConfigError(
            f"redis: {shown(text)!r} does not end in the number of a database, as {example} does"
        )
