"""Graphs in Python: the current one, graphs as values, checkpoints, evaluation of lists, settings."""

import threading

import numpy as np
import pytest

import dynet as dy


def test_renew_returns_the_current_graph():
    version = dy.cg_version()
    graph = dy.renew_cg()
    assert graph.version() == dy.cg_version() == dy.cg().version() > version
    assert len(graph) == 0
    graph.renew()
    assert dy.cg_version() > graph.version() - 1


def test_graphs_as_values():
    dy.renew_cg()
    outer = dy.scalarInput(1)
    with dy.ComputationGraph() as first:
        x = dy.scalarInput(2) + 1
        assert dy.cg_version() == first.version()
    y = outer + 1
    with dy.ComputationGraph() as second, first:
        z = dy.scalarInput(5)
        assert len(first) == 3 and len(second) == 0
    assert [e.value() for e in (x, y, z)] == [3, 2, 5]
    with pytest.raises(ValueError, match="graph"):
        x + y
    del first, second
    with pytest.raises(RuntimeError, match=r"[Ss]tale"):
        x.value()
    assert y.value() == 2


def test_making_a_graph_leaves_the_current_one():
    dy.renew_cg()
    version = dy.cg_version()
    graph = dy.ComputationGraph()
    assert dy.cg_version() == version
    with pytest.raises(RuntimeError):
        graph.__exit__()
    with pytest.raises(ZeroDivisionError), graph:
        raise ZeroDivisionError
    assert dy.cg_version() == version


def test_parameters_belong_to_every_graph():
    p = dy.ParameterCollection().add_parameters(2, init=3)
    with dy.ComputationGraph():
        inner = p * 2.0
        assert inner.value() == [6, 6]
    dy.renew_cg()
    assert (p + p).value() == [6, 6]


def test_parameters_outlive_their_collection():
    def expression():
        return dy.ParameterCollection().add_parameters(2, init=3) * 2.0

    dy.renew_cg()
    x = expression()
    assert x.value() == [6, 6]
    x = dy.ParameterCollection().add_lookup_parameters((3, 2), init=1)[0] + 1
    assert x.value() == [2, 2]


def test_what_was_removed_cannot_be_used():
    dy.renew_cg()
    p = dy.ParameterCollection().add_parameters(2, init=3)
    x = dy.scalarInput(1)
    dy.cg_checkpoint()
    y = dy.sum_elems(p) + x
    assert y.value() == 7
    dy.cg_revert()
    for use in (y.value, y.dim, y.backward, y.gradient):
        with pytest.raises(RuntimeError, match="checkpoint"):
            use()
    with pytest.raises(ValueError, match="checkpoint"):
        y + 1
    p.set_value([4, 4])
    assert (dy.sum_elems(p) + x).value() == 9
    with pytest.raises(RuntimeError):
        dy.cg_revert()


def test_checkpoints():
    dy.renew_cg()
    x = dy.scalarInput(1)
    dy.cg_checkpoint()
    y = x + 1
    assert y.value() == 2
    dy.cg().checkpoint()
    z = y + 1
    assert z.value() == 3
    dy.cg_revert()
    assert len(dy.cg()) == 2
    assert (y + 5).value() == 7
    dy.cg().revert()
    assert len(dy.cg()) == 1 and x.value() == 1
    for revert in (dy.cg_revert, lambda: (dy.cg_checkpoint(), dy.renew_cg(), dy.cg_revert())):
        with pytest.raises(RuntimeError, match="checkpoint"):
            revert()


def test_evaluation_of_lists():
    dy.renew_cg()
    x = [dy.tanh(dy.scalarInput(i)) for i in range(4)]
    assert dy.forward(x) is None
    assert dy.cg().step_count() == 1
    np.testing.assert_allclose(dy.values(x), np.tanh(range(4)), rtol=1e-6)
    assert [v.shape for v in dy.npvalues(iter(x))] == [(1,)] * 4
    assert dy.values([]) == []
    dy.forward(x, recalculate=True)


def test_node_calls():
    dy.renew_cg()
    p = dy.ParameterCollection().add_parameters(2, init=3)
    x = dy.sum_elems(p)
    graph = dy.cg()
    graph.forward(1)
    graph.inc_forward(1)
    assert graph.forward_scalar(1) == graph.inc_forward_scalar(1) == x.value() == 6
    assert graph.forward_vec(0) == graph.inc_forward_vec(0) == [3, 3]
    graph.backward(1)
    assert p.grad_as_array().tolist() == [1, 1]
    with pytest.raises(IndexError):
        graph.forward(2)


def test_immediate_computation():
    dy.renew_cg(immediate_compute=True, check_validity=True)
    x = dy.scalarInput(0)
    assert dy.exp(x).value() == 1
    with pytest.raises(RuntimeError, match="NaN or Inf detected in log"):
        dy.log(x)
    dy.renew_cg(immediate_compute=True)
    assert dy.log(dy.scalarInput(0)).value() == -np.inf
    dy.renew_cg()
    assert dy.log(dy.scalarInput(0)).value() == -np.inf


def test_a_parameter_that_is_no_number_is_told():
    model = dy.ParameterCollection()
    p = model.add_parameters(2, init=np.array([np.nan, 1]), name="W")
    q, table = (
        model.add_parameters(2, init=1),
        model.add_lookup_parameters((2, 2), init=np.nan * np.ones((2, 2))),
    )
    dy.renew_cg(immediate_compute=True, check_validity=True)
    assert q.value() == [1, 1]
    for call in (p.value, p.npvalue, lambda: dy.sum_elems(p), lambda: dy.rectify(q) + p, p.value):
        with pytest.raises(RuntimeError, match=r"NaN or Inf detected in (the )?parameter.*/W"):
            call()
    with pytest.raises(RuntimeError, match="NaN or Inf detected in lookup"):
        table[0]
    assert dy.sum_elems(q).value() == 2
    assert np.isnan(p.as_array()[0])
    dy.renew_cg()
    assert np.isnan(p.value()[0]) and np.isnan(dy.sum_elems(p).value())


def test_bad_gradients_are_told_by_node_and_operation():
    """The slope of asin at 1 is infinite. No parameter has got a gradient."""
    model = dy.ParameterCollection()
    p, q = model.parameters_from_numpy(np.ones(2)), model.parameters_from_numpy(np.ones(2))

    def loss(x):
        return dy.sum_elems(dy.asin(x)) + dy.sum_elems(q)

    graph = dy.renew_cg(immediate_compute=True, check_validity=True)
    for bad, told in [
        (loss(p), r"gradient of node 0, v0 = .*; it comes from v1 = asin\(v0\)"),
        (loss(dy.cube(p)), r"gradient of node \d+, v\d+ = cube\(v0\); it comes from v\d+ = asin"),
    ]:
        with pytest.raises(RuntimeError, match="NaN or Inf detected in the " + told):
            bad.backward()
        np.testing.assert_array_equal([p.grad_as_array(), q.grad_as_array()], 0)
    dy.sum_elems(dy.square(q)).backward()
    assert q.grad_as_array().tolist() == [2, 2]
    graph.renew()
    loss(p).backward()
    assert p.grad_as_array().tolist() == [np.inf, np.inf]


def losses():
    rng = np.random.default_rng(1)
    model = dy.ParameterCollection()
    weights, bias = (
        model.add_parameters((3, 4), init=rng.normal(size=(3, 4))),
        model.add_parameters(3, init=0),
    )
    inputs = [dy.inputVector(rng.normal(size=4)) for _ in range(7)]
    scores = [dy.affine_transform([bias, weights, dy.tanh(x)]) for x in inputs]
    loss = dy.esum([dy.pickneglogsoftmax(s, i % 3) for i, s in enumerate(scores)])
    value = loss.value()
    loss.backward()
    return value, weights.grad_as_array().tobytes(), bias.grad_as_array().tobytes()


def test_policies_and_batching_change_no_bit():
    dy.renew_cg(autobatching=False)
    reference, steps = losses(), dy.cg().step_count()
    for policy in ("single", "depth", "agenda"):
        dy.set_batching_policy(policy)
        dy.renew_cg(autobatching=True)
        assert losses() == reference
        assert policy == "single" or dy.cg().step_count() < steps
    with pytest.raises(ValueError, match="agenda"):
        dy.set_batching_policy("none")


def test_threads_and_instruction_sets():
    dy.renew_cg()
    reference = losses()
    try:
        dy.set_num_threads(2)
        assert dy.get_num_threads() == 2
        dy.renew_cg()
        assert losses() == reference
    finally:
        dy.set_num_threads(1)
    names = dy.instruction_sets()
    assert names
    try:
        for name in names:
            dy.set_instruction_set(name)
            dy.renew_cg()
            assert losses()[0] == pytest.approx(reference[0], rel=1e-5)
    finally:
        dy.set_instruction_set(names[-1])
    with pytest.raises(ValueError):
        dy.set_instruction_set("mmx")


def test_each_thread_has_its_graph():
    dy.renew_cg()
    mine = dy.scalarInput(1)
    seen = []

    def work(number):
        x = dy.scalarInput(number)
        for _ in range(50):
            x = x + 1
        seen.append((dy.cg_version(), x.value()))
        dy.renew_cg()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(value for _, value in seen) == [50, 51, 52, 53]
    assert mine.value() == 1


def test_seed():
    def draw():
        dy.reset_random_seed(5)
        dy.renew_cg()
        model = dy.ParameterCollection()
        return dy.random_normal(5).value() + model.add_parameters(5).as_array().tolist()

    assert draw() == draw()
    drawn_in_first_graph = []
    thread = threading.Thread(target=lambda: drawn_in_first_graph.append(draw()))
    thread.start(), thread.join()
    assert drawn_in_first_graph == [draw()]
    dy.renew_cg()
    assert dy.random_normal(5).value() != dy.random_normal(5).value()


def test_devices():
    assert dy.available_devices() == ["CPU"]
    assert dy.get_device_info("CPU").name == "CPU" and dy.get_device_info("CPU").type == -1
    with pytest.raises(RuntimeError):
        dy.get_device_info("GPU:0")
    assert dy.HAVE_CUDA is False
    assert dy.to_device(dy.scalarInput(1), "CPU").value() == 1


def test_operations_are_listed():
    names = dy.ops()
    assert len(names) == len(set(names)) > 130
    assert {"tanh", "matmul", "pickneglogsoftmax"} <= set(names)


def test_lists_may_be_longer_than_nodes_have_arguments():
    n = 70000
    dy.renew_cg()
    x = dy.inputVector(np.arange(1, 5) / 4)
    xs = [x[i % 4] for i in range(4)] * (n // 4)
    assert dy.esum(xs).value() == pytest.approx(n * 0.625)
    assert dy.average(xs).value() == pytest.approx(0.625)
    assert dy.logsumexp(xs).value() == pytest.approx(np.log(n * np.mean(np.exp(np.arange(1, 5) / 4))))
    row = dy.concatenate(xs)
    np.testing.assert_array_equal(row.npvalue(), np.tile(np.arange(1, 5) / 4, n // 4))
    assert dy.concatenate_cols(xs).dim() == ((1, n), 1)
    assert dy.concatenate_to_batch(xs).dim() == ((1,), n)
    loss = dy.sum_batches(dy.concatenate_to_batch(xs)) + dy.esum(xs)
    loss.backward(full=True)
    np.testing.assert_array_equal(x.gradient(), np.full(4, 2 * n // 4))
