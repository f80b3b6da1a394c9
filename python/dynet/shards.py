"""Whether a shard of a minibatch is computed now, others of which other processes compute."""

#: dy.distributed.Trainer sets it for the length of its losses.
computed = False
