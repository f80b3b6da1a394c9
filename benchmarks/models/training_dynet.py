"""The trainer and the training step that the DyNet programs share."""

import dynet as dy


def adam(collection):
    """Adam without clipping, updating only the looked-up rows of lookup tables."""
    trainer = dy.AdamTrainer(collection)
    trainer.set_clip_threshold(-1.0)
    trainer.set_sparse_updates(True)
    return trainer


class Trained:
    """A model with a trainer, whose loss(prepared) builds the loss of a minibatch."""

    def step(self, prepared):
        """One training step; returns the summed loss before the update."""
        dy.renew_cg()
        loss = self.loss(prepared)
        value = loss.scalar_value()
        loss.backward()
        self.trainer.update()
        return value

    def evaluate(self, prepared):
        """The summed loss, without training."""
        dy.renew_cg()
        return self.loss(prepared).scalar_value()
