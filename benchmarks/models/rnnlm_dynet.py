"""Recurrent language model, the program of the DyNet paper, for DyNet 3 and dyNET38 alike.

Variant "step" takes one softmax per time step, as the paper does; variant "bulk" takes one softmax
over the outputs of all time steps.
"""

from synthetic import RNNLM_VOCABULARY, pad

import dynet as dy
from models import sizes
from models.training_dynet import Trained, adam


class Prepared:
    """A padded minibatch as plain lists, as the DyNet interface takes them."""

    def __init__(self, batch):
        inputs, targets, mask = pad(batch)
        self.inputs = inputs.tolist()
        self.targets = targets.tolist()
        self.mask = mask.tolist()
        self.flat_targets = targets.reshape(-1).tolist()
        self.flat_mask = mask.reshape(-1).tolist()
        self.is_padded = not mask.all()


def masked(losses, mask):
    """Zeroes the losses of padding."""
    return dy.cmult(losses, dy.reshape(dy.inputVector(mask), (1,), len(mask)))


class Model(Trained):
    """A one-layer LSTM with a softmax over the whole vocabulary."""

    def __init__(self, variant):
        self.loss = {"step": self.loss_by_step, "bulk": self.loss_in_bulk}[variant]
        self.collection = dy.ParameterCollection()
        self.trainer = adam(self.collection)
        hidden, vocabulary = sizes.RNNLM_HIDDEN, RNNLM_VOCABULARY
        self.embeddings = self.collection.add_lookup_parameters((vocabulary, sizes.RNNLM_EMBEDDING))
        self.lstm = dy.VanillaLSTMBuilder(1, sizes.RNNLM_EMBEDDING, hidden, self.collection)
        self.weights = self.collection.add_parameters((vocabulary, hidden))
        self.bias = self.collection.add_parameters(vocabulary)

    def prepare(self, batch):
        """Turns a minibatch into what step takes."""
        return Prepared(batch)

    def loss_by_step(self, prepared):
        """The summed loss, with one softmax per time step."""
        state = self.lstm.initial_state()
        losses = []
        steps = zip(prepared.inputs, prepared.targets, prepared.mask, strict=True)
        for words, targets, mask in steps:
            state = state.add_input(dy.lookup_batch(self.embeddings, words))
            scores = dy.affine_transform([self.bias, self.weights, state.output()])
            step_losses = dy.pickneglogsoftmax_batch(scores, targets)
            if mask[-1] != 1:
                step_losses = masked(step_losses, mask)
            losses.append(step_losses)
        return dy.sum_batches(dy.esum(losses))

    def loss_in_bulk(self, prepared):
        """The summed loss, with one softmax for all time steps."""
        inputs = [dy.lookup_batch(self.embeddings, words) for words in prepared.inputs]
        outputs = self.lstm.initial_state().transduce(inputs)
        hidden = dy.concatenate_to_batch(outputs)
        scores = dy.affine_transform([self.bias, self.weights, hidden])
        losses = dy.pickneglogsoftmax_batch(scores, prepared.flat_targets)
        if prepared.is_padded:
            losses = masked(losses, prepared.flat_mask)
        return dy.sum_batches(losses)
