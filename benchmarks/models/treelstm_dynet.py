"""Binary TreeLSTM with a label loss at every node, for DyNet 3 and dyNET38 alike."""

from synthetic import TREE_LABELS, TREE_VOCABULARY

import dynet as dy
from models import sizes
from models.training_dynet import Trained, adam

GATES = ("input", "output", "update")


class Model(Trained):
    """A tree LSTM whose graph follows each tree, node by node."""

    def __init__(self, _variant):
        self.collection = dy.ParameterCollection()
        self.trainer = adam(self.collection)
        add = self.collection.add_parameters
        embedding, hidden = sizes.TREE_EMBEDDING, sizes.TREE_HIDDEN
        self.words = self.collection.add_lookup_parameters((TREE_VOCABULARY, embedding))
        self.leaf_weights = [add((hidden, embedding)) for _ in GATES]
        self.inner_weights = [add((hidden, 2 * hidden)) for _ in GATES]
        self.biases = [add(hidden) for _ in GATES]
        self.left_forget = add((hidden, hidden))
        self.right_forget = add((hidden, hidden))
        self.forget_bias = add(hidden)
        self.label_weights = add((TREE_LABELS, hidden))

    def prepare(self, batch):
        """Turns a minibatch into what step takes."""
        return batch

    def loss(self, batch):
        """The summed loss of a minibatch."""
        losses = []
        for tree in batch:
            self.encode(tree, losses)
        return dy.esum(losses)

    def encode(self, tree, losses):
        """Builds the state (hidden, cell) of a node, and appends the losses below it."""
        if tree.is_leaf():
            output, cell = self.gates(self.leaf_weights, self.words[tree.word])
        else:
            left_hidden, left_cell = self.encode(tree.left, losses)
            right_hidden, right_cell = self.encode(tree.right, losses)
            children = dy.concatenate([left_hidden, right_hidden])
            output, cell = self.gates(self.inner_weights, children)
            left_kept = dy.cmult(self.forget(self.left_forget, left_hidden), left_cell)
            right_kept = dy.cmult(self.forget(self.right_forget, right_hidden), right_cell)
            cell = cell + left_kept + right_kept
        hidden = dy.cmult(output, dy.tanh(cell))
        losses.append(dy.pickneglogsoftmax(self.label_weights * hidden, tree.label))
        return hidden, cell

    def gates(self, weights, inputs):
        """The output gate and the new part of the cell."""
        accept, output, update = [
            dy.affine_transform([bias, matrix, inputs])
            for bias, matrix in zip(self.biases, weights, strict=True)
        ]
        return dy.logistic(output), dy.cmult(dy.logistic(accept), dy.tanh(update))

    def forget(self, weights, hidden):
        """The forget gate of one child."""
        return dy.logistic(dy.affine_transform([self.forget_bias, weights, hidden]))
