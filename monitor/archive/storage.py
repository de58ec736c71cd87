"""Where an archive stands → its files: a directory of this machine, or an object store by its URL.

Both give what the chain of manifests needs: to put something under a name only where there is
nothing yet, whole or not at all, and durable once it is done. A directory does that with hard
links, which the kernel makes atomically; an object store with a condition on the request
(`If-None-Match: *`). All of it raises `ArchiveError`, a sentence that quotes no file system.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import tempfile
from collections.abc import Callable, Generator, Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from urllib.parse import unquote

from monitor import places
from monitor.errors import ArchiveError
from monitor.urls import shown

SCRATCH = ".scratch"
"""The directory, below that of the archive, of files that are being written."""

NO_FILE = "is no file"
"""What to say of a pipe, a device or a directory in the place of a file."""

TRIES = 3
"""Times that a directory is made for a file: another program may remove it while it is empty."""

BOUND = 300.0
"""Seconds that an object store may take for one thing, however often its library asks again: that
may wait for a connection that nobody gives back, and for ever."""

STALE = 3600.0
"""Seconds after which nobody goes on writing a file: its writer was killed."""


class Storage(Protocol):
    """The files of an archive, by their paths below it."""

    name: str
    """What the archive is called in messages."""

    def scratch(self) -> Path:
        """Return a new, empty local file from which `publish` takes what is to be stored."""

    def sweep(self, now: float) -> None:
        """Remove files of `scratch` that nobody has written to for `STALE` seconds."""

    def put(self, path: str, data: bytes) -> bool:
        """Store this where there is nothing yet, durably; False where there is something."""

    def publish(self, local: Path, path: str) -> None:
        """Store a local file, durably, in the place of whatever is there."""

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in the place of whatever is there."""

    def read(self, path: str) -> bytes | None:
        """Return what is stored there; None where nothing is."""

    def read_all(self, paths: Iterable[str]) -> list[bytes | None]:
        """Return what is stored at each path, in order; None where nothing is."""

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""

    def inside(self, directory: str) -> list[str]:
        """Return the names in a directory, sorted; none where it is not there."""

    def below(self, directory: str) -> list[str]:
        """Return the paths of all files below a directory, at whatever depth, sorted."""

    def delete(self, path: str) -> None:
        """Remove a file, if it is there."""

    def leave(self, directory: str) -> None:
        """Remove a directory and those it stands in, but for the uppermost, as far as they are
        empty; an object store has none."""

    def place(self, path: str) -> Path:
        """Return a file to be read."""


def at(url: str, scratch: Path) -> Storage:
    """Return the storage at a path or URL. What an object store is given stands in the directory
    `scratch` before. Raises ArchiveError where nothing reads such URLs."""
    if places.is_url(url):
        _right(url)
    if (root := directory_of(url)) is not None:
        return Directory(root)
    with _said(shown(url)):
        return Objects(url.rstrip("/"), scratch)


def directory_of(url: str) -> Path | None:
    """Return the directory of this machine that a path or URL names, if it does."""
    scheme, _, rest = url.partition("://")
    if not places.is_url(url):
        return Path(url)
    is_file = scheme.lower() == "file"
    return Path(unquote(rest.removeprefix("localhost"))) if is_file else None


def is_absent(url: str) -> bool:
    """Whether a path or URL names a directory of this machine that is not there; an object store
    has no directories, so none of them is."""
    root = directory_of(url)
    try:
        return root is not None and not root.exists()
    except (OSError, ValueError):  # it cannot be looked at, or is no name of a file
        return False


def writable(url: str) -> None:
    """Raise ArchiveError where no archive can be written to a URL, as far as it says so itself."""
    if not places.is_url(url):
        return
    _right(url)
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    if scheme in ("http", "https", "data", "github", "git", "zip", "tar", "memory", "reference"):
        what = "is lost with the process" if scheme == "memory" else "can only be read"
        raise ArchiveError(
            f"{shown(url)}: what has such a URL {what}; name a directory, or a bucket such as "
            "s3://bucket/archive"
        )
    if scheme != "file" and not rest.partition("/")[0]:
        raise ArchiveError(f"{shown(url)}: names no bucket; write {scheme}://bucket/archive")


def _right(url: str) -> None:
    """Raise ArchiveError for what a URL has and must not have."""
    scheme, _, rest = url.partition("://")
    if scheme.lower() == "file" and ("?" in rest or "#" in rest):
        raise ArchiveError(
            f"{shown(url)}: a directory has neither query nor fragment; write %3F for `?`, %23 for "
            "`#`"
        )
    if scheme.lower() == "s3" and "@" in rest.partition("/")[0]:
        raise ArchiveError(
            f"{shown(url)}: a bucket has no user and password before it; credentials come from the "
            "environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"
        )


@contextlib.contextmanager
def _said(where: str) -> Generator[None]:
    """Whatever a file system raises is an ArchiveError of one sentence."""
    try:
        yield
    except ArchiveError:
        raise
    except ImportError:
        raise ArchiveError(f"{where}: what reads such URLs is not installed") from None
    except Exception as error:  # noqa: BLE001  each file system raises its own
        raise ArchiveError(f"{where}: {why(error)}") from None


def why(error: BaseException) -> str:
    """What to say of what a file system raised.

    >>> why(OSError(28, "No space left on device", "/secret"))
    'the disk is full'
    >>> why(socket.gaierror(-2, "Name or service not known"))
    'name or service not known'
    """
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    if number in (errno.ENOPKG, errno.EPROTONOSUPPORT):
        return places.reason(error)
    if isinstance(error, socket.gaierror):  # its numbers are none of the kernel's
        return str(error.strerror).lower()
    if isinstance(error, OSError) and isinstance(number, int):
        return os.strerror(number).lower()
    return places.reason(error)


class Directory:
    """An archive in a directory."""

    def __init__(self, root: Path) -> None:
        self.name = str(root)
        self._root = root

    def scratch(self) -> Path:
        """See Storage."""
        with _said(self.name):
            return _scratch(self._root / SCRATCH)

    def sweep(self, now: float) -> None:
        """See Storage."""
        with _said(self.name):
            _sweep(self._root / SCRATCH, now)

    def put(self, path: str, data: bytes) -> bool:
        """See Storage."""
        target = self._at(path)
        with _said(self.name):
            new = _scratch(self._root / SCRATCH)
            try:
                with new.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                return self._placed(target, lambda: _linked(new, target))
            finally:
                new.unlink(missing_ok=True)

    def publish(self, local: Path, path: str) -> None:
        """See Storage."""
        target = self._at(path)
        with _said(self.name):
            self._placed(target, lambda: local.replace(target))

    def rename(self, old: str, new: str) -> None:
        """See Storage."""
        source, target = self._at(old), self._at(new)
        with _said(self.name):
            self._placed(target, lambda: source.replace(target))

    def read(self, path: str) -> bytes | None:
        """See Storage."""
        with _said(f"{self.name}/{path}"):
            try:
                return _regular(self._at(path))
            except (FileNotFoundError, NotADirectoryError):
                return None

    def read_all(self, paths: Iterable[str]) -> list[bytes | None]:
        """See Storage."""
        return [self.read(path) for path in paths]

    def exists(self, path: str) -> bool:
        """See Storage."""
        with _said(self.name):
            return self._at(path).exists()

    def inside(self, directory: str) -> list[str]:
        """See Storage."""
        with _said(f"{self.name}/{directory}"):
            try:
                return sorted(os.listdir(self._at(directory)))  # noqa: PTH208  names alone
            except (FileNotFoundError, NotADirectoryError):
                return []

    def below(self, directory: str) -> list[str]:
        """See Storage."""
        top = self._at(directory)

        def tell(error: OSError) -> None:
            if not isinstance(error, FileNotFoundError):
                raise error

        with _said(str(top)):
            return sorted(
                str(Path(found, name).relative_to(self._root))
                for found, _, names in os.walk(top, onerror=tell)
                for name in names
            )

    def delete(self, path: str) -> None:
        """See Storage."""
        with _said(self.name):
            self._at(path).unlink(missing_ok=True)

    def leave(self, directory: str) -> None:
        """See Storage."""
        place = self._at(directory)
        with contextlib.suppress(OSError):  # it is not empty, or another one was before us
            while self._root in place.parent.parents:
                place.rmdir()
                place = place.parent

    def place(self, path: str) -> Path:
        """See Storage."""
        place = self._at(path)
        with _said(str(place)):
            if (
                path and place.exists() and not place.is_file()
            ):  # whoever opens a pipe waits for ever
                raise ArchiveError(f"{place}: {NO_FILE}")
        return place

    def _at(self, path: str) -> Path:
        return self._root / _below(path)

    def _placed(self, target: Path, do: Callable[[], Any]) -> bool:
        """Put a file into its directory, durably; False where `do` says that it did not. Who finds
        the directory empty before the file is there may remove it (`leave`); then it is made once
        more."""
        for left in reversed(range(TRIES)):
            try:
                self._made(target.parent)
                if do() is False:
                    return False
                break
            except FileNotFoundError:
                if not left:
                    raise
        _sync(target.parent)
        return True

    def _made(self, directory: Path) -> None:
        """Make a directory and those it stands in; each is on the disk before what is put there."""
        if directory.is_dir():
            return
        self._made(directory.parent)
        directory.mkdir(exist_ok=True)
        _sync(directory.parent)


class Objects:
    """An archive in an object store, or in whatever else fsspec knows by the scheme of its URL."""

    def __init__(self, url: str, scratch: Path) -> None:
        self.name = shown(url)
        self._url = url
        self._scratch = scratch
        self._system, self._root = places.file_system(url)
        # s3fs would ask for the size of each first, to read large ones in parts.
        self._is_s3 = "s3" in self._system.protocol
        self._whole = {"max_concurrency": 1} if self._is_s3 else {}

    def scratch(self) -> Path:
        """See Storage."""
        with _said(str(self._scratch)):
            return _scratch(self._scratch)

    def sweep(self, now: float) -> None:
        """See Storage."""
        with _said(str(self._scratch)):
            _sweep(self._scratch, now)

    def put(self, path: str, data: bytes) -> bool:
        """See Storage."""
        with _said(self.name):
            try:
                self._ask("pipe_file", self._full(path), data, mode="create")
            except FileExistsError:
                return False
        return True

    def publish(self, local: Path, path: str) -> None:
        """See Storage."""
        with _said(self.name):
            self._ask("put_file", str(local), self._full(path))
            local.unlink()

    def rename(self, old: str, new: str) -> None:
        """See Storage."""
        with _said(self.name):
            self._ask("cp_file", self._full(old), self._full(new))
            self._ask("rm_file", self._full(old))

    def read(self, path: str) -> bytes | None:
        """See Storage."""
        with _said(f"{self.name}/{path}"):
            try:
                found: bytes = self._ask("cat_file", self._full(path), **self._whole)
            except FileNotFoundError:
                return None
            return found

    def read_all(self, paths: Iterable[str]) -> list[bytes | None]:
        """See Storage."""
        wanted = [self._full(path) for path in paths]
        with _said(self.name):
            # `cat` would ask of each whether it is there.
            found = self._ask("cat_ranges", wanted, None, None, **self._whole) if wanted else []
        return [self._one(one) for one in found]

    def exists(self, path: str) -> bool:
        """See Storage."""
        with _said(self.name):
            self._system.invalidate_cache()
            return bool(self._ask("exists", self._full(path)))

    def inside(self, directory: str) -> list[str]:
        """See Storage."""
        return sorted(name.rpartition("/")[2] for name in self._listed("ls", directory))

    def below(self, directory: str) -> list[str]:
        """See Storage."""
        top = len(self._root.rstrip("/")) + 1
        return sorted(name[top:] for name in self._listed("find", directory))

    def delete(self, path: str) -> None:
        """See Storage."""
        with _said(self.name), contextlib.suppress(FileNotFoundError):
            self._ask("rm_file", self._full(path))

    def leave(self, directory: str) -> None:
        """See Storage."""

    def place(self, path: str) -> Path:
        """See Storage."""
        return places.Remote.at(f"{self._url}/{_below(path)}")

    def _listed(self, how: str, directory: str) -> list[str]:
        options = {"detail": False} if how == "ls" else {}
        with _said(f"{self.name}/{directory}"):
            self._system.invalidate_cache()  # others write here, too
            try:
                found = self._ask(how, self._full(directory).rstrip("/"), **options)
            except FileNotFoundError:
                return []
            return [str(name).rstrip("/") for name in found]

    def _ask(self, how: str, *arguments: Any, **options: Any) -> Any:
        """Have the file system do something; where that takes too long, with other connections from
        then on."""
        from fsspec.exceptions import FSTimeoutError

        bound = {"timeout": BOUND} if self._is_s3 else {}
        try:
            return getattr(self._system, how)(*arguments, **options, **bound)
        except FSTimeoutError:
            self._system.connect(refresh=True, timeout=BOUND)
            raise

    def _full(self, path: str) -> str:
        return f"{self._root.rstrip('/')}/{_below(path)}"

    def _one(self, found: Any) -> bytes | None:
        """What was read, or why it was not."""
        if isinstance(found, BaseException) and not isinstance(found, FileNotFoundError):
            raise ArchiveError(f"{self.name}: {why(found)}")
        return found if isinstance(found, bytes) else None


def _below(path: str) -> str:
    """A path that stays below the archive: whoever wrote a manifest may have written any."""
    if path.startswith("/") or ".." in PurePosixPath(path).parts:
        raise ArchiveError(f"{path!r}: is not in the archive")
    return path


def _regular(path: Path) -> bytes:
    """The content of a file; raises ArchiveError for what is none, such as a pipe, which is not
    waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ArchiveError(f"{path}: {NO_FILE}")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def _linked(file: Path, target: Path) -> bool:
    """Give a file one more name; False where something has that name."""
    try:
        target.hardlink_to(file)
    except FileExistsError:
        return False
    return True


def _scratch(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=directory, suffix=".part")
    os.close(descriptor)
    return Path(name)


def _sweep(directory: Path, now: float) -> None:
    for one in directory.glob("*.part"):
        with contextlib.suppress(FileNotFoundError):
            if one.stat().st_mtime < now - STALE:
                one.unlink()


def _sync(directory: Path) -> None:
    """Wait until the names in a directory are on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
