"""A model of a program that holds one of each kind, and the ways to send it elsewhere."""

import copy
import pickle

import dynet as dy

WAYS = {f"protocol {n}": (lambda x, n=n: pickle.loads(pickle.dumps(x, n))) for n in range(6)}
WAYS |= {"deepcopy": copy.deepcopy, "Python's": lambda x: pickle._loads(pickle._dumps(x))}


def out_of_band(x):
    """As who sends arrays apart from the rest."""
    buffers = []
    text = pickle.dumps(x, 5, buffer_callback=buffers.append)
    return pickle.loads(text, buffers=[bytes(buffer.raw()) for buffer in buffers])


WAYS["protocol 5 out of band"] = out_of_band


def names(collection):
    return [p.name() for p in collection.parameters_list() + collection.lookup_parameters_list()]


def numbers(collection):
    everything = collection.parameters_list() + collection.lookup_parameters_list()
    return [p.as_array().tobytes() for p in everything]


class Model:
    """An object of a program that holds one of each kind."""

    def __init__(self, kind=dy.AdamTrainer):
        self.collection = dy.ParameterCollection()
        self.table = self.collection.add_lookup_parameters((5, 4), name="words")
        self.part = self.collection.add_subcollection("part")
        self.W = self.part.add_parameters((3, 6), init="normal")
        self.b = self.part.add_parameters(3)
        self.rnn = dy.VanillaLSTMBuilder(2, 4, 6, self.collection)
        self.both = dy.BiRNNBuilder(1, 6, 6, self.collection, dy.GRUBuilder)
        self.softmax = dy.StandardSoftmaxBuilder(3, 4, self.collection)
        self.trainer = kind(self.collection)
        self.activation = dy.tanh

    def loss(self, words, label):
        dy.renew_cg()
        xs = self.both.transduce(self.rnn.initial_state().transduce([self.table[w] for w in words]))
        return self.softmax.neg_log_softmax(self.activation(self.W * xs[-1] + self.b), label)

    def train(self, steps):
        losses = []
        for step in range(steps):
            loss = self.loss([step % 5, 1, 2], step % 4)
            losses.append(loss.value())
            loss.backward()
            self.trainer.update()
        return losses
