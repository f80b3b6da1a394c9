"""Training over several processes and machines with MPI, to the same bits for any number of them."""

from dynet.distributed.parts import shard as shard
from dynet.distributed.trainer import Trainer as Trainer
from dynet.distributed.transport import PeerError as PeerError

__all__ = ["PeerError", "Trainer", "shard"]
