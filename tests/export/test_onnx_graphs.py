"""Random graphs of tensors whose last axes are of size 1 or not there, as ONNX models."""

import numpy as np
import pytest
from runtime import assert_close, run, value_of

import dynet as dy

SHAPES = [(3,), (3, 1), (1, 3), (1,), (1, 1), (3, 3), (3, 1, 1), (2,), (2, 3), (2, 1), (3, 2)]
OPERATIONS = [
    lambda a, b, c, axis: dy.esum([a, b, c]),
    lambda a, b, c, axis: dy.average([a, b]),
    lambda a, b, c, axis: dy.logsumexp([a, b, c]),
    lambda a, b, c, axis: dy.emax([a, b]),
    lambda a, b, c, axis: dy.concatenate([a, b], d=axis),
    lambda a, b, c, axis: a * b,
    lambda a, b, c, axis: dy.affine_transform([a, b, c]),
    lambda a, b, c, axis: dy.affine_transform([a, b, c, b, c]),
    lambda a, b, c, axis: a + b,
    lambda a, b, c, axis: dy.cmult(a, b),
    lambda a, b, c, axis: dy.cdiv(a, dy.square(b) + 1),
    lambda a, b, c, axis: dy.colwise_add(a, b),
    lambda a, b, c, axis: dy.dot_product(a, b),
    lambda a, b, c, axis: dy.squared_distance(a, b),
    lambda a, b, c, axis: dy.transpose(a),
    lambda a, b, c, axis: dy.softmax(a),
    lambda a, b, c, axis: dy.sum_dim(a, [axis]),
    lambda a, b, c, axis: dy.mean_dim(a, [axis], False),
    lambda a, b, c, axis: dy.max_dim(a, axis),
    lambda a, b, c, axis: dy.tanh(a),
]


def grown(random):
    """Leaves, and what could be computed of them: operations refuse shapes that do not fit."""
    model, pool = dy.ParameterCollection(), []
    for _ in range(8):
        numbers = random.normal(size=SHAPES[random.integers(len(SHAPES))])
        is_input = random.random() < 0.6
        pool.append(
            dy.inputTensor(numbers) if is_input else model.add_parameters(numbers.shape, init=numbers)
        )
    leaves = list(pool)
    for _ in range(25):
        operation = OPERATIONS[random.integers(len(OPERATIONS))]
        operands = [pool[i] for i in random.integers(len(pool), size=3)]
        try:
            y = operation(*operands, int(random.integers(3)))
        except (ValueError, TypeError):
            continue
        if np.abs(y.npvalue()).max() < 1e4:
            pool.append(y)
    return leaves, pool[len(leaves) :]


@pytest.mark.parametrize("seed", range(100))
@pytest.mark.filterwarnings("ignore:onnx. no output depends on")
def test_random_graph(seed):
    """As it is, and with two examples for one."""
    dy.renew_cg()
    leaves, outputs = grown(np.random.default_rng(seed))
    inputs = {f"x{i}": x for i, x in enumerate(leaves) if not isinstance(x, dy.Parameters)}
    exported = dy.export.onnx(outputs, inputs)
    once = {name: value_of(x) for name, x in inputs.items()}
    for many in (1, 2):
        found = run(exported, **{name: np.repeat(x, many, axis=0) for name, x in once.items()})
        for i, output in enumerate(outputs):
            wanted = value_of(output)
            assert_close(found[f"output_{i}"], np.repeat(wanted, len(found[f"output_{i}"]), axis=0))


def test_numbers_without_an_axis():
    """As a table of numbers has them: its norm is that of one example, and no sum of all."""
    table = dy.ParameterCollection().add_lookup_parameters((4,), init=np.array([-2.0, 1, 3, -4]))
    x = table[0]
    exported = dy.export.onnx([dy.l2_norm(x), dy.sum_elems(x)], {"x": x})
    found = run(exported, x=[0, 3])
    assert found["output_0"].tolist() == [[2], [4]]
    assert found["output_1"].tolist() == [[-2], [-4]]
