"""Batching names, optimizers and the training step that the PyTorch programs share."""

import torch

EXAMPLE = "example"
BATCHED = "batched"


class Training:
    """Fused Adam on the dense parameters and sparse Adam on the table of words."""

    def __init__(self, module, words):
        dense = [parameter for parameter in module.parameters() if parameter is not words.weight]
        self.optimizers = [
            torch.optim.SparseAdam([words.weight]),
            torch.optim.Adam(dense, fused=True),
        ]

    def step(self, loss):
        """Computes the gradients and one update; returns the loss before the update."""
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        return loss.item()
