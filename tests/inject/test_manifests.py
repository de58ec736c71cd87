"""Manifests of any kind in, the same with the sidecar out; their bytes and their values kept."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import ParseError
from monitor.inject.decision import Decision, Defaults
from monitor.inject.manifests import TEMPLATES, injected

ASKED = Defaults(asked=True)
POD = "{metadata: {labels: {app: bot}}, spec: {containers: [{name: m, image: i, ports: [{name: http, containerPort: 80}]}]}}"


def told(text: str, defaults: Defaults = ASKED) -> tuple[str, list[tuple[str, Decision]]]:
    said: list[tuple[str, Decision]] = []
    out = injected(text, defaults, lambda what, decision: said.append((what, decision)))
    return out, said


def manifest(kind: str) -> str:
    inner = POD
    for step in reversed(TEMPLATES[kind]):
        inner = f"{{{step}: {inner}}}"
    head = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: bot}}\n"
    if kind == "Pod":
        return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: bot}}\nspec: {POD.partition('spec: ')[2][:-1]}\n"
    return f"{head}{inner[1:-1]}\n"


@pytest.mark.parametrize("kind", TEMPLATES)
def test_every_kind_that_makes_pods_gets_the_sidecar(kind: str) -> None:
    """In its Pod, or the template of it; twice is as once."""
    out, said = told(manifest(kind))
    assert [(what, one.result) for what, one in said] == [(f"{kind} bot", "injected")]
    pod: Any = yaml.safe_load(out)
    for step in TEMPLATES[kind]:
        pod = pod[step]
    assert pod["spec"]["initContainers"][0]["name"] == "monitor"
    assert "ownerReferences" not in pod["metadata"]
    again, said = told(out)
    assert again == out
    assert said[0][1].reason == "already_injected"


def test_what_does_not_change_keeps_its_bytes() -> None:
    """Comments, spaces and all; only documents with a new sidecar are written anew."""
    service = "# mine\nkind: Service   # yes\nmetadata: {name: bot}\n"
    pod = manifest("Deployment")
    out, _ = told(f"{service}---\n{pod}---\n{service}")
    assert out.startswith(f"{service}---\napiVersion: v1\n")
    assert out.endswith(f"---\n{service}")
    for text in (
        "",
        "\n",
        "# only this\n",
        "---\n---\n",
        service,
        f"{service}...\n---\n{service}",
        "a: b",
    ):
        assert told(text) == (text, [])


def test_what_cannot_be_injected_stands_as_it_stood() -> None:
    """And says why."""
    text = manifest("Deployment").replace("containers:", "hostNetwork: true, containers:")
    out, said = told(text)
    assert out == text
    assert [one.reason for _, one in said] == ["host_network"]
    assert told("kind: Deployment\nspec: 5\n")[1][0][1].reason == "unreadable"


def test_items_of_a_list_are_looked_at_one_by_one() -> None:
    """As `kubectl get -o yaml` prints them."""
    items = [yaml.safe_load(manifest(kind)) for kind in ("Deployment", "Job")]
    items.insert(1, {"kind": "Service"})
    out, said = told(yaml.safe_dump({"kind": "List", "apiVersion": "v1", "items": items}))
    assert [what for what, _ in said] == ["Deployment bot", "Job bot"]
    found = yaml.safe_load(out)["items"]
    assert [one["kind"] for one in found] == ["Deployment", "Service", "Job"]
    assert all("initContainers" in found[at]["spec"]["template"]["spec"] for at in (0, 2))


def test_words_are_written_as_they_stood() -> None:
    """Readers of YAML differ about words without quotes; texts in quotes stay texts."""
    words = (
        "1e3",
        "0400",
        "yes",
        "off",
        "12:30",
        "2024-01-01",
        "0x10",
        "1.30",
        ".5",
        "0o17",
        "1_000",
        "~x",
    )
    quoted = (
        *words,
        "true",
        "5",
        "null",
        "",
        "a: b",
        "# x",
        "- a",
        "line\nline",
        " x",
        "é",
        "&a",
        "x\t",
    )
    args = (
        ", ".join(words)
        + ", "
        + ", ".join('"' + one.replace("\n", "\\n").replace("\t", "\\t") + '"' for one in quoted)
    )
    text = manifest("Pod").replace("image: i", f"image: i, args: [{args}]")
    out = told(text)[0]
    lines = out.partition("args:\n")[2].partition("      ports:")[0].splitlines()
    assert [one.strip().removeprefix("- ") for one in lines[: len(words)]] == list(words)
    args = yaml.load(out, yaml.BaseLoader)["spec"]["containers"][0]["args"]
    assert args == [*words, *quoted]
    assert yaml.safe_load("\n".join(lines[len(words) :])) == list(quoted), "for every reader"


def test_aliases_are_written_out_and_bombs_are_left() -> None:
    """A file that grows a million times is left as it is."""
    text = textwrap.dedent("""
        kind: Pod
        metadata: {name: a, labels: &l {app: b}, annotations: *l}
        spec: {containers: [{name: m, image: i, ports: [{containerPort: 8000}]}]}
        """)
    out, said = told(text)
    assert said[0][1].result == "injected"
    assert "*" not in out
    rows = "\n".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 9))
    bomb = f"kind: Pod\nx0: &x0 [1]\n{rows}\nspec: {{containers: [{{name: m, args: *x8}}]}}\n"
    assert told(bomb)[0] == bomb


@pytest.mark.parametrize(
    "text",
    ["a: [", "a: 1\na: 2", "{{ .Values.x }}", "\t", "a: &a [*b]", "[" * 400, "!!python/name:os.x"],
)
def test_what_is_no_yaml_is_said_so(text: str) -> None:
    """In one kind of error."""
    with pytest.raises(ParseError):
        told(text)


@settings(max_examples=40)
@given(st.text(max_size=60) | st.sampled_from([manifest(one) for one in TEMPLATES]).flatmap(
    lambda text: st.integers(0, len(text)).map(lambda at: text[:at] + text[at + 1 :])))  # fmt: skip
def test_any_text_is_injected_or_refused(text: str) -> None:
    """And what comes out is YAML again."""
    try:
        out, _ = told(text)
    except ParseError:
        return
    list(yaml.compose_all(out))
    assert told(out)[0] == out
