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
