"""Ends the whole job when one of its processes fails: the others would wait for it for ever."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
import traceback
from types import TracebackType
from typing import Any

_installed = False


def abort(mpi: Any, kind: type[BaseException], error: BaseException | None, where: TracebackType | None) -> None:
    """Says once, for all, which process failed and why, and ends all."""
    from dynet.distributed.transport import PeerError

    world = mpi.COMM_WORLD
    rank, count = world.Get_rank(), world.Get_size()
    # Where all fail alike the first one speaks for all; who only heard of a failure leaves it to who failed.
    time.sleep(4.0 if issubclass(kind, PeerError) else 0.4 * min(rank, 4))
    lines = "".join(traceback.format_exception(kind, error, where))
    cause = f"{kind.__name__}: {error}" if str(error) else kind.__name__
    text = f"{lines}dynet.distributed: process {rank} of {count} on {socket.gethostname()} failed: {cause}; the job ends\n"
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.write(text)
        sys.stderr.flush()
    world.Abort(130 if issubclass(kind, KeyboardInterrupt) else 1)


def install(mpi: Any) -> None:
    """From now on exceptions that nobody catches end the job, also those of threads."""
    global _installed
    if _installed or mpi.COMM_WORLD.Get_size() == 1:
        return
    _installed = True
    before, before_in_threads = sys.excepthook, threading.excepthook

    def hook(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        if mpi.Is_finalized():
            before(kind, error, where)
        else:
            abort(mpi, kind, error, where)

    def thread_hook(args: threading.ExceptHookArgs) -> None:
        if mpi.Is_finalized() or issubclass(args.exc_type, SystemExit):
            before_in_threads(args)
        else:
            abort(mpi, args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook, threading.excepthook = hook, thread_hook
