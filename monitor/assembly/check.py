"""Settings → whether they can work here; `run` asks it, too."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import math
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

from monitor.assembly import keyring
from monitor.errors import ArchiveError, ConfigError, SourceError, StreamError
from monitor.extras import advice, is_there
from monitor.privacy import keys
from monitor.proxy import tls
from monitor.settings.addresses import address
from monitor.settings.schema import (
    Coverage,
    Drift,
    Outcomes,
    Privacy,
    Reference,
    Review,
    Settings,
)
from monitor.settings.validation import did_you_mean, told
from monitor.supervision import embedded_store, listeners
from monitor.urls import shown

if TYPE_CHECKING:
    pass


def verify(settings: Settings, *, proxy: bool, analyzer: bool) -> None:
    """Raise ConfigError, one line that names the key, where a role could not start or work.

    What one look at this machine can tell is looked at: files, the data directory, ports. Nothing
    is made and nothing is started. `proxy` and `analyzer` say which roles are meant.
    """
    _check_directory("data", Path(settings.data))
    _check_store(settings)
    if settings.access.tokens:
        from monitor.api import access  # it knows all queries

        access.read(Path(settings.access.tokens))
    if settings.access.tls.cert or settings.access.tls.key:
        tls.server_context(**msgspec.structs.asdict(settings.access.tls), section="access.tls")
    if settings.otlp.endpoint and settings.otlp.protocol == "grpc" and not is_there("grpc"):
        raise ConfigError(advice("grpc", "otlp.protocol: grpc"))
    if proxy:
        _check_privacy(settings)
        secure = urlsplit(settings.upstream).scheme == "https"
        tls.check(**msgspec.structs.asdict(settings.tls), secure_upstream=secure)
        _check_loop(settings)
        _check_meaning(settings)
    if analyzer and settings.archive.url:
        _check_archive(settings)
    elif analyzer and settings.audit.sign:  # nothing is signed yet; the archive may come
        from monitor.audit import keys

        keys.trusted(Path(settings.audit.sign), "audit.sign")
    if analyzer:
        _check_coverage(settings.coverage)
        _check_fairness(settings)
    if analyzer and settings.outcomes != Outcomes():
        from monitor.assembly import build

        build.prediction_reader(settings)
    if analyzer and (settings.reference, settings.drift) != (Reference(), Drift()):
        from monitor.assembly import analysis  # it needs numpy, and all features

        analysis.features_of(settings)
        analysis.versus_of(settings)
        try:
            analysis.read_profile(settings.reference.file)
        except SourceError as error:
            raise ConfigError(f"reference.file: {error}") from None
    _check_people(settings)
    if settings.experiments:
        from monitor.assembly.experiments import experiments_of  # it needs numpy

        experiments_of(settings)
    with listeners.bound(settings, proxy=proxy, accept=False):
        pass


def _check_people(settings: Settings) -> None:
    """Who is asked about exchanges, and who is told. What knows them is loaded only if they are."""
    if settings.review != Review():
        from monitor.assembly.reviewing import policy_of  # it knows all edge cases

        policy_of(settings)
    if settings.notify:
        from monitor.assembly.receivers import receivers_of

        receivers_of(settings)


def _check_archive(settings: Settings) -> None:
    """What the archiver needs, and whether there may be files where they are to be."""
    if not is_there("pyarrow"):
        raise ConfigError(advice("archive", "archive.url"))
    from monitor.archive import storage
    from monitor.assembly.auditing import anchors_of, columns_of, recipient_of, trusted_keys

    trusted_keys(settings)
    anchors_of(settings)
    recipient_of(settings)
    columns_of(settings)
    url = settings.archive.url
    try:
        storage.writable(url)
    except ArchiveError as error:
        raise ConfigError(f"archive.url: {error}") from None
    scheme, _, rest = url.partition("://")
    if not rest:
        _check_directory("archive.url", Path(url))
    elif scheme.lower() == "file":
        _check_directory("archive.url", Path(unquote(rest.removeprefix("localhost"))))
    elif scheme.lower() == "s3":  # what reads it is large, and needed by the archiver alone
        if not is_there("s3fs"):
            raise ConfigError(advice("archive", "archive.url: s3"))
    else:
        try:
            storage.at(url, Path(settings.data))
        except ArchiveError as error:
            raise ConfigError(f"archive.url: {error}") from None


def _check_coverage(coverage: Coverage) -> None:
    """A threshold is one of the calibration scores: of too few none is high enough."""
    least = math.ceil(round(1 / (1 - coverage.target), 6)) - 1
    if 0 < coverage.calibrated_on < least:
        raise ConfigError(
            f"coverage.calibrated_on: {coverage.calibrated_on:,} scores cannot promise "
            f"{coverage.target:.4g}; at least {least:,} can, and 0 means that it is unknown"
        )


def _check_fairness(settings: Settings) -> None:
    """Groups are the values of something that has a name, and each is compared once."""
    given = settings.fairness
    for key, names in (("dimensions", given.dimensions), ("strata", given.strata)):
        for place, name in enumerate(names):
            where = f"fairness.{key}[{place}]"
            if not name.strip():
                raise ConfigError(f"{where}: is empty; name a dimension or a protected attribute")
            if name in names[:place]:
                raise ConfigError(f"{where}: {told(name)} is named twice; name it once")
    crossed = given.intersections
    if wrong := wrong_intersection(crossed):
        place, why = wrong
        raise ConfigError(f"fairness.intersections[{place}]: {why}")
    for place, parts in enumerate(crossed):
        if (name := "|".join(parts)) in given.dimensions:
            raise ConfigError(
                f"fairness.intersections[{place}]: is called {told(name)}, as one of "
                "fairness.dimensions is"
            )
    grouped = {*given.dimensions, *(name for parts in crossed for name in parts)}
    for place, name in enumerate(given.strata):
        where = f"fairness.strata[{place}]"
        if name in grouped:
            of = "dimensions" if name in given.dimensions else "intersections"
            raise ConfigError(
                f"{where}: {told(name)} is one of fairness.{of}; within its own values there "
                "are no groups to compare"
            )
        if name not in settings.segments:
            raise ConfigError(
                f"{where}: {told(name)} is not one of segments "
                f"({', '.join(settings.segments) or 'there are none'})"
                f"{did_you_mean(name, settings.segments)}"
            )


def wrong_intersection(crossed: Sequence[Sequence[str]]) -> tuple[int, str] | None:
    """Return the place of the first intersection that is none, with what is wrong with it.

    >>> wrong_intersection([["sex", "site"], ["site", "sex"]])
    (1, "'site and sex' are named twice; once will do")
    """
    for place, parts in enumerate(crossed):
        if not all(name.strip() for name in parts) or len(set(parts)) < len(parts):
            return place, (
                "give two names, each of a dimension or a protected attribute, as [sex, population]"
            )
        if any(set(parts) == set(before) for before in crossed[:place]):
            return place, f"{told(' and '.join(parts))} are named twice; once will do"
    return None


def apart_from_running(settings: Settings) -> Settings:
    """The settings with other ports where the monitor that runs on `data` listens on theirs.

    Its configuration can then be verified while it runs.
    """
    try:
        run = json.loads((Path(settings.data) / "run.json").read_bytes())
    except (OSError, ValueError):
        return settings
    held = [key for key in ("listen", "admin") if run.get(key) in _names(getattr(settings, key))]
    free = {key: getattr(settings, key).rpartition(":")[0] + ":0" for key in held}
    return msgspec.structs.replace(settings, **free)


def _names(where: str) -> tuple[str, ...]:
    """How a running monitor may write where it listens: all addresses may be those of IPv4."""
    host, port = address(where, "")
    return (where, f"[::]:{port}", f"0.0.0.0:{port}") if host == "::" else (where,)


def _check_directory(key: str, directory: Path) -> None:
    """Whether it is a directory that can be written to, or can be made."""
    there = directory
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise ConfigError(f"{key}: {there} is not a directory; name one, or a new one")
    try:
        tempfile.TemporaryFile(dir=there).close()  # it has no name, and is gone at once
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(
            f"{key}: {there} cannot be written to: {reason}; name a directory that can"
        ) from None


def _check_store(settings: Settings) -> None:
    if not settings.redis:
        embedded_store.binary()
    else:
        from monitor.streams.address import parse_url

        try:
            parse_url(settings.redis)
        except StreamError as error:
            raise ConfigError(str(error)) from None


def _check_privacy(settings: Settings) -> None:
    if settings.privacy != Privacy():
        from monitor.assembly import build  # it knows all recognizers, which takes its time

        build.check(settings)
    path = keyring.key_file(settings)
    if settings.privacy.key_file or path.exists():
        keys.read(path)


def _check_meaning(settings: Settings) -> None:
    """What is as by default works, and is not loaded to see that."""
    from monitor.assembly import build

    usual = Settings()
    if settings.segments != usual.segments:
        build.dimensions(settings)
    if settings.edge_cases != usual.edge_cases:
        build.edge_cases(settings)
    build.checks(settings)
    build.own_prices(settings)
    build.business(settings)


def _check_loop(settings: Settings) -> None:
    """An upstream at one of this machine's addresses is ourselves when we listen on all of them."""
    host, port = address(settings.listen, "listen")
    parts = urlsplit(settings.upstream)
    target = parts.hostname or ""
    if port != (parts.port or (443 if parts.scheme == "https" else 80)):
        return
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified and _is_ours(target):
            raise ConfigError(
                f"upstream: {shown(settings.upstream)} is this monitor itself (listen: "
                f"{settings.listen}); name the model's address"
            )


def _is_ours(host: str) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        ipaddress.ip_address(host)
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))
    except (OSError, ValueError):
        return False
    return True
