"""Lookup tables whose rows are one number, such as biases of words: their only size is the number of rows."""

import pickle

import numpy as np
import pytest

import dynet as dy

NUMBERS = np.arange(1, 5, dtype=np.float32)


@pytest.fixture
def model():
    dy.renew_cg()
    return dy.ParameterCollection()


def in_every_way(model):
    return [
        model.add_lookup_parameters((4,), init=NUMBERS),
        model.add_lookup_parameters(4, init=NUMBERS),
        model.lookup_parameters_from_numpy(NUMBERS),
    ]


def test_shapes_and_numbers(model):
    for table in in_every_way(model):
        assert table.shape() == (4,) and len(table) == 4
        assert table.as_array().tolist() == [1, 2, 3, 4] and table.row_as_array(1) == 2
        assert table.rows_as_array([2, 0]).tolist() == [3, 1]
        assert table[1].dim() == ((), 1) and table[1].value() == table[1].npvalue() == 2
        assert "(4,)" in repr(table)
    assert np.isfinite(model.add_lookup_parameters((4,)).as_array()).all()


def test_operations(model):
    """As in DyNet 2."""
    table = model.lookup_parameters_from_numpy(NUMBERS)
    vector = dy.inputVector([1, 2, 3])
    batch = dy.lookup_batch(table, [0, 3])
    assert batch.dim() == ((), 2) and batch.npvalue().tolist() == [1, 4]
    assert (table[0] + table[1]).value() == dy.esum([table[0], table[1]]).value() == 3
    assert dy.concatenate([table[0], table[1]]).value() == [1, 2]
    assert dy.sum_elems(table[1]).value() == 2
    assert (vector + table[1]).value() == [3, 4, 5] and dy.cmult(vector, table[1]).value() == [2, 4, 6]
    assert dy.sum_batches(batch).value() == 5
    assert dy.pick(dy.parameter(table), 2).value() == 3
    loss = dy.square(table[1]) + table[3] + dy.sum_batches(batch)
    loss.backward()
    assert table.grad_as_array().tolist() == [1, 4, 0, 2]
    dy.SimpleSGDTrainer(model, 1.0).update()
    assert table.as_array().tolist() == [0, -2, 3, 2]


def test_new_numbers(model):
    table = model.add_lookup_parameters((4,), init=0)
    table.set_value(NUMBERS)
    table.init_row(0, [7])
    table[1] = [8]
    table.set_row_gradient(2, [9])
    table.add_rows(1, init=np.ones(1))
    table.add_rows(1)
    assert table.shape() == (6,) and table.as_array()[:5].tolist() == [7, 8, 3, 4, 1]
    assert table.grad_as_array().tolist() == [0, 0, 9, 0, 0, 0]
    table.init_from_array(NUMBERS)
    assert table.as_array()[:4].tolist() == [1, 2, 3, 4]
    with pytest.raises(ValueError, match=r"shape \(2, 2\) was given"):
        table.set_value(np.ones((2, 2)))


@pytest.mark.parametrize("file", ["model", "model.safetensors"])
@pytest.mark.parametrize("shape, other", [((4,), (4,)), ((4,), (4, 1)), ((4, 1), (4,)), ((4, 1), (4, 1))])
def test_files(model, tmp_path, file, shape, other):
    """Those of rows without and with an axis take each other's numbers, as older files had the axis."""
    table = model.add_lookup_parameters(shape, init=NUMBERS.reshape(shape))
    model.save(tmp_path / file)
    again = dy.ParameterCollection()
    read = again.add_lookup_parameters(other, init=0)
    again.populate(tmp_path / file)
    assert read.as_array().tolist() == NUMBERS.reshape(other).tolist()
    read.zero()
    read.populate(tmp_path / file, "/_0")
    assert read.as_array().tolist() == NUMBERS.reshape(other).tolist()
    loaded = again.load_lookup_param(tmp_path / file, "/_0")
    assert loaded.shape() == shape and loaded.as_array().tolist() == table.as_array().tolist()
    for wrong in ((3,), (2, 2), (1, 4), (4, 2)):
        refused = dy.ParameterCollection()
        refused.add_lookup_parameters(wrong)
        with pytest.raises(RuntimeError, match=r"do not match|does not match"):
            refused.populate(tmp_path / file)


def test_the_text_is_that_of_dynet_2(model, tmp_path):
    model.lookup_parameters_from_numpy(NUMBERS)
    model.save(tmp_path / "model")
    assert (tmp_path / "model").read_text().startswith("#LookupParameter# /_0 {4} ")
    (tmp_path / "model").write_text("#LookupParameter# /_0 {4} 9 ZERO_GRAD\n4 3 2 1 \n")
    model.populate(tmp_path / "model")
    assert model.lookup_parameters_list()[0].as_array().tolist() == [4, 3, 2, 1]


def test_other_ways_to_keep_them(model, tmp_path):
    table = model.lookup_parameters_from_numpy(NUMBERS)
    state = model.state_dict()
    table.zero()
    model.load_state_dict(state)
    assert table.as_array().tolist() == [1, 2, 3, 4]
    model.load_state_dict({name: array.reshape(4, 1) * 2 for name, array in state.items()})
    assert table.as_array().tolist() == [2, 4, 6, 8]
    copied = pickle.loads(pickle.dumps(model)).lookup_parameters_list()[0]
    assert copied.shape() == (4,) and copied.as_array().tolist() == [2, 4, 6, 8]
    dy.save(tmp_path / "list", [table])
    (read,) = dy.load(tmp_path / "list", dy.ParameterCollection())
    assert read.shape() == (4,) and read.as_array().tolist() == [2, 4, 6, 8]
