"""Random operations, nodes without arguments, and recurrent cells."""

from __future__ import annotations

import numpy as np
from table import case, identity, logistic, uniform, wrong

import dynet as dy

RANDOM = [
    case("random_normal", [], None, dim=(3, 4), bad=[wrong("size of axis 0 is 0", dim=(0,))]),
    case("random_normal", [], None, dim=(3, 4), mean=2.0, stddev=0.1),
    case("random_uniform", [], None, dim=(3, 4), left=-1.0, right=2.0),
    case("random_bernoulli", [], None, dim=(3, 4), p=0.3, bad=[wrong("probability", p=1.5)]),
    case("random_bernoulli", [], None, dim=(3, 4), p=0.3, scale=2.0),
    case("random_gumbel", [], None, dim=(3, 4), bad=[wrong("mu 1", mu=1.0)]),
    case("noise", [uniform(3, 4)], None, stddev=0.5),
    case("dropout", [uniform(3, 4)], None, p=0.4, bad=[wrong("probability", p=-0.1)]),
    case("dropout", [uniform(3, 4)], None, p=0.7),
    case("dropout_dim", [uniform(3, 4)], None, d=1, p=0.4, bad=[wrong("axis 2", d=2)]),
    case("dropout_dim", [uniform(3, 4)], None, d=0, p=0.4),
    case("dropout_batch", [uniform(3, 4)], None, p=0.4),
    case("block_dropout", [uniform(3, 4)], None, p=0.4, bad=[wrong("probability", p=1.1)]),
]

TABLE = np.random.default_rng(3).uniform(-1, 1, (5, 3)).astype(np.float32).astype(np.float64)
parameters = dy.ParameterCollection()
lookup_table = parameters.lookup_parameters_from_numpy(TABLE)

LEAVES = [
    case("input", [uniform(3, 4)], identity, call=identity),
    case("constant", [], lambda dim, val: np.full(dim, val), dim=(3, 4), val=0.25),
    case("zeros", [], lambda dim: np.zeros(dim), dim=(3, 4), bad=[wrong("axis 1 is 0", dim=(3, 0))]),
    case("ones", [], lambda dim, batch_size: np.ones((*dim, batch_size)), dim=(3,), batch_size=2),
    case(
        "lookup",
        [],
        lambda i: TABLE[i],
        call=lambda i: dy.lookup(lookup_table, i),
        i=2,
        bad=[wrong("index 5", error=IndexError, i=5)],
    ),
    case("lookup", [], lambda i: TABLE[i].T, call=lambda i: dy.lookup_batch(lookup_table, i), i=[2, 0, 2]),
]

# One LSTM step with these weights: the builder's state holds the new c and h.
WX, WH, B = (
    np.random.default_rng(4).uniform(-1, 1, shape).astype(np.float32) for shape in [(12, 2), (12, 3), (12,)]
)
lstm = dy.VanillaLSTMBuilder(1, 2, 3, parameters)
for parameter, numbers in zip(lstm.get_parameters()[0], (WX, WH, B), strict=True):
    parameter.set_value(numbers)


def lstm_gates(x, h, wx, wh, b):
    i, f, o, g = np.split(wx @ x + wh @ h + b, 4)
    return np.concatenate([logistic(i), logistic(f + 1), logistic(o), np.tanh(g)])


def lstm_c(c, gates):
    i, f, _, g = np.split(gates, 4)
    return i * g + f * c


def lstm_h(c, gates):
    return np.split(gates, 4)[2] * np.tanh(c)


def lstm_step(x, c, h):
    gates = lstm_gates(x, h, WX, WH, B)
    new_c = lstm_c(c, gates)
    return np.concatenate([new_c, lstm_h(new_c, gates)])


def lstm_first_step(x):
    return lstm_step(x, np.zeros(3), np.zeros(3))


GATE_INPUTS = [uniform(2), uniform(3), uniform(12, 2), uniform(12, 3), uniform(12)]
MASKS = [uniform(2), uniform(3)]


def masked_gates(x, h, wx, wh, b, mask_x, mask_h):
    return lstm_gates(x * mask_x, h * mask_h, wx, wh, b)


RECURRENT = [
    case(
        "lstm_cell",
        [uniform(2)],
        lstm_first_step,
        call=lambda x: dy.concatenate(list(lstm.initial_state().add_input(x).s())),
    ),
    case(
        "lstm_cell",
        [uniform(2), uniform(3), uniform(3)],
        lstm_step,
        call=lambda x, c, h: dy.concatenate(list(lstm.initial_state().set_s([c, h]).add_input(x).s())),
    ),
    case(
        "vanilla_lstm_gates",
        GATE_INPUTS,
        lstm_gates,
        bad=[wrong("{12} and {3}", uniform(2), uniform(3), uniform(5, 2), uniform(5, 3), uniform(5))],
    ),
    case(
        "vanilla_lstm_gates_concat",
        [uniform(1), *GATE_INPUTS[:1], uniform(3), uniform(12, 3), *GATE_INPUTS[3:]],
        lambda a, x, h, wx, wh, b: lstm_gates(np.concatenate([a, x]), h, wx, wh, b),
        call=lambda a, x, *others: dy.vanilla_lstm_gates_concat([a, x], *others),
    ),
    case("vanilla_lstm_gates_dropout", GATE_INPUTS + MASKS, masked_gates),
    case(
        "vanilla_lstm_gates_dropout_concat",
        [uniform(1), uniform(1), *GATE_INPUTS[1:], *MASKS],
        lambda a, x, *others: masked_gates(np.concatenate([a, x]), *others),
        call=lambda a, x, *others: dy.vanilla_lstm_gates_dropout_concat([a, x], *others),
    ),
    case(
        "vanilla_lstm_c",
        [uniform(3), uniform(12)],
        lstm_c,
        bad=[wrong("{12} and {3}", uniform(3), uniform(13)), wrong("{3,2}", uniform(3, 2), uniform(12))],
    ),
    case(
        "vanilla_lstm_h",
        [uniform(3), uniform(12)],
        lstm_h,
        bad=[wrong("{12} and {3}", uniform(3), uniform(13))],
    ),
]
