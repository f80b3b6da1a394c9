"""The ways in which a random program is run; all of them must give the same bits."""

from __future__ import annotations

from dataclasses import dataclass

import dynet as dy


@dataclass(frozen=True)
class Setting:
    """What the program may choose about its execution."""

    name: str
    policy: str = "agenda"
    autobatching: bool = True
    threads: int = 1
    asks: str = "asked"  # When values are read: of "each" node, when "asked", or "late".
    eager: bool = False
    cells: bool = True
    own_thread: bool = False
    reference: bool = False  # Values and gradients are compared with NumPy's.

    def start(self) -> None:
        dy.set_batching_policy(self.policy)
        dy.set_num_threads(self.threads)
        # Evaluations of any size are shared between threads, so that small programs show how.
        if hasattr(dy._dynet, "_share_from"):
            dy._dynet._share_from(0 if self.threads > 1 else 1 << 21)


SLOW = Setting("node by node", "single", False, asks="each", reference=True)
FAST = [
    Setting("as it is"),
    Setting("read late", asks="late"),
    Setting("depth", "depth"),
    Setting("three threads", threads=3),
    Setting("depth, two threads, read late", "depth", threads=2, asks="late"),
    Setting("single, read late", "single", asks="late"),
    Setting("eager", eager=True),
    Setting("in a thread of its own", own_thread=True),
]
WITHOUT_CELLS = Setting("without cells", cells=False)
