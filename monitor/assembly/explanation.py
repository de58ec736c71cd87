"""Settings → sentences that say what they mean here, for a person."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

import monitor
from monitor.assembly import certificates, connections
from monitor.readable import as_set
from monitor.settings.addresses import address, is_loopback
from monitor.settings.archive import ANY
from monitor.settings.schema import (
    DimensionSource,
    Receiver,
    Settings,
)
from monitor.settings.validation import told
from monitor.urls import shown

if TYPE_CHECKING:
    from monitor.interfaces import Check, EdgeCase

BUDGET = 30 * 86400
"""Seconds over which an objective is held."""
FASTEST_BURN, SLOWER_BURN = 14.4, 6
"""How many times too fast the budget of an objective must be spent for the two pages
(`alerts/traffic.rules.yml`)."""


def explain(settings: Settings) -> Iterator[str]:
    """Lines for a person, one fact each, of what was verified before."""
    yield f"endpoint    {settings.endpoint}"
    upstream = shown(settings.upstream) or "(no upstream: analyze only)"
    yield f"traffic     {settings.listen} -> {upstream}"
    if settings.workers > 1:
        yield f"            {settings.workers} proxies share the port"
    if settings.upstream:
        if "@" in urlsplit(settings.upstream).netloc:
            yield "            user and password in the URL are sent to nobody: clients sign in"
        if said := connections.shortage(settings.limits.connections, connections.descriptors()):
            yield f"            {said}"
        yield from _wire(settings)
    yield f"admin       {settings.admin} (/metrics, /readyz, /api/v1/status, /console/)"
    yield f"            {restriction(settings) or 'without tokens, and for this machine alone'}"
    if settings.access.tls.cert:
        yield f"            over TLS: {settings.access.tls.cert}, read again when it changes"
    for flaw in certificates.flaws(settings, time.time()):
        yield f"            {flaw}"
    yield f"store       {_store(settings)}"
    shards = "shard" if settings.stream.shards == 1 else "shards"
    yield (
        f"stream      {settings.stream.shards} {shards} of about {settings.stream.max_length:,} "
        f"records: monitor:{{{settings.endpoint}:0}}:records"
    )
    if said := forgotten(settings):
        yield f"            {said}"
    capture = settings.capture
    yield (
        f"capture     bodies up to {capture.max_body_bytes:,} bytes; up to "
        f"{capture.buffer_bytes:,} bytes wait in memory, then exchanges are dropped and counted"
    )
    if capture.sample_over is not None:
        yield (
            f"            of more than {capture.sample_over:,} exchanges each second a sample of "
            "so many is recorded; the traffic metrics count all"
        )
    for name, source in settings.segments.items():
        yield f"segment     {name}: {_segment(source)}"
    parts = _edge_cases, _checks, _costs, _lineage, _objectives, _review, _privacy, _drift
    for part in parts:
        yield from part(settings)
    yield (
        f"feedback    POST /api/v1/feedback or `monitor feedback load`; about "
        f"{settings.stream.max_length:,} items stay in monitor:{{{settings.endpoint}}}:feedback"
        f"{_age_of_feedback(settings)}"
    )
    yield from _outcomes(settings)
    yield from _experiments(settings)
    yield from _archive(settings)
    yield from _alerts(settings)
    yield from _notify(settings)
    yield (
        f"drain       {_seconds(settings.drain.delay)} s more of accepting after SIGTERM, then "
        f"up to {_seconds(settings.drain.timeout)} s for active exchanges"
    )


def forgotten(settings: Settings) -> str:
    """Return what follows where the stream deletes records before their outcomes count; else it is
    empty."""
    kept, wait = settings.stream.max_age, settings.outcomes.wait
    if not kept or wait <= kept:
        return ""
    readers = "" if settings.archive.url else ", unless `archive.url` keeps them"
    return (
        f"records are deleted after {_days(kept)}, and outcomes count after {_days(wait)}: these "
        "count all the same, as the analyzer remembers what it waits for, but nobody can read the "
        f"records by then{readers}"
    )


def _age_of_feedback(settings: Settings) -> str:
    """How long feedback stays, and what follows."""
    kept, wait, records = (
        settings.stream.feedback_max_age, settings.outcomes.wait, settings.stream.max_age,
    )  # fmt: skip
    if not kept:
        longer = ", also when the records are gone (`stream.feedback_max_age`)"
        return longer if records else ""
    early = f"; less than `outcomes.wait`, {_days(wait)}" if kept < wait else ""
    return f" for {_days(kept)}{early}"


def _days(seconds: float) -> str:
    """Seconds, as days where it is days.

    >>> _days(604_800), _days(3_600)
    ('7 days', '3,600 s')
    """
    days = seconds / 86400
    return f"{days:,.0f} days" if days > 1 and days == int(days) else f"{_seconds(seconds)} s"


def _drift(settings: Settings) -> Iterator[str]:
    """What is usual, and when a change is believed."""
    if settings.reference.file:
        from monitor.assembly.analysis import read_profile

        profile = read_profile(settings.reference.file)
        count = len(profile.references) if profile else 0
        yield f"reference   {settings.reference.file}, of {count:,} features and segments"
    else:
        yield f"reference   learned from the first {settings.reference.learn:,} records per segment"
    yield (
        f"windows     panes of {_seconds(settings.windows.pane)} s, closed "
        f"{_seconds(settings.windows.lateness)} s after their end"
    )
    drift = settings.drift
    yield (
        f"drift       a believed change from a PSI of {drift.tolerance:g}; a "
        f"{as_set(drift.alpha)} chance of any false alarm in {drift.patience:,} panes, over all "
        "features and segments"
    )
    if drift.embed:
        yield f"            texts are embedded by {drift.embed}"
    if drift.design_effect > 1:
        yield f"            {drift.design_effect} records that resemble each other count as one"
    if settings.reference.versus:
        dimension, value = settings.reference.versus
        yield f"            every other {dimension} is compared with {value}, pane by pane"
    if settings.reference.hour_of_week:
        yield "            what comes is compared with the same hour of earlier weeks"
    if settings.reference.renew:
        yield (
            f"            the reference rolls every {_seconds(settings.reference.renew)} s, and "
            "the chance is for each"
        )


def _objectives(settings: Settings) -> Iterator[str]:
    """What users may expect, and what alerts make of it; only who sees traffic tells it."""
    if not settings.upstream:
        return
    objectives = settings.objectives
    availability, latency, first = (
        objectives.availability, objectives.latency, objectives.first_token,
    )  # fmt: skip
    down = (1 - availability) * BUDGET / 60
    yield (
        f"objective   {as_set(availability)} of exchanges do not fail; of those of 30 days as "
        f"many may as come in {down:,.4g} minutes"
    )
    yield f"            {as_set(latency.share)} take no longer than {_seconds(latency.seconds)} s"
    yield (
        f"            {as_set(first.share)} of streams show their first token within "
        f"{_seconds(first.seconds)} s"
    )
    for name, share in objectives.shares.items():
        if FASTEST_BURN * (1 - share) >= 1:
            yield (
                f"            {name} cannot burn {FASTEST_BURN:g} times too fast, so the page over "
                "an hour never fires; that over six hours "
                + ("does" if SLOWER_BURN * (1 - share) < 1 else "neither")
            )


def _seconds(number: float) -> str:
    """A number of seconds: a month in digits that can be read, and a fraction as it is.

    >>> _seconds(2_592_000.0), _seconds(604_800), _seconds(0.25)
    ('2,592,000', '604,800', '0.25')
    """
    return f"{number:,.0f}" if number == int(number) else f"{number:,.6g}"


def _outcomes(settings: Settings) -> Iterator[str]:
    """What labels are compared with, once there are any."""
    calibration, fairness = settings.calibration, settings.fairness
    crossed = [" and ".join(parts) + " together" for parts in fairness.intersections]
    groups = ", ".join([*fairness.dimensions, *crossed])
    yield (
        f"outcomes    a score is the probability of {settings.outcomes.positive!r}; it is judged "
        f"from {calibration.minimum:,} labels on, within {calibration.tolerance:g}"
    )
    yield from _joined(settings)
    sample = settings.coverage.calibrated_on
    on = f", as far as {sample:,} calibration scores promise" if sample else ""
    promised = as_set(settings.coverage.target)
    yield f"            sets and intervals hold {promised} of the labels{on}"
    if groups:
        yield (
            f"            groups of {groups} get {fairness.favourable!r} as "
            f"often as the rest, within {fairness.tolerance:g}; from {fairness.minimum:,} rows on"
        )
        if fairness.ratio is not None:
            good = fairness.favourable
            yield (
                f"            of a ratio of {fairness.ratio:g} and more, of how often {good!r} is "
                "said, of all and of those of whom it is true"
            )
        if fairness.strata:
            yield f"            compared within equal values of {', '.join(fairness.strata)}"
    if settings.slices.measures:
        measures = ", ".join(settings.slices.measures)
        yield (
            f"            slices are searched for that are worse by {measures}, beyond "
            f"{settings.slices.tolerance:g}; from {settings.slices.minimum:,} rows on"
        )


def _experiments(settings: Settings) -> Iterator[str]:
    if settings.experiments:
        from monitor.analysis.experiments.declared import STRETCHES  # it needs numpy
    for one in settings.experiments:
        arms = ", then ".join(
            ", ".join(f"{k} {v}" if k == "from" else f"{k} {as_set(v)}" for k, v in part.items())
            for part in (one.allocation if isinstance(one.allocation, list) else [one.allocation])
        )
        metrics = ", ".join(metric.name for metric in one.metrics)
        yield f"experiment  {one.name}: {one.dimension} {arms or 'any arm'} beside {one.control}"
        yield f"            by {metrics}; {one.minimum_effect:g} is the difference that matters"
        if one.paired in STRETCHES:
            yield f"            arms are compared {one.paired} by {one.paired}"
        elif one.paired:
            yield f"            every arm answers the same requests, those with one {one.paired}"
        if one.unit:
            what = "all that it does is counted once"
            if one.follow_up is not None:
                what = f"counts once, by its first {_seconds(one.follow_up)} s, when these are over"
            yield f"            each {one.unit} is in one arm, and {what}"
        if one.horizon is not None:
            yield (
                f"            an exchange counts {_seconds(one.horizon)} s after it ended, with "
                "what was said by then"
            )


def _archive(settings: Settings) -> Iterator[str]:
    given = settings.archive
    if not given.url:
        return
    kept = f"{given.keep:,} days" if given.keep else "for ever"
    signed = f"signed with {settings.audit.sign}" if settings.audit.sign else "unsigned"
    yield (
        f"archive     {shown(given.url)}: every {_seconds(given.every)} s or {given.rows:,} "
        f"records, kept {kept}, {signed}"
    )
    if given.follows:
        which = f"store {given.follows}"
        if given.follows == ANY:
            which = f"a store that archives nothing for {_seconds(2 * given.every)} s"
        yield f"            takes the place of {which}"
    if given.encrypt:
        clear = ", ".join(given.columns or ()) or "no column"
        yield f"            sealed to the key in {given.encrypt}; in clear beside that: {clear}"
    for one in settings.audit.anchors:
        where = one.file or shown(one.webhook or settings.otlp.endpoint)
        every = _seconds(settings.audit.every)
        yield f"            its checkpoints are kept at {where}, every {every} s"


def _alerts(settings: Settings) -> Iterator[str]:
    """How bad alerts are here, which rows come first, and how Prometheus and Grafana know it."""
    said = settings.alerts.severities
    for severity in ("critical", "warning", "info", "none"):
        if names := [name for name, one in said.items() if one == severity]:
            means = "told to nobody" if severity == "none" else severity
            yield f"alerts      {means}, whatever the rules say: {', '.join(names)}"
    rows = settings.dashboards.rows
    if rows:
        yield f"dashboards  first the rows {', '.join(rows)}"
    if said or rows:
        yield (
            "            `monitor files DIRECTORY --config FILE` writes rules and a dashboard that "
            "say so"
        )


def _notify(settings: Settings) -> Iterator[str]:
    from monitor.assembly.receivers import receivers_of

    for one in receivers_of(settings):
        given = one.given
        yield f"notify      {given.name}: {one.kind.name} at {one.place}, {_told_how(given)}"
        yield (
            f"            of {', '.join(given.severities)}; again every {_seconds(given.repeat)} s "
            "while it goes on"
        )
        if given.heartbeat is not None:
            yield f"            and every {_seconds(given.heartbeat)} s that the notifier works"


def _told_how(given: Receiver) -> str:
    return f"with the secret of {given.secret}" if given.secret else "unsigned"


def restriction(settings: Settings) -> str:
    """Return a sentence that says who may ask what of the admin port; empty on loopback without
    tokens, where whoever is on this machine may ask everything."""
    if not settings.access.tokens and is_loopback(address(settings.admin, "admin")[0]):
        return ""
    from monitor.api import access  # a start asks only this: it needs no more than it must

    if settings.access.tokens:
        count = len(access.read(Path(settings.access.tokens)))
        return (
            f"all but {', '.join(sorted(access.OPEN))} needs one of {count} tokens of "
            f"{settings.access.tokens}, read again when it changes"
        )
    return (
        f"admin {settings.admin} is open to others and access.tokens is not set: only "
        f"{', '.join(sorted(access.OPEN))} are served"
    )


def _joined(settings: Settings) -> Iterator[str]:
    """What feedback is joined to, and where predictions are."""
    from monitor.analysis.join import predictions, stubs
    from monitor.analysis.missing import least

    outcomes = settings.outcomes
    most = outcomes.records * (stubs.UNIT + stubs.OVERHEAD) >> 20
    yield (
        f"            the outcome of a record counts {_seconds(outcomes.wait)} s after it ended; "
        f"up to {outcomes.records:,} records wait (some {most:,} MB, and as much for an item of "
        "each), of more an even share"
    )
    if outcomes.overdue is not None:
        most = least(settings.calibration.minimum, settings.review.control or 1.0)
        yield (
            f"            who lacks labels for {_days(outcomes.overdue)} is told "
            f"(MonitorOutcomesMissing), once {most:,} records were due"
        )
    for line in predictions.words(outcomes.prediction, outcomes.score):
        yield f"            {line}"
    for name, path in outcomes.key.items():
        yield f"            feedback may name a record by {name}: {path}"


def _segment(source: DimensionSource) -> str:
    """Where a dimension's value comes from, what becomes of it, and an example of that."""
    from monitor import dimensions, json_paths
    from monitor.dimensions.transforms import bucketed

    if source.cross:
        return f"{' and '.join(source.cross)}, joined as {'|'.join(source.cross)}"
    said = []
    if source.origin:
        origin = next(one for one in dimensions.ORIGINS if one.name == source.origin)
        said.append(origin.words(getattr(source, source.origin)))
    if source.match:
        said.append(f"of it what {source.match} matches")
    if source.map:
        value, name = next(iter(source.map.items()))
        said.append(f"{value} is {name}" + (" and so on" if len(source.map) > 1 else ""))
    if source.buckets:
        edge = str(json_paths.text(source.buckets[0]))
        said.append(f"in buckets: {edge} is {bucketed(source.buckets)(edge)}")
    if source.default:
        said.append(f"else {source.default}")
    if source.hash:
        said.append("as a keyed pseudonym")
    if source.mine:
        said.append("else the stored prompt that the request names")
        said.append("else the template found in its texts, as t_3f2a90b1c4d7")
        said[0] = said[0].removeprefix("else ")
    return ", ".join(said)


def _edge_cases(settings: Settings) -> Iterator[str]:
    """Which are on, with what they mean and the keys of their thresholds, and which are not."""
    from monitor.assembly import build
    from monitor.edge_cases import EDGE_CASES

    found = build.edge_cases(settings)
    for one in found:
        yield f"edge case   {_rule(one)}"
    on = {one.name for one in found}
    for one in EDGE_CASES:
        if one.name not in on:
            is_off = settings.edge_cases.get(one.name, {}) is None
            yield f"            {one.name} is off" + ("" if is_off else f": it needs {one.needs}")


def _checks(settings: Settings) -> Iterator[str]:
    """Which are named, with what they mean and the keys of their thresholds."""
    from monitor.assembly import build

    for one in build.checks(settings):
        of = f" of {settings.checks_sample:.4g} of the exchanges" * (
            one.is_dear and settings.checks_sample < 1
        )
        yield f"check       {_rule(one)}{of and ';' + of}"


def _rule(one: EdgeCase | Check) -> str:
    given = msgspec.structs.asdict(one.thresholds)
    keys = ", ".join(f"{key} {_number(value)}" for key, value in given.items() if value != "")
    return f"{one.name}: {one.words(one.thresholds)}" + (f" ({keys})" * bool(keys))


def _number(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(told, value))}]"
    return f"{value:g}" if isinstance(value, float) else "null" if value is None else told(value)


def _review(settings: Settings) -> Iterator[str]:
    from monitor.assembly.reviewing import policy_of
    from monitor.review.sampling import power_of_two

    policy = policy_of(settings)
    if policy is None:
        return
    off = {name for name, given in settings.edge_cases.items() if given is None}
    edge_cases = sorted(set(policy.edge_cases) - off)
    asked = [
        (policy.control, "of all exchanges"),
        (policy.rate, f"of those with a confidence below {policy.low_confidence:g}"),
        (policy.rate, "of those of which an output check failed"),
        *((policy.rate, f"of the edge case {name}") for name in edge_cases),
        (policy.drifted, "of those in a segment that drifts"),
    ]
    for probability, which in asked:
        if probability:
            yield f"review      {_share(power_of_two(probability))} {which}"
    people, second = "one person", settings.review.second
    if settings.review.reviewers == 2 and second:
        people = "two people, and a third where they disagree"
        people += f" ({second:.3g} of all; the others by one)" if second < 1 else ""
    yield f"            each by {people}, who has it for {_seconds(settings.review.lease)} s"


def _share(probability: float) -> str:
    return "all" if probability == 1 else f"one in {round(1 / probability):,}"


def _costs(settings: Settings) -> Iterator[str]:
    from monitor.assembly import build
    from monitor.prices import bundled

    own = build.own_prices(settings)
    listed = f"the prices of {bundled.index().source}"
    if own is None:
        yield f"costs       by {listed}; what these do not list has no cost"
        return
    yield f"costs       by {settings.costs.file} ({len(own.models):,} models in {own.currency}),"
    yield f"            then by {listed}; what neither lists has no cost"


def _lineage(settings: Settings) -> Iterator[str]:
    from monitor.settings import digest

    yield (
        f"lineage     every record says config {digest.config(settings)}, policy "
        f"{digest.policy(settings)}, monitor {monitor.__version__}"
    )
    for fact, one in settings.lineage.items():
        listed = one.header if isinstance(one.header, str) else ", else ".join(one.header)
        where = f"the header {listed} of the answer, else of the request" if listed else ""
        yield f"            {fact}: {where or one.json or one.value}"


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
            f"            counts by segment have noise, told every {_seconds(noise.period)} s: "
            f"epsilon {noise.epsilon:g}, delta {noise.delta:g}"
        )


def _wire(settings: Settings) -> Iterator[str]:
    from monitor.assembly.upstream_connector import rewritten

    files = settings.tls
    secure = urlsplit(settings.upstream).scheme == "https"
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
