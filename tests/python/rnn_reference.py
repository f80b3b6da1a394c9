"""The networks of the recurrent builders in NumPy, written from their equations."""

import numpy as np

import dynet as dy

INPUT, HIDDEN = 3, 4


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def column(b):
    return b.reshape(-1, 1)


def normalised(x, gain, bias):
    centred = x - x.mean(axis=0)
    return column(gain) * centred / (x.std(axis=0) + 1e-8) + column(bias)


def simple_step(p, x, c, h, **_):
    wx, wh, b = p
    return None, np.tanh(column(b) + wx @ x + wh @ h)


def gru_step(p, x, c, h, **_):
    wz, uz, bz, wr, ur, br, w, u, b = p
    z = sigmoid(column(bz) + wz @ x + uz @ h)
    r = sigmoid(column(br) + wr @ x + ur @ h)
    candidate = np.tanh(column(b) + w @ x + u @ (r * h))
    return None, (1 - z) * h + z * candidate


def coupled_step(p, x, c, h, peepholes=True, **_):
    x2i, h2i, c2i, bi, x2o, h2o, c2o, bo, x2c, h2c, bc = p
    if not peepholes:
        c2i = c2o = np.zeros_like(h2i)
    i = sigmoid(column(bi) + x2i @ x + h2i @ h + c2i @ c)
    g = np.tanh(column(bc) + x2c @ x + h2c @ h)
    c = (1 - i) * c + i * g
    o = sigmoid(column(bo) + x2o @ x + h2o @ h + c2o @ c)
    return c, o * np.tanh(c)


def deep_step(parameters, state, x):
    """All layers of a DeepLSTMBuilder: each reads the output below and x."""
    cells, outputs, below, layers = [], [], x, len(parameters)
    for i, p in enumerate(parameters):
        c, h = coupled_step(p, below, state[i], state[i + layers])
        below = np.concatenate([h, x])
        cells.append(c)
        outputs.append(h)
    return cells + outputs


def fast_step(p, x, c, h, **_):
    return coupled_step(p, x, c, h, peepholes=False)


def lstm_step(p, x, c, h, norm=None, first=False, forget_bias=1.0):
    wx, wh, b = p[:3]
    if len(p) == 5:
        wx, wh = wx * p[3], wh * p[4]
    if norm is None:
        gates = column(b) + wx @ x + wh @ h
    else:
        gates = column(b) + normalised(wx @ x, norm[2], norm[3])
        if not first:
            gates = gates + normalised(wh @ h, norm[0], norm[1])
    i, f, o, g = np.split(gates, 4)
    c = sigmoid(f + forget_bias) * c + sigmoid(i) * np.tanh(g)
    return c, sigmoid(o) * np.tanh(c if norm is None else normalised(c, norm[4], norm[5]))


def vanilla(*args):
    def make(layers, input_dim, hidden_dim, model):
        return dy.VanillaLSTMBuilder(layers, input_dim, hidden_dim, model, *args)

    return make


BUILDERS = {
    "simple": (dy.SimpleRNNBuilder, simple_step, False),
    "gru": (dy.GRUBuilder, gru_step, False),
    "coupled": (dy.CoupledLSTMBuilder, coupled_step, True),
    "fast": (dy.FastLSTMBuilder, fast_step, True),
    "vanilla": (dy.VanillaLSTMBuilder, lstm_step, True),
    "vanilla_ln": (vanilla(True), lstm_step, True),
    "vanilla_forget": (vanilla(False, 0.25), lambda *a, **k: lstm_step(*a, **k, forget_bias=0.25), True),
    "sparse": (dy.SparseLSTMBuilder, lstm_step, True),
    "compact": (dy.CompactVanillaLSTMBuilder, lstm_step, True),
}


class Case:
    """A builder with random parameters, and the same network in NumPy."""

    def __init__(self, kind, layers=1, seed=1):
        make, self.step_of, self.has_cells = BUILDERS[kind]
        self.rng = np.random.default_rng(seed)
        self.model = dy.ParameterCollection()
        self.builder = make(layers, INPUT, HIDDEN, self.model)
        self.layers = layers
        for p in self.model.parameters_list():
            p.set_value(self.rng.normal(0, 0.7, p.shape()))
        if kind == "sparse":
            self.builder.set_sparsity(0.3)
        self.parameters = [p.as_array().astype(float) for p in self.model.parameters_list()]

    def vector(self, size, batch):
        return self.rng.normal(0, 1, (size, batch))

    def by_layer(self):
        names = [p.name() for p in self.model.parameters_list()]
        named = dict(zip(names, self.parameters, strict=True))
        layers = self.builder.get_parameters()
        own = [[named[p.name()] for p in layer] for layer in layers]
        # What is in no list belongs to layer normalisation.
        listed = {p.name() for layer in layers for p in layer}
        rest = [named[name] for name in names if name not in listed]
        norms = [rest[6 * i : 6 * i + 6] or None for i in range(self.layers)]
        return own, norms

    def step(self, state, x):
        """The next state {c per layer…, h per layer…} after x; a state of None is the first."""
        own, norms = self.by_layer()
        first = state is None
        zero = np.zeros((HIDDEN, x.shape[1]))
        cells, outputs = [], []
        for i in range(self.layers):
            c = zero if first or not self.has_cells else state[i]
            h = zero if first else state[i - self.layers]
            extra = {"norm": norms[i], "first": first} if norms[i] else {}
            c, x = self.step_of(own[i], x, c, h, **extra)
            cells.append(c)
            outputs.append(x)
        return (cells if self.has_cells else []) + outputs


def tensor(x):
    """A {rows} vector for one column, else a batch."""
    return dy.inputTensor(x[:, 0]) if x.shape[1] == 1 else dy.inputTensor(x, batched=True)


def assert_state(state, expected, layers):
    assert len(state.s()) == len(expected) and len(state.h()) == layers
    for got, want in zip(state.s(), expected, strict=True):
        np.testing.assert_allclose(got.npvalue().reshape(want.shape), want, rtol=2e-5, atol=2e-6)
    for got, want in zip(state.h(), expected[-layers:], strict=True):
        np.testing.assert_allclose(got.npvalue().reshape(want.shape), want, rtol=2e-5, atol=2e-6)
    top = state.output().npvalue()
    np.testing.assert_allclose(top.reshape(expected[-1].shape), expected[-1], rtol=2e-5, atol=2e-6)
