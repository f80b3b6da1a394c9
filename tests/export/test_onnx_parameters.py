"""Parameters and tables in ONNX models: whose they are, and which values are written."""

import numpy as np
import pytest
from runtime import assert_close, run, value_of

import dynet as dy


@pytest.fixture
def models():
    """Two collections whose parameters have the same names."""
    dy.reset_random_seed(3)
    dy.renew_cg()
    return dy.ParameterCollection(), dy.ParameterCollection()


def test_tables_and_parameters_of_one_name(models):
    """Those of two collections are two, and one that is used twice is written once."""
    first, second = (each.add_lookup_parameters((5, 3)) for each in models)
    left, right = (each.add_parameters((3, 3)) for each in models)
    assert first.name() == second.name()
    assert left.name() == right.name()
    rows = [dy.lookup(first, 1), dy.lookup(second, 2), dy.lookup(first, 3)]
    y = left * (rows[0] + rows[2]) + right * rows[1]
    exported = dy.export.onnx(y, {"a": rows[0], "b": rows[1], "c": rows[2]})
    assert_close(run(exported, a=[1], b=[2], c=[3])["output"], value_of(y))
    assert sorted(tuple(i.dims) for i in exported.graph.initializer if len(i.dims) == 2) == [
        *[(3, 3)] * 2,
        *[(5, 3)] * 2,
    ]


def test_values_are_those_at_the_call(models):
    """The graph was computed before parameters and tables changed, and keeps what it has."""
    model, trainer = models[0], dy.SimpleSGDTrainer(models[0], 0.5)
    w, table = model.add_parameters((2, 3)), model.add_lookup_parameters((5, 3))
    cube = model.add_lookup_parameters((4, 3, 2))

    def compute(x, row):
        kept = dy.const_parameter(w) * (x + table[3] + table.batch([1, 4]))
        return kept + w * (row + x) + w * cube[2] * w * x

    x, row = dy.inputVector([1, 2, 3]), table[2]
    y = compute(x, row)
    loss = dy.sum_batches(dy.squared_norm(y))
    before = value_of(y)
    loss.backward()
    trainer.update()
    table.init_row(3, [3, 2, 1])
    w.set_value(np.arange(6).reshape(2, 3) / 6)
    exported = dy.export.onnx(y, {"x": x, "row": row}, dynamic_batch=False)
    assert np.array_equal(value_of(y), before)
    dy.renew_cg()
    wanted = value_of(compute(dy.inputVector([1, 2, 3]), table[2]))
    assert np.abs(wanted - before).max() > 0.1
    assert_close(run(exported, x=[[1, 2, 3]], row=[2])["output"], wanted)
