"""`monitor init`: a domain and five answers → a configuration, what deploys it, what to do next."""

from __future__ import annotations

import argparse
import math
import shlex
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from monitor.assembly import explanation
from monitor.commands import discovery, init_files
from monitor.commands.init_files import UPSTREAM, Wishes
from monitor.errors import UsageError
from monitor.logs import plain
from monitor.settings import layers, load, strict_yaml
from monitor.settings.circumstances import Circumstances
from monitor.settings.validation import did_you_mean, told
from monitor.urls import named, shown

Ask = Callable[[str], str]

DESCRIPTION = (
    "Write a configuration for a domain: what to check, how long labels take, which groups to "
    "compare, how many answers people read. Asks what the options do not say. Looks at the "
    "upstream and at a sample of a log, if there are any. Nothing is overwritten without asking."
)
BUDGET = "latency_budget"
FLAGS = {name: "--" + name.replace("_", "-") for name in Circumstances.__struct_fields__}
"""The option of each answer; `--no-…` is the other one, but for the budget."""
HELP = {
    "data_sensitive": "a person would be harmed if what they ask or are answered became known",
    "cost_tight": "tokens and people's minutes are scarce",
    "high_consequence": "a wrong answer costs health, freedom or a lot of money",
    "knowledge_changes": "what the model has to know changes often",
}
DEPLOY = {"compose": "compose", "helm": "values"}
"""What deploys it, and how the name of its file ends."""
HELM = (
    f"helm install monitor {init_files.CHART} --namespace monitor-system --create-namespace --wait"
)
"""Not into a namespace of models: the injector leaves its own out."""
HELM_SETS = "--set 'namespaces={MODELS}' --set image.registry=REGISTRY"
INSIDE = "monitor monitor"
"""The service, and the program in its container."""
INJECT = '{"spec": {"template": {"metadata": {"annotations": {"monitor.dev/inject": "enabled"}}}}}'
"""What a Deployment lacks whose Pods are to get the sidecar."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor init`."""
    parser.description = DESCRIPTION
    parser.add_argument("--domain", metavar="D", help=f"one of {', '.join(layers.presets())}")
    for name, text in HELP.items():
        parser.add_argument(FLAGS[name], action=argparse.BooleanOptionalAction, help=text)
    parser.add_argument(FLAGS[BUDGET], metavar="MS", dest=BUDGET,
        help="milliseconds within which an answer is due; 0: nobody said")  # fmt: skip
    parser.add_argument("--yes", action="store_true",
        help="ask nothing: what the options do not say is no")  # fmt: skip
    parser.add_argument("--out", metavar="FILE", required=True,
        help="write the configuration to this file, and what deploys it beside it")  # fmt: skip
    parser.add_argument("--deploy", choices=tuple(DEPLOY), default="compose",
        help="write a file for Docker Compose (the default), or values for Helm")  # fmt: skip
    parser.add_argument("--upstream", metavar="URL",
        help="where the model is; it is asked by a few GETs which protocol it speaks")  # fmt: skip
    parser.add_argument("--no-probe", action="store_true", help="do not ask the upstream")
    parser.add_argument("--sample", metavar="FILE",
        help="a log of the traffic, in any format that `monitor replay` reads")  # fmt: skip
    parser.add_argument("--endpoint", metavar="NAME", default="default",
        help="name the endpoint, in every key and metric; by default `default`")  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Ask, say what follows, write, and print the next three commands."""
    ask = input if sys.stdin is not None and sys.stdin.isatty() and not options.yes else None
    out = _file(options.out)
    beside = out.with_name(f"{out.stem}.{DEPLOY[options.deploy]}.yaml")
    _may_write([out, beside], ask)
    wishes = settled(options, ask)
    text = init_files.configuration(wishes)
    load.checked(strict_yaml.load(text, str(out)))
    is_compose = options.deploy == "compose"
    _write(out, text)
    _write(
        beside, init_files.compose(wishes, out.name) if is_compose else init_files.values(wishes)
    )
    print(f"wrote       {named(str(out))} and {named(str(beside))}")
    if not is_compose:
        _say(
            "the chart stands below what `monitor files DIRECTORY --config "
            f"{shlex.quote(str(out))}` writes, with the severities and rows of this configuration",
            "note",
        )
    for number, command in enumerate(_next(out, beside, options.deploy), 1):
        print(f"next {number}      {command}")
    return 0


def settled(options: argparse.Namespace, ask: Ask | None) -> Wishes:
    """Return what the options say, and by `ask` what they do not; print what is found out and what
    follows from each answer. Raises UsageError, one sentence that names what is not said."""
    budget = None if options.latency_budget is None else _seconds(options.latency_budget)
    said: dict[str, Any] = {name: getattr(options, name) for name in HELP} | {BUDGET: budget}
    if options.domain is not None:
        _known(options.domain)
    if ask is None and not options.yes:
        _say_what_is_missing(options.domain, said)
    upstream, is_said = _upstream(options.upstream, ask)
    found = _found(options, upstream if is_said else "")
    domain = options.domain or _domain(ask)
    about = layers.layer(layers.PRESETS, domain).about
    _say(f"{domain}: {about['title']}", "domain")
    _say(f"labels: {about['labels']}")
    _say(f"protocols: {', '.join(about['protocols'])}; every other is read, too")
    answers: dict[str, Any] = {}
    for name in Circumstances.__struct_fields__:
        answer = said[name]
        if answer is None:
            answer = False if ask is None else _asked(name, ask)
        answers[name] = (answer or None) if name == BUDGET else answer
        print(f"answer      {name} {init_files.scalar(answers[name])}")
        _say(init_files.consequence(name, answers[name]))
    wishes = Wishes(
        domain, msgspec.convert(answers, Circumstances), upstream, options.endpoint, tuple(found)
    )
    if note := explanation.forgotten(load.checked(wishes.tree)):
        _say(note, "note")
    return wishes


def _say(text: str, word: str = "") -> None:
    """Print a sentence behind a word, or below one, on as many lines as 80 columns need."""
    print(
        textwrap.fill(
            text, init_files.WIDTH, initial_indent=f"{word:<12}", subsequent_indent=" " * 12,
            break_on_hyphens=False, break_long_words=False,
        )
    )  # fmt: skip


def _say_what_is_missing(domain: str | None, said: dict[str, Any]) -> None:
    missing = ["--domain"] if domain is None else []
    missing += [
        f"{FLAGS[name]} MS (0: none)"
        if name == BUDGET
        else f"{FLAGS[name]} or --no-{FLAGS[name][2:]}"
        for name, answer in said.items()
        if answer is None
    ]
    if missing:
        raise UsageError(
            f"`monitor init` cannot ask, because stdin is no terminal: say {', '.join(missing)}; "
            "or --yes, which takes no for an answer that is missing"
        )


def _seconds(text: str) -> float:
    """Seconds of a number of milliseconds.

    >>> _seconds("200"), _seconds("0")
    (0.2, 0.0)
    """
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found <= 1e9:
        raise UsageError(
            f"{FLAGS[BUDGET]}: {told(plain(text))} is no number of milliseconds, as 200; 0 is none"
        )
    return found / 1000


def _known(domain: str) -> None:
    known = layers.presets()
    if domain not in known:
        raise UsageError(
            f"--domain: {told(plain(domain))} is not one of {', '.join(known)}"
            f"{did_you_mean(domain, known)}"
        )


def _upstream(given: str | None, ask: Ask | None) -> tuple[str, bool]:
    """The model's URL, and whether somebody said so."""
    is_said = given is not None or ask is not None
    if given is None and ask is not None:
        given = _answer(ask, f"Where is the model? URL [{UPSTREAM}] ").strip()
    upstream = given or UPSTREAM
    load.checked({"upstream": upstream})
    if "@" in urlsplit(upstream).netloc:
        raise UsageError(
            f"--upstream: leave user and password out, as {told(shown(upstream))}; they would "
            "stand in a file and reach no model. Clients send Authorization themselves"
        )
    return upstream, is_said


def _found(options: argparse.Namespace, upstream: str) -> list[str]:
    """Lines about what was found out, as a file may keep them; they are printed, too, with the
    columns of a table. No upstream is empty."""
    lines = []
    if upstream and not options.no_probe:
        lines.append(f"{shown(upstream)} {discovery.probe(upstream)}")
        print(f"found       {lines[-1]}")
    if options.sample:
        found, name = discovery.sample(options.sample), plain(named(options.sample))
        lines.append(f"{name} {found.kept}")
        print(f"found       {name} {found}")
    return lines


def _domain(ask: Ask | None) -> str:
    known = layers.presets()
    if ask is None:
        raise UsageError(f"--domain: say one of {', '.join(known)}; --yes cannot choose it for you")
    for number, name in enumerate(known, 1):
        print(f"  {number}  {name}: {layers.layer(layers.PRESETS, name).about['title']}")
    while True:
        said = _answer(ask, f"Which domain is nearest? [1-{len(known)}] ").strip().lower()
        if said in known:
            return said
        if said.isdecimal() and 1 <= int(said[:3]) <= len(known):
            return known[int(said) - 1]
        print(f"Say a number, or one of {', '.join(known)}.")


def _asked(name: str, ask: Ask) -> bool | float:
    """An answer to one of the five questions; of the budget seconds, 0 where there is none."""
    question = layers.layer(layers.MODIFIERS, name).about["question"]
    while True:
        if name == BUDGET:
            said = _answer(ask, f"{question} [none] ").strip().lower()
            try:
                return _seconds("0" if said in ("", "none", "no", "n") else said)
            except UsageError as error:
                print(error)
        else:
            said = _answer(ask, f"{question} [y/N] ").strip().lower()
            if said in ("", "n", "no", "y", "yes"):
                return said.startswith("y")
            print("Say y or n.")


def _answer(ask: Ask, question: str) -> str:
    try:
        return ask(question)
    except EOFError:
        raise UsageError(
            "stdin ended before every question was answered; nothing was written"
        ) from None


def _file(name: str) -> Path:
    """The file of `--out`. A name that no line can hold would break a command that is to be copied,
    or a comment."""
    path = Path(name)
    if not path.name or path.name == "..":
        raise UsageError(f"--out: {told(name)} is a directory; name a file in it, as monitor.yaml")
    if not name.isprintable():
        raise UsageError(
            f"--out: {told(name)} has a character that cannot be shown; name another file"
        )
    return path


def _may_write(files: list[Path], ask: Ask | None) -> None:
    """Raise UsageError where a file is there and nobody says that it may go."""
    for path in files:
        try:
            if not path.exists():
                continue
        except OSError as error:
            raise _unwritable(path, error) from None
        if ask is None:
            raise UsageError(f"--out: {named(str(path))} is there; name another file, or remove it")
        said = _answer(ask, f"{named(str(path))} is there. Overwrite it? [y/N] ")
        if said.strip().lower() not in ("y", "yes"):
            raise UsageError(f"--out: {named(str(path))} stays as it is; nothing was written")


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: Exception) -> UsageError:
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return UsageError(f"--out: {named(str(path))} cannot be written: {reason}")


def _next(out: Path, beside: Path, deploy: str) -> list[str]:
    """The next three commands. Those of Helm are the three of deploy/README.md: MODELS is the
    namespace of the Deployment MODEL, REGISTRY where the image was pushed to."""
    config, snippet = shlex.quote(str(out)), shlex.quote(str(beside))
    if deploy == "helm":
        return [
            f"{HELM} --values {snippet} {HELM_SETS}",
            "kubectl label namespace MODELS monitor.dev/inject=enabled",
            f"kubectl -n MODELS patch deployment MODEL --patch {shlex.quote(INJECT)}",
        ]
    compose = f"docker compose -f {snippet}"
    return [
        f"monitor check --config {config}",
        f"monitor run --config {config}   (or: {compose} up)",
        f"monitor records list --config {config}   (or: {compose} exec {INSIDE} records list)",
    ]
