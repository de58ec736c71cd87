"""Settings → what the analysis is made of: how it judges, what it looks at, what is usual."""

from __future__ import annotations

from pathlib import Path

from monitor.analysis.drift import embed
from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.profiles import Profile, load_profile
from monitor.analysis.guard import guarded
from monitor.analysis.monitors import shares
from monitor.assembly import modules
from monitor.distances import LIVE, psi
from monitor.errors import ConfigError
from monitor.features import FEATURES, MORE
from monitor.interfaces import Feature
from monitor.settings.schema import Settings
from monitor.settings.validation import did_you_mean
from monitor.types import Segment


def rules_of(settings: Settings, *, outcomes: bool = False) -> Rules:
    """How counts are judged, by the settings; with less of the error budget beside `outcomes`."""
    return Rules(
        psi.MEASURE,
        LIVE,
        pane=settings.windows.pane,
        lateness=settings.windows.lateness,
        samples=settings.windows.samples,
        tolerance=settings.drift.tolerance,
        alpha=shares(settings.drift.alpha, outcomes=outcomes)[0],
        patience=settings.drift.patience,
        watches=settings.drift.watches,
        renew=settings.reference.renew,
        design_effect=settings.drift.design_effect,
    )


def versus_of(settings: Settings) -> Segment | None:
    """The segment that the others of its dimension are compared with; raises ConfigError where
    there is no such dimension."""
    named = settings.reference.versus
    if named is None:
        return None
    if named[0] not in settings.segments:
        raise ConfigError(
            f"reference.variant: {named[0]!r} is not one of segments "
            f"({', '.join(settings.segments) or 'there are none'})"
        )
    return Segment(*named)


def features_of(settings: Settings) -> tuple[Feature, ...]:
    """What is looked at; raises ConfigError naming a feature or model that is not there."""
    known = {feature.name: feature for feature in MORE}
    added = []
    for name in settings.drift.features:
        feature: object = known.get(name)
        if is_own := ":" in name:
            feature = modules.named("drift.features", name)
        if not isinstance(feature, Feature):
            raise ConfigError(
                f"drift.features: {name!r} is not one of {', '.join(known)}, nor the name of a "
                f"Feature as in package.module:NAME{did_you_mean(name, known)}"
            )
        added.append(guarded(name, feature) if is_own else feature)
    if settings.drift.embed:
        added.append(guarded("drift.embed", embed.feature(embed.load(settings.drift.embed))))
    return (*FEATURES, *added)


def read_profile(file: str | None) -> Profile | None:
    """The profile in `file`; raises ConfigError or SourceError naming it."""
    if file is None:
        return None
    try:
        document = Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(f"reference.file: {file} cannot be read: {error.strerror}") from None
    return load_profile(document, file)
