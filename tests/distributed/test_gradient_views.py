"""Gradients that the program itself sums: views of them, and the rows of tables."""

import gc

import numpy as np
import pytest

import dynet as dy


def test_a_view_is_the_gradient():
    model = dy.ParameterCollection()
    w = model.add_parameters((2, 3), init=0)
    trainer = dy.SimpleSGDTrainer(model, learning_rate=1)
    trainer.set_clip_threshold(0)
    dy.squared_norm(w - dy.inputTensor([[1, 2, 3], [4, 5, 6]])).backward()
    view = w.grad_view()
    assert view.dtype == w.as_array().dtype
    assert np.array_equal(view, w.grad_as_array())
    view[:] = np.arange(6).reshape(2, 3)
    assert np.array_equal(w.grad_as_array(), np.arange(6).reshape(2, 3))
    trainer.update()
    assert np.array_equal(w.as_array(), -np.arange(6).reshape(2, 3))
    assert not view.any()
    view[0, 0] = 5
    dy.renew_cg()
    dy.sum_elems(w).backward()
    assert np.array_equal(view, [[6, 1, 1], [1, 1, 1]])
    assert np.array_equal(w.grad_as_array(), view)


def test_what_is_written_where_nothing_was_counts():
    model = dy.ParameterCollection()
    w, trainer = model.add_parameters(3, init=0), dy.SimpleSGDTrainer(model, learning_rate=1)
    trainer.set_clip_threshold(1)
    w.grad_view()[:] = [3, 0, 4]
    assert model.gradient_l2_norm() == 5
    trainer.update()
    assert w.as_array() == pytest.approx([-0.6, 0, -0.8])


def test_a_view_outlives_its_model():
    model = dy.ParameterCollection()
    view = model.add_parameters(1000, init=1).grad_view()
    del model
    gc.collect()
    view += 1
    assert view.sum() == 1000


def test_views_keep_their_place_where_gradients_change_hands():
    """Sums of shards hand the memory of gradients around, but not that of which there is a view."""
    results = []
    for looks in (False, True):
        dy.reset_random_seed(1)
        model = dy.ParameterCollection()
        w, v = model.add_parameters((4, 3)), model.add_parameters(3)
        view = w.grad_view() if looks else None
        sums = dy._dynet._Shards(model, False)
        sums.begin()
        for shard in range(5):
            dy.renew_cg()
            dy.squared_norm(w * (v * (shard + 1))).backward()
            sums.take(shard)
        sums.put()
        if looks:
            assert np.array_equal(view, w.grad_as_array())
            assert view.any()
        results.append((w.grad_as_array().tobytes(), v.grad_as_array().tobytes()))
    assert results[0] == results[1]


def test_rows_of_tables_can_be_sent_and_added():
    here, there = (dy.ParameterCollection().add_lookup_parameters((9, 2), init=1) for _ in range(2))
    assert here.touched_rows() == []
    dy.esum([dy.squared_norm(here[row]) for row in (7, 1, 7)]).backward()
    rows = here.touched_rows()
    assert rows == [1, 7]
    dy.squared_norm(there[7]).backward()
    there.add_rows_gradient(rows, here.rows_grad_as_array(rows))
    assert there.touched_rows() == [1, 7]
    assert np.array_equal(there.rows_grad_as_array([1, 7]), [[2, 2], [6, 6]])
    there.add_rows_gradient([3, 3], [[1, 2], [1, 2]])
    assert np.array_equal(there.row_grad_as_array(3), [2, 4])
    there.add_rows_gradient([], [])


def test_a_table_that_was_used_whole_has_all_rows():
    model = dy.ParameterCollection()
    table = model.add_lookup_parameters((3, 2), init=1)
    dy.squared_norm(dy.parameter(table)).backward()
    assert table.touched_rows() == [0, 1, 2]


@pytest.mark.parametrize(
    ("rows", "gradients", "error"),
    [([1, 9], [[1, 1], [1, 1]], IndexError), ([1], [[1, 1, 1]], ValueError), ([1, 2], [[1, 1]], ValueError)],
)
def test_rows_that_do_not_fit_change_nothing(rows, gradients, error):
    table = dy.ParameterCollection().add_lookup_parameters((9, 2))
    with pytest.raises(error):
        table.add_rows_gradient(rows, gradients)
    assert table.touched_rows() == []
