"""Settings: three sources, one order, errors that name the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.errors import ConfigError
from monitor.settings import load


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "monitor.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_command_line_beats_the_environment_beats_the_file(tmp_path: Path) -> None:
    """Each source overrides the one below it, key by key."""
    file = write(tmp_path, "endpoint: file\nlisten: 127.0.0.1:1\nadmin: 127.0.0.1:1\n")
    environment = {"MONITOR_LISTEN": "127.0.0.1:2", "MONITOR_ADMIN": "127.0.0.1:2"}
    settings = load.load(file, environment, {"admin": "127.0.0.1:3", "redis": None})
    assert (settings.endpoint, settings.listen, settings.admin) == (
        "file", "127.0.0.1:2", "127.0.0.1:3",
    )  # fmt: skip


def test_a_variable_sets_a_nested_key() -> None:
    """Dots are underscores; numbers are numbers."""
    settings = load.load(None, {"MONITOR_CAPTURE_MAX_BODY_BYTES": "17"})
    assert settings.capture.max_body_bytes == 17


def test_a_text_setting_takes_its_variable_as_it_is() -> None:
    """`123` is a name, not a number, where a name is wanted."""
    assert load.load(None, {"MONITOR_ENDPOINT": "123"}).endpoint == "123"


def test_the_documented_file_is_accepted(tmp_path: Path) -> None:
    """Every key that others rely on exists."""
    file = write(
        tmp_path,
        """
endpoint: support-bot
upstream: http://127.0.0.1:9000
listen: 0.0.0.0:8080
admin: 0.0.0.0:9464
redis: redis://redis:6379/0
data: /var/lib/monitor
segments:
  population: {header: x-population}
  template: {header: x-template}
  variant: {header: x-variant}
capture: {max_body_bytes: 1048576, buffer_bytes: 67108864}
privacy: {key_file: /etc/monitor/privacy.key}
stream: {shards: 1, max_length: 1000000}
spool: {max_bytes: 1073741824}
windows: {pane: 60, lateness: 5}
reference: {learn: 1000}
drain: {delay: 0, timeout: 30}
""",
    )
    assert load.load(file, {}).segments["variant"].header == "x-variant"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("captur: {}", "captur: unknown key; did you mean capture?"),
        (
            "experiments: [{nam: e}]",
            "experiments[0].nam: unknown key; did you mean experiments[0].name",
        ),
        (
            "experiments: [{name: e, dimension: d, control: a, metrics: [{name: m, of: cost}], "
            "allocation: {a: 90, b: 10}}]",
            "experiments[0].allocation.a: 90 is not a number above 0 and below 1",
        ),
        (
            "experiments: [{name: e, dimension: d, control: a, metrics: [{name: m, of: error}]}]",
            "experiments[0].metrics[0].of: 'error' is not one of cost, label,",
        ),
        ("experiments: [5]", "experiments[0]: 5 is not a mapping; its keys are name, dimension"),
        (
            "experiments: [{name: e, dimension: d, control: a, metrics: []}]",
            "experiments[0].metrics: an empty list is not a list of 1 to 32 entries",
        ),
        (
            "fairness: {intersections: [[sex]]}",
            "fairness.intersections[0]: a list is not one of 2 entries",
        ),
        (
            "experiments: [{name: e, dimension: d, control: a, metrics: [{name: m, event: e, margin: x}]}]",
            "experiments[0].metrics[0].margin: 'x' is not a number",
        ),
        ("capture: {max_body_byte: 1}", "capture.max_body_byte: unknown key; did you mean"),
        ("max_body_bytes: 1", "max_body_bytes: unknown key; did you mean capture.max_body_bytes?"),
        ("workers: two", "workers: 'two' is not a whole number from 1 to 64"),
        ("workers: 65", "workers: 65 is not a whole number from 1 to 64"),
        (
            "capture: {buffer_bytes: 0}",
            "capture.buffer_bytes: 0 is not a whole number of at least 1",
        ),
        (
            "capture: {buffer_bytes: 999999999999999999999999}",
            "is not a whole number from 1 to 281,474,976,710,656",
        ),
        (
            "capture: {sample_over: 0}",
            "capture.sample_over: 0 is not a whole number of at least 1 or null",
        ),
        (
            "capture: {sample_over: -5}",
            "capture.sample_over: -5 is not a whole number of at least 1 or null",
        ),
        (
            "capture: {sample_over: ten}",
            "capture.sample_over: 'ten' is not a whole number of at least 1 or null",
        ),
        (
            "capture: {sample_over: 0.5}",
            "capture.sample_over: 0.5 is not a whole number of at least 1 or null",
        ),
        (
            "capture: {sample_over: 999999999999999999}",
            "capture.sample_over: 999999999999999999 is not a whole number from 1 to "
            "281,474,976,710,656 or null",
        ),
        (
            "capture: many",
            "capture: 'many' is not a mapping; its keys are max_body_bytes, buffer_bytes and "
            "sample_over",
        ),
        ("listen: 8080", "listen: 8080 is not HOST:PORT, as in 127.0.0.1:8080"),
        ("endpoint: a b", "endpoint: 'a b' is not a name of up to 100 letters"),
        ("windows: {pane: .inf}", "windows.pane: inf is not a number"),
        ("windows: {pane: 0}", "windows.pane: 0 is not a number above 0"),
        (
            "windows: {pane: 60s}",
            "windows.pane: '60s' is not a number above 0; write the number alone (CONFIGURATION.md",
        ),
        ("windows: {pane: '60'}", "pane: '60' is not a number above 0; write it without quotes"),
        (
            "outcomes: {overdue: 7 d}",
            "outcomes.overdue: '7 d' is not a number above 0 or null; write the number alone",
        ),
        ("checks: [schema]", "checks: a list is not a mapping, as in {NAME: …}"),
        ("drift: {alpha: 1}", "drift.alpha: 1 is not a number above 0 and below 1"),
        ("edits: {host: maybe}", "edits.host: 'maybe' is not one of always, auto, never"),
        ("edits: {forwarded_for: 'yes'}", "edits.forwarded_for: 'yes' is not true or false"),
        ("privacy: {without: EMAIL}", "privacy.without: 'EMAIL' is not a list in brackets"),
        ("privacy: {without: [1]}", "privacy.without[0]: 1 is not a text in quotes"),
        ("privacy: {paths: {1: keep}}", "privacy.paths.1: this key is not a text; put it in"),
        ("segments: {a: {}}", "segments.a: has no source; give one of header, json"),
        ("segments: {a: {header: x, query: y}}", "segments.a: has header and query; give one of"),
        ("segments: {a: {cross: [b, c]}}", "segments.a.cross: 'b' is none of the dimensions"),
        ("segments: {a: {cross: [b]}, b: {query: b}}", "segments.a.cross: name two dimensions"),
        (
            "segments: {a: {cross: [b, b]}, b: {query: b}}",
            "segments.a.cross: name two dimensions or more, each once",
        ),
        (
            "segments: {a: {cross: [b, c], default: x}, b: {query: b}, c: {query: c}}",
            "segments.a.default: is not for a cross",
        ),
        (
            "segments: {a: {cross: [b, b], hash: true}, b: {query: b}}",
            "segments.a.hash: is not for a",
        ),
        ("segments: {a: {query: b, buckets: [x]}}", "segments.a.buckets[0]: 'x' is not a number"),
        (
            "segments: {a: {mine: true}, b: {header: x-b, mine: true}}",
            "segments.b.mine: a is mined already; only one dimension can be",
        ),
        (
            "segments: {a: {mine: true, hash: true}}",
            "segments.a.hash: is not for a mined dimension, whose ids say nothing",
        ),
        (
            "segments: {edge_case: {query: b}}",
            "segments.edge_case: a dimension is a word other than",
        ),
        ("drift: {together: 5}", "unknown key; it is called drift.design_effect now"),
        ("segments: {a: {haeder: x}}", "segments.a.haeder: unknown key; did you mean segments.a.h"),
        ("segments: {a: {header: 'x y'}}", "segments.a.header: 'x y' is not the name of a header"),
        (
            "segments: {a: {header: [x, 'b:']}}",
            "segments.a.header: 'b:' is not the name of a header",
        ),
        ("segments: {a: {header: []}}", "segments.a: has no source; give one of"),
        ("lineage: {a: {}}", "lineage.a: give one of `header`, `json` and `value`"),
        (
            "lineage: {a: {header: x, value: b}}",
            "lineage.a: give one of `header`, `json` and `value`",
        ),
        ("lineage: {a: {header: 'x y'}}", "lineage.a.header: 'x y' is not the name of a header"),
        ("lineage: {policy: {value: b}}", "lineage.policy: is a fact that monitor itself states"),
        (
            "lineage: {'a b': {value: x}}",
            "lineage: the key 'a b' is not a name of up to 100 letters, digits, dots, dashes",
        ),
        ("outcomes: {key: {'a b': x}}", "outcomes.key: the key 'a b' is not a name of up to 100"),
        ("lineage: {a: {header: [x, 3]}}", "lineage.a.header[1]: 3 is not a text in quotes"),
        ("lineage: {a: {header: 3}}", "lineage.a.header: 3 is not a text in quotes or a list"),
        ("lineage: {a: {header: [x, Cookie]}}", "lineage.a.header: cookie holds a credential"),
        ("slices: {measures: [error, cost, error]}", "slices.measures: names error twice"),
        ("log: xml", "log: 'xml' is not one of json, text"),
        ('data: "a\\0b"', "data: 'a\\x00b' has a control character in it"),
        ("data: ''", "data: is empty"),
        ("listen: 'localhost:80²'", "listen: 'localhost:80²' is not HOST:PORT"),
        ("listen: 'a..b:80'", "listen: 'a..b:80' is not HOST:PORT"),
        ("listen: 127.0.0.1:9464", "admin: 127.0.0.1:9464 is where clients connect"),
        ("listen: '[::]:9464'\nadmin: '[::1]:9464'", "admin: [::1]:9464 is where clients connect"),
        ("upstream: http://h:99999", "upstream: the port in 'http://h:99999' is not a number from"),
        ("upstream: http://h:0", "upstream: the port in 'http://h:0' is not a number from 1 to"),
        ("upstream: http://h:80²", "upstream: the port in 'http://h:80²' is not a number from 1"),
        ("upstream: http://u:PW@h:bad", "upstream: the port in 'http://h:bad' is not a number"),
        ("upstream: ftp://u:PW@h/", "upstream: 'ftp://h/' is not a URL like http://127.0.0.1:9000"),
        ("upstream: 'http://[::1'", "upstream: 'http://[::1' is not a URL"),
        ("upstream: http://h:1/v1", "give http://h:1 here and put the path into the clients' base"),
        ("upstream: http://127.0.0.1:8080", "upstream: http://127.0.0.1:8080 is this monitor"),
        ("upstream: http://localhost:8080/", "is this monitor itself (listen)"),
        ("upstream: http://0.0.0.0:8080", "is this monitor itself (listen)"),
        ("upstream: http://127.0.0.1:9464", "is this monitor itself (admin)"),
        ("listen: ':80'\nupstream: http://localhost", "is this monitor itself (listen)"),
        ("redis: redis://h:6379/zero", "redis: 'redis://h:6379/zero' does not end in the number"),
        ("redis: redis://user/PW@h/0", "redis: "),
        ("redis: redis://h:99999", "redis: the port in 'redis://h:99999' is not a number from 1"),
        (
            "redis: redis+sentinel://:PW@h:1,h2:99999/m/0",
            "redis: the port in 'redis://h2:99999' is",
        ),
        ("redis: redis+sentinel://:PW@h:1,h2", "'redis+sentinel://h:1,h2' names no service"),
        (
            "redis: redis+sentinel://:PW@h:1/m/x",
            "redis: 'redis://h:1/x' does not end in the number",
        ),
        ("otlp: {endpoint: collector}", "otlp.endpoint: 'collector' is not a URL like http"),
        ("otlp: {conventions: 1.37}", "otlp.conventions: '1.37' is not one of 1.36, 1.41, latest"),
        ("otlp: {protocol: carrier}", "otlp.protocol: 'carrier' is not one of grpc, http"),
        (
            "otlp: {protocol: grpc, endpoint: c}",
            "otlp.endpoint: 'c' names no port; give http://127",
        ),
        ("otlp: {protocol: grpc, endpoint: 'u:PW@c:1/v1'}", "otlp.endpoint: 'c:1/v1' has a path"),
        (
            "otlp: {protocol: grpc, endpoint: 'ftp://c:1'}",
            "otlp.endpoint: 'ftp://c:1' is not a URL",
        ),
        ("otlp: {traces: {sample: 2}}", "otlp.traces.sample: 2 is not a number from 0 to 1"),
        ("otlp: {traces: 0.5}", "otlp.traces: 0.5 is not a mapping; its keys are sample, slow and"),
        ("workers: 1\nendpoint: a\nworkers: 2", ":3: 'workers' is there twice, first in line 1"),
        ("capture: {buffer_bytes: 1, buffer_bytes: 2}", ":1: 'buffer_bytes' is there twice"),
        ("endpoint: 2024-13-45", "not YAML that can be read: month must be in 1..12"),
        ("listen: localhost", "listen: 'localhost' is not HOST:PORT"),
        ("listen: localhost:99999", "listen: 'localhost:99999' is not HOST:PORT"),
        ("upstream: 127.0.0.1:9000", "upstream: '127.0.0.1:9000' is not a URL"),
        ("redis: localhost", "redis: 'localhost' is not a URL like redis://"),
        ("segments: {all: {header: x}}", "segments.all: a dimension is a word"),
        ("- a list", "must be a mapping"),
        ("a: [", ":1: not YAML"),
    ],
)
def test_a_wrong_key_is_named_with_what_would_be_right(
    tmp_path: Path, text: str, message: str
) -> None:
    """One line, the key first."""
    with pytest.raises(ConfigError) as caught:
        load.load(write(tmp_path, text), {})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "PW" not in str(caught.value)


def test_a_wrong_variable_and_a_missing_file_are_named(tmp_path: Path) -> None:
    """The user reads where to look."""
    with pytest.raises(ConfigError, match="MONITOR_WORKERS: workers: 'two' is not a whole number"):
        load.load(None, {"MONITOR_WORKERS": "two"})
    with pytest.raises(ConfigError, match="--workers: workers: 'two' is not a whole number"):
        load.load(None, {}, {"workers": "two"})
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read"):
        load.load(str(tmp_path / "nowhere.yaml"), {})


def test_what_looks_alike_is_not_ourselves(tmp_path: Path) -> None:
    """Another port, another address, any free port."""
    for text in (
        "upstream: http://127.0.0.1:8081",
        "upstream: http://10.0.0.1:8080",
        "upstream: http://127.0.0.2:8080",
        "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nupstream: http://127.0.0.1",
        "upstream: https://api.example.com/",
    ):
        load.load(write(tmp_path, text), {})


def test_variables_that_kubernetes_makes_are_not_called_unknown() -> None:
    """A Service named `monitor` puts such variables into every pod."""
    environment = {
        "MONITOR_PORT": "tcp://10.0.0.1:80",
        "MONITOR_SERVICE_HOST": "10.0.0.1",
        "MONITOR_PORT_80_TCP": "tcp://10.0.0.1:80",
        "MONITOR_UPSTRAEM": "http://x",
        "MONITOR_ENDPOINT": "a",
    }
    assert load.unknown_variables(environment) == ["MONITOR_UPSTRAEM"]


def test_a_password_is_never_in_a_message() -> None:
    """A broken store URL is not repeated."""
    with pytest.raises(ConfigError) as caught:
        load.load(None, {"MONITOR_REDIS": "redi://:secret@host"})
    assert "secret" not in str(caught.value)


def test_the_version_of_conventions_has_a_standard_variable(tmp_path: Path) -> None:
    """It goes before the file, as the environment does; ours goes before it. A version that YAML
    reads as a number is one all the same."""
    file = tmp_path / "monitor.yaml"
    file.write_text("otlp: {conventions: 1.36}")
    opt_in = {"OTEL_SEMCONV_STABILITY_OPT_IN": "http, gen_ai_latest_experimental"}
    other = {"OTEL_SEMCONV_STABILITY_OPT_IN": "http"}
    ours = {**opt_in, "MONITOR_OTLP_CONVENTIONS": "1.41"}
    found = [load.load(str(file), each).otlp.conventions for each in ({}, other, opt_in, ours)]
    assert found == ["1.36", "1.36", "latest", "1.41"]
    assert load.load(None, {}).otlp.conventions == "latest"
