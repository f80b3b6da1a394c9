"""from_torch refuses a module whose settings the target does not compute."""

import numpy as np
import pytest

import dynet as dy

torch = pytest.importorskip("torch")
nn = torch.nn


def encoder(**settings):
    return nn.TransformerEncoderLayer(8, settings.pop("nhead", 2), 12, **settings)


def ours(model, **settings):
    return dy.export.TransformerEncoderLayer(8, 2, 12, model, **settings)


def refused():
    """(module, what makes the target, a part of the sentence)."""
    lstm, gru, rnn = dy.VanillaLSTMBuilder, dy.export.ResetAfterGRUBuilder, dy.SimpleRNNBuilder
    yield nn.RNN(3, 4, nonlinearity="relu"), lambda m: rnn(1, 3, 4, m), 'RNN.* has nonlinearity="relu"'
    both = nn.RNN(3, 4, nonlinearity="relu", bidirectional=True)
    yield both, lambda m: dy.BiRNNBuilder(1, 3, 8, m, rnn), 'nonlinearity="relu"'
    yield nn.LSTM(3, 4, proj_size=2), lambda m: lstm(1, 3, 4, m), "has proj_size=2"
    yield nn.GRU(3, 4), lambda m: lstm(1, 3, 4, m), "computes GRU"
    yield nn.LSTM(3, 4), lambda m: gru(1, 3, 4, m), "computes LSTM"
    yield encoder(activation="gelu"), ours, "activation='gelu', and the target activation='relu'"
    yield encoder(), lambda m: ours(m, activation="gelu"), "activation='relu'"
    yield encoder(activation=nn.GELU("tanh")), lambda m: ours(m, activation="gelu"), r"'gelu \(tanh\)'"
    yield encoder(activation=nn.SiLU()), ours, "activation='silu'"
    yield encoder(activation=torch.tanh), ours, "activation='tanh'"
    yield encoder(norm_first=True), ours, "norm_first=True"
    yield encoder(nhead=4), ours, "nhead=4, and the target nhead=2"
    yield encoder(layer_norm_eps=1e-6), ours, "layer_norm_eps=1e-06"
    yield nn.Embedding(3, 4, max_norm=1), lambda m: m.add_lookup_parameters((3, 4)), "max_norm=1"


@pytest.mark.parametrize(("module", "make", "text"), list(refused()))
def test_settings_are_refused(module, make, text):
    """As the module alone, and as a part of another; nothing has changed."""
    model = dy.ParameterCollection()
    target = make(model)
    before = {name: array.copy() for name, array in model.state_dict().items()}
    whole = nn.ModuleDict({"inner": nn.Sequential(module)})
    name = "inner.0.weight" if isinstance(module, nn.Embedding) else "inner.0"
    for given, of in ((module, target), (whole, {name: target}), (whole, {"inner": {"0": target}})):
        with pytest.raises(ValueError, match=f"from_torch: .*{text}"):
            dy.export.from_torch(given, of)
    assert all(np.array_equal(before[own], array) for own, array in model.state_dict().items())


def test_settings_that_agree():
    """Also those that are about inputs and training alone."""
    model = dy.ParameterCollection()
    for module, target in (
        (nn.LSTM(3, 4, 2, batch_first=True, dropout=0.5), dy.VanillaLSTMBuilder(2, 3, 4, model)),
        (nn.RNN(3, 4, bidirectional=True), dy.BiRNNBuilder(1, 3, 8, model, dy.SimpleRNNBuilder)),
        (nn.GRU(3, 4), dy.export.ResetAfterGRUBuilder(1, 3, 4, model)),
        (encoder(activation=nn.ReLU(), batch_first=True), ours(model)),
        (encoder(activation=nn.functional.gelu), ours(model, activation="gelu")),
        (encoder(activation=nn.GELU(), norm_first=True), ours(model, activation="gelu", norm_first=True)),
        (nn.Embedding(3, 4, padding_idx=0), model.add_lookup_parameters((3, 4))),
    ):
        dy.export.from_torch(module, target)
        found = dy.export.to_numpy(target)
        assert all(name in found for name in module.state_dict())
