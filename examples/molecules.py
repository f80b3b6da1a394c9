"""A gated graph network tells of a molecule whether it passes from the blood into the brain.

Atoms are nodes, bonds are edges of four kinds. In each round an atom hears from its neighbours, through a
matrix of the kind of bond, and a gated cell decides what it keeps (Li et al. 2016, Gated Graph Sequence
Neural Networks). The network of a molecule has the molecule's own shape: no padding, no mask, no list of
edges of a batch.
"""

import collections
import math

import numpy as np
import options
from smiles import BONDS, molecules

import dynet as dy


class GraphNetwork(dy.nn.Module):
    """Rounds of messages along the bonds, then a sum over the atoms of what each has to say, gated."""

    def __init__(self, atoms, model, size=64, rounds=4, dropout=0.2):
        super().__init__(model)
        self.rounds = rounds
        self.atoms = dy.nn.Embedding(atoms, size, self.model)
        self.messages = {kind: dy.nn.Linear(size, size, self.model, bias=False) for kind in BONDS}
        self.gates = dy.nn.Linear(2 * size, 2 * size, self.model)
        self.news = dy.nn.Linear(2 * size, size, self.model)
        self.says = dy.nn.Linear(2 * size, 2 * size, self.model)
        self.output = dy.nn.MLP([size, size, 1], self.model, dropout=dropout)
        self.size = size

    def __call__(self, molecule):
        """The score of passing: above 0 where it is likelier than not."""
        first = x = self.atoms(molecule.atoms)
        tables = {kind: dy.inputTensor(table) for kind, table in molecule.neighbours().items()}
        for _ in range(self.rounds if tables else 0):
            heard = dy.esum([self.messages[kind](x) * table for kind, table in tables.items()])
            gates = dy.logistic(self.gates(dy.concatenate([heard, x])))
            keep, look = gates[: self.size], gates[self.size :]
            news = dy.tanh(self.news(dy.concatenate([heard, dy.cmult(look, x)])))
            x = dy.cmult(keep, x) + dy.cmult(1 - keep, news)
        says = self.says(dy.concatenate([x, first]))
        says = dy.cmult(dy.logistic(says[: self.size]), dy.tanh(says[self.size :]))
        return self.output(dy.sum_dim(says, [1]))

    def loss(self, example):
        molecule, passes = example
        return dy.losses.binary_cross_entropy(self(molecule), [passes])


def naive_bayes(training):
    """The simple method: log odds of atoms and bonds, each as if it came by itself."""
    counts = {passes: collections.Counter() for passes in (True, False)}
    for molecule, passes in training:
        counts[passes].update(molecule.parts())
    every = set(counts[True]) | set(counts[False])
    odds = dict.fromkeys(every, 0.0)
    for passes, sign in ((True, 1), (False, -1)):
        total = counts[passes].total() + len(every)
        for part in every:
            odds[part] += sign * math.log((counts[passes][part] + 1) / total)
    share = sum(passes for _, passes in training) / len(training)
    prior = math.log(share / (1 - share))
    return lambda molecule: prior + sum(odds.get(part, 0) for part in molecule.parts())


def report(scores, held_out):
    """The share that is told right, and the area under the curve: how often one that passes scores higher."""
    passes = np.array([passes for _, passes in held_out])
    scores = np.array(scores)
    higher = scores[passes][:, None] - scores[~passes]
    area = np.mean(higher > 0) + np.mean(higher == 0) / 2
    return f"{np.mean((scores > 0) == passes):.1%} right, area under the curve {area:.3f}"


def main():
    chosen = options.parse(options.parser(__doc__, epochs=6, batch=16, unit="molecules"))
    training, held_out = molecules()
    if chosen.smoke:
        training, held_out, chosen.epochs = training[:2400:30], held_out[:1200:40], 1
    network = GraphNetwork(
        dy.data.Vocabulary(atom for molecule, _ in training for atom in molecule.atoms),
        dy.ParameterCollection(),
    )
    options.learn(network, training, network.loss, chosen, rate=0.002)
    network.eval()
    dy.renew_cg()
    scores = [float(score[0]) for score in dy.npvalues([network(molecule) for molecule, _ in held_out])]
    print(f"held-out molecules: {report(scores, held_out)}")
    bayes = naive_bayes(training)
    print(f"baseline, naive Bayes of atoms and bonds: {report([bayes(m) for m, _ in held_out], held_out)}")
    common = sum(passes for _, passes in held_out) / len(held_out)
    print(f"baseline, the commoner answer: {max(common, 1 - common):.1%} right")


if __name__ == "__main__":
    main()
