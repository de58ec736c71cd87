"""What a user names that is no plain file → files to open: URLs through fsspec, and pipes.

A URL is shown without what may be secret in it, and no message quotes what a file system says.
What comes through a pipe is held in memory: it can be read more than once, and leaves no trace.
"""

from __future__ import annotations

import errno
import glob
import io
import os
import stat
from functools import lru_cache
from pathlib import Path, PosixPath, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from monitor.urls import shown

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STDIN = "-"
"""How standard input is named."""

PIPED = 1 << 30
"""Bytes of a pipe that are held in memory, at most."""

TIMEOUT = 30.0
"""Seconds that a server may take for the next bytes."""

BLOCK = 1 << 20
"""Bytes that are asked of a file system at a time."""

_STORES = ("redis://", "rediss://", "unix://", "redis+sentinel://", "rediss+sentinel://")
_HTTP = ("http", "https")
_GLOB = "*?["


def is_store(place: str) -> bool:
    """Whether a place is the URL of a Redis.

    >>> is_store("redis://h:6379/0"), is_store("s3://bucket/key"), is_store("file.csv")
    (True, False, False)
    """
    return place.startswith(_STORES)


def is_url(place: str) -> bool:
    """Whether a place is the URL of files.

    >>> is_url("redis://h:6379/0"), is_url("s3://bucket/key"), is_url("file.csv")
    (False, True, False)
    """
    return "://" in place and not is_store(place)


def unwritable(path: Path) -> str | None:
    """Why a file cannot be written, as far as that is seen without writing; else None.

    >>> unwritable(Path("/")), unwritable(Path("/dev/null"))
    ('Is a directory', None)
    """
    try:
        there = path if path.exists() else path.parent
        is_directory = there.is_dir()
        is_fixed = os.statvfs(there).f_flag & os.ST_RDONLY
    except OSError as error:
        return error.strerror
    if is_directory is (there == path):
        return os.strerror(errno.EISDIR if is_directory else errno.ENOTDIR)
    if os.access(there, os.W_OK):
        return None
    return os.strerror(errno.EROFS if is_fixed else errno.EACCES)


def is_secret(path: Path) -> bool:
    """Whether what opens a file is more than what may be shown of it."""
    return isinstance(path, Remote) and path.url != str(path)


class Remote(PosixPath):
    """A file at a URL. As a text it is what may be shown of that."""

    url: str = ""

    @classmethod
    def at(cls, url: str) -> Remote:
        """The file at a URL."""
        made = cls(shown(url))
        made.url = url
        return made

    def __str__(self) -> str:
        # What pathlib makes of it, such as its parents, is no file at a URL.
        return shown(self.url) if self.url else super().__str__()

    def __fspath__(self) -> str:
        raise OSError(errno.EINVAL, "is a URL")  # opened by `open` alone

    def __reduce__(self) -> tuple[Any, ...]:
        return Remote.at, (self.url,)

    def relative_to(self, other: Any, *_: Any, **__: Any) -> PurePosixPath:  # type: ignore[override]
        """Return its way from a directory; some versions of pathlib compare texts for that."""
        try:
            return PurePosixPath(*self.parts).relative_to(PurePosixPath(*other.parts))
        except ValueError:  # a file system may name its files otherwise than it was named
            return PurePosixPath(self.name)

    def open(self, *_: Any, **__: Any) -> io.BufferedReader:  # type: ignore[override]
        """Its bytes from the beginning on; raises OSError, as reading them does."""
        return io.BufferedReader(_Stream(self.url), BLOCK)

    def parts_of(self) -> _Stream:
        """The same for who reads some parts of it: each is asked for alone."""
        return _Stream(self.url, in_parts=True)

    def is_dir(self, **_: Any) -> bool:
        """Say that it is a file; what `found` gives is."""
        return False

    def stat(self, **_: Any) -> os.stat_result:
        """Its size, 0 where nobody says it."""
        with self.parts_of() as stream:
            return os.stat_result((0, 0, 0, 0, 0, 0, stream.size or 0, 0, 0, 0))


def in_parts(path: Path) -> Any:
    """A file opened for who reads some parts of it."""
    return path.parts_of() if isinstance(path, Remote) else path.open("rb")


def kept_aside(path: Path) -> Path | None:
    """Where the same file stands that was listed in an archive of ours as
    `…/date=D/hour=H/shard=S/NAME.parquet`, and that another one has taken the place of meanwhile;
    None where it is nowhere. It is kept there for a while (`archive.chain`). Archives of earlier
    have no hours."""
    url = path.url if isinstance(path, Remote) else str(path)
    top, _, rest = url.rpartition("/date=")
    date, _, name = rest.partition("/")
    if name.startswith("hour="):
        name = name.partition("/")[2]
    if not (top and date and name.startswith("shard=") and name.endswith(".parquet")):
        return None
    shard, _, stem = name.removesuffix(".parquet").partition("/")
    directory = f"{top}/_staged/{shard}"
    if not isinstance(path, Remote):
        return next(Path(directory).glob(f"*_{glob.escape(stem)}.old"), None)
    try:
        system, inside = file_system(directory)
        names = sorted(system.find(inside))
    except Exception:  # noqa: BLE001  each file system raises its own; what was missing is said
        return None
    found = (one for one in names if one.endswith(f"_{stem}.old"))
    return next((Remote.at(system.unstrip_protocol(one)) for one in found), None)


class Piped(PosixPath):
    """What came through a pipe, in memory. As a text it is what it is called."""

    name_: str = ""
    descriptor: int = -1

    @classmethod
    def of(cls, name: str, descriptor: int) -> Piped:
        """A pipe, by what it is called, and the file in memory that holds what came."""
        made = cls(name)
        made.name_, made.descriptor = name, descriptor
        return made

    def __str__(self) -> str:
        return self.name_ or super().__str__()

    def __fspath__(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"


def piped(place: str) -> Piped | None:
    """What comes through a pipe, read to its end; None for what is none.

    Raises OSError for more than `PIPED` bytes, and where it cannot be read.
    """
    if place != STDIN and not _is_pipe(Path(place)):
        return None
    held = os.memfd_create("monitor", os.MFD_CLOEXEC)
    size = 0
    try:
        source = os.dup(0) if place == STDIN else os.open(place, os.O_RDONLY | os.O_CLOEXEC)
        with open(source, "rb", buffering=0) as stream:  # noqa: PTH123  a descriptor has no path
            while size <= PIPED and (some := stream.read(BLOCK)):
                size += len(some)
                while some:
                    some = some[os.write(held, some) :]
    except OSError:
        os.close(held)
        raise
    if size > PIPED:
        os.close(held)
        raise OSError(errno.EFBIG, f"is a pipe of more than {PIPED:,} bytes; name a file")
    return Piped.of("stdin" if place == STDIN else place, held)


def _is_pipe(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)


def found(url: str) -> tuple[list[Path], Path | None]:
    """(the files at a URL, the directory that they are in where there may be several).

    A pattern of names, or a directory, stands for many; on the web only an address with `/` at its
    end is a directory. Raises OSError, and ImportError where fsspec is not installed.
    """
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()  # RFC 3986 3.1
    url = f"{scheme}://{rest}"
    if scheme == "file":
        return local(unquote(rest.removeprefix("localhost")))
    scheme = scheme.rpartition("::")[2]  # what others, such as a cache, take it from
    try:
        if scheme in _HTTP:
            _ = urlsplit(f"//{rest}").port
    except ValueError:
        raise OSError(errno.EINVAL, "is no valid URL") from None
    try:
        system, path = file_system(url)
        signs = _GLOB.replace("?", "") if scheme in _HTTP else _GLOB
        if any(sign in path for sign in signs) and not system.exists(path):
            return _remote(system, system.glob(path)), Remote.at(_before_signs(url, signs))
        if url.endswith("/") if scheme in _HTTP else system.isdir(path):
            return _remote(system, system.find(path)), Remote.at(url)
    except (ImportError, OSError) as error:
        if isinstance(error, OSError):
            raise OSError(errno.EIO, reason(error)) from None
        raise
    except Exception as error:  # noqa: BLE001  each file system raises its own
        raise OSError(errno.EIO, reason(error)) from None
    return [Remote.at(url)], None


def local(name: str) -> tuple[list[Path], Path | None]:
    """The same of a name on this machine; a file that is called like a pattern is that file."""
    path = Path(name)
    if path.exists() or not any(sign in name for sign in _GLOB):
        return [path], None
    base = Path(_before_signs(name, _GLOB))
    try:
        inside = sorted(one for one in base.glob(str(path.relative_to(base))) if one.is_file())
    except ValueError:  # "**x" is none before Python 3.13
        inside = []
    return inside, base


def _before_signs(name: str, signs: str) -> str:
    """The directories of a pattern before the first that is one; empty where there is none."""
    first = min(name.index(sign) for sign in signs if sign in name)
    return "".join(name[:first].rpartition("/")[:2])


def _remote(system: Any, names: list[str]) -> list[Path]:
    return [Remote.at(system.unstrip_protocol(name)) for name in sorted(names)]


@lru_cache(maxsize=64)
def file_system(url: str) -> tuple[Any, str]:
    """(a file system of fsspec, the path in it) of a URL; raises OSError, which names the package
    that reads such URLs, or says that nobody does."""
    import fsspec
    import fsspec.asyn

    scheme = url.partition("://")[0].lower()
    options: dict[str, Any] = {}
    if scheme in _HTTP:
        import aiohttp

        limits = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT, sock_read=TIMEOUT)
        options = {"client_kwargs": {"timeout": limits}}
        # aiohttp tells its loop of connections that were left; the error has been raised by then
        fsspec.asyn.get_loop().set_exception_handler(lambda *_: None)
    elif scheme == "s3":
        options = {"config_kwargs": {"connect_timeout": TIMEOUT, "read_timeout": TIMEOUT,
                                     "retries": {"max_attempts": 2}}}  # fmt: skip
    try:
        found: tuple[Any, str] = fsspec.core.url_to_fs(url, **options)
    except ImportError as error:  # fsspec says which package reads such URLs
        raise OSError(errno.ENOPKG, f"{scheme}:// needs another package: {error}") from None
    except ValueError:
        raise OSError(
            errno.EPROTONOSUPPORT,
            f"no files have a URL with {scheme}://; there are file, https, s3, gs and others",
        ) from None
    return found


class _Stream(io.RawIOBase):
    """An open file of a file system. Whatever that raises is an OSError of one sentence."""

    def __init__(self, url: str, *, in_parts: bool = False) -> None:
        self.size: int | None = None
        self._file: Any = None
        how: dict[str, Any] = {"block_size": BLOCK, "cache_type": "readahead"}
        if in_parts:
            how["cache_type"] = "none"
        elif url.startswith(_HTTP):
            how = {"block_size": 0, "size": 1}  # one answer, whose size need not be asked before
        try:
            system, path = file_system(url)
            self._file = system.open(path, "rb", **how)
            self.size = getattr(self._file, "size", None)
        except Exception as error:  # noqa: BLE001  each file system raises its own
            raise OSError(errno.EIO, reason(error)) from None

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Whether the server gives parts of it."""
        return self.size is not None

    def readinto(self, into: WriteableBuffer) -> int:
        """Fill a buffer as far as there is something; raises OSError where a file ends early."""
        room = memoryview(into).cast("B")
        data = self._do("read", len(room))
        if not data and len(room) and self.size is not None and self.tell() < self.size:
            raise OSError(errno.EIO, "ends early")
        room[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place in it."""
        return int(self._do("seek", offset, whence))

    def tell(self) -> int:
        """Return where in it the next byte is."""
        return int(self._do("tell"))

    def close(self) -> None:
        """Close it."""
        if self._file is not None and not self.closed:
            self._file.close()
        super().close()

    def _do(self, name: str, *arguments: Any) -> Any:
        try:
            return getattr(self._file, name)(*arguments)
        except Exception as error:  # noqa: BLE001  each file system raises its own
            raise OSError(errno.EIO, reason(error)) from None


_KINDS = (
    ("credential", "there are no credentials; they come from the environment"),
    ("timeout", f"does not answer within {TIMEOUT:.0f} s"),
    ("payload", "ends early"),
    ("redirect", "redirects without an end"),
    ("invalidurl", "is no valid URL"),
    ("connect", "the server cannot be reached, or hangs up"),
    ("endpoint", "the server cannot be reached"),
    ("permission", "access is denied"),
    ("nosuch", "is not there"),
)
"""Parts of the names of what file systems raise, and what to say."""


def reason(error: BaseException) -> str:
    """What to say of what a file system raised: never its own words, which may hold a secret.

    >>> reason(FileNotFoundError("https://h/?key=secret")), reason(ValueError("secret"))
    ('is not there', 'ValueError')
    """
    if isinstance(error, FileNotFoundError) and error.__cause__ is not None:
        return reason(error.__cause__)  # what fsspec makes of any answer that tells no size
    status = getattr(error, "status", None)
    if isinstance(error, OSError) and error.errno in _OURS and error.strerror:
        return error.strerror
    if isinstance(error, FileNotFoundError) or status == 404:
        return "is not there"
    if status in (401, 403):
        return f"access is denied ({status})"
    if isinstance(status, int) and status >= 400:
        return f"the server answers {status}"
    names = " ".join(kind.__name__ for kind in type(error).__mro__).lower()
    words = next((words for part, words in _KINDS if part in names), None)
    return words or type(error).__name__


_OURS = (errno.ENOPKG, errno.EPROTONOSUPPORT)
