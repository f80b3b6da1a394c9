"""Ends the whole job when one of its processes fails: the others would wait for it for ever."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
import time
import traceback
from types import TracebackType
from typing import Any

_installed = False
_said: int | None = None  # where a watching process hears that there is nothing to add


def abort(
    mpi: Any, kind: type[BaseException], error: BaseException | None, where: TracebackType | None
) -> None:
    """Says once, for all, which process failed and why, and ends all."""
    from dynet.distributed.transport import PeerError

    world = mpi.COMM_WORLD
    rank, count = world.Get_rank(), world.Get_size()
    # Where all fail alike the first one speaks for all; who only heard of a failure leaves it to who failed.
    time.sleep(0.4 * min(rank, 4) + (2.0 if issubclass(kind, PeerError) else 0))
    lines = "".join(traceback.format_exception(kind, error, where))
    cause = f"{kind.__name__}: {error}" if str(error) else kind.__name__
    where_it_was = f"process {rank} of {count} on {socket.gethostname()}"
    text = f"{lines}dynet.distributed: {where_it_was} failed: {cause}; the job ends\n"
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.write(text)
        sys.stderr.flush()
    say_no_more()
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


def say_no_more() -> None:
    """This process ends in order, or has said why it does not."""
    if _said is not None:
        os.write(_said, b"x")


def watch(rank: str) -> None:
    """Goes on in a child, of whose end by a signal or by os._exit this process tells; never returns in it."""
    global _said
    heard, said = os.pipe()
    ending = []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, before)
        os.close(heard)
        _said = said
        atexit.register(say_no_more)
        _end_with_parent()
        return
    os.close(said)
    status = _wait_for(child, ending)
    if os.read(heard, 1) == b"" and status:
        time.sleep(0.5)  # who is ended with all others is told so as well
        if not ending:
            how = (
                f"was ended by {signal.Signals(-status).name}"
                if status < 0
                else f"ended itself with status {status}"
            )
            where = f"process {rank} on {socket.gethostname()}"
            sys.stderr.write(
                f"dynet.distributed: {where} {how}, in the middle of its program; the job ends\n"
            )
            sys.stderr.flush()
    os._exit(128 - status if status < 0 else status)


def _wait_for(child: int, ending: list[bool]) -> int:
    """Its status, or less than zero for a signal. What ends this process ends the child."""
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if ending:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
        time.sleep(0.05)


def _end_with_parent() -> None:
    """On Linux the system ends the child when the parent is gone."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
