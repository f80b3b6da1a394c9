"""What processes send each other, through mpi4py: bytes, of which every process knows what they are."""

from __future__ import annotations

import atexit
import os
import socket
from collections.abc import Callable
from typing import Any

import numpy as np

import dynet as dy

INSTALL = (
    "dynet.distributed needs MPI and mpi4py: python -m pip install 'dynet[mpi]' brings both, and "
    "python -m pip install mpi4py those of a cluster that has its own MPI"
)
#: What a process does when it meets the others.
KINDS = ("start", "backward", "total", "checkpoint", "check", "end", "fail", "value")


_COUNT = 0xFFFFFFFF  # the part of a detail that says how many


class PeerError(RuntimeError):
    """Another process of a distributed training has failed, or does something else than this one.

    Its text names that process and what happened. All processes get one for the same call, but the one that
    failed, which gets its own exception: a program that catches both goes on with all of them.

    >>> issubclass(dy.distributed.PeerError, RuntimeError)
    True
    """


def mpi() -> Any:
    """The module mpi4py.MPI; ImportError, which says what to install, where there is none."""
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # It was found, and no library of MPI was.
        raise ImportError(f"{INSTALL} ({error})") from error
    return MPI


class Transport:
    """The processes of a communicator of MPI."""

    def __init__(self, comm: Any) -> None:
        self.mpi = mpi()
        self.comm = comm.Dup()  # messages of the program and ours never meet
        self.rank, self.count = self.comm.Get_rank(), self.comm.Get_size()
        self.calls = 0  # how often the processes have met
        self.kind, self.detail = "start", 0
        self.attached = b""  # goes with what is gathered next
        self.attachments: list[bytes] = []
        self.host = socket.gethostname()
        on_this_host = self.comm.Split_type(self.mpi.COMM_TYPE_SHARED)
        self.local_count = on_this_host.Get_size()
        on_this_host.Free()
        self._share_cores()

    def _share_cores(self) -> None:
        """Processes of one machine share its cores, unless somebody has chosen how many threads there are."""
        if self.local_count == 1 or os.environ.get("DYNET_NUM_THREADS"):
            return
        mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        is_bound = mine < (os.cpu_count() or 1)
        threads = mine if is_bound else max(1, mine // self.local_count)
        dy.set_num_threads(min(threads, dy.get_num_threads()))

    # -- what sums of gradients call

    def exchange(self, peer: int, send: memoryview, receive: memoryview) -> None:
        byte = self.mpi.BYTE
        self.comm.Sendrecv([send, byte], dest=peer, recvbuf=[receive, byte], source=peer)

    def gather(self, own: bytes) -> list[bytes]:
        """What each process gives. They must be at the same call, which `meet` has named."""
        head = np.array(
            [KINDS.index(self.kind), self.calls, self.detail, len(self.attached), len(own)], np.int64
        )
        heads = np.empty((self.count, len(head)), np.int64)
        self.comm.Allgather(head, heads)
        sizes = heads[:, 3] + heads[:, 4]
        ends = np.cumsum(sizes)
        all_bytes = bytearray(int(ends[-1]))
        byte = self.mpi.BYTE
        self.comm.Allgatherv(
            [self.attached + own, byte], [all_bytes, sizes.tolist(), (ends - sizes).tolist(), byte]
        )
        parts = [bytes(all_bytes[end - size : end]) for end, size in zip(ends, sizes, strict=True)]
        self._compare(heads, parts)
        cuts = heads[:, 3].tolist()
        if self.attached or not self.attachments:
            self.attachments = [part[:cut] for part, cut in zip(parts, cuts, strict=True)]
        self.attached = b""
        return [part[cut:] for part, cut in zip(parts, cuts, strict=True)]

    # -- meeting

    def meet(self, kind: str, detail: int = 0) -> None:
        """Says what is gathered from now on; the others must be at the same."""
        self.calls += 1
        self.kind, self.detail, self.attached, self.attachments = kind, detail, b"", []

    def _compare(self, heads: Any, parts: list[bytes]) -> None:
        kinds = [KINDS[int(head[0])] for head in heads]
        for rank, kind in enumerate(kinds):
            if kind == "fail" and rank != self.rank:
                raise PeerError(f"process {rank} of {self.count} failed: {parts[rank].decode()}")
        if "end" in kinds and self.kind != "end":
            rank = kinds.index("end")
            raise PeerError(
                f"process {rank} of {self.count} has ended its program, and this one, {self.rank}, goes on "
                f"with {self.kind}; all must make the same calls"
            )
        if self.kind in ("fail", "end"):
            return
        own = self.detail & _COUNT
        for rank, head in enumerate(heads):
            if (kinds[rank], int(head[1]), int(head[2])) != (self.kind, self.calls, self.detail):
                theirs = int(head[2]) & _COUNT
                same = (kinds[rank], int(head[1]), theirs) == (self.kind, self.calls, own)
                raise PeerError(
                    f"process {rank} of {self.count} is at call {int(head[1])}, {kinds[rank]} of {theirs}, "
                    f"and this one, {self.rank}, at call {self.calls}, {self.kind} of {own}"
                    f"{' other ones' if same else ''}; all must make the same calls, with the same examples"
                )

    def fail(self, error: BaseException) -> None:
        """Tells the others, who wait for what this process was to give, that it has failed."""
        self.kind, self.attached = "fail", b""
        self.gather(f"{type(error).__name__}: {error}"[:2000].encode("utf-8", "replace"))

    def broadcast(self, make: Callable[[], bytes]) -> bytes:
        """What the first process makes, for all; its exception is one for all."""
        own = b""
        if self.rank == 0:
            try:
                own = make()
            except Exception as error:
                self.fail(error)
                raise
        self.gather(b"")
        size = np.array([len(own)], np.int64)
        self.comm.Bcast(size, root=0)
        content = bytearray(own) if self.rank == 0 else bytearray(int(size[0]))
        self.comm.Bcast([content, self.mpi.BYTE], root=0)
        return bytes(content)


_transports: dict[int, Transport] = {}


def transport_for(comm: Any) -> Transport:
    """That of a communicator, by default of all processes; one for all its trainers."""
    comm = mpi().COMM_WORLD if comm is None else comm
    for name in ("Dup", "Allgatherv", "Sendrecv"):
        if not hasattr(comm, name):
            raise TypeError(
                f"Trainer: comm is {comm!r:.60}; a communicator of mpi4py is needed, as MPI.COMM_WORLD"
            )
    key = int(mpi()._handleof(comm))
    if key not in _transports:
        _transports[key] = Transport(comm)
    return _transports[key]


@atexit.register
def _say_goodbye() -> None:
    """A process that is done tells it to those that would wait for it."""
    for each in _transports.values():
        if each.count > 1 and not each.mpi.Is_finalized():
            each.meet("end")
            each.gather(b"")
