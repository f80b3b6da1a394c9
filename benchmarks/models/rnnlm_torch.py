"""Recurrent language model in PyTorch: fused nn.LSTM and one softmax over all outputs.

Batching "example" runs each sentence on its own and sums the losses; "batched" pads the minibatch.
"""

import torch
from synthetic import RNNLM_VOCABULARY, pad
from torch import nn
from torch.nn import functional

from models import sizes
from models.training_torch import EXAMPLE, Training


class Prepared:
    """A padded group of sentences as tensors; keep lists the positions that are not padding."""

    def __init__(self, batch):
        inputs, targets, mask = pad(batch)
        self.inputs = torch.from_numpy(inputs).long()
        self.targets = torch.from_numpy(targets.reshape(-1)).long()
        self.keep = None
        if not mask.all():
            self.keep = torch.from_numpy(mask.reshape(-1).nonzero()[0])
            self.targets = self.targets[self.keep]


class Model(nn.Module):
    """A one-layer LSTM with a softmax over the whole vocabulary."""

    def __init__(self, _variant, batching):
        super().__init__()
        self.by_example = batching == EXAMPLE
        embedding, hidden = sizes.RNNLM_EMBEDDING, sizes.RNNLM_HIDDEN
        self.words = nn.Embedding(RNNLM_VOCABULARY, embedding, sparse=True)
        self.lstm = nn.LSTM(embedding, hidden)
        self.output = nn.Linear(hidden, RNNLM_VOCABULARY)
        self.training_step = Training(self, self.words)

    def prepare(self, batch):
        """Turns a minibatch into what step takes."""
        groups = [[sentence] for sentence in batch] if self.by_example else [batch]
        return [Prepared(group) for group in groups]

    def step(self, groups):
        """One training step; returns the summed loss."""
        return self.training_step.step(sum(self(group) for group in groups))

    def forward(self, group):
        """The summed loss of a group of sentences."""
        hidden = self.lstm(self.words(group.inputs))[0].reshape(-1, sizes.RNNLM_HIDDEN)
        if group.keep is not None:
            hidden = hidden.index_select(0, group.keep)
        return functional.cross_entropy(self.output(hidden), group.targets, reduction="sum")
