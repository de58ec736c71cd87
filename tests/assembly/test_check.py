"""`monitor check`: a configuration in sentences."""

from __future__ import annotations

import datetime
import errno
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.analysis.drift.profiles import Profile, dump_profile
from monitor.assembly.check import apart_from_running, verify
from monitor.assembly.explanation import explain
from monitor.errors import ConfigError
from monitor.settings import load
from monitor.settings.archive import Anchor
from monitor.settings.experiments import Experiment, ExperimentMetric
from monitor.settings.schema import (
    Access,
    AdminTls,
    Archive,
    Audit,
    Capture,
    Coverage,
    Differential,
    DimensionSource,
    Drift,
    Fairness,
    FirstTokenObjective,
    LatencyObjective,
    Objectives,
    Outcomes,
    Privacy,
    Reference,
    Settings,
    StreamSettings,
    Tls,
)
from monitor.settings.validation import paths
from monitor.supervision import listeners
from monitor.supervision.ports import free_port
from tests import hostile


def tried(**settings: Any) -> None:
    """`verify` of a whole `monitor run`, on ports that are free."""
    free = {"listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "upstream": "http://127.0.0.1:9"}
    verify(Settings(**{**free, **settings}), proxy=True, analyzer=True)


def test_it_says_where_everything_is_and_no_password() -> None:
    """One fact a line; what is secret stays so."""
    settings = Settings(upstream="http://127.0.0.1:9000", redis="redis://:hunter2@store:6379/0")
    text = "\n".join(explain(settings))
    assert text.startswith("endpoint    default\n")
    for fact in ("http://127.0.0.1:9000", "redis://store:6379/0", "x-population", "1,000"):
        assert fact in text
    assert "about 1,000,000 items stay in monitor:{default}:feedback" in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("records", "feedback", "said"),
    [
        (0.0, 0.0, ":feedback\n"),
        (604_800.0, 0.0, ":feedback, also when the records are gone (`stream.feedback_max_age`)"),
        (0.0, 2_592_000.0, ":feedback for 30 days\n"),
        (0.0, 60.0, ":feedback for 60 s; less than `outcomes.wait`, 7 days"),
    ],
)
def test_how_long_feedback_stays_is_told(records: float, feedback: float, said: str) -> None:
    """Also that it is gone before it counts."""
    settings = Settings(
        upstream="http://127.0.0.1:9000",
        stream=StreamSettings(max_age=records, feedback_max_age=feedback),
        outcomes=Outcomes(wait=604_800.0),
    )
    assert said in "\n".join(explain(settings))


def test_it_says_who_may_ask_the_admin_port(tmp_path: Path) -> None:
    """This machine, whoever has a token, or nobody more than the probes; a wrong file is named."""
    text = "\n".join(explain(Settings()))
    assert "without tokens, and for this machine alone" in text
    text = "\n".join(explain(Settings(admin="0.0.0.0:9464")))
    assert "only /healthz, /metrics, /readyz are served" in text
    tokens = tmp_path / "tokens"
    tokens.write_text(f"app feedback {'0' * 64}\n")
    text = "\n".join(explain(Settings(access=Access(str(tokens)))))
    assert "all but /healthz, /metrics, /readyz needs one of 1 tokens of" in text
    tokens.write_text("app\n")
    with pytest.raises(ConfigError, match=r"access.tokens: .*:1: is not `NAME ROLE"):
        tried(access=Access(str(tokens)))


def test_small_shares_are_said_as_they_are() -> None:
    """None is rounded to nothing, or to all."""
    given = Settings(
        drift=Drift(alpha=0.001), coverage=Coverage(0.995),
        edge_cases={"near_context_limit": {"share": 0.995}},
        checks={"unsupported_number": {"share": 0.004}},
    )  # fmt: skip
    text = "\n".join(explain(given))
    for said in (
        "a 0.1 % chance of any false alarm", "hold 99.5 % of the labels",
        "at least 99.5 % of the model's context", "less than 0.4 % of them",
    ):  # fmt: skip
        assert said in text


def test_objectives_are_said_in_words_and_their_alerts_too() -> None:
    """What is promised, what may fail, and which page cannot fire; an analyzer alone says none."""
    here = {"upstream": "http://127.0.0.1:9000"}
    text = "\n".join(explain(Settings(**here)))
    assert "objective   99.5 % of exchanges do not fail" in text
    assert "as come in 216 minutes" in text
    assert "95 % take no longer than 10 s" in text
    assert "95 % of streams show their first token within 2 s" in text
    assert "never fires" not in text
    told = Objectives(0.9, LatencyObjective(0.005, 0.99), FirstTokenObjective(1, 0.8))
    text = "\n".join(explain(Settings(**here, objectives=told)))
    assert "99 % take no longer than 0.005 s" in text
    assert "availability cannot burn 14.4 times too fast" in text
    assert "over an hour never fires; that over six hours does" in text
    assert text.count("that over six hours neither") == 1
    assert "objective" not in "\n".join(explain(Settings()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{availability: 99.5}", "availability: 99.5 is not a share above 0 and below 1, as 0.995"),
        ("{availability: 1}", "availability: 1 is not a share above 0 and below 1"),
        ("{latency: {seconds: 0}}", "latency.seconds: 0 is not a number above 0"),
        ("{latency: 10}", "latency: 10 is not a mapping; its keys are seconds and share"),
        ("{first_token: {share: .nan}}", "first_token.share: nan is not"),
        ("{throughput: 1}", "throughput: unknown key"),
    ],
)
def test_an_objective_that_nobody_can_keep_is_named(text: str, said: str, tmp_path: Path) -> None:
    """Per cent for a share, certainty, no time at all: one line with the key."""
    file = tmp_path / "monitor.yaml"
    file.write_text(f"objectives: {text}\n")
    with pytest.raises(ConfigError, match=f"objectives.{re.escape(said)}"):
        load.load(str(file), {})


def test_a_sample_is_stated() -> None:
    """How much is recorded, and that the metrics are of everything; nothing is said without one."""
    text = "\n".join(explain(Settings(capture=Capture(sample_over=2500))))
    assert (
        "of more than 2,500 exchanges each second a sample of so many is recorded; the traffic "
        "metrics count all" in text
    )
    assert "sample" not in "\n".join(explain(Settings()))


def test_without_a_store_it_names_the_embedded_one() -> None:
    """The default is one command on one machine."""
    assert "embedded Valkey under .monitor/store" in "\n".join(explain(Settings()))


def test_references_are_told_and_tried(tmp_path: Path) -> None:
    """What every kind of reference means; what cannot work is an error here, not at the start."""
    usual = Reference(variant="champion", hour_of_week=True)
    text = "\n".join(explain(Settings(reference=usual, drift=Drift(design_effect=5))))
    for fact in ("every other variant is compared with champion", "same hour", "5 records"):
        assert fact in text
    with pytest.raises(ConfigError, match=r"reference\.variant: 'version' is not one of segments"):
        tried(reference=Reference(variant="version=v1"))
    with pytest.raises(ConfigError, match=r"drift\.features: 'nothing' is not one of"):
        tried(drift=Drift(features=["nothing"]))
    with pytest.raises(ConfigError, match=r"reference\.file: .*cannot be read"):
        tried(reference=Reference(file=str(tmp_path / "none.json")))
    profile = tmp_path / "usual.json"
    profile.write_bytes(dump_profile(Profile()))
    text = "\n".join(explain(Settings(reference=Reference(file=str(profile)))))
    assert "usual.json, of 0 features" in text


def test_noise_is_stated() -> None:
    """With what it is worth, and how often it is drawn."""
    noise = Differential(epsilon=0.5, period=600)
    text = "\n".join(explain(Settings(privacy=Privacy(differential=noise))))
    assert "noise, told every 600 s: epsilon 0.5, delta 1e-06" in text


def complained(run: Callable[[], object]) -> str:
    with pytest.raises(ConfigError) as caught:
        run()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_segments_are_told_with_an_example_and_tried() -> None:
    """Where each value comes from and what becomes of it; what cannot be read is said here."""
    site = DimensionSource(header=["x-site", "x-place"], match="^([a-z]+)", map={"ams": "eu", "fra": "eu"},
                           default="other")  # fmt: skip
    segments = {
        "plan": DimensionSource(json="request.metadata.plan"),
        "age": DimensionSource(json="request.age", buckets=[18, 40]),
        "site": site,
        "user": DimensionSource(query="user", hash=True),
        "corner": DimensionSource(cross=["plan", "site"]),
    }
    text = "\n".join(explain(Settings(segments=segments)))
    for fact in (
        "plan: metadata.plan in the JSON body of the request",
        "in buckets: 18 is 18-40",
        "the request header x-site, else x-place, of it what ^([a-z]+) matches, ams is eu and so on, else other",
        "user: user in the query, as a keyed pseudonym",
        "corner: plan and site, joined as plan|site",
    ):
        assert fact in text
    for wrong, said in (
        (DimensionSource(path="("), r"segments\.a\.path: '\(' is no regular expression"),
        (DimensionSource(json="a.b"), r"segments\.a\.json: 'a\.b' begins with neither"),
        (DimensionSource(query="a", buckets=[2, 1]), r"segments\.a\.buckets: .* do not rise"),
    ):
        with pytest.raises(ConfigError, match=said):
            tried(segments={"a": wrong})


def test_a_mined_dimension_is_told() -> None:
    """What goes first, and what is done where nothing is declared; it needs no source."""
    for source, begins in (
        ({"header": "x-t", "mine": True}, "the request header x-t, else the stored prompt"),
        (
            {"mine": True},
            "the stored prompt that the request names, else the template found in its",
        ),
    ):
        settings = msgspec.convert({"segments": {"template": source}}, Settings)
        assert any(begins in line for line in explain(settings))


def test_what_labels_are_compared_with_is_told() -> None:
    """The positive class, the tolerances, and groups where there are any."""
    said = "\n".join(explain(Settings()))
    assert "probability of '1'" in said
    assert "groups of" not in said
    said = "\n".join(explain(Settings(fairness=Fairness(dimensions=["population", "sex"]))))
    said_of_ratio = "\n".join(explain(Settings(fairness=Fairness(["sex"], ratio=0.8))))
    assert "of a ratio of 0.8 and more, of how often '1' is said" in said_of_ratio
    assert "groups of population, sex get '1' as often as the rest, within 0.1" in said


def test_the_horizon_of_an_experiment_is_told() -> None:
    """Where it has one; else exchanges count when outcomes are due, as is said there."""
    metrics = [ExperimentMetric("sold", event="sold")]
    declared = [
        Experiment("soon", "variant", "a", metrics, horizon=3600.0),
        Experiment("late", "variant", "a", metrics),
    ]
    said = list(explain(Settings(experiments=declared)))
    soon, late = (said.index(next(one for one in said if f" {name}: " in one))
                  for name in ("soon", "late"))  # fmt: skip
    line = "            an exchange counts 3,600 s after it ended, with what was said by then"
    assert line in said[soon:late]
    assert said.count(line) == 1


def test_how_long_users_are_followed_is_told() -> None:
    """Where they are; else all that they do counts."""
    metrics = [ExperimentMetric("sold", event="sold", per="user")]
    declared = [Experiment("soon", "variant", "a", metrics, unit="user", follow_up=3600.0)]
    assert (
        "            each user is in one arm, and counts once, by its first 3,600 s, when these are over"
    ) in explain(Settings(experiments=declared))


def test_edge_cases_are_told_and_tried() -> None:
    """With thresholds, and which are off; what is wrong is said here, not at the start."""
    rules: dict[str, Any] = {"long_input": {"tokens": 50}, "refusal": None}
    lines = list(explain(Settings(edge_cases=rules)))
    for fact in (
        "edge case   long_input: an input of at least 50 tokens (tokens 50)",
        "edge case   truncated: an answer that was cut off by its limit of tokens, or whose stream broke off",
        "            refusal is off",
        "            out_of_range is off: it needs reference.file",
    ):
        assert fact in lines
    said = complained(lambda: tried(edge_cases={"long_input": {"tokens": "many"}}))
    assert said == "edge_cases.long_input.tokens: 'many' is not a whole number of at least 1"


def test_checks_are_told_and_tried() -> None:
    """Those that are named, with thresholds; what is wrong is said here, not at the start."""
    lines = list(explain(Settings(checks={"language": {"words": 30}})))
    (told,) = [line for line in lines if line.startswith("check ")]
    assert told == (
        "check       language: whether an answer of 30 words or more is in the language of the "
        "question (words 30)"
    )
    given = {"sections": {"required": ["Findings", "Impression"]}}
    (told,) = [line for line in explain(Settings(checks=given)) if line.startswith("check ")]
    assert told.endswith("(required ['Findings', 'Impression'])")
    assert not [line for line in explain(Settings()) if line.startswith("check ")]
    said = complained(lambda: tried(checks={"language": {"word": 30}}))
    assert said == "checks.language.word: unknown key; did you mean words?"


def test_a_promise_needs_calibration_scores() -> None:
    """So many that one of them can be the threshold; how many is said, and shown where enough."""
    for target, scores, least in ((0.9, 8, 9), (0.95, 18, 19), (0.99, 98, 99)):
        with pytest.raises(ConfigError, match=f"coverage.calibrated_on: .* at least {least} can"):
            tried(coverage=Coverage(target, scores))
        tried(coverage=Coverage(target, least))
    text = "\n".join(explain(Settings(coverage=Coverage(0.9, 500))))
    assert "hold 90 % of the labels, as far as 500 calibration scores promise" in text


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        ({"dimensions": [""]}, r"fairness.dimensions\[0\]: is empty; name a dimension"),
        ({"dimensions": ["sex", "sex"]}, r"fairness.dimensions\[1\]: 'sex' is named twice"),
        ({"strata": ["sitee"]}, r"fairness.strata\[0\]: 'sitee' is not one .*did you mean site"),
        ({"dimensions": ["site"], "strata": ["site"]}, "is one of fairness.dimensions; within"),
        ({"intersections": [["sex", ""]]}, r"fairness.intersections\[0\]: give two names, each of"),
        ({"intersections": [["sex", "sex"]]}, r"fairness.intersections\[0\]: give two names"),
        (
            {"intersections": [["sex", "site"], ["site", "sex"]]},
            r"fairness.intersections\[1\]: 'site and sex' are named twice",
        ),
        (
            {"dimensions": ["sex|site"], "intersections": [["sex", "site"]]},
            r"fairness.intersections\[0\]: is called 'sex\|site', as one of fairness.dimensions is",
        ),
        (
            {"intersections": [["sex", "site"]], "strata": ["site"]},
            r"fairness.strata\[0\]: 'site' is one of fairness.intersections; within",
        ),
    ],
)
def test_groups_are_of_something_that_has_a_name(groups: dict[str, Any], sentence: str) -> None:
    """Once, and are compared within something else; a protected attribute need be no dimension."""
    segments = {"site": DimensionSource(header="x-site")}
    with pytest.raises(ConfigError, match=sentence):
        tried(segments=segments, fairness=Fairness(**groups))
    tried(segments=segments, fairness=Fairness(["sex", "plan"], ["site"]))


def test_files_and_directories_are_tried(tmp_path: Path) -> None:
    """A key file that is not there, a profile that is none, a data directory that cannot be."""
    tried(data=str(tmp_path / "new" / "data"))
    assert not (tmp_path / "new").exists(), "nothing is made"
    file = tmp_path / "file"
    file.write_text("{}")
    for some, words in (
        ({"data": str(file)}, "is not a directory"),
        ({"data": str(file / "data")}, "is not a directory"),
        ({"data": "/proc/data"}, "data: /proc cannot be written to"),
        ({"privacy": Privacy(key_file=str(tmp_path / "no.key"))}, "privacy.key_file: "),
        ({"privacy": Privacy(seal_to=str(tmp_path / "no.pub"))}, "privacy.seal_to: "),
        ({"reference": Reference(file=str(file))}, "reference.file: "),
        ({"drift": Drift(embed=str(tmp_path))}, "drift.embed: "),
        ({"tls": Tls(cert=str(tmp_path / "no.pem"))}, "tls.cert: "),
        ({"redis": f"rediss://h/0?ssl_ca_certs={tmp_path}/no.pem"}, "redis: "),
    ):
        assert words in complained(lambda some=some: tried(**some))


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    """Also where several workers would share it."""
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        for some in ({"listen": where}, {"admin": where}, {"listen": where, "workers": 2}):
            key = next(iter(some))
            said = complained(lambda some=some: tried(**some))
            assert said == f"{key}: cannot listen on {where}: address already in use"


def is_there(host: str) -> bool:
    """Whether the machine has this address of IPv6: in a container of Docker not even loopback has one."""
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind((host, 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["[::]", ""])
def test_all_addresses_are_those_of_both_families(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a cluster with IPv6 alone, and where the kernel has none of it."""
    here = Settings(listen=f"{host}:0", admin="127.0.0.1:0")
    with listeners.bound(here, proxy=True) as ([one], _):
        port = one.getsockname()[1]
        for client in ("127.0.0.1", "::1") if is_there("::1") else ("127.0.0.1",):
            socket.create_connection((client, port)).close()
    made = socket.socket

    def without(family: int, kind: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return made(family, kind)

    monkeypatch.setattr(listeners.socket, "socket", without)
    with listeners.bound(here, proxy=True) as ([one], _):
        assert listeners.name(one).startswith("0.0.0.0:")


def test_what_runs_may_be_checked(tmp_path: Path) -> None:
    """The ports that the monitor on the same data directory holds are its own."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        here = Settings(data=str(tmp_path), listen=where, admin="127.0.0.1:0")
        (tmp_path / "run.json").write_text(json.dumps({"listen": where, "admin": "127.0.0.1:1"}))
        verify(apart_from_running(here), proxy=True, analyzer=True)
        (tmp_path / "run.json").write_text("{")
        said = complained(lambda: verify(apart_from_running(here), proxy=True, analyzer=True))
        assert f"cannot listen on {where}" in said


def test_an_upstream_on_an_address_of_this_machine_is_ourselves() -> None:
    """When we listen on all of them; another port is another program."""
    tried(listen="0.0.0.0:0", upstream="http://127.0.0.3:1")
    said = complained(lambda: tried(listen="0.0.0.0:18080", upstream="http://127.0.0.3:18080"))
    assert "upstream: http://127.0.0.3:18080 is this monitor itself" in said


URLS = ("upstream", "listen", "admin", "redis", "otlp.endpoint")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("check") / "monitor.yaml"


@given(st.sampled_from(list(paths(Settings))), hostile.VALUES)
@settings(max_examples=300)
@example("data", "a\0b")
@example("drift.features", ["..:x"])
@example("privacy.ner.model", "..:x")
@example("segments.a.header", "x\ny")
@example("edge_cases.mine.module", "a://u:PW@b:c")
@example("edge_cases", {"a" * 5000: {}})
@example("checks.mine.module", "a://u:PW@b:c")
@example("checks", {"a" * 5000: {}})
@example("checks", {"language": {"b" * 5000: 1}})
@example("edge_cases", {"long_input": {"b" * 5000: 1}})
@example("reference.file", "a" * 5000)
@example("otlp.endpoint", "http://u:PW@h:bad")
@example("access.tokens", "a\0b")
def test_whatever_stands_at_a_key_it_works_or_is_one_line(
    file: Path, key: str, value: object
) -> None:
    """The line names the key; it has no control character, and no password of a URL, in it."""
    file.write_text(hostile.document(key, value), encoding="utf-8", errors="backslashreplace")
    free = {"listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "upstream": "http://127.0.0.1:9"}
    free.pop(key, None)
    said = key
    try:
        loaded = load.load(str(file), {}, free)
        verify(loaded, proxy=True, analyzer=True)
        list(explain(loaded))
    except ConfigError as error:
        said = str(error)
    assert key.rpartition(".")[2] in said or key.partition(".")[0] in said
    assert said.isprintable()
    assert key not in URLS or "PW" not in said


@given(st.sampled_from([".".join(path) for path in load.variables()]), st.text() | hostile.TEXTS)
def test_whatever_stands_in_a_variable_it_is_read_or_one_line(key: str, text: str) -> None:
    """The line names the variable."""
    variable = "MONITOR_" + key.upper().replace(".", "_")
    said = key
    try:
        load.load(None, {variable: text})
    except ConfigError as error:
        said = str(error)
    assert variable in said or key in said
    assert said.isprintable()
    assert key not in URLS or "PW" not in said


def test_a_check_lets_no_client_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that it accepted would be reset; the port opens when it stays open."""
    asked: list[int] = []
    listen = socket.socket.listen

    def noted(listener: socket.socket, backlog: int) -> None:
        asked.append(backlog)
        listen(listener, backlog)

    monkeypatch.setattr(socket.socket, "listen", noted)
    tried()
    port = free_port()
    tried(listen=f"127.0.0.1:{port}", workers=2)
    assert not asked


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_one_address_is_not_taken_twice(host: str) -> None:
    """`listen` and `admin` need a port each."""
    port = free_port()
    with pytest.raises(ConfigError, match=f"admin: cannot listen on 127.0.0.1:{port}: address alr"):
        tried(listen=f"{host}:{port}", admin=f"127.0.0.1:{port}")


def test_certificates_of_the_admin_port_are_looked_at(authority: Any, tmp_path: Path) -> None:
    """What cannot be shown is an error that names its key; what no client accepts is a line, and
    the start goes on."""
    one = authority()
    cert, key = one.issue("admin")
    bad = tmp_path / "bad.pem"
    bad.write_text("no PEM")

    def secured(**files: str) -> Settings:
        return Settings(
            data=str(tmp_path), admin="127.0.0.1:0", listen="127.0.0.1:0",
            access=Access(tls=AdminTls(**files)),
        )  # fmt: skip

    for files, expected in (
        ({"key": key}, "access.tls.cert: is missing beside access.tls.key"),
        ({"cert": str(bad), "key": key}, f"access.tls.cert: {bad} holds no certificate in PEM"),
        ({"cert": cert}, f"access.tls.key: {cert} holds no private key"),
        ({"cert": cert, "key": one.issue("other")[1]}, "does not belong to access.tls.cert"),
        ({"cert": f"{bad}.gone", "key": key}, f"access.tls.cert: {bad}.gone cannot be read"),
    ):
        with pytest.raises(ConfigError, match=re.escape(expected)):
            verify(secured(**files), proxy=False, analyzer=False)
    old, old_key = one.issue("old", until=datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC))
    outdated = secured(cert=old, key=old_key)
    verify(outdated, proxy=False, analyzer=False)
    lines = [line.strip() for line in explain(outdated)]
    assert f"over TLS: {old}, read again when it changes" in lines
    assert f"access.tls.cert: {old} is accepted by no client: certificate has expired" in lines


def test_an_archive_is_told_and_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where, how often, for how long, signed by what; a place that cannot be, a key that is none,
    and a package that is not there are said before anything starts."""
    kept = Settings(archive=Archive("s3://:secret@bucket/a", keep=400), audit=Audit("audit.key"))
    (line,) = [one for one in explain(kept) if one.startswith("archive ")]
    assert line.endswith("every 300 s or 50,000 records, kept 400 days, signed with audit.key")
    assert "secret" not in line
    anchors = [Anchor(file="/x/anchors.txt"), Anchor(webhook="https://h/hook?key=secret")]
    sealed = Settings(
        archive=Archive("/a", encrypt="reader.pub", columns=["model"]), audit=Audit(anchors=anchors)
    )
    lines = [one.strip() for one in explain(sealed)]
    assert "sealed to the key in reader.pub; in clear beside that: model" in lines
    assert "its checkpoints are kept at /x/anchors.txt, every 3,600 s" in lines
    assert not any("secret" in one for one in lines)
    file = tmp_path / "file"
    file.write_text("")
    tried(archive=Archive(str(tmp_path / "new" / "archive")))
    tried(archive=Archive(f"file://{tmp_path}"))
    tried(archive=Archive("s3://bucket/archive"))
    for archive, audit, sentence in (
        (str(file), "", rf"archive\.url: {file} is not a directory"),
        (f"file://{file}", "", rf"archive\.url: {file} is not a directory"),
        ("nobody://x", "", r"archive\.url: nobody://x: no files have a URL with nobody://"),
        ("https://h/x", "", r"archive\.url: https://h/x: what has such a URL can only be read"),
        ("s3://", "", r"archive\.url: s3://: names no bucket"),
        ("s3://K:PW@bucket/p", "", r"archive\.url: s3://bucket/p: .*AWS_ACCESS_KEY_ID"),
        (f"file://{tmp_path}?token=x", "", rf"archive\.url: file://{tmp_path}: a directory has"),
        (str(tmp_path), str(file), rf"audit\.sign: {file} holds no Ed25519 private key"),
    ):
        with pytest.raises(ConfigError, match=f"^{sentence}"):
            tried(archive=Archive(archive), audit=Audit(audit))
    for missing, place in (("pyarrow", str(tmp_path)), ("s3fs", "s3://bucket/a")):
        monkeypatch.setattr(
            "monitor.assembly.check.is_there", lambda name, gone=missing: name != gone
        )
        with pytest.raises(ConfigError, match=r"^archive\.url.*pip install '\.\[archive\]'$"):
            tried(archive=Archive(place))


def test_a_key_that_is_not_there_is_named_without_an_archive_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^audit\.sign: .*audit\.key"):
        tried(audit=Audit(str(tmp_path / "audit.key")))
