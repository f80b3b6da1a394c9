"""The builders of recurrent networks, for tests that hold for each of them."""

import dynet as dy

RNN_BUILDERS = [
    dy.SimpleRNNBuilder,
    dy.GRUBuilder,
    dy.CoupledLSTMBuilder,
    dy.DeepLSTMBuilder,
    dy.FastLSTMBuilder,
    dy.VanillaLSTMBuilder,
    dy.SparseLSTMBuilder,
    dy.CompactVanillaLSTMBuilder,
]
