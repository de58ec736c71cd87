"""YAML file, `MONITOR_*` environment, command line → Settings, checked once.

Command line beats environment beats file beats preset (`settings.layers`).
`MONITOR_CAPTURE_MAX_BODY_BYTES` sets `capture.max_body_bytes`: the key in capitals, dots as
underscores; values are read as YAML.
OTEL_SEMCONV_STABILITY_OPT_IN with `gen_ai_latest_experimental` sets `otlp.conventions` too.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from monitor import json_paths
from monitor.conventions import LATEST, OPT_IN
from monitor.errors import ConfigError
from monitor.settings.addresses import address, meet, url
from monitor.settings.circumstances import Circumstances
from monitor.settings.schema import DimensionSource, LineageSource, Settings
from monitor.urls import shown

TAKEN = ("all", "edge_case")
"""Dimensions that are there without being named."""

OURS = ("config", "policy", "monitor", "replay")
"""Facts of the lineage that nobody need state."""
CREDENTIALS = (
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "api-key",
)
"""Headers whose values are in no metric and no Record."""
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")


def load(
    file: str | None = None,
    environment: Mapping[str, str] = os.environ,
    options: Mapping[str, Any] | None = None,
) -> Settings:
    """Read and check the settings.

    Raises ConfigError with one line that names the file, variable or option, the key, and what
    would be right.
    """
    return checked(own(file, environment, options))


def checked(tree: dict[str, Any]) -> Settings:
    """Return the settings that a user's own tree and its preset say; raises ConfigError."""
    settings = _convert(tree, "")
    with in_own_words(tree):
        _check(settings)
    return settings


@contextlib.contextmanager
def in_own_words(tree: dict[str, Any]) -> Iterator[None]:
    """A ConfigError raised inside names what stands in a user's own tree, or whose it is."""
    try:
        yield
    except ConfigError as error:
        from monitor.settings import layers

        raise ConfigError(layers.in_own_words(str(error), tree)) from None


def own(
    file: str | None = None,
    environment: Mapping[str, str] = os.environ,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Read what the user says, without what their preset adds; each source is checked as it comes.

    Raises ConfigError as `load`.
    """
    tree: dict[str, Any] = {}
    if file:
        tree = _read_file(file)
        _convert(tree, f"{file}: ")
    for path, (variable, kind) in variables().items():
        if variable in environment:
            _put(tree, path, _value(environment[variable], kind, variable))
            _convert(tree, f"{variable}: ")
    _opt_in(tree, environment)
    kinds = {path[0]: kind for path, (_, kind) in variables().items() if len(path) == 1}
    for name, value in (options or {}).items():
        if value is not None:
            option = f"--{name.replace('_', '-')}"
            _put(tree, (name,), _value(value, kinds[name], option))
            _convert(tree, f"{option}: ")
    return tree


def _opt_in(tree: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Take OpenTelemetry's own variable, unless there is ours."""
    words = [one.strip() for one in environment.get(OPT_IN, "").split(",")]
    if LATEST in words and "MONITOR_OTLP_CONVENTIONS" not in environment:
        _put(tree, ("otlp", "conventions"), "latest")


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
    from monitor.settings import strict_yaml

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
    match tree:
        case {"otlp": {"conventions": float(version)} as otlp}:
            otlp["conventions"] = str(version)  # YAML reads it as a number, people as a name
    if not isinstance(tree, dict):
        raise ConfigError(f"{file}: must be a mapping of keys, as in `upstream: http://…`")
    return tree


@functools.lru_cache(256)  # each start asks three times
def variables(
    struct: type[msgspec.Struct] = Settings, path: tuple[str, ...] = ()
) -> Mapping[tuple[str, ...], tuple[str, str]]:
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
    from monitor.settings import strict_yaml

    return strict_yaml.load(text, origin) if kind == "yaml" and isinstance(text, str) else text


def _put(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value


def _convert(tree: dict[str, Any], origin: str) -> Settings:
    from monitor.settings import validation

    whole = tree
    if tree.get("preset"):
        from monitor.settings import layers

        try:
            whole = layers.under(tree)
        except ConfigError as error:
            raise ConfigError(f"{origin}{error}") from None
    if wrong := validation.complaint(whole, Settings):
        if whole is not tree:
            wrong = layers.in_own_words(wrong, tree)
        raise ConfigError(origin + wrong)
    return msgspec.convert(whole, Settings)


def _check(settings: Settings) -> None:
    """What one key alone cannot say, as far as it needs no look at the machine."""
    if settings.circumstances != Circumstances() and not settings.preset:
        from monitor.settings import layers

        raise ConfigError(
            f"circumstances: change what a preset says, and there is none; name one in `preset` "
            f"({', '.join(layers.presets())})"
        )
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
        _check_collector(settings.otlp.endpoint, settings.otlp.protocol)
    if not settings.data:
        raise ConfigError("data: is empty; name a directory, as .monitor")
    for name in settings.segments:
        _check_segment(name, settings.segments)
    measures = settings.slices.measures
    if twice := next((one for one in measures if measures.count(one) > 1), ""):
        raise ConfigError(f"slices.measures: names {twice} twice")
    for name, source in settings.lineage.items():
        _check_fact(name, source)


def _check_fact(name: str, source: LineageSource) -> None:
    """What is about one fact of the lineage."""
    here = f"lineage.{name}"
    if name in OURS:
        raise ConfigError(f"{here}: is a fact that monitor itself states; choose another name")
    if sum(map(bool, (source.header, source.json, source.value))) != 1:
        raise ConfigError(f"{here}: give one of `header`, `json` and `value`")
    if source.json:
        try:
            json_paths.parsed(source.json)
        except ValueError as error:
            raise ConfigError(f"{here}.json: {error}") from None
    _check_headers(source.header, here)
    for header in [source.header] if isinstance(source.header, str) else source.header:
        if header.lower() in CREDENTIALS:
            raise ConfigError(f"{here}.header: {header.lower()} holds a credential, and no fact")


def _check_headers(names: str | list[str], here: str) -> None:
    for header in [names] if isinstance(names, str) else names:
        if names and not _HEADER.fullmatch(header):
            raise ConfigError(
                f"{here}.header: {header[:60]!r} is not the name of a header, as x-population"
            )


def _check_segment(name: str, segments: Mapping[str, DimensionSource]) -> None:
    """What is about one dimension, but for whether what it names can be read (`dimensions`)."""
    source, here = segments[name], f"segments.{name}"
    if name in TAKEN or not name.isidentifier():
        listed = ", ".join(f"`{one}`" for one in TAKEN)
        raise ConfigError(f"{here}: a dimension is a word other than {listed}")
    if source.mine and (other := next(n for n in segments if segments[n].mine)) != name:
        raise ConfigError(f"{here}.mine: {other} is mined already; only one dimension can be")
    if source.mine and source.hash:
        raise ConfigError(f"{here}.hash: is not for a mined dimension, whose ids say nothing")
    if len(source.origins) != 1 and not (source.mine and not source.origins):
        has = " and ".join(source.origins) or "no source"
        raise ConfigError(
            f"{here}: has {has}; give one of header, json, path, query, claim, baggage or cross"
        )
    _check_headers(source.header, here)
    if not source.cross:
        return
    if unused := [
        key
        for key in ("match", "map", "default", "buckets", "hash", "mine")
        if getattr(source, key)
    ]:
        raise ConfigError(f"{here}.{unused[0]}: is not for a cross; say it of what is crossed")
    if len(set(source.cross)) < max(2, len(source.cross)):
        raise ConfigError(
            f"{here}.cross: name two dimensions or more, each once, as [population, template]"
        )
    for crossed in source.cross:
        if crossed not in segments or segments[crossed].cross:
            known = ", ".join(one for one in segments if not segments[one].cross) or "none"
            raise ConfigError(f"{here}.cross: {crossed!r} is none of the dimensions ({known})")


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


def _check_collector(endpoint: str, protocol: str) -> None:
    if protocol == "http":
        url(endpoint, "otlp.endpoint", ("http", "https"), "http://127.0.0.1:4318")
        return
    example = "http://127.0.0.1:4317"
    whole = endpoint if "://" in endpoint else f"http://{endpoint}"
    parts = url(whole, "otlp.endpoint", ("http", "https"), example)
    if whole != endpoint and not parts.port:
        raise ConfigError(f"otlp.endpoint: {shown(endpoint)!r} names no port; give {example}")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigError(
            f"otlp.endpoint: {shown(endpoint)!r} has a path, and gRPC takes none; give {example}"
        )


def _check_redis(text: str) -> None:
    example = "redis://127.0.0.1:6379/0"
    kind, sentinel, rest = text.partition("+sentinel://")
    if sentinel:
        example = "redis+sentinel://10.0.0.1:26379,10.0.0.2:26379/SERVICE/0"
        hosts, _, path = rest.rpartition("@")[2].partition("?")[0].partition("/")
        for host in hosts.split(","):
            url(f"{kind}://{host}", "redis", ("redis", "rediss"), example)
        service, _, path = path.partition("/")
        if not service:
            raise ConfigError(f"redis: {shown(text)!r} names no service, as {example} does")
        text = f"{kind}://{host}/{path}"
    parts = url(text, "redis", ("redis", "rediss", "unix"), example)
    database = parts.path.strip("/")
    if parts.scheme != "unix" and database and not (database.isascii() and database.isdigit()):
        raise ConfigError(
            f"redis: {shown(text)!r} does not end in the number of a database, as {example} does"
        )
