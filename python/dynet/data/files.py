"""Files of data: opened by their suffix, read line by line, replaced when the new one is whole."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any, TypeAlias

File: TypeAlias = str | os.PathLike[str] | IO[Any]

_OPENERS = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma", ".lzma": "lzma"}
BYTE_ORDER_MARK = "\ufeff"


class Lines:
    """The lines of a file as bytes, and what to say of one that is wrong."""

    def __init__(self, call: str, file: Any, errors: str = "strict") -> None:
        self.call, self.number, self.errors = call, 0, errors  # of decoding
        self._opened: Any = None
        if isinstance(file, str | os.PathLike):
            path = os.fsdecode(file)
            self.name = path
            module = _OPENERS.get(os.path.splitext(path)[1])
            opener = __import__(module).open if module else open
            self._opened = self.file = opener(path, "rb")
        elif hasattr(file, "readline"):
            self.file, self.name = file, str(getattr(file, "name", "the file"))
        else:
            raise TypeError(f"{call}: {file!r:.80} was given; the name of a file, or an open one, is needed")

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        if self._opened is not None:
            self._opened.close()

    def __iter__(self) -> Iterator[str]:
        """Lines end where \\n does, and nowhere else: words may hold Unicode's other ends of lines."""
        while line := self.readline():
            yield line

    def readline(self) -> str:
        """One more line with its end; "" after the last."""
        self.number += 1
        line: Any = self._raw_line()
        if isinstance(line, str):
            return line
        try:
            return str(line, "utf-8", self.errors)
        except UnicodeDecodeError as error:
            raise self.error(
                f"this is not UTF-8: {error.reason} at byte {error.start}, {line!r:.80}"
            ) from None

    def _raw_line(self) -> Any:
        try:
            return self.file.readline()
        except (EOFError, OSError) as error:  # of a compressed file
            raise self.error(f"the file is damaged or cut off: {error}") from error
        except Exception as error:
            if type(error).__name__ in ("error", "LZMAError"):  # zlib's and lzma's
                raise self.error(f"the file is damaged: {error}") from error
            raise

    def error(self, what: str, number: int | None = None) -> ValueError:
        """What is wrong with this line, or another one."""
        return ValueError(f"{self.call}: {self.name}, line {number or self.number}: {what}")


@contextlib.contextmanager
def replaced(path: str | os.PathLike[str], partial: str | None = None) -> Iterator[IO[bytes]]:
    """A file that takes its name when it is whole and on the disk; until then the old one stays.

    Links stay links, and a file that is replaced keeps its mode. `partial` is what it is called until then;
    a name that is always the same leaves no more than one file behind, however often the process is killed.
    """
    name = os.path.realpath(os.fsdecode(path))
    target: Any = partial and os.path.join(os.path.dirname(name), os.path.basename(partial))
    if partial is None:
        target, partial = tempfile.mkstemp(dir=os.path.dirname(name), prefix=f".{os.path.basename(name)}.")
    else:
        partial = target
    try:
        with open(target, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        try:
            mode = os.stat(name).st_mode & 0o7777
        except FileNotFoundError:
            mode = 0o666 & ~_mask()
        os.chmod(partial, mode)
        os.replace(partial, name)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)
        raise


def _mask() -> int:
    """What the process takes from the modes of new files."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def write(file: File, parts: Iterable[str]) -> None:
    """Writes texts to an open file, or to one that is replaced, compressed as its suffix says."""
    if not isinstance(file, str | os.PathLike):
        for part in parts:
            file.write(part if isinstance(file, io.TextIOBase) else part.encode())
        return
    module = _OPENERS.get(os.path.splitext(os.fsdecode(file))[1])
    with replaced(file) as raw:
        target = __import__(module).open(raw, "wb") if module else raw
        try:
            for part in parts:
                target.write(part.encode())
        finally:
            if module:
                target.close()
