"""Arrays that are handed out are row-major, as others who read their memory take for granted."""

import numpy as np
import pytest

import dynet as dy

RANDOM = np.random.default_rng(0)
SHAPES = [(3,), (2, 3), (3, 1), (1, 4), (17, 33), (3, 4, 5), (1, 5, 1, 7), (16, 16, 2), (2, 3, 4, 5)]
NUMBER = np.zeros(0, dy.ones(1).npvalue().dtype).dtype


def array(*shape):
    return RANDOM.normal(size=shape).astype(NUMBER)


def check(found, want):
    assert found.flags.c_contiguous and found.flags.owndata and found.flags.writeable
    assert found.shape == want.shape and found.dtype == want.dtype
    np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize("shape", SHAPES)
def test_values(shape) -> None:
    dy.renew_cg()
    a = array(*shape)
    x = dy.inputTensor(a)
    check(x.npvalue(), a)
    check(dy.npvalues([x])[0], a)
    check(np.from_dlpack(x).copy(), a)
    if len(shape) > 1:
        check(x.value(), a)
    check(np.asarray(x.tensor_value()), a)
    dy.sum_elems(dy.square(x)).backward(full=True)
    check(x.gradient(), a + a)


@pytest.mark.parametrize("shape", SHAPES)
def test_batches(shape) -> None:
    dy.renew_cg()
    a = array(*shape, 3)
    x = dy.inputTensor(a, batched=True)
    check(x.npvalue(), a)
    check(x.npvalue(batched=True), a)
    one = dy.pick_batch_elem(x, 1)
    check(one.npvalue(), np.ascontiguousarray(a[..., 1]))
    check(one.npvalue(batched=True), np.ascontiguousarray(a[..., 1:2]))
    check(one.npvalue(True, True), np.ascontiguousarray(a[..., 1:2]))
    check(dy.inputTensor(one.npvalue(batched=True), batched=True).npvalue(), one.npvalue())


@pytest.mark.parametrize("shape", SHAPES)
def test_parameters(shape) -> None:
    a = array(*shape)
    p = dy.ParameterCollection().parameters_from_numpy(a)
    check(p.as_array(), a)
    dy.renew_cg()
    dy.sum_elems(dy.square(p)).backward()
    check(p.grad_as_array(), a + a)
    p.set_value(p.as_array() * 2)
    check(p.as_array(), a * 2)


@pytest.mark.parametrize("shape", SHAPES)
def test_tables(shape) -> None:
    a = array(6, *shape)
    table = dy.ParameterCollection().lookup_parameters_from_numpy(a)
    check(table.as_array(), a)
    check(table.row_as_array(4), a[4].copy())
    check(table.rows_as_array([3, 1, 3]), a[[3, 1, 3]])
    dy.renew_cg()
    dy.sum_elems(dy.square(table[2])).backward()
    check(table.row_grad_as_array(2), 2 * a[2])
    check(table.rows_grad_as_array([2, 0]), np.stack([2 * a[2], 0 * a[2]]))
    want = np.zeros_like(a)
    want[2] = 2 * a[2]
    check(table.grad_as_array(), want)


@pytest.mark.parametrize("shape", SHAPES)
def test_values_that_decay(shape) -> None:
    model, a = dy.ParameterCollection(), array(6, *shape)
    p, table = model.parameters_from_numpy(a[0]), model.lookup_parameters_from_numpy(a)
    model.set_weight_decay(0.125)
    dy.SimpleSGDTrainer(model).update()
    a = a * NUMBER.type(0.875)
    check(p.as_array(), a[0])
    check(table.as_array(), a)
    check(table.row_as_array(4), a[4].copy())
    check(table.rows_as_array([3, 1, 3]), a[[3, 1, 3]])
    check(model.state_dict()[table.name()], a)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16])
def test_what_is_read(order, kind) -> None:
    """Of any order of memory, with gaps and backwards too."""
    a = np.asarray(RANDOM.integers(-99, 99, size=(20, 37, 3)), kind, order=order)
    for part in (a, a[::2], a[:, ::-1], a[..., 1], a[3:4], a.transpose(2, 0, 1), a[:, :, ::2], a[5]):
        dy.renew_cg()
        np.testing.assert_array_equal(dy.inputTensor(part).npvalue(), part)
        np.testing.assert_array_equal(
            dy.ParameterCollection().lookup_parameters_from_numpy(part).as_array(), part
        )
