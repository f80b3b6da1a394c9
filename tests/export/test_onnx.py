"""Whole models as ONNX, run by onnxruntime: what they compute, what is dynamic, files, and errors."""

import os

import numpy as np
import pytest
from runtime import assert_close, is_dynamic, run, session, value_of

import dynet as dy
from dynet.export.onnx_operations import EMITTERS

onnx = pytest.importorskip("onnx")


@pytest.fixture
def model():
    dy.reset_random_seed(3)
    dy.renew_cg()
    return dy.ParameterCollection()


def numbers(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def perceptron(model):
    w1, b1 = model.add_parameters((5, 3)), model.add_parameters(5)
    w2, b2 = model.add_parameters((2, 5)), model.add_parameters(2)

    def compute(x):
        return dy.softmax(dy.affine_transform([b2, w2, dy.tanh(w1 * x + b1)]))

    return compute


def test_perceptron(model):
    """One example was drawn; any number of them can be run."""
    compute, many = perceptron(model), numbers(4, 3)
    x = dy.inputTensor(many[0])
    exported = dy.export.onnx(compute(x), {"x": x})
    assert is_dynamic(exported)
    wanted = np.stack([compute(dy.inputTensor(row)).npvalue() for row in many])
    assert_close(run(exported, x=many)["output"], wanted)


def tagger(model):
    table = model.add_lookup_parameters((9, 4))
    context = dy.BiRNNBuilder(2, 4, 6, model, dy.VanillaLSTMBuilder)
    weights, bias = model.add_parameters((3, 6)), model.add_parameters(3)

    def compute(words):
        states = context.transduce(words)
        return dy.transpose(dy.concatenate_cols([weights * state + bias for state in states]))

    return table, compute


def test_tagger(model):
    """Row numbers are the input: other words of the same number, and several sentences at once."""
    table, compute = tagger(model)
    words = [table[i] for i in (1, 2, 3, 4, 5)]
    exported = dy.export.onnx({"scores": compute(words)}, {"words": words})
    sentences = np.array([[0, 8, 3, 3, 1], [4, 4, 2, 7, 6]])
    wanted = np.stack([compute([table[int(i)] for i in row]).npvalue() for row in sentences])
    assert_close(run(exported, words=sentences)["scores"], wanted)
    assert exported.graph.input[0].type.tensor_type.elem_type == 7  # int64
    assert [i.name for i in exported.graph.initializer if len(i.dims) == 2 and i.dims[0] == 9] == ["_0"]


def test_tree_lstm(model):
    """The shape of the tree is part of the model."""
    builder = dy.NaryTreeLSTMBuilder(2, 1, 3, 4, model)
    leaves = [dy.inputTensor(x) for x in numbers(4, 3)]

    def compute(xs):
        builder.start_new_sequence()
        for i, x in enumerate(xs[:3]):
            builder.add_input(i, [], x)
        builder.add_input(3, [0, 1], xs[3])
        return builder.add_input(4, [3, 2], xs[0])

    exported = dy.export.onnx(compute(leaves), {"leaves": leaves})
    other = numbers(2, 4, 3)
    wanted = np.stack([compute([dy.inputTensor(x) for x in tree]).npvalue() for tree in other])
    assert_close(run(exported, leaves=other)["output"], wanted)


@pytest.mark.parametrize("kind", ["Unidirectional", "Bidirectional"])
def test_tree_lstm_of_lstms(model, kind):
    builder = getattr(dy, f"{kind}TreeLSTMBuilder")(1, 4, 4, model)
    xs = [dy.inputTensor(x) for x in numbers(3, 4)]
    builder.start_new_sequence()
    for i, x in enumerate(xs):
        y = builder.add_input(i, list(range(i)), x)
    exported = dy.export.onnx(y, {"xs": xs})
    assert_close(run(exported, xs=numbers(3, 4)[None])["output"], value_of(y))


def test_transformer(model):
    layers = [dy.export.TransformerEncoderLayer(8, 2, 12, model, "gelu", first) for first in (True, False)]
    x = dy.inputTensor(numbers(8, 5))
    y = x
    for layer in layers:
        y = layer(y)
    exported = dy.export.onnx(y, {"x": x})
    many = numbers(3, 8, 5)
    wanted = dy.inputTensor(np.moveaxis(many, 0, -1), batched=True)
    for layer in layers:
        wanted = layer(wanted)
    assert_close(run(exported, x=many)["output"], value_of(wanted))


def test_convolutions(model):
    filters = [model.add_parameters((3, 3, 1, 4)), model.add_parameters((2, 2, 4, 6))]
    bias = model.add_parameters(4)
    weights = model.add_parameters((10, 24))

    def compute(image):
        x = dy.conv2d_bias(image, filters[0], bias, [1, 1], is_valid=False)
        x = dy.maxpooling2d(dy.rectify(x), [2, 2], [2, 2])
        x = dy.rectify(dy.conv2d(x, filters[1], [1, 1]))
        x = dy.maxpooling2d(x, [2, 2], [2, 2], is_valid=False)
        return dy.log_softmax(weights * dy.reshape(x, (24,)))

    many = numbers(2, 8, 8)
    x = dy.inputTensor(many[0][:, :, None])
    exported = dy.export.onnx(compute(x), {"image": x})
    wanted = np.stack([compute(dy.inputTensor(image[:, :, None])).npvalue() for image in many])
    assert_close(run(exported, image=many[..., None])["output"], wanted)


BUILDERS = [
    "VanillaLSTMBuilder",
    "CompactVanillaLSTMBuilder",
    "SparseLSTMBuilder",
    "CoupledLSTMBuilder",
    "FastLSTMBuilder",
    "DeepLSTMBuilder",
    "GRUBuilder",
    "SimpleRNNBuilder",
    "ResetAfterGRUBuilder",
]


@pytest.mark.parametrize("name", BUILDERS)
def test_recurrent_builders(model, name):
    """Cells that run as one node are written step by step."""
    builder = getattr(dy, name, None) or getattr(dy.export, name)
    network = builder(2, 3, 4, model)
    xs = [dy.inputTensor(x) for x in numbers(3, 3)]
    y = dy.concatenate(network.initial_state().transduce(xs))
    exported = dy.export.onnx(y, {"xs": xs})
    assert is_dynamic(exported)
    assert_close(run(exported, xs=numbers(3, 3)[None])["output"], value_of(y))
    # Given states come from outside, too.
    first = network.initial_state(network.initial_state().add_inputs(xs)[-1].s())
    y = first.add_input(xs[0]).output()
    exported = dy.export.onnx(y, {"xs": xs})
    assert_close(run(exported, xs=numbers(3, 3)[None])["output"], value_of(y))


def test_layer_normalised_lstm(model):
    network = dy.VanillaLSTMBuilder(1, 3, 4, model, ln_lstm=True)
    xs = [dy.inputTensor(x) for x in numbers(3, 3)]
    y = network.initial_state().transduce(xs)[-1]
    exported = dy.export.onnx(y, {"xs": xs})
    assert_close(run(exported, xs=numbers(3, 3)[None])["output"], value_of(y))


def test_cells_of_a_program(model):
    """With several outputs, matrices, other cells inside, and parts of arguments."""
    w = model.add_parameters((2, 3))

    @dy.cell
    def inner(x):
        return dy.cmult(dy.logistic(x), dy.tanh(x)), x[1:3]

    @dy.cell
    def outer(x, y):
        gate, part = inner(x)
        matrix = dy.reshape(dy.concatenate([gate, part, y]), (2, 3))
        return dy.transpose(matrix), w * x[:3], y[:1] + dy.sum_elems(part)

    x, y = dy.inputTensor(numbers(3)), dy.inputTensor(numbers(1))
    outputs = outer(x, y)
    exported = dy.export.onnx(list(outputs), {"x": x, "y": y})
    found = run(exported, x=numbers(3)[None], y=numbers(1)[None])
    for i, output in enumerate(outputs):
        assert_close(found[f"output_{i}"], value_of(output))


def test_a_function_is_traced(model):
    table, compute = tagger(model)
    weights = model.add_parameters((3, 3))

    def whole(words, scale):
        return {"scores": compute(words), "scaled": weights * scale}

    before = len(dy.cg())
    exported = dy.export.onnx(whole, {"words": (table, [1, 2, 3]), "scale": numbers(3)})
    assert len(dy.cg()) == before
    words = [table[i] for i in (4, 0, 8)]
    found = run(exported, words=[[4, 0, 8]], scale=[[1, 2, 3]])
    assert_close(found["scores"], value_of(compute(words)))
    assert_close(found["scaled"], value_of(weights * dy.inputVector([1, 2, 3])))


def test_one_row_and_any_expression_as_inputs(model):
    table = model.add_lookup_parameters((6, 3))
    row = dy.lookup(table, 2)
    hidden = dy.dropout(dy.tanh(row), 0.5)
    y = hidden * 2 + row
    exported = dy.export.onnx(y, {"word": row, "hidden": hidden})
    found = run(exported, word=[4, 5], hidden=numbers(2, 3))["output"]
    assert_close(found, 2 * numbers(2, 3) + table.as_array()[[4, 5]])


def test_constants_keep_their_values(model):
    table = model.add_lookup_parameters((5, 3))
    x, known = dy.inputTensor(numbers(3)), dy.inputTensor(numbers(3) + 1)
    y = dy.concatenate([x + known, dy.lookup(table, 1), dy.zeros(2), x])
    exported = dy.export.onnx(y, {"x": x})
    assert len(exported.graph.input) == 1
    found = run(exported, x=np.stack([numbers(3)] * 2))["output"]
    assert_close(found, np.concatenate([value_of(y)] * 2))


def test_a_fixed_batch(model):
    """A sum over the batch needs to know its size; nothing else does."""
    x = dy.inputTensor(numbers(3, 4), batched=True)
    y = x - dy.mean_batches(x)
    with pytest.warns(UserWarning, match=r"the batch size is fixed .* sum_batches") as told:
        exported = dy.export.onnx(y, {"x": x})
    assert told[0].filename == __file__
    assert not is_dynamic(exported)
    assert_close(run(exported, x=numbers(3, 4).T)["output"], value_of(y))
    dy.export.onnx(y, {"x": x}, dynamic_batch=False)
    constant = dy.inputTensor(numbers(3, 4), batched=True)
    with pytest.warns(UserWarning, match=r"input\("):
        dy.export.onnx(x + constant, {"x": x})


def test_inputs_with_and_without_a_batch(model):
    x, y = dy.inputTensor(numbers(3, 4), batched=True), dy.inputTensor(numbers(3))
    z = dy.concatenate([dy.cmult(x, y), y])
    exported = dy.export.onnx(z, {"x": x, "y": y})
    assert is_dynamic(exported)
    assert_close(run(exported, x=numbers(3, 4).T, y=numbers(3)[None])["output"], value_of(z))


def test_unused_input(model):
    x, y = dy.inputTensor(numbers(3)), dy.inputTensor(numbers(3))
    with pytest.warns(UserWarning, match="no output depends on the input y"):
        exported = dy.export.onnx(dy.tanh(x), {"x": x, "y": y})
    run(exported, x=numbers(3)[None], y=numbers(3)[None])


def test_infinities(model):
    """Masks of -inf, as decoders have them."""
    x = dy.inputTensor(np.array([0.5, -np.inf, 2, -np.inf], np.float32))
    least = dy.inputTensor(np.full(4, -np.inf, np.float32))
    outputs = {
        "softmax": dy.softmax(x),
        "dim": dy.logsumexp_dim(x),
        "list": dy.logsumexp([x, least]),
        "all": dy.logsumexp_dim(least),
    }
    exported = dy.export.onnx(outputs, {"x": x, "least": least})
    found = run(exported, x=x.npvalue()[None], least=least.npvalue()[None])
    for name, each in outputs.items():
        assert_close(found[name], value_of(each))


def test_names(model):
    """They are identifiers and differ, whatever parameters are called."""
    inner = model.add_subcollection("a-b")
    w = [inner.add_parameters((3, 3), name="x"), inner.add_parameters((3, 3), name="x")]
    x = dy.inputTensor(numbers(3))
    y = w[0] * (w[1] * x)
    exported = dy.export.onnx({"a_b_x": y}, {"x": x})
    nodes = exported.graph.node
    names = [*(i.name for i in exported.graph.initializer), *(o for node in nodes for o in node.output)]
    names.append("x")
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name.isascii() for name in names)
    assert {"a_b_x_2", "a_b_x_1"} <= set(names)


def test_files(model, tmp_path):
    """The file is replaced in one step, or stays as it was."""
    compute = perceptron(model)
    x = dy.inputTensor(numbers(3))
    path = tmp_path / "model.onnx"
    y = compute(x)
    dy.export.onnx(y, {"x": x}, path)
    good = path.read_bytes()
    found = session(str(path)).run(None, {"x": numbers(3)[None]})[0]
    assert_close(found, value_of(y))
    with pytest.raises(NotImplementedError):
        dy.export.onnx(dy.lgamma(y), {"x": x}, path)
    assert path.read_bytes() == good
    assert os.listdir(tmp_path) == ["model.onnx"]
    assert "w1" not in dy.export.read(path)
    assert any(array.shape == (5, 3) for array in dy.export.read(path).values())


def test_large_models_have_their_weights_beside(model, tmp_path, monkeypatch):
    """Also from another folder, and written over a longer one."""
    w, b = model.add_parameters((64, 64)), model.add_parameters(64)
    x = dy.inputTensor(numbers(64))
    y = dy.tanh(dy.affine_transform([b, w, x]))
    path = tmp_path / "large.onnx"
    (tmp_path / "large.onnx.data").write_bytes(bytes(10**6))
    returned = dy.export.onnx(y, {"x": x}, path, external_data_over=1000)
    assert sorted(os.listdir(tmp_path)) == ["large.onnx", "large.onnx.data"]
    assert os.path.getsize(path) < 4000
    assert os.path.getsize(tmp_path / "large.onnx.data") == 64 * 64 * 4
    assert len(returned.graph.initializer) > 0
    monkeypatch.chdir("/")
    found = session(str(path)).run(None, {"x": numbers(64)[None]})[0]
    assert_close(found, value_of(y))
    with pytest.raises(ValueError, match="give a path"):
        dy.export.onnx(y, {"x": x}, external_data_over=1000)


def test_large_models_are_checked_and_replaced_as_one(model, tmp_path, monkeypatch):
    """ONNX's checker sees them, and a model is never beside the weights of another."""
    w, path = model.add_parameters((64, 64)), tmp_path / "large.onnx"
    x = dy.inputTensor(numbers(64))

    def export(y):
        dy.export.onnx(y, {"x": x}, path, external_data_over=1000)

    def files():
        return {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}

    export(w * x)
    good = files()
    seen = []
    write = dy._dynet._write_file

    def refuse(name, content):
        seen.append(os.path.exists(tmp_path / "large.onnx.data"))
        raise OSError(28, "No space left on device", os.fspath(name))

    monkeypatch.setattr(dy._dynet, "_write_file", refuse)
    with pytest.raises(OSError, match="No space left"):
        export(w * (w * x))
    assert seen == [False]
    assert files() == good
    monkeypatch.setattr(dy._dynet, "_write_file", write)
    monkeypatch.setitem(EMITTERS, "tanh", lambda b, step, xs: b.emit("Tanh", b.name(xs[0]), alpha=2.0))
    with pytest.raises(onnx.checker.ValidationError, match="alpha"):
        export(w * dy.tanh(x))
    assert files() == good
    export(w * (w * x))
    assert sorted(files()) == sorted(good)
    assert_close(session(str(path)).run(None, {"x": numbers(64)[None]})[0], value_of(w * (w * x)))


@pytest.mark.parametrize("opset", [18, 21, 22])
def test_opsets(model, opset):
    x = dy.inputTensor(numbers(3))
    y = perceptron(model)(x)
    exported = dy.export.onnx(y, {"x": x}, opset=opset)
    assert exported.opset_import[0].version == opset
    assert_close(run(exported, x=numbers(3)[None])["output"], value_of(y))


def test_dropout_is_refused_with_its_line(model):
    network = dy.VanillaLSTMBuilder(1, 3, 4, model)
    network.set_dropout(0.5)
    with dy.record_lines():
        x = dy.inputTensor(numbers(3))
        y = network.initial_state().add_input(x).output()
    with pytest.raises(NotImplementedError, match=r"onnx: v\d+ = .*test_onnx.py, line \d+.*disable_dropout"):
        dy.export.onnx(y, {"x": x})
    network.disable_dropout()
    x = dy.inputTensor(numbers(3))
    dy.export.onnx(network.initial_state().add_input(x).output(), {"x": x})


def test_own_functions_are_refused(model):
    double = dy.Function(forward=lambda x: 2 * x, backward=lambda x, y, dy: [2 * dy])
    x = dy.inputTensor(numbers(3))
    with pytest.raises(NotImplementedError, match="ONNX has no operation for"):
        dy.export.onnx(double(x), {"x": x})


def test_wrong_calls(model):
    table = model.add_lookup_parameters((6, 3))
    x, row = dy.inputTensor(numbers(3)), dy.lookup(table, 2)
    y = x + row
    with dy.ComputationGraph():
        elsewhere = dy.inputTensor(numbers(3))
    for outputs, inputs, options, error, text in (
        (3, {}, {}, TypeError, "output is an int"),
        ([], {}, {}, ValueError, "outputs is empty"),
        (y, [x], {}, TypeError, "inputs is a list"),
        (y, {"x": 3}, {}, TypeError, "x is an int"),
        (y, {"x": []}, {}, ValueError, "x is an empty list"),
        (y, {"a-b": x}, {}, ValueError, "'a-b'"),
        ({"/y": y}, {"x": x}, {}, ValueError, "'/y'"),
        ({"x": y}, {"x": x}, {}, ValueError, "names of inputs and outputs must differ"),
        (y, {"x": [x, row]}, {}, ValueError, "one shape"),
        (y, {"a": x, "b": x}, {}, ValueError, "is an input already"),
        (y, {"x": x}, {"opset": 17}, ValueError, "18 or later"),
        (y, {"x": elsewhere}, {}, (ValueError, RuntimeError), ""),
        (lambda x: 3, {"x": numbers(3)}, {}, TypeError, "output is an int"),
    ):
        with pytest.raises(error) as raised:
            dy.export.onnx(outputs, inputs, **options)
        assert text in str(raised.value)
        assert str(raised.value).startswith("onnx: ")


def test_determinants_of_any_sign(model):
    """NaN of a negative one, and none is too large or too small for a float."""
    for matrix in (
        np.diag([2, -3]),
        np.eye(2)[::-1],
        np.zeros((2, 2)),
        -np.eye(2),
        *(np.eye(3) * 10.0**i for i in (20, -20)),
    ):
        x = dy.inputTensor(matrix)
        y = dy.logdet(x)
        found = run(dy.export.onnx(y, {"x": x}), x=matrix[None])["output"]
        wanted = np.linalg.slogdet(matrix)
        np.testing.assert_allclose(found, [[wanted[1] if wanted[0] >= 0 else np.nan]], rtol=1e-5)
        assert_close(found, value_of(y))
