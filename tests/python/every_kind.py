"""The recurrent builders, and the trainers, for tests that hold for each of them."""

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

# EGTrainer is apart: its parameters are distributions.
TRAINERS = [
    dy.SimpleSGDTrainer,
    dy.CyclicalSGDTrainer,
    dy.MomentumSGDTrainer,
    dy.AdagradTrainer,
    dy.AdadeltaTrainer,
    dy.RMSPropTrainer,
    dy.AdamTrainer,
    dy.AmsgradTrainer,
    dy.AdamWTrainer,
    dy.RAdamTrainer,
    dy.LionTrainer,
]
