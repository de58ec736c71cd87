"""Settings → sentences: what this configuration will do (`monitor check`)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from monitor.app import analyzer, private
from monitor.app.wire import rewritten
from monitor.config import Settings
from monitor.proxy import tls
from monitor.urls import shown


def explain(settings: Settings) -> Iterator[str]:
    """Lines for a person, one fact each; raises ConfigError instead where something cannot work."""
    private.check(settings)
    yield f"endpoint    {settings.endpoint}"
    upstream = shown(settings.upstream) or "(no upstream: analyze only)"
    yield f"traffic     {settings.listen} -> {upstream}"
    if settings.workers > 1:
        yield f"            {settings.workers} proxies share the port"
    if settings.upstream:
        yield from _wire(settings)
    yield f"admin       {settings.admin} (/metrics, /healthz, /readyz, /api/drift)"
    yield f"store       {_store(settings)}"
    yield (
        f"stream      {settings.stream.shards} shard(s) of about {settings.stream.max_length:,} "
        f"records: monitor:{{{settings.endpoint}:0}}:records"
    )
    capture = settings.capture
    yield (
        f"capture     bodies up to {capture.max_body_bytes:,} bytes; up to "
        f"{capture.buffer_bytes:,} bytes wait in memory, then exchanges are dropped and counted"
    )
    for name, source in settings.segments.items():
        yield f"segment     {name} from the request header {source.header}"
    yield from _privacy(settings)
    analyzer.features_of(settings)
    analyzer.versus_of(settings)
    if settings.reference.file:
        profile = analyzer.read_profile(settings.reference.file)
        count = len(profile.references) if profile else 0
        yield f"reference   {settings.reference.file}, of {count:,} features and segments"
    else:
        yield f"reference   learned from the first {settings.reference.learn:,} records per segment"
    yield (
        f"windows     panes of {settings.windows.pane:g} s, closed "
        f"{settings.windows.lateness:g} s after their end"
    )
    drift = settings.drift
    yield (
        f"drift       a believed change from a PSI of {drift.tolerance:g}; a {drift.alpha:.0%} "
        f"chance of any false alarm in {drift.patience:,} panes, over all features and segments"
    )
    if drift.embed:
        yield f"            texts are embedded by {drift.embed}"
    if drift.together > 1:
        yield f"            {drift.together} records that hang together count as one"
    if settings.reference.versus:
        dimension, value = settings.reference.versus
        yield f"            every other {dimension} is compared with {value}, pane by pane"
    if settings.reference.hour_of_week:
        yield "            what comes is compared with the same hour of earlier weeks"
    if settings.reference.renew:
        yield (
            f"            the reference rolls every {settings.reference.renew:g} s, and the chance "
            "is for each"
        )
    yield (
        f"drain       {settings.drain.delay:g} s more of accepting after SIGTERM, then up to "
        f"{settings.drain.timeout:g} s for active exchanges"
    )


def _privacy(settings: Settings) -> Iterator[str]:
    section = settings.privacy
    yield f"privacy     key file {section.key_file or settings.data + '/privacy.key'}"
    for path, rule in section.paths.items():
        yield f"            {path}: {rule}"
    if section.without:
        yield f"            not looked for: {', '.join(section.without)}"
    if section.also:
        yield f"            looked for besides: {', '.join(section.also)}"
    if section.ner.model:
        yield f"            names are looked for by {section.ner.model}, in a process of its own"
    if section.seal_to:
        yield f"            values are sealed to {section.seal_to}, for `monitor reveal`"
    noise = section.differential
    if noise.epsilon is not None:
        yield (
            f"            counts by segment have noise, told every {noise.period:g} s: "
            f"epsilon {noise.epsilon:g}, delta {noise.delta:g}"
        )


def _wire(settings: Settings) -> Iterator[str]:
    files = settings.tls
    secure = urlsplit(settings.upstream).scheme == "https"
    tls.check(**msgspec.structs.asdict(files), secure_upstream=secure)
    if files.cert:
        yield f"tls         clients are shown {files.cert}, read again when it changes"
    if secure:
        shown = f", and shown {files.client_cert}" if files.client_cert else ""
        yield f"tls         the upstream is verified by {files.ca or 'the system'}{shown}"
    if host := rewritten(settings):
        yield f"edit        Host becomes {host}"
    if settings.edits.forwarded_for:
        yield "edit        the client's address is added to X-Forwarded-For"
    if settings.edits.exchange_id:
        yield "edit        answers carry the id of their record in X-Monitor-Exchange-Id"


def _store(settings: Settings) -> str:
    if not settings.redis:
        return f"embedded Valkey under {settings.data}/store"
    return shown(settings.redis)
