"""What holds of every layer: a batch is a loop, it learns, it is saved, it is switched, it refuses."""

import numpy as np
import pytest
from layer_cases import CASES
from layer_laws import bits, close, gradients, inputs

import dynet as dy

NAMES = list(CASES)
LEARNING = [name for name, case in CASES.items() if case.trains]


def made(name, seed=1):
    dy.reset_random_seed(seed)
    model = dy.ParameterCollection()
    return CASES[name].make(model), model


def test_every_layer_has_a_case():
    kinds = {
        name
        for name in dy.nn.__all__
        if isinstance(kind := getattr(dy.nn, name), type) and issubclass(kind, dy.nn.Module)
    }
    tried = {type(made(name)[0]).__name__ for name in NAMES}
    assert kinds - {"Module"} == tried


def run(name, seeds, autobatching):
    """Values and gradients of several examples in one graph."""
    case = CASES[name]
    layer, model = made(name)
    layer.eval()
    dy.renew_cg(autobatching=autobatching)
    results = [case.call(layer, [dy.inputTensor(array) for array in case.arrays(seed)]) for seed in seeds]
    values = dy.npvalues(results)
    dy.esum([dy.sum_elems(dy.square(each)) for each in results]).backward()
    return bits(values), gradients(model), values


@pytest.mark.parametrize("name", NAMES)
def test_together_is_one_by_one(name):
    seeds = [1, 2, 3]
    values, slopes, arrays = run(name, seeds, True)
    assert arrays[0].shape == CASES[name].result
    assert (values, slopes) == run(name, seeds, False)[:2]
    assert values == [run(name, [seed], True)[0][0] for seed in seeds]


@pytest.mark.parametrize("name", [name for name in NAMES if CASES[name].shapes])
def test_a_batch_is_a_loop(name):
    case = CASES[name]
    layer, _ = made(name)
    layer.eval()
    arrays = [case.arrays(seed) for seed in (1, 2)]
    dy.renew_cg()
    stacked = [dy.inputTensor(np.stack(both, -1), batched=True) for both in zip(*arrays, strict=True)]
    together = case.call(layer, stacked).npvalue(batched=True)
    for number, each in enumerate(arrays):
        alone = case.call(layer, [dy.inputTensor(array) for array in each]).npvalue()
        assert together[..., number].tobytes("F") == alone.tobytes("F")


@pytest.mark.parametrize("name", NAMES)
def test_columns_come_one_at_a_time_too(name):
    """A matrix of one column stays a matrix."""
    case = CASES[name]
    if len(case.shapes) != 1 or case.result[1:] != case.shapes[0][1:] or len(case.result) != 2:
        return
    layer, _ = made(name)
    dy.renew_cg()
    assert case.call(layer.eval(), [dy.zeros((case.shapes[0][0], 1))]).shape == (case.result[0], 1)


@pytest.mark.parametrize("name", LEARNING)
def test_it_learns(name):
    case = CASES[name]
    layer, model = made(name)
    trainer = dy.AdamTrainer(model, 0.02)
    [target] = inputs(7, case.result)
    target = (
        np.log(np.abs(target) / np.abs(target).sum()) if name in ("Pointer", "MixtureOfSoftmaxes") else target
    )
    arrays, losses = case.arrays(1), []
    for _ in range(40):
        dy.renew_cg()
        y = case.call(layer, [dy.inputTensor(array) for array in arrays])
        loss = dy.losses.mse(y, target)
        losses.append(loss.value())
        loss.backward()
        trainer.update()
    assert np.mean(losses[-5:]) < 0.95 * losses[0]


@pytest.mark.parametrize("name", LEARNING)
def test_it_is_saved(name, tmp_path):
    case = CASES[name]
    layer, _ = made(name)
    layer.eval()
    dy.save(tmp_path / "layer", [layer])
    dy.reset_random_seed(99)
    [again] = dy.load(tmp_path / "layer", dy.ParameterCollection())
    assert type(again) is type(layer) and again.training and again.spec == layer.spec
    assert [p.name() for p in again.param_collection().parameters_list()] == [
        p.name() for p in layer.param_collection().parameters_list()
    ]
    dy.renew_cg()
    xs = [dy.inputTensor(array) for array in case.arrays(1)]
    assert (
        bits(dy.npvalues([case.call(each.eval(), xs) for each in (layer, again)]))[0]
        == bits([case.call(again, xs).npvalue()])[0]
    )
    assert repr(again) == repr(layer)


@pytest.mark.parametrize("name", ["MLP", "LSTM", "BiLSTM", "Embedding", "MultiHeadAttention", "Dropout"])
def test_dropout_is_on_in_training_alone(name):
    case = CASES[name]
    layer, _ = made(name)

    def values():
        dy.renew_cg()
        return case.call(layer, [dy.inputTensor(array) for array in case.arrays(1)]).npvalue()

    assert layer.training and (values() != values()).any()
    with layer.evaluating():
        first = values()
        assert not layer.training and (first == values()).all()
    assert layer.training and (values() != values()).any()
    layer.eval()
    assert (values() == first).all()
    layer.train()
    assert (values() != first).any()


@pytest.mark.parametrize("name", [n for n in NAMES if CASES[n].shapes and n != "Dropout"])
def test_another_number_of_rows_is_refused(name):
    case = CASES[name]
    layer, model = made(name)
    before = bits(p.as_array() for p in model.parameters_list())
    wrong = [(case.shapes[0][0] + 1, *case.shapes[0][1:]), *case.shapes[1:]]
    with pytest.raises(ValueError, match=type(layer).__name__ + r": .*(shape|numbers).*needed"):
        case.call(layer, [dy.zeros(shape) for shape in wrong])
    with pytest.raises(TypeError, match=type(layer).__name__):
        case.call(layer, [7, *(dy.zeros(shape) for shape in case.shapes[1:])])
    assert bits(p.as_array() for p in model.parameters_list()) == before


def test_what_fails_adds_nothing():
    model = dy.ParameterCollection()
    for wrong in (
        lambda: dy.nn.MLP([3, 4, 0], model),
        lambda: dy.nn.TransformerEncoder(2, 6, 4, 8, model),
        lambda: dy.nn.BiLSTM(3, 5, model),
        lambda: dy.nn.Linear(3, -1, model),
        lambda: dy.nn.MLP([3, 4], model, activation="step"),
        lambda: dy.nn.Conv1d(3, 4, 2, model, padding="wide"),
        lambda: dy.nn.MLP([3, 4], model, dropout=1.0),
    ):
        with pytest.raises(ValueError, match=r"needed|must be|found"):
            wrong()
    with pytest.raises(TypeError, match="Linear: model is None; a ParameterCollection is needed"):
        dy.nn.Linear(3, 4, None)
    assert not model.parameters_list() and not model.lookup_parameters_list()
    dy.nn.Linear(3, 4, model)
    assert [p.name() for p in model.parameters_list()] == ["/linear/weight", "/linear/bias"]


def test_lists_are_as_matrices():
    arrays = inputs(1, *[(3,)] * 4)
    for name in ("Linear", "MLP", "Highway", "LayerNorm", "LSTM", "BiLSTM"):
        layer, _ = made(name)
        layer.eval()
        dy.renew_cg()
        listed = layer([dy.inputVector(array) for array in arrays])
        matrix = layer(dy.inputTensor(np.stack(arrays, 1)))
        close(np.stack([each.npvalue() for each in listed], 1), matrix.npvalue())
