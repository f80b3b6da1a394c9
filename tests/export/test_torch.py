"""Weights from and to PyTorch: beside outputs that a file holds, and beside PyTorch where it is there."""

import pathlib

import numpy as np
import pytest

import dynet as dy

BOTH_WAYS = "both-ways"


def recorded():
    """What make_torch_outputs.py has written, as {layer: {"x": …, "y": …, "weights": {…}}}."""
    layers = {}
    with np.load(pathlib.Path(__file__).parent / "torch_outputs.npz") as file:
        assert str(file["torch"]).startswith("2.")
        for name in file.files:
            layer, _, rest = name.partition("/")
            kind, _, own = rest.partition("/")
            if kind == "weights":
                layers.setdefault(layer, {"weights": {}})["weights"][own] = file[name]
            elif kind:
                layers.setdefault(layer, {"weights": {}})[kind] = file[name]
    return layers


RECORDED = recorded()


def target_for(name, model):
    """What of ours takes the weights of a recorded layer."""
    factories = {
        "lstm": dy.VanillaLSTMBuilder,
        "gru": dy.export.ResetAfterGRUBuilder,
        "rnn": dy.SimpleRNNBuilder,
    }
    if name == "linear":
        return model.add_parameters((5, 3)), model.add_parameters(5)
    if name.startswith("encoder"):
        is_first = name.endswith("norm-first")
        activation = "gelu" if "gelu" in name else "relu"
        heads = 4 if is_first else 2
        return dy.export.TransformerEncoderLayer(8, heads, 12, model, activation, is_first)
    factory = factories[name.split("-")[0]]
    if BOTH_WAYS in name:
        return dy.BiRNNBuilder(2, 3, 4, model, factory)
    return factory(1 if "without" in name else 2, 3, 4, model)


def outputs_of(target, x):
    """A row for each row of x."""
    dy.renew_cg()
    rows = [dy.inputTensor(row) for row in x]
    if isinstance(target, tuple):
        return np.stack(dy.npvalues([dy.affine_transform([target[1], target[0], row]) for row in rows]))
    if isinstance(target, dy.export.TransformerEncoderLayer):
        return target(dy.inputTensor(x.T)).npvalue().T
    states = target if isinstance(target, dy.BiRNNBuilder) else target.initial_state()
    return np.stack(dy.npvalues(states.transduce(rows)))


@pytest.mark.parametrize("name", RECORDED)
def test_weights_of_pytorch(name):
    """Its weights give its outputs, and come back the same."""
    known = RECORDED[name]
    model, other = dy.ParameterCollection(), dy.ParameterCollection()
    target = target_for(name, model)
    dy.export.from_torch(known["weights"], target)
    assert np.abs(outputs_of(target, known["x"]) - known["y"]).max() < 1e-5
    there = dy.export.to_numpy(target)
    assert set(known["weights"]) <= set(there)
    for own, array in known["weights"].items():
        if "bias" not in own or name.startswith(("gru", "linear", "encoder")):
            assert np.array_equal(there[own], array)
    dy.export.from_torch(there, target_for(name, other))
    ours, theirs = model.state_dict(), other.state_dict()
    assert all(np.array_equal(ours[own], theirs[own]) for own in ours)


def test_forget_bias():
    """It is in PyTorch's second bias, whatever it was here."""
    model = dy.ParameterCollection()
    builder = dy.VanillaLSTMBuilder(1, 3, 2, model, forget_bias=0.25)
    builder.get_parameters()[0][2].set_value(np.arange(8.0))
    state = dy.export.to_numpy(builder)
    assert state["bias_ih_l0"].tolist() == [0, 1, 2, 3, 6, 7, 4, 5]
    assert state["bias_hh_l0"].tolist() == [0, 0, 0.25, 0.25, 0, 0, 0, 0]


def test_a_whole_model(tmp_path):
    """By the names of its modules, through a file that other libraries read."""

    def parts(model):
        return {
            "embed.weight": model.add_lookup_parameters((7, 3)),
            "encoder.lstm": dy.BiRNNBuilder(1, 3, 4, model, dy.VanillaLSTMBuilder),
            "norm": (model.add_parameters(4, init=1), model.add_parameters(4, init=0)),
            "out": [model.add_parameters((2, 4))],
        }

    models = [dy.ParameterCollection() for _ in range(2)]
    first, second = map(parts, models)
    for name in ("model.safetensors", "model.npz", "model.txt"):
        dy.export.write(tmp_path / name, dy.export.to_numpy(first))
        dy.export.from_torch(tmp_path / name, second)
        arrays = [model.state_dict() for model in models]
        assert all(np.array_equal(arrays[0][own], arrays[1][own]) for own in arrays[0])
        for parameter in models[1].parameters_list():
            parameter.zero()
    assert list(dy.export.read(tmp_path / "model.npz")) == [
        "embed.weight",
        *(
            f"encoder.lstm.{name}_l0{end}"
            for end in ("", "_reverse")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ),
        "norm.weight",
        "norm.bias",
        "out.weight",
    ]


def wrong_calls():
    """(state, target, error, a part of its text)."""
    model = dy.ParameterCollection()
    lstm, matrix = dy.VanillaLSTMBuilder(1, 3, 4, model), model.add_parameters((5, 3))
    good = dy.export.to_numpy(lstm)
    both = dy.export.to_numpy(dy.BiRNNBuilder(1, 3, 8, model, dy.VanillaLSTMBuilder))
    short = {**good, "weight_ih_l0": good["weight_ih_l0"][:8]}
    layered = dy.VanillaLSTMBuilder(1, 3, 4, model, True)
    yield {}, lstm, RuntimeError, "has no weight_ih_l0, weight_hh_l0"
    yield both, lstm, RuntimeError, "a BiRNNBuilder has both directions"
    yield {**good, "weight_hr_l0": 1}, lstm, RuntimeError, "proj_size"
    yield short, lstm, ValueError, "weight_ih_l0 has the shape (8, 3); VanillaLSTMBuilder(layers=1"
    yield {**good, "bias_hh_l0": np.array(["a"])}, lstm, TypeError, "bias_hh_l0 is an array of <U1"
    yield good, dy.GRUBuilder(1, 3, 4, model), TypeError, "its reset gate comes before the matrix"
    yield good, dy.CoupledLSTMBuilder(1, 3, 4, model), TypeError, "coupled to the input gate"
    yield good, layered, TypeError, "no LSTM that is normalised"
    yield good, "lstm", TypeError, "target is a str"
    yield 3, lstm, TypeError, "state is an int"
    yield good, {None: lstm}, TypeError, "target has the key None"
    table = model.add_lookup_parameters((5, 3))
    yield good, {"a": (table, matrix)}, TypeError, "a: a LookupParameters was given"
    yield "none.safetensors", lstm, FileNotFoundError, "there is no file none.safetensors"
    yield good, {"a": matrix, "b": (matrix, 3)}, TypeError, "b: an int was given"
    yield good, {"a": [matrix], "a.weight": matrix}, ValueError, "two arrays would have the name a.weight"


@pytest.mark.parametrize(("state", "target", "error", "text"), list(wrong_calls()))
def test_wrong_calls(state, target, error, text):
    with pytest.raises(error) as raised:
        dy.export.from_torch(state, target)
    assert text in str(raised.value)
    assert "from_torch" in str(raised.value) or error is FileNotFoundError


def test_nothing_is_half_loaded():
    """The last array does not fit: the first has not changed."""
    model = dy.ParameterCollection()
    target = {"a": model.add_parameters(2, init=1), "b": model.add_parameters(2, init=1)}
    with pytest.raises(ValueError, match="b has the shape"):
        dy.export.from_torch({"a": np.zeros(2), "b": np.zeros(3)}, target)
    assert target["a"].as_array().tolist() == [1, 1]
    dy.export.from_torch({"a": np.zeros(2), "b": np.zeros(2), "c": np.zeros(9)}, target, strict=False)
    assert target["a"].as_array().tolist() == [0, 0]


def test_names_of_modules():
    """Numbers, as in torch.nn.Sequential, and a table without .weight."""
    model = dy.ParameterCollection()
    first, second, third = (model.add_lookup_parameters((2, 3)) for _ in range(3))
    weight, bias = model.add_parameters((2, 3)), model.add_parameters(2)
    names = ["0.weight", "0.bias", "1.0.weight", "words.weight", "tags.weight"]
    state = {name: np.full(2 if "bias" in name else (2, 3), i) for i, name in enumerate(names)}
    target = {0: (weight, bias), 1: {0: [first]}, "words": second, "tags.weight": third}
    dy.export.from_torch(state, target)
    found = [int(each.as_array().flat[0]) for each in (weight, bias, first, second, third)]
    assert found == [0, 1, 2, 3, 4]
    dy.export.from_torch(dy.export.to_numpy(target), target)
    with pytest.raises(RuntimeError, match=r"nothing in the target is for words\.bias"):
        dy.export.from_torch({**state, "words.bias": np.ones(2)}, target)


@pytest.mark.skipif(dy.__precision__ == "float64", reason="doubles have such numbers")
def test_numbers_that_are_too_large():
    """They would be infinite; nothing has changed."""
    model = dy.ParameterCollection()
    target = {"a": model.add_parameters(2, init=1), "b": model.add_parameters(2, init=1)}
    with pytest.raises(ValueError, match=r"from_torch: /_1 holds -1e\+300, which is too large for float32"):
        dy.export.from_torch({"a": np.zeros(2), "b": np.array([1, -1e300])}, target)
    assert target["a"].as_array().tolist() == [1, 1]
    dy.export.from_torch({"a": np.zeros(2), "b": np.array([-np.inf, 1e-300])}, target)
    assert target["b"].as_array().tolist() == [-np.inf, 0]


def test_reset_after_gru_is_a_builder(tmp_path):
    """It is saved, batched, given states, and trained."""
    model, again = dy.ParameterCollection(), dy.ParameterCollection()
    gru = dy.export.ResetAfterGRUBuilder(2, 3, 4, model)
    dy.save(tmp_path / "gru", [gru])
    (loaded,) = dy.load(tmp_path / "gru", again)
    x = np.random.default_rng(1).normal(size=(5, 3))
    assert np.array_equal(outputs_of(gru, x), outputs_of(loaded, x))

    dy.renew_cg()
    batch = [dy.inputTensor(x[[i, i + 1]].T, batched=True) for i in range(4)]
    first = gru.initial_state().add_inputs(batch)[-1]
    assert np.allclose(first.output().npvalue()[:, 0], outputs_of(gru, x[:4])[-1], atol=1e-6)
    dy.renew_cg()
    xs = [dy.inputTensor(row) for row in x]
    middle = gru.initial_state().add_inputs(xs[:2])[-1]
    assert np.array_equal(
        gru.initial_state(middle.s()).transduce(xs[2:])[-1].npvalue(),
        gru.final_state(xs).output().npvalue(),
    )
    assert middle.prev().prev().output() is None
    assert middle.b() is gru
    with pytest.raises(ValueError, match="1 vectors were given; 2 are needed"):
        gru.initial_state(middle.h()[:1])
    gru.set_dropout(0.5)
    with pytest.raises(ValueError, match="the rate is 1"):
        gru.set_dropout(1)
    loss = dy.squared_norm(gru.final_state(xs).output())
    loss.backward()
    for parameter in model.parameters_list():
        assert np.abs(parameter.grad_as_array()).max() > 0


def test_transformer_layer_is_saved_and_masked(tmp_path):
    model, again = dy.ParameterCollection(), dy.ParameterCollection()
    layer = dy.export.TransformerEncoderLayer(8, 2, 12, model, "gelu", True)
    dy.save(tmp_path / "layer", [layer])
    (loaded,) = dy.load(tmp_path / "layer", again)
    x = np.random.default_rng(1).normal(size=(5, 8))
    whole = outputs_of(layer, x)
    assert np.array_equal(whole, outputs_of(loaded, x))
    dy.renew_cg()
    causal = np.where(np.tri(5).T > 0, 0, -np.inf)  # (keys, queries): a query sees no later key
    masked = layer(dy.inputTensor(x.T), dy.inputTensor(causal)).npvalue().T
    assert np.allclose(masked[0], outputs_of(layer, x[:1])[0], atol=1e-5)
    assert np.allclose(masked[-1], whole[-1], atol=1e-5)
    batch = layer(dy.inputTensor(np.stack([x.T, 2 * x.T], axis=2), batched=True)).npvalue()
    assert np.allclose(batch[:, :, 0].T, whole, atol=1e-6)


@pytest.mark.parametrize("make", ["ResetAfterGRUBuilder", "TransformerEncoderLayer"])
def test_sizes_of_layers(make):
    model = dy.ParameterCollection()
    for sizes in ((0, 2, 3), (2, -1, 3), (2.5, 2, 3), (True, 2, 3)):
        with pytest.raises(ValueError, match=r"a whole number from 1 on is needed"):
            getattr(dy.export, make)(*sizes, model)
    with pytest.raises(TypeError, match="a ParameterCollection is needed"):
        getattr(dy.export, make)(2, 2, 3, None)
    assert model.parameters_list() == []


# -- beside PyTorch itself


def networks(torch):
    for factory, theirs in (
        (dy.VanillaLSTMBuilder, torch.nn.LSTM),
        (dy.CompactVanillaLSTMBuilder, torch.nn.LSTM),
        (dy.SimpleRNNBuilder, torch.nn.RNN),
        (dy.export.ResetAfterGRUBuilder, torch.nn.GRU),
    ):
        for both_ways in (False, True):
            yield factory, theirs, both_ways


def test_both_directions_beside_pytorch():
    """A module's weights give its outputs here, and ours give our outputs there."""
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    for factory, theirs, both_ways in networks(torch):
        model = dy.ParameterCollection()
        ours = dy.BiRNNBuilder(2, 5, 8, model, factory) if both_ways else factory(2, 5, 4, model)
        module = theirs(5, 4, 2, bidirectional=both_ways)
        before = outputs_of(ours, x)
        state = dy.export.to_torch(ours)
        module.load_state_dict(state)
        assert np.abs(module(torch.tensor(x))[0].detach().numpy() - before).max() < 1e-5
        other = theirs(5, 4, 2, bidirectional=both_ways)
        dy.export.from_torch(other, ours)
        assert np.abs(other(torch.tensor(x))[0].detach().numpy() - outputs_of(ours, x)).max() < 1e-5
        dy.export.from_torch(state, ours)
        assert np.array_equal(outputs_of(ours, x), before)


def test_files_of_pytorch(tmp_path):
    """A state dict on disk, also in bfloat16."""
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Embedding(7, 3), torch.nn.Linear(3, 2)).to(torch.bfloat16)
    torch.save(module.state_dict(), tmp_path / "model.pt")
    model = dy.ParameterCollection()
    table, pair = model.add_lookup_parameters((7, 3)), (model.add_parameters((2, 3)), model.add_parameters(2))
    dy.export.from_torch(tmp_path / "model.pt", {"0.weight": table, "1": pair})
    assert np.array_equal(table.as_array(), module[0].weight.detach().float().numpy())
    dy.export.write(tmp_path / "back.pt", dy.export.to_torch({"0.weight": table, "1": pair}))
    back = torch.load(tmp_path / "back.pt")
    assert all(torch.equal(back[name], each.float()) for name, each in module.state_dict().items())
    torch.save({"epoch": 3, "state_dict": module.state_dict()}, tmp_path / "checkpoint.pth")
    assert set(dy.export.read(tmp_path / "checkpoint.pth")) == set(module.state_dict())
    torch.save(module, tmp_path / "whole.pt")
    with pytest.raises(RuntimeError, match="no file of PyTorch with a state dict alone"):
        dy.export.read(tmp_path / "whole.pt")


def test_the_encoder_there_and_back():
    """Our weights give our outputs in PyTorch's layer."""
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(1).normal(size=(6, 8)).astype(np.float32)
    for activation in ("relu", "gelu"):
        for first in (False, True):
            ours = dy.export.TransformerEncoderLayer(8, 4, 16, dy.ParameterCollection(), activation, first)
            module = torch.nn.TransformerEncoderLayer(8, 4, 16, 0, activation, norm_first=first)
            module.load_state_dict(dy.export.to_torch(ours))
            theirs = module(torch.tensor(x)).detach().numpy()
            assert np.abs(outputs_of(ours, x) - theirs).max() < 1e-5
