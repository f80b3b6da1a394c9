"""The numbers that tests/cpp/nn_layers_test.cc expects of the layers of C++ are those of dy.nn."""

import pathlib
import re

import numpy as np
import pytest

import dynet as dy

SOURCE = pathlib.Path(__file__).parents[1] / "cpp" / "nn_layers_test.cc"


def given(shape, k=0):
    numbers = np.cos(k + 0.3 * np.arange(np.prod(shape)))
    return dy.inputTensor(numbers.reshape(shape, order="F"))


def tree(layer):
    leaves = [layer.step(given((3,), k)) for k in range(2)]
    return layer.step(given((3,), 2), leaves).h


def learned(layer):
    layer.table.init_from_array(np.sin(1 + 0.7 * np.arange(28)).reshape(7, 4))
    return layer(given((4, 3)), 2)


NN = dy.nn
CASES = {
    "Linear": (lambda m: NN.Linear(3, 2, m), lambda f: f(given((3, 4)))),
    "LayerNorm": (lambda m: NN.LayerNorm(3, m), lambda f: f(given((3, 4)))),
    "RMSNorm": (lambda m: NN.RMSNorm(3, m), lambda f: f(given((3, 4)))),
    "SinusoidalPositions": (lambda m: NN.SinusoidalPositions(4), lambda f: f(given((4, 3)), 2)),
    "LearnedPositions": (lambda m: NN.LearnedPositions(4, 7, m), learned),
    "MLP": (lambda m: NN.MLP([3, 5, 2], m), lambda f: f(given((3, 4)))),
    "Highway": (lambda m: NN.Highway(3, m), lambda f: f(given((3, 4)))),
    "BiLSTM": (lambda m: NN.BiLSTM(3, 4, m), lambda f: f(given((3, 4)))),
    "Conv1d": (lambda m: NN.Conv1d(3, 2, 3, m, padding="same"), lambda f: f(given((3, 4)))),
    "Biaffine": (lambda m: NN.Biaffine(3, 2, m), lambda f: f(given((3, 4)), given((2, 5), 1))),
    "CRF": (lambda m: NN.CRF(3, 2, m), lambda f: f.loss(given((3, 4)), [1, 0, 1, 1])),
    "ChildSumTreeLSTM": (lambda m: NN.ChildSumTreeLSTM(3, 4, m), tree),
    "NaryTreeLSTM": (lambda m: NN.NaryTreeLSTM(3, 4, 2, m), tree),
    "MultiHeadAttention": (
        lambda m: NN.MultiHeadAttention(4, 2, m),
        lambda f: f(given((4, 3)), causal=True),
    ),
    "rotary": (
        lambda m: NN.MultiHeadAttention(4, 2, m, rotary=True),
        lambda f: f(given((4, 3)), causal=True),
    ),
    "TransformerEncoderLayer": (
        lambda m: NN.TransformerEncoderLayer(4, 2, 6, m),
        lambda f: f(given((4, 3)), causal=True),
    ),
    "TransformerDecoderLayer": (
        lambda m: NN.TransformerDecoderLayer(4, 2, 6, m),
        lambda f: f(given((4, 3)), given((4, 2), 1)),
    ),
}


def number_of(name):
    """What dy.nn makes of the parameters and inputs that the program in C++ has."""
    dy.renew_cg()
    make, call = CASES[name]
    model = dy.ParameterCollection()
    layer = make(model)
    for k, p in enumerate(model.parameters_list()):
        p.set_value(np.sin(1 + k + 0.7 * np.arange(np.prod(p.shape()))).reshape(p.shape(), order="F"))
    y = np.asarray(call(layer).npvalue(), np.float64).ravel(order="F")
    return float((y * np.cos(np.arange(y.size))).sum())


@pytest.mark.parametrize("name", CASES)
def test_the_number(name):
    text = SOURCE.read_text(encoding="utf-8")
    written = re.findall(rf'(?:compare|test_layer<nn::\w+>)\(\s*"{name}"[^;]*?(-?\d+\.\d+)', text)
    assert [float(each) for each in written] == [pytest.approx(number_of(name), rel=2e-5, abs=2e-5)]


def test_every_layer_is_there():
    text = SOURCE.read_text(encoding="utf-8")
    assert set(re.findall(r'(?:compare|test_layer<nn::\w+>)\(\s*"(\w+)"', text)) == set(CASES)
