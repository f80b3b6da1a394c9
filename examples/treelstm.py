"""A TreeLSTM over Python syntax trees that guesses which builtin a hidden call would call."""

import collections
import random

import options
from baselines import most_frequent_answer
from data import hidden_calls
from progress import Progress

import dynet as dy

UNKNOWN = ""  # stands for a rare identifier, and for the missing one of most nodes


def table(items, least=1):
    """Numbers those items that come at least so often, starting with UNKNOWN."""
    counts = collections.Counter(items)
    kept = sorted(item for item, count in counts.items() if count >= least and item != UNKNOWN)
    return {item: row for row, item in enumerate([UNKNOWN, *kept])}


class TreeLSTM:
    """A child-sum LSTM from the leaves up, an LSTM from the root down to the hidden name."""

    def __init__(self, examples, size=96):
        everything = [node for path, _ in examples for node in path[-1].nodes()]
        self.kinds = table(node.kind for node in everything)
        self.names = table((node.name for node in everything), least=10)
        self.answers = sorted({answer for _, answer in examples})
        self.parameters = dy.ParameterCollection()
        self.kind_table = self.parameters.add_lookup_parameters((len(self.kinds), size))
        self.name_table = self.parameters.add_lookup_parameters((len(self.names), size))
        self.gates = {name: self.add_gate(size) for name in ("enter", "leave", "keep", "news")}
        self.downward = dy.VanillaLSTMBuilder(1, size, size, self.parameters)
        self.weights = self.parameters.add_parameters((len(self.answers), size))
        self.answer_bias = self.parameters.add_parameters(len(self.answers), init=0)

    def add_gate(self, size):
        add = self.parameters.add_parameters
        return add(size, init=0), add((size, size)), add((size, size))

    def gate(self, name, node, below=None):
        """What a gate makes of a node and of an output from below, if there is one."""
        bias, from_node, from_below = self.gates[name]
        below = [] if below is None else [from_below, below]
        return dy.affine_transform([bias, from_node, node, *below])

    def encode(self, tree, outputs):
        """The output and memory of a tree; puts the output of each subtree into `outputs`."""
        node = self.kind_table[self.kinds.get(tree.kind, 0)]
        if tree.name:
            node = node + self.name_table[self.names.get(tree.name, 0)]
        children = [self.encode(child, outputs) for child in tree.children]
        below = dy.esum([output for output, _ in children]) if children else None
        news = dy.tanh(self.gate("news", node, below))
        memories = [dy.cmult(dy.logistic(self.gate("enter", node, below)), news)]
        # Every child has a forget gate of its own, so that a branch can be kept or dropped.
        for output, memory in children:
            memories.append(dy.cmult(dy.logistic(self.gate("keep", node, output)), memory))
        memory = dy.esum(memories)
        output = dy.cmult(dy.logistic(self.gate("leave", node, below)), dy.tanh(memory))
        outputs[id(tree)] = output
        return output, memory

    def scores(self, path, dropout=0):
        """A score for each answer, given the subtrees from the hidden name up to the root."""
        outputs = {}
        self.encode(path[-1], outputs)
        self.downward.set_dropout(dropout)
        states = self.downward.initial_state().transduce([outputs[id(t)] for t in path[::-1]])
        return dy.affine_transform([self.answer_bias, self.weights, states[-1]])

    def loss(self, examples):
        dy.renew_cg()
        scores = [(self.scores(path, dropout=0.3), answer) for path, answer in examples]
        rows = {answer: row for row, answer in enumerate(self.answers)}
        return dy.esum([dy.pickneglogsoftmax(s, rows[answer]) for s, answer in scores])

    def guess(self, path):
        dy.renew_cg()
        return self.answers[self.scores(path).npvalue().argmax()]


def accuracy(model, examples):
    right = sum(model.guess(path) == answer for path, answer in examples)
    return right / len(examples)


def main():
    chosen = options.parse(options.parser(__doc__, epochs=6, batch=8, unit="trees"))

    training, held_out = hidden_calls(least=5, files=50) if chosen.smoke else hidden_calls()
    chosen.epochs = 1 if chosen.smoke else chosen.epochs
    common, baseline = most_frequent_answer(training, held_out)
    print(f"{len(training)} trees; always answering {common} is right {baseline:.1%} of the time")
    model = TreeLSTM(training)
    if chosen.load:
        model.parameters.populate(chosen.load)
        chosen.epochs = 0

    trainer = dy.AdamTrainer(model.parameters, 0.002)
    for epoch in range(chosen.epochs):
        random.shuffle(training)
        trainer.learning_rate = 0.002 * (1 - epoch / chosen.epochs)
        progress = Progress(f"epoch {epoch + 1}", len(training), "trees")
        for start in range(0, len(training), chosen.batch):
            batch = training[start : start + chosen.batch]
            loss = model.loss(batch)
            progress.add(len(batch), loss.scalar_value())
            loss.backward()
            trainer.update()
        progress.close(f"held out {accuracy(model, held_out):.1%}")
    if chosen.save:
        model.parameters.save(chosen.save)
    print(f"held-out accuracy {accuracy(model, held_out):.1%}, baseline {baseline:.1%}")


if __name__ == "__main__":
    main()
