"""Presets and circumstances: a layer below a user's own keys, with a reason for each of its own."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import monitor
from dashboards.build import BOARDS
from monitor import protocols
from monitor.assembly import build, check, experiments
from monitor.assembly import reviewing as reviewer
from monitor.commands import init_files
from monitor.errors import ConfigError
from monitor.settings import layers, load, strict_yaml, validation
from monitor.settings.alerts import BoardRow
from monitor.settings.circumstances import Circumstances
from monitor.settings.layers import MODIFIERS, PRESETS
from monitor.settings.schema import LineageSource, Settings

PRESET_NAMES = layers.presets()
ANSWERS = Circumstances.__struct_fields__
LAYERS = [*((PRESETS, name) for name in PRESET_NAMES), *((MODIFIERS, name) for name in ANSWERS)]
ROOT = Path(__file__).parents[2]


CLAIMS: dict[str, Callable[[Settings], bool]] = {
    "for a week in the stream": lambda found: found.stream.max_age == 604800,
    "as long as the stream has room": lambda found: found.stream.max_age == 0,
    "fewer than 20 exchanges": lambda found: found.privacy.min_group == 20,
    "1 of 256 exchanges at random, unless `high_consequence`": lambda found: (
        found.review.control == (1 / 16 if found.circumstances.high_consequence else 1 / 256)
    ),
    "At least 1 of 16": lambda found: found.review.control >= 1 / 16,
    "half of these by two": lambda found: (found.review.reviewers, found.review.second) == (2, 0.5),
    "1 false alarm in 100": lambda found: found.drift.alpha == 0.01,
    "do not come for 30 days": lambda found: found.outcomes.overdue == 2592000,
    "look at a quarter of the exchanges, unless": lambda found: (
        found.checks_sample == (1 if found.circumstances.high_consequence else 0.25)
    ),
    "learned again every week": lambda found: found.reference.renew == 604800,
    "learned once": lambda found: found.reference.renew is None,
    "at most": lambda _: False,  # an archive may keep more
    "first one on": lambda found: found.privacy.min_group == 1,
    "Fewer": lambda _: False,  # a domain may have asked for as few
    "usual size": lambda _: False,  # another answer may change it
}
"""What sentences about answers claim, and where that is so."""


def test_every_claim_that_can_be_so_is_made() -> None:
    """No sentence has got other words since."""
    said = " ".join(init_files.consequence(one, yes) for one in ANSWERS for yes in (True, False))
    assert sum(words in said for words in CLAIMS) == 11


def loaded(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> Settings:
    file = tmp_path / "monitor.yaml"
    file.write_text(text, encoding="utf-8")
    return load.load(str(file), environment or {})


def settings_of(tree: dict[str, Any]) -> Settings:
    return msgspec.convert(layers.under(tree), Settings)


def test_there_are_presets_and_a_modifier_for_each_answer() -> None:
    """A file more is a preset more; a question without a file would change nothing."""
    assert {"ecommerce", "finance", "healthcare", "legal", "science", "support"} <= {*PRESET_NAMES}
    found = {path.stem for path in (layers.HERE / MODIFIERS).glob("*.yaml")}
    assert found == set(ANSWERS)


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_every_preset_works_under_all_32_answers(name: str) -> None:
    """All keys are known, nothing contradicts anything, and no answer undoes what it is for."""
    for said in itertools.product((False, True), repeat=len(ANSWERS)):
        answers: dict[str, Any] = dict(zip(ANSWERS, said, strict=True))
        answers["latency_budget"] = 0.2 if answers["latency_budget"] else None
        tree = {"preset": name, "circumstances": answers}
        assert validation.complaint(layers.under(tree), Settings) is None
        found = settings_of(tree)
        assert found.preset == name
        build.edge_cases(found)
        build.checks(found)
        build.dimensions(found)
        build.policy(found)
        experiments.experiments_of(found)
        assert reviewer.policy_of(found)
        if answers["high_consequence"]:
            assert found.review.control >= 1 / 16
            assert (found.review.reviewers, found.review.second) == (2, 0.5)
            assert found.drift.alpha == 0.01
            assert found.outcomes.overdue == 2592000
        elif answers["cost_tight"]:
            assert found.review.control == 1 / 256
        if answers["latency_budget"]:
            assert found.objectives.latency.seconds == 0.2
            slow = [one for one in found.experiments[0].metrics if one.name == "slow"]
            assert [one.latency_above for one in slow] == [0.2]
        assert (found.privacy.min_group == 20) is answers["data_sensitive"]
        assert set(found.slices.measures) >= set(settings_of({"preset": name}).slices.measures)
        assert (found.reference.renew is not None) is answers["knowledge_changes"]
        for one, answer in answers.items():
            sentence = init_files.consequence(one, answer)
            for words, holds in CLAIMS.items():
                assert words not in sentence or holds(found), (words, answers)


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_a_preset_passes_what_run_begins_with(name: str, tmp_path: Path) -> None:
    """With an upstream and nothing else, by way of a file."""
    text = f"preset: {name}\nupstream: http://127.0.0.1:9\ndata: {tmp_path}\n"
    found = loaded(tmp_path, text + "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\n")
    check.verify(found, proxy=True, analyzer=True)
    assert {"population", "template", "variant"} <= found.segments.keys()


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_answers_never_turn_against_what_they_are_for(name: str) -> None:
    """A tight budget lets nobody read more, high stakes let nobody read less."""
    usual = settings_of({"preset": name}).review
    tight = settings_of({"preset": name, "circumstances": {"cost_tight": True}}).review
    high = settings_of({"preset": name, "circumstances": {"high_consequence": True}}).review
    for one in ("control", "rate", "reviewers", "low_confidence"):
        assert getattr(high, one) >= getattr(usual, one)
    assert usual.reviewers == 1 or high.second >= usual.second
    assert tight.control <= usual.control
    assert tight.rate <= usual.rate


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_a_preset_has_the_same_rules_for_questions_answers_and_queries(name: str) -> None:
    """What is a pseudonym where it is asked is one where it is echoed, in any spelling."""
    paths = settings_of({"preset": name}).privacy.paths
    sides: dict[str, dict[str, str]] = {}
    for path, rule in paths.items():
        side, spelt, key = path.partition("~")
        assert spelt
        sides.setdefault(side, {})[key] = rule
    assert list(sides) == ["inputs.**.", "outputs.**.", "request.query."]
    assert sides["inputs.**."] == sides["outputs.**."] == sides["request.query."]


@pytest.mark.parametrize(("folder", "name"), LAYERS)
def test_every_choice_has_a_reason_beside_it(folder: str, name: str) -> None:
    """The choices are all that the file sets, and a reason is a sentence, not a word."""
    one = layers.layer(folder, name)
    assert [choice.steps for choice in one.choices if len(choice.reason) < 5] == []
    for choice in one.choices:
        assert layers._at(one.tree, choice.steps) == choice.value
    laid = {choice.steps[0] for choice in one.choices}
    assert laid == set(one.tree)


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_what_a_preset_tells_people_is_there(name: str) -> None:
    """Protocols and labels; all else that it has sets something."""
    about = layers.layer(PRESETS, name).about
    assert about.keys() == {"title", "protocols", "labels"}
    assert set(about["protocols"]) <= {one.name for one in protocols.PROTOCOLS}
    assert about["labels"]
    assert about["title"]


def test_the_rows_that_may_come_first_are_those_of_the_dashboards() -> None:
    """Each of them, and each preset names some."""
    assert set(get_args(BoardRow)) == {row.title for board in BOARDS for row in board.rows}
    for name in PRESET_NAMES:
        tree = layers.layer(PRESETS, name).tree
        assert len(tree["dashboards"]["rows"]) > 3
        assert tree["alerts"]["severities"]


def test_a_user_says_how_bad_an_alert_is_before_the_preset_does() -> None:
    """One by one; null leaves it to the rules."""
    own = {"alerts": {"severities": {"MonitorDrift": None, "MonitorCostSurge": "none"}}}
    found = load.checked({"preset": "healthcare", **own}).alerts.severities
    assert found == {"MonitorOutcomeAlarm": "critical", "MonitorCostSurge": "none"}


def test_nothing_in_the_code_knows_a_domain() -> None:
    """A preset is a file: no code asks for one by its name. Scenarios of the demo are files too."""
    quoted = re.compile(rf"""["'](?:{"|".join(PRESET_NAMES)})["']""")
    texts = {
        str(path): path.read_text(encoding="utf-8")
        for path in Path(monitor.__file__).parent.rglob("*.py")
        if not {"demo", "words"} & set(path.parts)
    }
    found = [
        (path, node.value)
        for path, text in texts.items()
        if quoted.search(text)  # parsing all of them takes seconds
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and node.value in PRESET_NAMES
    ]
    assert found == []


def test_a_users_key_goes_before_answers_and_these_before_the_preset(tmp_path: Path) -> None:
    """Key by key, and wherever it is said."""
    text = "preset: healthcare\ncircumstances: {cost_tight: true}\n"
    found = loaded(tmp_path, text + "review: {control: 0.5}\n")
    assert (found.review.control, found.review.rate) == (0.5, 1 / 64)
    assert found.calibration.tolerance == 0.03
    found = loaded(tmp_path, text, {"MONITOR_REVIEW_RATE": "1", "MONITOR_PRESET": "legal"})
    assert (found.review.control, found.review.rate) == (1 / 256, 1)
    assert "clause" in found.segments


def test_a_segment_is_added_changed_and_taken_away(tmp_path: Path) -> None:
    """As any entry of a mapping; what is not named stays."""
    found = loaded(
        tmp_path,
        "preset: healthcare\n"
        "segments: {age: {json: request.age}, site: {json: request.site, header: null}, "
        "variant: {match: '(.)'}, population: null}\n",
    ).segments
    assert list(found) == ["age", "site", "variant", "template"]
    assert (found["site"].json, found["site"].header) == ("request.site", "")
    assert (found["variant"].header, found["variant"].match) == ("x-variant", "(.)")


def test_another_source_takes_the_place_of_the_presets(tmp_path: Path) -> None:
    """Of keys of which there is one only, the user's is the one; what else is said there stays."""
    found = loaded(
        tmp_path,
        "preset: support\ncircumstances: {latency_budget: 2}\n"
        "segments: {population: {json: request.plan}, template: {query: t}, corner: {path: '(.)'}}\n"
        "lineage: {model_version: {value: v3}}\n"
        "experiments: [{name: variant, metrics: [{name: slow, event: waited}, {name: reopened, "
        "outcome: client_error}, {name: satisfied, of: score}]}]\n",
    )
    assert found.segments["population"].origins == ["json"]
    assert (found.segments["template"].origins, found.segments["template"].mine) == (
        ["query"],
        True,
    )
    assert found.segments["corner"].origins == ["path"]
    assert found.lineage["model_version"] == LineageSource(value="v3")
    named = {one.name: one for one in experiments.experiments_of(found)[0].metrics}
    assert [named[one].source for one in ("slow", "reopened", "satisfied")] == [
        "event", "outcome", "score",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tree", "complaint", "message"),
    [
        (
            {"segments": {"product": None}},
            "fairness.strata[0]: 'product' is none",
            "fairness.strata[0]: 'product' is none; that is by `preset: finance`: set "
            "fairness.strata yourself or to null",
        ),
        (
            {"experiments": [{"name": "variant", "metrics": [{"name": "mine"}, {"name": "slow"}]}]},
            "experiments[0].metrics[4].margin: is wrong",
            "experiments[0].metrics[0].margin: is wrong",
        ),
        (
            {"experiments": [{"name": "mine"}]},
            "experiments[0].metrics[1].margin: is wrong",
            "experiments[variant].metrics[minutes].margin: is wrong; that is by `preset: "
            "finance`: set experiments[variant] yourself",
        ),
        ({}, "access.tokens: cannot be read", "access.tokens: cannot be read"),
        ({}, "no key at all", "no key at all"),
    ],
)
def test_a_complaint_is_told_in_the_users_own_words(
    tree: dict[str, Any], complaint: str, message: str
) -> None:
    """With the places of their own lists, and whose it is that they did not write."""
    assert layers.in_own_words(complaint, {"preset": "finance", **tree}) == message
    assert layers.in_own_words(complaint, tree) == complaint


def test_a_check_and_an_edge_case_are_switched_off(tmp_path: Path) -> None:
    """By null; other thresholds stay as the preset has them."""
    found = loaded(
        tmp_path,
        "preset: healthcare\nchecks: {quote: null, unsupported_number: {share: 0.5}}\n"
        "edge_cases: {low_confidence: null}\n",
    )
    names = {one.name: one for one in build.checks(found)}
    assert "quote" not in names
    assert msgspec.structs.asdict(names["unsupported_number"].thresholds) == {
        "count": 1, "share": 0.5, "context": 400,
    }  # fmt: skip
    assert "low_confidence" not in {one.name for one in build.edge_cases(found)}


def test_experiments_and_their_metrics_are_laid_over_by_name(tmp_path: Path) -> None:
    """Another control needs one key; allocations and lists without names are one value."""
    found = loaded(
        tmp_path,
        "preset: ecommerce\nslices: {measures: [cost]}\n"
        "experiments:\n  - name: variant\n    control: a\n    allocation: {a: 0.9, b: 0.1}\n"
        "    metrics: [{name: slow, margin: 0.02}, {name: mine, event: wish}]\n"
        "  - {name: more, dimension: template, control: x, metrics: [{name: m, event: e}]}\n",
    )
    first, clicks, more = found.experiments
    assert (first.control, first.allocation, first.unit) == ("a", {"a": 0.9, "b": 0.1}, "user")
    named = {one.name: one for one in first.metrics}
    assert list(named) == ["conversion", "revenue", "returned", "slow", "errors", "mine"]
    assert (named["slow"].latency_above, named["slow"].margin) == ("p95", 0.02)
    assert (clicks.name, more.name) == ("clicks", "more")
    assert found.slices.measures == ["cost"]
    assert loaded(tmp_path, "preset: ecommerce\nexperiments: []\n").experiments == []


def test_null_is_a_value_where_it_may_stand(tmp_path: Path) -> None:
    """A reference that is renewed by an answer is not renewed after all."""
    text = "preset: legal\ncircumstances: {knowledge_changes: true}\n"
    assert loaded(tmp_path, text).reference.renew == 604800
    assert loaded(tmp_path, text + "reference: {renew: null}\n").reference.renew is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("preset: medicine", "preset: 'medicine' is not one of ecommerce, finance, healthcare"),
        ("preset: health-care", "; did you mean healthcare?"),
        ("preset: ../presets/legal", "is not one of"),
        ("preset: 5", "preset: 5 is not a text"),
        ("preset: [a]", "preset: a list is not a text"),
        ("circumstances: {cost_tight: true}", "circumstances: change what a preset says, and"),
        ("preset: legal\ncircumstances: {cost_tight: 3}", "circumstances.cost_tight: 3 is not"),
        ("preset: legal\ncircumstances: {latency_budget: 0}", "circumstances.latency_budget: 0"),
        ("preset: legal\ncircumstances: {cost: true}", "circumstances.cost: unknown key; did you"),
        ("preset: legal\nreview: {contrl: 1}", "review.contrl: unknown key; did you mean"),
        ("preset: legal\nreview: 5", "review: 5 is not a mapping"),
        ("preset: legal\nexperiments: [5]", "experiments[0]: 5 is not a mapping"),
        (
            "preset: legal\nexperiments: [{name: a, dimension: b}]",
            "experiments[0]: its keys `control` and `metrics` are missing",
        ),
        (
            "preset: support\nsegments: {template: null}",
            "segments.corner.cross: 'template' is none of the dimensions (population, variant); "
            "that is by `preset: support`: set segments.corner yourself or to null",
        ),
        (
            "preset: legal\nsegments: {site: {header: x-a, json: request.a}}",
            "segments.site: has header and json",
        ),
        ("preset: legal\nreview: {rate: 2}", "review.rate: 2 is not a number from 0 to 1"),
        ("preset: legal\nsegments: {site: null}", "segments.site: nothing is not a mapping"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_key(
    text: str, message: str, tmp_path: Path
) -> None:
    """As without a preset."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_origin_of_each_key_is_known() -> None:
    """Which layers spoke of it, what holds now, and what held before the user spoke."""
    tree = {
        "preset": "healthcare",
        "circumstances": {"cost_tight": True},
        "segments": {"site": None},
        "calibration": {"tolerance": 0.1},
    }
    found = {one.path: one for one in layers.origins(tree)}
    assert found["review.control"].layers == ("healthcare", "cost_tight")
    assert (found["review.control"].value, found["review.control"].before) == (1 / 256, None)
    assert (found["calibration.tolerance"].value, found["calibration.tolerance"].before) == (
        0.1, 0.03,
    )  # fmt: skip
    assert (found["segments.site"].value, found["segments.site"].before) == (
        None, {"header": "x-site"},
    )  # fmt: skip
    assert found["experiments.variant.metrics.cost"].layers == ("cost_tight",)
    assert list(layers.origins({})) == []


def test_a_preset_changes_no_digest_but_by_what_it_sets(tmp_path: Path) -> None:
    """Who writes the same keys out has the same configuration."""
    from monitor.settings import digest

    found = loaded(tmp_path, "preset: legal\n")
    written = msgspec.structs.replace(found, preset="")
    assert digest.config(found) == digest.config(written) != digest.config(Settings())


TREES = st.recursive(
    st.none() | st.integers(0, 3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from("abc"), TREES), st.dictionaries(st.sampled_from("abc"), TREES)
)
def test_what_the_upper_tree_says_holds(lower: dict[str, Any], upper: dict[str, Any]) -> None:
    """Nothing laid over anything adds nothing; of two names of a list each is there once."""
    assert layers.over(lower, {}, dict[str, dict[str, Any]]) == lower
    found = layers.over(lower, upper, dict[str, Any])
    assert {key: found[key] for key in upper} == upper
    assert found.keys() == lower.keys() | upper.keys()


def test_a_layer_is_the_yaml_that_it_looks_like() -> None:
    """What is read of it is what any reader of YAML would read, but for what is about it."""
    for folder, name in LAYERS:
        path = layers.HERE / folder / f"{name}.yaml"
        tree = strict_yaml.load(path.read_text(encoding="utf-8"), str(path))
        tree.pop(layers.ABOUT)
        assert tree == layers.layer(folder, name).tree
