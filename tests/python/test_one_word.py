"""A vector is a matrix of one column wherever an axis is named: sentences of one word are sentences."""

import numpy as np
import pytest

import dynet as dy

SIZE = 5
ON_AXIS_1 = {
    "max_dim": lambda h: dy.max_dim(h, 1),
    "min_dim": lambda h: dy.min_dim(h, 1),
    "sum_dim": lambda h: dy.sum_dim(h, [1]),
    "sum_dim of both": lambda h: dy.sum_dim(h, [0, 1]),
    "sum_dim and batch": lambda h: dy.sum_dim(h, [1], True),
    "mean_dim": lambda h: dy.mean_dim(h, [1], False),
    "moment_dim": lambda h: dy.moment_dim(h, [1], 2, False),
    "std_dim": lambda h: dy.std_dim(h, [1], False),
    "logsumexp_dim": lambda h: dy.logsumexp_dim(h, 1),
    "cumsum": lambda h: dy.cumsum(h, 1),
    "softmax": lambda h: dy.softmax(h, 1),
    "kmax_pooling": lambda h: dy.kmax_pooling(h, 1, 1),
    "pick": lambda h: dy.pick(h, 0, 1),
    "pick_batch": lambda h: dy.pick_batch(h, [0] * h.dim()[1], 1),
    "pick_range": lambda h: dy.pick_range(h, 0, 1, 1),
    "select_cols": lambda h: dy.select_cols(h, [0, 0]),
    "dropout_dim": lambda h: dy.dropout_dim(h, 1, 0.0),
    "hinge_dim": lambda h: dy.hinge_dim(h, [0] * SIZE, 1),
    "fold_rows": lambda h: dy.fold_rows(h, 5),
    "concatenate_cols": lambda h: dy.concatenate_cols([h, h]),
    "transpose": lambda h: dy.transpose(h),
}


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", ON_AXIS_1)
def test_a_vector_is_a_matrix_of_one_column(name, batch) -> None:
    array = np.random.default_rng(0).normal(size=(SIZE, batch))

    def computed(as_matrix):
        dy.renew_cg()
        x = dy.inputTensor(array, batched=True)
        y = ON_AXIS_1[name](dy.reshape(x, (SIZE, 1), batch) if as_matrix else x)
        dy.sum_batches(dy.sum_elems(dy.square(y))).backward(full=True)
        return y.npvalue(batched=True), x.gradient()

    vector, matrix = computed(False), computed(True)
    if matrix[0].ndim == vector[0].ndim + 1:  # elementwise: the shape is the argument's
        assert matrix[0].shape[1] == 1 and name in ("cumsum", "softmax", "dropout_dim")
    else:
        assert vector[0].shape == matrix[0].shape
    assert vector[0].tobytes() == matrix[0].tobytes() and vector[1].tobytes() == matrix[1].tobytes()


@pytest.mark.parametrize("name", ["max_dim", "logsumexp_dim", "softmax"])
def test_other_axes_are_not_there(name) -> None:
    for x in (dy.ones(3), dy.ones((3, 2))):
        with pytest.raises(ValueError, match=f"{name}: axis 2 of .*; the axes are 0 to 1"):
            getattr(dy, name)(x, 2)
    with pytest.raises(ValueError, match=r"axis 2 of .*; the axes are 0 to 1"):
        dy.sum_dim(dy.ones(3), [2])
    with pytest.raises(IndexError, match="axis 1 of size 1"):
        dy.pick(dy.ones(3), 1, 1)


def test_places_of_a_value() -> None:
    tensor = dy.inputVector([3, 1, 2]).tensor_value()
    assert tensor.argmax(1).as_numpy().tolist() == [[0], [0], [0]]


def test_as_in_dynet_2() -> None:
    x = dy.inputVector([1, 2, 3, 4])
    assert dy.fold_rows(x, 2).dim() == ((2, 1), 1)
    assert dy.cumsum(x, 1).value() == [1, 2, 3, 4]


def test_transpose_of_one_line_with_fewer_axes() -> None:
    """As in DyNet 2: the first place of an axis that is not listed."""
    dy.renew_cg()
    x = dy.inputTensor(np.arange(1, 7).reshape(3, 2), batched=True)
    y = dy.transpose(dy.reshape(x, (1, 1, 3), 2), [1, 0])
    assert y.dim() == ((1, 1), 2)
    assert y.npvalue().tolist() == [[[1, 2]]]
    dy.sum_batches(y).backward(full=True)
    assert x.gradient().tolist() == [[1, 1], [0, 0], [0, 0]]
    assert dy.transpose(dy.reshape(dy.inputVector([1, 2, 3]), (3, 1, 1)), [1, 0]).dim() == ((1, 3), 1)
    with pytest.raises(ValueError, match=r"2 axes for a tensor of shape {2,2,3}; 3 are needed"):
        dy.transpose(dy.ones((2, 2, 3)), [1, 0])
