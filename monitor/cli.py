"""The commands: arguments → settings → the role that does the work.

Exit codes: 0 well; 1 the analysis found what `--fail-on` names; 2 bad usage or configuration, with
one line on stderr that names the key, option or file.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

import monitor
from monitor import config
from monitor.config import Settings
from monitor.errors import ConfigError, UsageError

EXIT_USAGE = 2

EXAMPLES = """\
examples:
  monitor demo                                       the guided run: two models, drift, an alarm
  monitor run --upstream http://127.0.0.1:9000       one command in front of a model
  monitor sidecar --upstream http://127.0.0.1:9000 --redis redis://redis:6379/0
  monitor analyze --redis redis://redis:6379/0 --endpoint support-bot
  monitor replay today.csv --reference last-month.csv --by region --fail-on drift

Every option is also a key of the YAML file (--config) and a MONITOR_… variable; the command line
beats the environment, the environment beats the file.
"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """The epilog as it is written, names of commands beside what they do."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=20)


class _Parser(argparse.ArgumentParser):
    """argparse, with one line instead of a page when something is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message} (try {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser(arguments[0] if arguments else "").parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except UsageError as error:
        print(f"monitor: {error}", file=sys.stderr)
        return EXIT_USAGE
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130


def _parser(chosen: str) -> argparse.ArgumentParser:
    """All commands; the options of a command that needs more imports only when it is `chosen`."""
    parser = _Parser(
        prog="monitor",
        description="Watches a model endpoint: traffic, tails and drift. Not a byte of the traffic "
        "is changed and no request waits for it.",
        epilog=EXAMPLES,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action="version", version=f"monitor {monitor.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")

    def add(name: str, run: Callable[[argparse.Namespace], int], help_: str) -> _Parser:
        sub = commands.add_parser(name, help=help_, description=help_[0].upper() + help_[1:] + ".")
        sub.set_defaults(command=run)
        return sub

    _common(add("run", _run, "proxy, recorder and analyzer, with an embedded store if none given"))
    _common(add("sidecar", _sidecar, "proxy and recorder beside one model; needs --redis"))
    _common(add("analyze", _analyze, "the analyzer for an endpoint's stream; needs --redis"))
    _common(add("check", _check, "validate the configuration and say what it means"))
    add("demo", _demo, "the guided run: two models, real clients, a shift, and what is found")
    replay = add("replay", _replay, "ask records, tables and logs at rest what the analyzer asks")
    reference = add("reference", _reference, "make a reference profile, without raw values in it")
    keys = add("keys", _keys, "list, rotate and fingerprint the keys that make pseudonyms")
    reveal = add("reveal", _reveal, "open sealed values, with the private key and a reason")
    if chosen == "replay":
        from monitor.app import replay_options as offline

        offline.add_arguments(replay)
        _common(replay)
    if chosen == "reference":
        from monitor.app import replay_options as offline

        build = reference.add_subparsers(metavar="COMMAND", required=True).add_parser(
            "build", help="from records or tables, as `monitor replay` reads them"
        )
        offline.add_build_arguments(build)
        _common(build)
    if chosen == "keys":
        from monitor.app import keyring

        keyring.add_arguments(keys)
        _common(keys)
    if chosen == "reveal":
        from monitor.app import reveal as revealing

        revealing.add_arguments(reveal)
        _common(reveal)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("settings")
    for option, metavar, text in (
        ("config", "FILE", "YAML file with settings (MONITOR_CONFIG)"),
        ("endpoint", "NAME", "name of the endpoint, part of every key and metric (default)"),
        ("upstream", "URL", "the model endpoint, as http://127.0.0.1:9000"),
        ("listen", "HOST:PORT", "where clients connect (127.0.0.1:8080)"),
        ("admin", "HOST:PORT", "where /metrics, /healthz and /readyz are (127.0.0.1:9464)"),
        ("redis", "URL", "Redis or Valkey to use, as redis://127.0.0.1:6379/0"),
        ("data", "DIR", "embedded store, spool and keys (.monitor)"),
        ("workers", "N", "proxies that share the port, one per core (1)"),
    ):
        group.add_argument(f"--{option}", metavar=metavar, help=text)


def _settings(options: argparse.Namespace) -> Settings:
    for name in config.unknown_variables():
        print(f"monitor: {name} is not a setting; ignored", file=sys.stderr)
    names = ("endpoint", "upstream", "listen", "admin", "redis", "data", "workers")
    return config.load(
        options.config or os.environ.get("MONITOR_CONFIG"),
        options={name: getattr(options, name) for name in names},
    )


def _need(settings: Settings, command: str, *names: str) -> None:
    examples = {"upstream": "http://127.0.0.1:9000", "redis": "redis://127.0.0.1:6379/0"}
    for name in names:
        if not getattr(settings, name):
            raise ConfigError(
                f"{name}: `monitor {command}` needs one, as --{name} {examples[name]}"
            )


def _run(options: argparse.Namespace) -> int:
    from monitor.app import supervisor

    settings = _settings(options)
    _need(settings, "run", "upstream")
    return supervisor.supervise(settings, supervisor.RUN)


def _sidecar(options: argparse.Namespace) -> int:
    from monitor.app import supervisor

    settings = _settings(options)
    _need(settings, "sidecar", "upstream", "redis")
    return supervisor.supervise(settings, supervisor.SIDECAR)


def _analyze(options: argparse.Namespace) -> int:
    from monitor.app import supervisor

    settings = _settings(options)
    _need(settings, "analyze", "redis")
    return supervisor.supervise(settings, supervisor.ANALYZE)


def _check(options: argparse.Namespace) -> int:
    from monitor.app import check

    settings = _settings(options)
    check.verify(settings, proxy=bool(settings.upstream), analyzer=True)
    for line in check.explain(settings):
        print(line)
    return 0


def _replay(options: argparse.Namespace) -> int:
    from monitor.app import replay

    return replay.run(options, _settings(options))


def _reference(options: argparse.Namespace) -> int:
    from monitor.app import replay

    return replay.build(options, _settings(options))


def _keys(options: argparse.Namespace) -> int:
    from monitor.app import keyring

    return keyring.run(options, _settings(options))


def _reveal(options: argparse.Namespace) -> int:
    from monitor.app import reveal

    return reveal.run(options, _settings(options))


def _demo(_options: argparse.Namespace) -> int:
    from monitor.demo.run import demo

    return demo()
