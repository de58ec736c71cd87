"""The commands: arguments → settings → the role that does the work.

Exit codes: 0 well; 1 the analysis found what `--fail-on` names, or `verify` what is not as it was
written; 2 bad usage or configuration, or what stands in the way, with one line on stderr that names
the key, option or file; 130 Ctrl-C, 143 SIGTERM, with a line on what had been done; 141 the reader
of what is printed has gone.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import monitor
from monitor import extras, stopping
from monitor.commands import streams
from monitor.errors import ConfigError, UsageError
from monitor.logs import plain
from monitor.settings import load
from monitor.settings.schema import Settings
from monitor.settings.validation import did_you_mean, told
from monitor.urls import named

EXIT_USAGE = 2
OWN = "own"
"""Where the options of a command keep what the user says, without what a preset adds."""

EXAMPLES = """\
examples:
  monitor demo
  monitor init --out monitor.yaml
  monitor run --upstream http://127.0.0.1:9000
  monitor records list --limit 20
  monitor sidecar --upstream http://127.0.0.1:9000 --redis redis://redis:6379/0
  monitor analyze --redis redis://redis:6379/0 --endpoint support-bot
  monitor replay today.csv --reference last-month.csv --fail-on drift

Every setting is also a key of the YAML file (--config) and an environment
variable MONITOR_…. The command line beats the environment; the environment
beats the file. CONFIGURATION.md lists every key.
"""

SETTINGS = {
    "config": (
        "FILE",
        "read settings from this YAML file; by default the one that MONITOR_CONFIG names, if any",
    ),
    "endpoint": (
        "NAME",
        "name the endpoint, in every key and metric; by default `default`",
    ),
    "upstream": ("URL", "forward traffic to this model, as http://127.0.0.1:9000"),
    "listen": ("HOST:PORT", "accept clients here; by default 127.0.0.1:8080"),
    "admin": ("HOST:PORT", "serve /metrics and /readyz here; by default 127.0.0.1:9464"),
    "redis": (
        "URL",
        "use this Redis or Valkey, as redis://127.0.0.1:6379/0; by default an embedded store",
    ),
    "data": ("DIR", "use this directory for embedded store, spool and keys; by default .monitor"),
    "workers": ("N", "run N proxies that share the port, one for each core; by default 1"),
}
"""Settings that are options: metavariable and help."""

RUNNING = (
    "Runs until SIGTERM or Ctrl-C, then drains and exits 0. Prints its addresses on stderr; "
    "DATA/run.json holds them for scripts."
)


class _Help(argparse.HelpFormatter):
    """Names of commands beside what they do; texts with indented lines as they are written."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=24)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n  " in text else super()._fill_text(text, width, indent)


class _Parser(argparse.ArgumentParser):
    """argparse, with one line instead of a page when something is wrong."""

    def options(self, command: str = "") -> set[str]:
        """The long options of a command; all of its own where none is named."""
        found = {name for one in self._actions for name in one.option_strings if name[:2] == "--"}
        choices = (one.choices for one in self._actions if isinstance(one.choices, dict))
        inner = [sub for each in choices for name, sub in each.items() if command in ("", name)]
        return (set() if command else found).union(*(sub.options() for sub in inner))

    def error(self, message: str, command: str = "") -> NoReturn:
        if choice := re.fullmatch(
            r"(?:argument (-\S+: )?)?.*invalid choice: '(.*)' \(choose from (.*)\)",
            message,
            re.DOTALL,
        ):
            known = re.findall(r"[\w.-]+", choice[3])
            option, name = choice[1] or "", plain(choice[2])
            message = (
                f"{option}{name!r} is not one of {', '.join(known)}{did_you_mean(name, known)}"
            )
        asked = f"{self.prog} {command}".strip()
        self.exit(EXIT_USAGE, f"{self.prog}: {plain(message)} (try {asked} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. No fault of the world around it gets past this."""
    arguments = sys.argv[1:] if arguments is None else arguments
    streams.prepare()
    try:
        status = _done(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        status = streams.GONE
    except KeyboardInterrupt as error:
        streams.say(f"monitor: {stopping.sentence(error)}")
        status = stopping.code(stopping.name(error))
    except Exception as error:  # noqa: BLE001  no traceback on a user's screen
        streams.say(f"monitor: {_why(error)}")
        status = EXIT_USAGE
    streams.settle()
    return status


def _done(arguments: Sequence[str]) -> int:
    chosen = arguments[0] if arguments else ""
    options = argparse.Namespace()
    try:
        parser = _parser(chosen)
        options, unknown = parser.parse_known_args(arguments)
        sources = getattr(options, "source", None)
        if isinstance(sources, list) and not any(one.startswith("-") for one in unknown):
            sources += unknown  # argparse takes only those on one side of the options
        elif unknown:
            name = unknown[0].partition("=")[0]
            near = did_you_mean(name, parser.options(chosen) - {name})
            parser.error(f"{unknown[0]} is not an option of `{chosen}`{near}", chosen)
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except ConfigError as error:
        streams.say(f"monitor: {_in_own_words(error, options)}")
        return EXIT_USAGE
    except UsageError as error:
        streams.say(f"monitor: {error}")
        return EXIT_USAGE
    except SystemExit as left:
        if isinstance(left.__context__, BrokenPipeError):  # what rich makes of one
            raise left.__context__ from None
        sys.stdout.flush()
        raise


def _in_own_words(error: ConfigError, options: argparse.Namespace) -> str:
    """A complaint about what was loaded, in words of what the user says: a preset may be below it.

    What is wrong while it is loaded is told in these words already.
    """
    if not hasattr(options, OWN):
        return str(error)
    from monitor.settings import layers

    return layers.in_own_words(str(error), getattr(options, OWN))


def _why(error: Exception) -> str:
    """What went wrong that no command has words for, in one sentence that holds no data."""
    if isinstance(error, OSError) and error.strerror:
        if error.filename is not None:
            return f"{plain(named(str(error.filename)))}: {error.strerror}"
        why = streams.fault()
        return f"stdout: {why}" if why else error.strerror
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    at = traceback.extract_tb(error.__traceback__)[-1]
    return f"a defect of monitor: {type(error).__name__} at {Path(at.filename).name}:{at.lineno}"


def _parser(chosen: str) -> _Parser:
    """The chosen command with its options, alone; where none is called so, the names of all. The
    others would take 10 ms of each start."""
    parser = _Parser(
        prog="monitor",
        description="Watch a model endpoint: traffic, latency, errors, drift. monitor forwards "
        "every byte unchanged and records a copy; no request waits for it.",
        epilog=EXAMPLES,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action="version", version=f"monitor {monitor.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    made: dict[str, _Parser] = {}

    def add(
        name: str,
        run: Callable[[argparse.Namespace], int],
        help_: str,
        *settings: str,
        more: str = "",
        example: str = "",
        needs_store: bool = False,
    ) -> None:
        if chosen not in ("", name):
            return
        sub = made[name] = commands.add_parser(
            name,
            help=help_,
            description=help_[0].upper() + help_[1:] + ". " + more,
            epilog=f"example:\n  {example}\n" if example else None,
            formatter_class=_Help,
        )
        sub.set_defaults(command=run)
        if settings and chosen:
            _common(sub, *settings, needs_store=needs_store)

    _add_commands(add)
    if chosen in made:
        _add_options(chosen, made[chosen])
    return parser if made else _parser("")


def _add_commands(add: Callable[..., None]) -> None:
    """All commands, in the order of the help."""
    add("run", _run, "run proxy, recorder and analyzer on one machine", *SETTINGS, more=RUNNING,
        example="monitor run --upstream http://127.0.0.1:9000")  # fmt: skip
    add("sidecar", _sidecar, "run proxy and recorder beside one model; needs --redis",
        *SETTINGS, more=RUNNING, needs_store=True,
        example="monitor sidecar --upstream http://127.0.0.1:9000 \\\n"
        "      --redis redis://127.0.0.1:6379/0")  # fmt: skip
    add("analyze", _analyze, "run the analyzer of one endpoint; needs --redis",
        "endpoint", "admin", "redis", "data", more=RUNNING, needs_store=True,
        example="monitor analyze --redis redis://127.0.0.1:6379/0")  # fmt: skip
    add("check", _check, "check the configuration and say what it means", *SETTINGS,
        more="Looks at files and ports as `monitor run` does before it starts, and starts nothing. "
        "If something cannot work, prints one line that names the key and exits 2.",
        example="monitor check --upstream http://127.0.0.1:9000")  # fmt: skip
    add("demo", _demo, "show it all: two models, real clients, a shift, the drift found",
        more="Takes half a minute, more on a busy machine, and leaves nothing behind.",
        example="monitor demo --keep\n  monitor demo --domain support")  # fmt: skip
    add("records", _records, "list and show the stored records",
        example="monitor records list --limit 20")  # fmt: skip
    add("templates", _templates, "list and show the prompt templates of the records",
        example="monitor templates list")  # fmt: skip
    add("review", _review, "read exchanges and say whether the answers will do",
        example="monitor review next")  # fmt: skip
    add("feedback", _feedback, "load what became of exchanges: labels, events, verdicts",
        example="monitor feedback load labels.csv")  # fmt: skip
    add("experiments", _experiments, "compare the arms of the declared experiments",
        example="monitor experiments --config monitor.yaml")  # fmt: skip
    add("notify", _notify, "test the receivers of notifications, and silence alerts",
        example="monitor notify test --config monitor.yaml")  # fmt: skip
    add("replay", _replay, "look for drift in records, tables and logs at rest",
        more="Judges them as the analyzer judges live traffic. Exit code 1: --fail-on drift, and "
        "drift was found.",
        example="monitor replay today.csv --reference last-month.csv --fail-on drift")  # fmt: skip
    add("verify", _verify, "prove that an archive is what was written",
        more="Reads all of it, needs nothing that runs and changes nothing. Exit code 0: proven; "
        "1: something is missing, altered, out of order or cut off, and the first such place is "
        "named; 2: it cannot be told.",
        example="monitor verify /var/lib/monitor/archive --public-key audit.pub")  # fmt: skip
    add("redrive", _redrive, "send recorded requests to another endpoint and compare",
        more="Says first what can be sent again. Personal data goes out as made-up values. Exit "
        "code 1: --fail-on different, and the answers differ; 2: an endpoint answered nothing.",
        example="monitor redrive archive/ --against http://127.0.0.1:9001 \\\n"
        "      --baseline http://127.0.0.1:9000")  # fmt: skip
    add("reference", _reference, "build a reference profile; it holds no raw values",
        example="monitor reference build last-month.csv --out profile.json")  # fmt: skip
    add("keys", _keys, "list, rotate and fingerprint the keys that make pseudonyms",
        example="monitor keys list")  # fmt: skip
    add("reveal", _reveal, "print the values behind pseudonyms, with a private key")
    add("inject", _inject, "add the sidecar to the Pods of manifests",
        more="Prints the manifests on stdout. What cannot be injected is printed as it is, with a "
        "line on stderr that says why.",
        example="monitor inject model.yaml | kubectl apply -f -")  # fmt: skip
    add("injector", _injector, "run the admission webhook that adds the sidecar to Pods",
        more="Answers POST /mutate at --listen, with `tls.cert` and `tls.key`. Every Pod is "
        "admitted. Runs until SIGTERM or Ctrl-C.",
        example="monitor injector --config injector.yaml --listen 0.0.0.0:10250")  # fmt: skip
    add("init", _init, "ask what it needs to know and write a configuration",
        example="monitor init --domain support --out monitor.yaml")  # fmt: skip
    add("files", _files, "write dashboards, alert rules and manifests to a directory",
        example="monitor files deployment")  # fmt: skip
    add("schema", _schema, "print the JSON Schema of a document",
        example="monitor schema record")  # fmt: skip
    add("erase", _erase, "take a person out of stream and archive")


LOOKING = (
    "records", "templates", "review", "feedback", "experiments", "notify", "verify", "redrive",
    "keys", "erase",
)  # fmt: skip
"""Commands whose file adds the settings, too, behind each of its own commands."""


def _add_options(chosen: str, parser: _Parser) -> None:
    """The options of a command; its settings, where they do not stand beside its name."""
    if chosen == "demo":
        _demo_options(parser)
    elif chosen in LOOKING:
        _file_of(chosen).add_arguments(parser, _common)
    elif chosen in ("init", "files", "schema"):
        _file_of(chosen).add_arguments(parser)
    elif chosen == "inject":
        _file_of(chosen).add_arguments(parser)
        _common(parser)
    elif chosen == "injector":
        _common(parser, "endpoint", "listen", "admin", "data")
    elif chosen == "reveal":
        _file_of(chosen).add_arguments(parser)
        _common(parser, "endpoint", "redis", "data")
    elif chosen == "replay":
        _file_of("replay_options").add_arguments(parser)
        _common(parser, "endpoint", "redis", "data")
    elif chosen == "reference":
        build = parser.add_subparsers(metavar="COMMAND", required=True).add_parser(
            "build",
            help="build it from records or tables, as `monitor replay` reads them",
            description="Build a profile of what is usual from records or tables. "
            "`monitor replay --reference` and `reference.file` take it.",
            epilog="example:\n  monitor reference build last-month.csv --out profile.json\n",
            formatter_class=_Help,
        )
        _file_of("replay_options").add_build_arguments(build)
        _common(build, "endpoint", "redis", "data")


def _file_of(command: str) -> Any:
    """The file of a command, loaded when it is chosen."""
    return importlib.import_module(f"monitor.commands.{command}")


def _common(parser: argparse.ArgumentParser, *names: str, needs_store: bool = False) -> None:
    """Add `--config` and the settings: those named, which the command reads, are in its help.

    The others are taken by every command all the same, so that one set of options serves all.
    """
    group = parser.add_argument_group("settings")
    for name, (metavar, text) in SETTINGS.items():
        shown = text if name in ("config", *names) else argparse.SUPPRESS
        if name == "redis" and needs_store:
            shown = "use this Redis or Valkey, as redis://127.0.0.1:6379/0"
        group.add_argument(f"--{name}", metavar=metavar, help=shown)


def _settings(options: argparse.Namespace) -> Settings:
    for name in load.unknown_variables():
        print(
            f"monitor: {name} is not a setting and is ignored; CONFIGURATION.md lists them",
            file=sys.stderr,
        )
    return _load(options)


def _load(options: argparse.Namespace) -> Settings:
    own = load.own(*_sources(options))
    settings = load.checked(own)
    setattr(options, OWN, own)
    return settings


def _sources(options: argparse.Namespace) -> tuple[str | None, Mapping[str, str], dict[str, Any]]:
    """Where settings come from: a file, the environment, the command line."""
    given = {name: getattr(options, name) for name in SETTINGS if name != "config"}
    return options.config or os.environ.get("MONITOR_CONFIG"), os.environ, given


def _need(settings: Settings, command: str, *names: str) -> None:
    examples = {"upstream": "http://127.0.0.1:9000", "redis": "redis://127.0.0.1:6379/0"}
    for name in names:
        if not getattr(settings, name):
            raise ConfigError(
                f"{name}: `monitor {command}` needs one, as --{name} {examples[name]}"
            )


def _run(options: argparse.Namespace) -> int:
    from monitor.app import supervisor

    settings = _load(options)
    _need(settings, "run", "upstream")
    return supervisor.supervise(settings, supervisor.RUN)


def _sidecar(options: argparse.Namespace) -> int:
    from monitor.app import supervisor

    settings = _load(options)
    _need(settings, "sidecar", "upstream", "redis")
    return supervisor.supervise(settings, supervisor.SIDECAR)


def _analyze(options: argparse.Namespace) -> int:
    from monitor.app import supervisor

    settings = _load(options)
    _need(settings, "analyze", "redis")
    return supervisor.supervise(settings, supervisor.ANALYZE)


def _check(options: argparse.Namespace) -> int:
    from monitor.assembly import check, explanation, origins

    settings = _settings(options)
    alone = check.apart_from_running(settings)
    check.verify(alone, proxy=bool(settings.upstream), analyzer=True)
    for line in explanation.explain(settings):
        print(line)
    for line in origins.lines(getattr(options, OWN)):
        print(line)
    return 0


def _records(options: argparse.Namespace) -> int:
    from monitor.commands import records

    return records.run(options, _settings(options))


def _templates(options: argparse.Namespace) -> int:
    from monitor.commands import templates

    return templates.run(options, _settings(options))


def _review(options: argparse.Namespace) -> int:
    from monitor.commands import review

    return review.run(options, _settings(options))


def _feedback(options: argparse.Namespace) -> int:
    from monitor.commands import feedback

    return feedback.run(options, _settings(options))


def _experiments(options: argparse.Namespace) -> int:
    from monitor.commands import experiments

    return experiments.run(options, _settings(options))


def _notify(options: argparse.Namespace) -> int:
    from monitor.commands import notify

    return notify.run(options, _settings(options))


def _init(options: argparse.Namespace) -> int:
    from monitor.commands import init

    return init.run(options)


def _files(options: argparse.Namespace) -> int:
    from monitor.commands import files

    return files.run(options)


def _schema(options: argparse.Namespace) -> int:
    from monitor.commands import schema

    return schema.run(options)


def _replay(options: argparse.Namespace) -> int:
    from monitor.commands import replay

    return replay.run(options, _settings(options))


def _verify(options: argparse.Namespace) -> int:
    from monitor.commands import verify

    return verify.run(options, _settings(options))


def _redrive(options: argparse.Namespace) -> int:
    from monitor.commands import redrive

    return redrive.run(options, _settings(options))


def _reference(options: argparse.Namespace) -> int:
    from monitor.commands import replay

    return replay.build(options, _settings(options))


def _keys(options: argparse.Namespace) -> int:
    from monitor.commands import keys

    return keys.run(options, _settings(options))


def _reveal(options: argparse.Namespace) -> int:
    from monitor.commands import reveal

    return reveal.run(options, _settings(options))


def _inject(options: argparse.Namespace) -> int:
    from monitor.commands import inject

    return inject.run(options, _settings(options))


def _injector(options: argparse.Namespace) -> int:
    from monitor.app import injector

    return injector.serve(_load(options))


def _erase(options: argparse.Namespace) -> int:
    from monitor.commands import erase

    return erase.run(options, _settings(options))


def _demo_options(demo: argparse.ArgumentParser) -> None:
    demo.add_argument("--keep", action="store_true",
        help="keep everything running until Ctrl-C, and print its addresses")  # fmt: skip
    demo.add_argument("--domain", metavar="D",
        help="the scenario of a domain instead, with a problem that overall accuracy hides: "
        "ecommerce, finance, healthcare, legal, science or support")  # fmt: skip
    demo.add_argument(
        "--no-problem",
        action="store_true",
        help="with --domain: the same traffic without the problem; nothing should alarm",
    )
    demo.add_argument("--seed", type=int, default=1, metavar="N",
        help="with --domain: the traffic of another day; by default 1")  # fmt: skip


def _demo(options: argparse.Namespace) -> int:
    for module in ("openai", "httpx", "sklearn"):
        if not extras.is_there(module):
            raise UsageError(extras.advice("demo", "monitor demo"))
    if options.domain is None:
        for name, is_given in (("--no-problem", options.no_problem), ("--seed", options.seed != 1)):
            if is_given:
                raise UsageError(f"{name}: is for the scenario of a domain; give --domain, too")
        from monitor.demo.run import demo

        return demo(keep=options.keep)
    from monitor.demo import domain
    from monitor.demo.scenarios import SCENARIOS

    scenario = SCENARIOS.get(options.domain)
    if scenario is None:
        raise UsageError(
            f"--domain: {told(options.domain)} is not one of {', '.join(SCENARIOS)}"
            f"{did_you_mean(options.domain, SCENARIOS)}"
        )
    return domain.run(
        scenario, seed=options.seed, problem=not options.no_problem, keep=options.keep
    )
