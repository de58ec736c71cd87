"""Settings ↔ what a checkpoint's counts mean, and what of them is kept when settings change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

import msgspec

from monitor.settings.schema import Settings
from monitor.settings.validation import RENAMED
from monitor.types import EDGE_CASE, WatchKey

FIELD = "settings"
"""Field of the checkpoint."""

WHOLLY = frozenset({
    "reference.learn", "reference.variant", "reference.hour_of_week", "drift.design_effect",
})  # fmt: skip
"""When one of these has changed everything begins anew."""

OUTCOMES = frozenset({"outcomes.prediction", "outcomes.score", "outcomes.positive"})
"""When one of these has changed, all that monitors of outcomes counted begins anew."""

_OF_ONE = ("calibration.bins", "coverage.target", "coverage.calibrated_on", "fairness.favourable",
           "fairness.tolerance", "fairness.ratio")  # fmt: skip
"""Those with which only the monitor of outcomes of that name begins anew."""

_EMBEDDINGS = ("input_embedding", "output_embedding")

_FEATURES = {
    "latency": ("duration", "time_to_first_token", "time_per_output_token"),
    "variety": ("input_variety", "output_variety"),
    "ngrams": ("input_ngrams", "output_ngrams"),
}
"""What is seen by the parts that `drift.features` can name."""


def of(settings: Settings) -> dict[str, str]:
    """A digest of each setting that changes what is counted, by its key."""
    reference, drift = settings.reference, settings.drift
    sources = {name: _source(settings, name) for name in settings.segments}
    versus = reference.versus
    values: dict[str, object] = {
        "reference.learn": None if reference.file else reference.learn,
        "reference.variant": versus and (versus, sources.get(versus[0])),
        "reference.hour_of_week": reference.hour_of_week,
        "windows.pane": settings.windows.pane,
        "drift.embed": drift.embed,
        **{f"drift.features.{name}": True for name in drift.features},
        **{f"segments.{name}": source for name, source in sources.items()},
        **{f"edge_cases.{name}": given for name, given in settings.edge_cases.items()},
        **{f"checks.{name}": given for name, given in settings.checks.items()},
        **{
            f"experiments.{one.name}": [
                msgspec.structs.replace(one, planned=1),  # of what was counted it changes nothing
                settings.outcomes.key.get(one.unit or one.paired),
                sources.get(one.unit or one.paired),
            ]
            for one in settings.experiments
        },
    }
    for key in (*OUTCOMES, *_OF_ONE):
        section, name = key.split(".")
        given = getattr(settings, section)
        if (said := getattr(given, name)) != getattr(type(given)(), name):
            values[key] = said
    if reference.versus or reference.hour_of_week:  # only then it is part of what is added up
        values["drift.design_effect"] = drift.design_effect
    return {
        key: sha256(msgspec.json.encode(value)).hexdigest()[:16] for key, value in values.items()
    }


def _source(settings: Settings, name: str) -> object:
    """Where a dimension's value comes from, a cross's from what it is crossed of."""
    source = settings.segments[name]
    return [settings.segments[one] for one in source.cross] if source.cross else source


def saved(now: Mapping[str, str]) -> dict[str, bytes]:
    """Return the field of the checkpoint that holds what the settings mean now."""
    return {FIELD: msgspec.json.encode(now)}


def read(state: Mapping[str, bytes]) -> dict[str, str] | None:
    """What the counts in a checkpoint mean; None where that is not known."""
    try:
        found = msgspec.json.decode(state.get(FIELD, b""), type=dict[str, str])
    except msgspec.DecodeError:
        return None
    return {RENAMED.get(key, key): digest for key, digest in found.items()}


def changed(before: Mapping[str, str] | None, now: Mapping[str, str]) -> str:
    """The keys that differ and what becomes of the counts, for a person; empty where none does.

    >>> changed({"windows.pane": "1", "segments.a": "2"}, {"windows.pane": "3", "segments.a": "2"})
    'windows.pane; everything goes on'
    >>> changed({"segments.a": "1"}, {"segments.a": "2"})
    'segments.a; what depends on them begins anew, everything else goes on'
    """
    keys = _differing(before, now)
    if not keys:
        return ""
    if not keys.isdisjoint(WHOLLY):
        what = "all references and windows begin anew"
    elif keys == {"windows.pane"}:
        what = "everything goes on"
    else:
        what = "what depends on them begins anew, everything else goes on"
    return f"{', '.join(sorted(keys))}; {what}"


def keeps(before: Mapping[str, str] | None, now: Mapping[str, str]) -> Callable[[WatchKey], bool]:
    """Whether what was counted of a feature in a segment still means the same."""
    keys = _differing(before, now)
    gone = {seen for name, all_ in _FEATURES.items() if f"drift.features.{name}" in keys
            for seen in all_}  # fmt: skip
    if "drift.embed" in keys:
        gone.update(_EMBEDDINGS)

    def kept(key: WatchKey) -> bool:
        feature, dimension, value = key
        if not keys.isdisjoint(WHOLLY):
            return False
        if dimension == EDGE_CASE and f"edge_cases.{value}" in keys:
            return False
        if feature.startswith("check.") and f"checks.{feature.split('.')[1]}" in keys:
            return False
        return feature not in gone and f"segments.{dimension}" not in keys

    return kept


def keeps_outcomes(
    before: Mapping[str, str] | None, now: Mapping[str, str]
) -> Callable[[WatchKey], bool]:
    """Whether what a monitor of outcomes counted in a segment still means the same; of a WatchKey
    the feature is its name, or what it watches; of experiments the value is the experiment's name.
    """
    keys = _differing(before, now)
    kept = keeps(before, now)
    gone = {key.partition(".")[0] for key in keys.intersection(_OF_ONE)}

    def still(key: WatchKey) -> bool:
        if key[0] == "experiments" and f"experiments.{key[2]}" in keys:
            return False
        return keys.isdisjoint(OUTCOMES) and key[0] not in gone and kept(key)

    return still


def _differing(before: Mapping[str, str] | None, now: Mapping[str, str]) -> set[str]:
    if before is None:
        return set()
    keys = {key for key in {*before, *now} if before.get(key) != now.get(key)}
    # Of an experiment that is new nothing was counted, and what was of one that is gone, is gone.
    return {
        one for one in keys if not one.startswith("experiments.") or (one in before and one in now)
    }
