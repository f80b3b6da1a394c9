"""Binary TreeLSTM in PyTorch.

Batching "example" runs one tree node at a time; "batched" runs all nodes of one height of the whole
minibatch in one step.
"""

import torch
from synthetic import TREE_LABELS, TREE_VOCABULARY
from torch import nn
from torch.nn import functional

from models import sizes
from models.training_torch import EXAMPLE, Training

HIDDEN = sizes.TREE_HIDDEN


def nodes_by_height(batch):
    """Lists the nodes of all trees by height, leaves first."""
    levels = {}

    def visit(node):
        height = 0 if node.is_leaf() else 1 + max(visit(node.left), visit(node.right))
        levels.setdefault(height, []).append(node)
        return height

    for tree in batch:
        visit(tree)
    return [levels[height] for height in sorted(levels)]


class Nodes:
    """The trees of a minibatch, the tensors of their words, and their labels in visiting order."""

    def __init__(self, batch):
        self.trees = batch
        self.words = {}
        labels = []
        for tree in batch:
            self.visit(tree, labels)
        self.labels = torch.tensor(labels)

    def visit(self, node, labels):
        """Notes the words and labels at and below a node."""
        if node.is_leaf():
            self.words[node] = torch.tensor(node.word)
        else:
            self.visit(node.left, labels)
            self.visit(node.right, labels)
        labels.append(node.label)


class Levels:
    """The words of a minibatch, then for each height the positions of both children."""

    def __init__(self, batch):
        leaves, *inner = nodes_by_height(batch)
        ordered = [node for level in (leaves, *inner) for node in level]
        position = {node: number for number, node in enumerate(ordered)}
        self.words = torch.tensor([node.word for node in leaves])
        self.children = [
            (
                torch.tensor([position[node.left] for node in level]),
                torch.tensor([position[node.right] for node in level]),
            )
            for level in inner
        ]
        self.labels = torch.tensor([node.label for node in ordered])


class Model(nn.Module):
    """A tree LSTM over binary trees."""

    def __init__(self, _variant, batching):
        super().__init__()
        self.by_example = batching == EXAMPLE
        self.words = nn.Embedding(TREE_VOCABULARY, sizes.TREE_EMBEDDING, sparse=True)
        self.leaf = nn.Linear(sizes.TREE_EMBEDDING, 3 * HIDDEN)
        self.inner = nn.Linear(2 * HIDDEN, 3 * HIDDEN)
        self.left_forget = nn.Linear(HIDDEN, HIDDEN)
        self.right_forget = nn.Linear(HIDDEN, HIDDEN)
        self.label = nn.Linear(HIDDEN, TREE_LABELS, bias=False)
        self.training_step = Training(self, self.words)

    def prepare(self, batch):
        """Turns a minibatch into what step takes."""
        return Nodes(batch) if self.by_example else Levels(batch)

    def step(self, prepared):
        """One training step; returns the summed loss."""
        encode = self.node_states if self.by_example else self.level_states
        scores = self.label(encode(prepared))
        loss = functional.cross_entropy(scores, prepared.labels, reduction="sum")
        return self.training_step.step(loss)

    def state(self, gates, kept=None):
        """The state (hidden, cell) from the gates and what the forget gates kept."""
        accept, output, update = gates.chunk(3, -1)
        cell = torch.sigmoid(accept) * torch.tanh(update)
        if kept is not None:
            cell = cell + kept
        return torch.sigmoid(output) * torch.tanh(cell), cell

    def join(self, left, right):
        """The states of nodes from the states of their children."""
        (left_hidden, left_cell), (right_hidden, right_cell) = left, right
        kept = torch.sigmoid(self.left_forget(left_hidden)) * left_cell
        kept = kept + torch.sigmoid(self.right_forget(right_hidden)) * right_cell
        return self.state(self.inner(torch.cat((left_hidden, right_hidden), -1)), kept)

    def node_states(self, nodes):
        """The hidden states of all nodes, built one at a time."""
        states = []

        def visit(node):
            if node.is_leaf():
                state = self.state(self.leaf(self.words(nodes.words[node])))
            else:
                state = self.join(visit(node.left), visit(node.right))
            states.append(state[0])
            return state

        for tree in nodes.trees:
            visit(tree)
        return torch.stack(states)

    def level_states(self, levels):
        """The hidden states of all nodes, built height by height."""
        hidden, cell = self.state(self.leaf(self.words(levels.words)))
        for left, right in levels.children:
            new_hidden, new_cell = self.join(
                (hidden.index_select(0, left), cell.index_select(0, left)),
                (hidden.index_select(0, right), cell.index_select(0, right)),
            )
            hidden, cell = torch.cat((hidden, new_hidden)), torch.cat((cell, new_cell))
        return hidden
