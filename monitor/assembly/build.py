"""Settings → the parts that they describe, and a check of them before anything starts."""

from __future__ import annotations

import dataclasses
import difflib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

import monitor
from monitor import logs
from monitor.assembly import modules
from monitor.errors import ConfigError
from monitor.extras import advice, is_there
from monitor.settings.schema import Settings
from monitor.turns import worked
from monitor.types import REPLAY, REPLAY_HEADER

if TYPE_CHECKING:
    from monitor.analysis.join.predictions import PredictionReader
    from monitor.interfaces import Check, Dimension, EdgeCase, Reader
    from monitor.prices.own import Own
    from monitor.prices.pricing import Pricing
    from monitor.privacy.kept import Kept
    from monitor.privacy.patterns import Scanner
    from monitor.privacy.policies import Policy
    from monitor.privacy.pseudonyms import Keyring
    from monitor.privacy.records import Privacy
    from monitor.privacy.scrub import Seal
    from monitor.recorder.lineage import Lineage
    from monitor.recorder.noisy_counts import NoisyCounts
    from monitor.templates.miner import Miner
    from monitor.view import Usual

Rule = TypeVar("Rule", "EdgeCase", "Check")

HASHED = "SEGMENT"
"""The entity of the pseudonyms of dimensions with `hash`."""


SCANNER = "scanner.compiled"
"""The file in which what recognizers look for is kept, compiled: beside our code, or in the data
directory."""


def privacy(
    settings: Settings,
    keyring: Keyring,
    *,
    keeps_scanner: bool = False,
    compiled: Scanner | None = None,
) -> Privacy:
    """Return the configured privacy step; raises ConfigError that names the wrong key.

    With `keeps_scanner` the data directory spares the next process the time to compile it; a
    `compiled` one, of the same settings and for the same thread, is taken as it is.
    """
    # Imported here, because the supervisor only checks.
    from monitor.privacy.cache import Cache
    from monitor.privacy.records import Privacy

    section = settings.privacy
    check(settings)
    return Privacy(
        scanner=compiled or scanner(settings, _kept(settings, keyring) if keeps_scanner else None),
        keyring=keyring,
        clock=worked,  # whoever waits for a core has not worked
        tenant=section.tenant,
        policy=policy(settings),
        seal=_seal(settings),
        cache=Cache(os.urandom(32)),
        keeps_texts=not section.ner.model or section.ner.on_failure == "keep",
    )


def policy(settings: Settings) -> Policy | None:
    """Return what the operator says about fields; a hashed dimension is a pseudonym, unless a rule
    names it. Raises ConfigError naming the path that is wrong."""
    from monitor.privacy.policies import Policy, steps

    paths = settings.privacy.paths
    named = {tuple(steps(path)): path for path in paths}
    hashed = {}
    for name, one in settings.segments.items():
        path = named.get(("segments", name))
        if path is not None and one.cross:
            raise ConfigError(
                f"privacy.paths: {path}: is crossed from {' and '.join(one.cross)}; give the rule "
                "to these"
            )
        if path is None and one.hash:
            hashed[f"segments.{name}"] = f"token({HASHED})"
    return Policy({**hashed, **paths}) if hashed or paths else None


def dimensions(settings: Settings) -> tuple[list[Dimension], dict[str, list[str]]]:
    """Return the dimensions, and those crossed from others; raises ConfigError naming the key."""
    from monitor.dimensions import dimension

    found = [
        dimension(
            name, one.origin, getattr(one, one.origin), match=one.match, names=one.map,
            default=one.default, buckets=one.buckets,
        )
        for name, one in settings.segments.items() if one.origin and not one.cross
    ]  # fmt: skip
    return found, {name: one.cross for name, one in settings.segments.items() if one.cross}


def business(settings: Settings) -> dict[str, Reader]:
    """Return what reads the application's own names of an exchange; raises ConfigError naming the
    key."""
    if not settings.outcomes.key:
        return {}
    from monitor.dimensions import json_path

    found = {}
    for name, path in settings.outcomes.key.items():
        try:
            found[name] = json_path.reader(path)
        except ValueError as error:
            raise ConfigError(f"outcomes.key.{name}: {error}") from None
    return found


def lineage(settings: Settings) -> Lineage:
    """Return what knows the facts of what served an exchange."""
    from monitor.dimensions import json_path
    from monitor.recorder.lineage import Lineage
    from monitor.settings import digest

    facts = settings.lineage.items()
    names = {
        fact: [one.header] if isinstance(one.header, str) else one.header
        for fact, one in facts if one.header
    }  # fmt: skip
    return Lineage(
        constant={
            **{fact: one.value for fact, one in facts if one.value},
            "config": digest.config(settings),
            "policy": digest.policy(settings),
            "monitor": monitor.__version__,
        },
        headers={
            **{fact: [name.lower() for name in each] for fact, each in names.items()},
            REPLAY: [REPLAY_HEADER],
        },
        paths={fact: json_path.reader(one.json) for fact, one in facts if one.json},
    )


def prediction_reader(settings: Settings) -> PredictionReader:
    """Return what reads predictions and scores; raises ConfigError naming the key."""
    from monitor.analysis.classes import spelt
    from monitor.analysis.join.predictions import PredictionReader

    outcomes = settings.outcomes
    for key in ("prediction", "score"):
        try:
            PredictionReader(**{key: getattr(outcomes, key)})
        except ValueError as error:
            raise ConfigError(f"outcomes.{key}: {error}") from None
    return PredictionReader(outcomes.prediction, outcomes.score, spelt(outcomes.positive))


def edge_cases(settings: Settings) -> list[EdgeCase]:
    """Return the edge cases that are on, with their thresholds; raises ConfigError naming the key.

    One that needs a setting which is not made is left out.
    """
    from monitor.edge_cases import EDGE_CASES

    given = settings.edge_cases
    found = [
        _with_thresholds(one, given.get(one.name) or {}, f"edge_cases.{one.name}")
        for one in EDGE_CASES
        if given.get(one.name, {}) is not None
    ]
    found += _own("edge_cases", given, EDGE_CASES)
    has = {"reference.file": settings.reference.file}
    return [one for one in found if not one.needs or has.get(one.needs)]


def checks(settings: Settings) -> list[Check]:
    """Return the checks that are named, with their thresholds; raises ConfigError naming the
    key."""
    given = settings.checks
    if not given:
        return []
    from monitor.checks import CHECKS

    found = [
        _with_thresholds(one, said, f"checks.{one.name}")
        for one in CHECKS
        if (said := given.get(one.name)) is not None
    ]
    found += _own("checks", given, CHECKS)
    for one in found:
        try:
            wrong = one.complaint(one.thresholds)
        except Exception as error:  # noqa: BLE001  whatever somebody's own check raises
            raise ConfigError(
                f"checks.{one.name}: its complaint raises {logs.place(error)}"
            ) from None
        if wrong:
            raise ConfigError(f"checks.{one.name}.{wrong}")
    return found


def _own(
    section: str, given: Mapping[str, Mapping[str, Any] | None], built_in: Sequence[Rule]
) -> list[Rule]:
    """Return somebody's own rules of a section, under the names that they have in it."""
    kind, known = type(built_in[0]), [one.name for one in built_in]
    return [
        _own_rule(section, name, said, kind, known)
        for name, said in given.items()
        if name not in known
    ]


def _own_rule(
    section: str, name: str, said: Mapping[str, Any] | None, kind: type[Rule], known: list[str]
) -> Rule:
    from monitor.settings import validation
    from monitor.types import ABSENT, WHOLE

    key = f"{section}.{name[:60] if name.isidentifier() else validation.told(name)}"
    what = section[:-1].replace("_", " ")
    module = (said or {}).get("module")
    if module is None:
        near = validation.did_you_mean(name, known)
        raise ConfigError(
            f"{key}: there is no such {what}{near}"
            + ("" if near else f"; there are {', '.join(known)}, and your own with a `module`")
        )
    if not name.isidentifier() or name in (ABSENT, WHOLE.value, "other", "unknown"):
        article = "an" if what[0] == "e" else "a"
        raise ConfigError(
            f"{key}: the name of {article} {what} is a word other than none and unknown"
        )
    one = modules.part(f"{key}.module", module, kind)
    given = {each: value for each, value in (said or {}).items() if each != "module"}
    return _with_thresholds(dataclasses.replace(one, name=name), given, f"{section}.{name}")


def _with_thresholds(one: Rule, given: Mapping[str, Any], where: str) -> Rule:
    from monitor.settings import validation

    struct = type(one.thresholds)
    for key in given:
        if key not in struct.__struct_fields__:
            near = validation.did_you_mean(key, struct.__struct_fields__)
            shown = key if key.isidentifier() else validation.told(key)
            raise ConfigError(f"{where}.{shown[:60]}: unknown key{near}")
    said = {**msgspec.structs.asdict(one.thresholds), **given}
    if wrong := validation.complaint(said, struct):
        raise ConfigError(f"{where}.{wrong}")
    return dataclasses.replace(one, thresholds=msgspec.convert(said, struct))


def usual(settings: Settings, rules: list[EdgeCase]) -> Mapping[str, Usual]:
    """Return what is usual in columns, by `reference.file`, where an edge case asks for it.

    A sidecar may have the settings and not the file, which the analyzer reads: it does without.
    """
    from monitor.recorder.usual import usual

    file = settings.reference.file
    names = [one.name for one in rules if one.needs == "reference.file"]
    if not (names and file):
        return {}
    try:
        return usual(Path(file).read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        reason = (getattr(error, "strerror", None) or "it is not a reference profile").lower()
        logs.warning(
            f"reference.file: {file} cannot be read: {reason}; without it {' and '.join(names)} "
            "are not looked for"
        )
        return {}


def miner(settings: Settings) -> Miner | None:
    """Return what finds prompt templates, None where no dimension is mined."""
    if not settings.mined:
        return None
    from monitor.templates.miner import Miner

    return Miner(settings.privacy.min_group)


def pricing(settings: Settings) -> Pricing:
    """Return what prices exchanges; raises ConfigError that names the file, the key and what is
    wrong."""
    from monitor.prices.pricing import Pricing

    return Pricing(settings.upstream, own_prices(settings))


def own_prices(settings: Settings) -> Own | None:
    """Return what `costs.file` says, None without one; raises as `pricing`."""
    if not settings.costs.file:
        return None
    from monitor.prices.own import Own, complaint
    from monitor.settings import strict_yaml, validation

    where = f"costs.file: {settings.costs.file}"
    try:
        text = Path(settings.costs.file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "") if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"{where} cannot be read: {reason.lower()}") from None
    tree = strict_yaml.load(text, where)
    tree = {} if tree is None else tree
    if wrong := validation.complaint(tree, Own):
        raise ConfigError(f"{where}: {wrong}")
    own = msgspec.convert(tree, Own)
    if wrong := complaint(own):
        raise ConfigError(f"{where}: {wrong}")
    return own


def scanner(settings: Settings, kept: Kept | None = None) -> Scanner:
    """Return a scanner of the configured recognizers, compiled before if it is `kept`. What is
    looked for by default is kept beside our code, too."""
    from monitor.privacy.kept import beside_code
    from monitor.privacy.patterns import Scanner
    from monitor.recognizers import select

    section = settings.privacy
    without, also = frozenset(section.without), frozenset(section.also)
    places = [] if without or also else [beside_code(SCANNER)]
    places += [] if kept is None else [kept]
    return Scanner(select(without=without, also=also, region=section.region), kept=places)


def _kept(settings: Settings, keyring: Keyring) -> Kept:
    from monitor.privacy.kept import Kept
    from monitor.privacy.pseudonyms import derive

    secret = derive(keyring.current.root, "monitor-scanner-v1")
    return Kept(Path(settings.data) / SCANNER, secret)


def check(settings: Settings) -> None:
    """Raise ConfigError that names a wrong key of `privacy`; makes and reads no secret key."""
    from monitor.recognizers import RECOGNIZERS, REGIONS

    section = settings.privacy
    known = sorted({each.entity for each in RECOGNIZERS})
    for key, entities in (("without", section.without), ("with", section.also)):
        for entity in entities:
            if entity not in known:
                near = difflib.get_close_matches(entity.upper(), known, 1, cutoff=0.5)
                raise ConfigError(
                    f"privacy.{key}: {entity!r} is not an entity; "
                    + (f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}")
                )
    if section.region not in REGIONS:
        near = difflib.get_close_matches(section.region.upper(), REGIONS, 1)
        raise ConfigError(
            f"privacy.region: {section.region!r} is not one of {', '.join(sorted(REGIONS))}"
            + (f"; did you mean {near[0]}?" if near else "")
        )
    policy(settings)
    _seal(settings)
    module, colon, _ = section.ner.model.partition(":")
    if section.ner.model and not is_there(module if colon else "spacy"):
        what = f"privacy.ner.model: {section.ner.model!r}"
        raise ConfigError(f"{what}: {module} is not there" if colon else advice("ner", what))
    if section.differential.epsilon is not None and not is_there("opendp"):
        raise ConfigError(advice("dp", "privacy.differential.epsilon"))


def noisy_counts(settings: Settings) -> NoisyCounts | None:
    """Return counts by segment that get noise before they are exported, or None."""
    section = settings.privacy.differential
    if section.epsilon is None:
        return None
    from monitor.recorder.noisy_counts import NoisyCounts

    return NoisyCounts(
        list(settings.segments),
        epsilon=section.epsilon,
        delta=section.delta,
        period=section.period,
        draw=_noise(),
        began=time.monotonic(),
    )


def _noise() -> Callable[[float], int]:
    """Return OpenDP's discrete Laplace: exact arithmetic and cryptographic randomness."""
    from opendp.domains import atom_domain
    from opendp.measurements import make_laplace
    from opendp.metrics import absolute_distance
    from opendp.mod import enable_features

    enable_features("contrib")
    made: dict[float, Callable[[int], int]] = {}

    def draw(scale: float) -> int:
        if scale not in made:
            made[scale] = make_laplace(atom_domain(T="i64"), absolute_distance(T="i64"), scale)
        return int(made[scale](0))

    return draw


def _seal(settings: Settings) -> Seal | None:
    if settings.privacy.seal_to is None:
        return None
    from monitor.privacy.sealing import sealer

    return sealer(Path(settings.privacy.seal_to))
