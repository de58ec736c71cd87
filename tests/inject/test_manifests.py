"""Manifests of any kind in, the same with the sidecar out; their bytes and their values kept."""

from __future__ import annotations

import re
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


ODD = """
[0123, 1e3, yes, "08", 08, 2001-01-01, 2001-12-14t21:59:43.10-05:00, !!binary aGVsbG8=, !!str 5,
!!str yes, !!str 1e3, !!str 08, !!str 0x1F, !!int "5", !!int "0x1F", !!float 1e3, !!bool yes,
!!null x, !!timestamp "2001-01-01", ~, "~", .inf, .nan, 1_000, 0b11, 0o17, 190:20:30, 1., +1, -0,
"1e+3", 1.5E3, True, 'True', "=", "<<", "\\ud83d", "\\x85\\u2028\\0", "a\\r\\nb", "\\n\\na", "a\\n\\n\\n",
"  a\\nb\\n", "---\\na\\n", "# a\\n", 1e400, 123456789012345678901234567890, {yes: 1, !!str no: 2, 08: 3},
!!omap [a: 1], !!pairs [b: 2], !!set {c}, {<<: {d: 1}, e: 2}, 'it''s']
"""
BLOCKS = "- |\n  a\n    b\n\n  c\n- |-\n  x\n- |+\n  keep\n\n- >\n  folded\n  line\n\n  para\n- |2\n    in\n   x\n- words\n  on\n"


class _Lists(yaml.SafeLoader):
    """YAML 1.1, but that `!!omap` and `!!pairs` are lists of maps, as to kubectl."""


for _tag in ("omap", "pairs"):
    _Lists.add_constructor(f"tag:yaml.org,2002:{_tag}", yaml.SafeLoader.construct_yaml_seq)


class _Kubectl(_Lists):
    """And a word such as `1e3` is a number."""


_Kubectl.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+\Z"), list("-+0123456789")
)


@pytest.mark.parametrize("text", [ODD, BLOCKS], ids=["words", "blocks"])
def test_values_mean_the_same_to_kubectl(text: str) -> None:
    """Words that readers differ about, tags, texts of several lines; also by an anchor."""
    values = textwrap.indent(text, "    ")
    given_ = manifest("Pod").replace("spec: ", f"x:\n  odd: &odd\n{values}\n  again: *odd\nspec: ")
    out, said = told(given_)
    assert said[0][1].result == "injected"
    for loader in (_Lists, _Kubectl):
        before, after = (yaml.load(one, loader)["x"] for one in (given_, out))
        assert repr(after) == repr(before)


def test_one_bad_document_leaves_the_others_their_sidecar() -> None:
    """It stands as it stood, and its line in the file is said."""
    for bad in (
        "kind: Service\nmetadata: {name: a}\nmetadata: {name: b}\n",
        "kind: [\n",
        "x: " + "[" * 5000 + "]" * 5000 + "\n",
    ):
        text = f"# mine\n---\n{manifest('Pod')}---\n{bad}--- # last\n{manifest('Deployment')}"
        out, said = told(text)
        assert f"---\n{bad}---\n" in out
        assert out.startswith("# mine\n---\napiVersion: v1\n")
        assert [one.result for _, one in said] == ["injected", "failed", "injected"]
        assert said[1][0] == "the document from line 7 on"
        assert out.count("initContainers:") == 2
    assert said[1][1].why == "no YAML that can be read: it is nested too deep"
    text = text.replace(bad, "a: 1\nb: 2\na: 3\n")
    assert told(text)[1][1][1].why == "line 10: no YAML: 'a' is there twice"


def test_what_is_wrong_is_said_without_names_of_ours() -> None:
    """A depth and a tag by what they are; an annotation without quotes by its name."""
    for text, words in (
        ("[" * 400 + "]" * 400, "no YAML that can be read: it is nested too deep"),
        ("!!int x", "no YAML that can be read: a value is not what its tag says"),
    ):
        with pytest.raises(ParseError, match=f"^{words}$"):
            told(text)
    for kind in ("annotation", "label"):
        for value, right in (("8000", ', as "8000"'), ("true", ', as "true"'), ("[]", "")):
            pod = manifest("Pod").replace("name: bot", f"{kind}s: {{monitor.dev/port: {value}}}")
            why = told(pod)[1][0][1].why
            assert why == (
                f"is no Pod: the {kind} monitor.dev/port is no text; write its value in quotes{right}"
            )
