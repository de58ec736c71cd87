"""Collects, and forks for whoever asks."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import _pytest.config
import _pytest.tmpdir
import pytest


class Collected:
    """Tests that were collected here and run in a fork.

    What is done is what `pytest.main` does in a worker that pytest-xdist started anew; the fork
    comes between what is collected and what is run.
    """

    def __init__(self, arguments: list[str]) -> None:
        self._told: list[tuple[str, dict[str, Any]]] = []
        self.config = config = _pytest.config._prepareconfig(arguments)
        from xdist.remote import setup_config  # pytest takes its asserts apart: not any earlier

        setup_config(config, None)
        config.workerinput = {"workerid": "collecting"}  # type: ignore[attr-defined]
        config.pluginmanager.register(self)
        self._session = session = pytest.Session.from_config(config)
        session.exitstatus = pytest.ExitCode.OK
        config._do_configure()
        config.hook.pytest_sessionstart(session=session)
        try:
            config.hook.pytest_collection(session=session)
        except pytest.UsageError as wrong:
            sys.stderr.writelines(f"ERROR: {one}\n" for one in wrong.args)
        self._capture = config.pluginmanager.getplugin("capturemanager")
        self._capture.stop_global_capturing()  # to files that all forks would share

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what pytest-xdist is to be told."""
        self._told.append(("pytest_collectreport", {"report": report}))

    def pytest_warning_recorded(
        self, warning_message: object, when: str, nodeid: str, location: object
    ) -> None:
        """Keep what pytest-xdist is to be told."""
        said = {"when": when, "nodeid": nodeid, "location": location}
        self._told.append(("pytest_warning_recorded", {"warning_message": warning_message, **said}))

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        """Go on in a fork, where pytest-xdist has a worker begin."""
        config.pluginmanager.unregister(self)
        _pytest.tmpdir.pytest_configure(config)  # in the worker's own directory
        self._capture.start_global_capturing()
        self._capture.suspend_global_capture()
        session = self._session
        self._tell(session)
        try:
            config.hook.pytest_runtestloop(session=session)
            if session.testsfailed:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        except (KeyboardInterrupt, pytest.exit.Exception):
            session.exitstatus = pytest.ExitCode.INTERRUPTED
            ended = pytest.ExceptionInfo[BaseException].from_current()
            config.hook.pytest_keyboard_interrupt(excinfo=ended)
        except BaseException:  # noqa: BLE001  as pytest does
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
            config.notify_exception(pytest.ExceptionInfo.from_current(), config.option)
        config.hook.pytest_sessionfinish(session=session, exitstatus=session.exitstatus)
        config._ensure_unconfigure()
        return session.exitstatus

    def _tell(self, session: pytest.Session) -> None:
        """Tell pytest-xdist what it would have heard meanwhile."""
        plugins = self.config.pluginmanager.get_plugins()
        xdist: Any = next(one for one in plugins if type(one).__name__ == "WorkerInteractor")
        xdist.pytest_sessionstart(session)
        xdist.pytest_collection()
        for name, said in self._told:
            getattr(xdist, name)(**said)
        xdist.pytest_collection_modifyitems(self.config, session.items)
        xdist.pytest_collection_finish(session)


def serve(asked: socket.socket) -> None:
    """Collect, and fork for whoever asks; end with all forks when stdin does."""
    arguments, sys.path[:] = json.loads(sys.stdin.readline())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPENBLAS_NUM_THREADS", "1")  # numpy would have threads; forks have none
        collected = Collected(arguments)
    _pytest.config._prepareconfig = lambda *_: collected.config  # which a worker begins with
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the fork's to tell, and pytest's
    forks = []
    while True:
        ready, _, _ = select.select([sys.stdin, asked], [], [])
        if sys.stdin in ready:
            for pid in forks:
                os.kill(pid, signal.SIGKILL)  # none was waited for: the numbers are still theirs
                os.waitpid(pid, 0)
            shutil.rmtree(Path(asked.getsockname()).parent)
            os._exit(0)
        connection, _ = asked.accept()
        _, pipes, _, _ = socket.recv_fds(connection, 16, 2)
        pid = os.fork()
        if pid == 0:
            break
        forks.append(pid)
        for descriptor in (connection.detach(), *pipes):
            os.close(descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asked.close()
    for number, pipe in enumerate(pipes):
        os.dup2(pipe, number)
        os.close(pipe)
    with open(0, closefd=False) as sent:
        exec(eval(sent.readline()), {})
    connection.close()


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
