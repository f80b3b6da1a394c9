"""The training step that the DyNet programs share."""

import dynet as dy


def adam(collection):
    """Adam without clipping, updating only the looked-up rows of lookup tables."""
    trainer = dy.AdamTrainer(collection)
    trainer.set_clip_threshold(-1.0)
    trainer.set_sparse_updates(True)
    return trainer


def train(trainer, loss):
    """Computes the loss, its gradients and one update; returns the loss before the update."""
    value = loss.scalar_value()
    loss.backward()
    trainer.update()
    return value
