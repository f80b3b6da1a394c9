"""Handles of graphs: entered and left in any order, kept too long, used in other threads."""

import gc
import subprocess
import sys
import threading
import time

import pytest
from test_threads import in_threads, slow_expression

import dynet as dy

USES = {
    "renew": lambda g: g.renew(),
    "version": lambda g: g.version(),
    "len": len,
    "checkpoint": lambda g: g.checkpoint(),
    "revert": lambda g: g.revert(),
    "step_count": lambda g: g.step_count(),
    "forward": lambda g: g.forward(0),
    "backward": lambda g: g.backward(0),
    "enter": lambda g: g.__enter__(),
    "print": lambda g: g.print_graphviz(),
    "dump": lambda g: g.dump(),
    "input": lambda g: g.inputMatrixLiteral([1], (1,)),
    "nodes": lambda g: g.nodes(),
}


def handle_of_a_dead_graph():
    with dy.ComputationGraph():
        return dy.cg(), dy.scalarInput(1)


def handle_of_a_dead_thread():
    seen = []
    thread = threading.Thread(target=lambda: seen.extend([dy.cg(), dy.scalarInput(1)]))
    thread.start(), thread.join()
    for _ in range(500):  # what a thread owns may go a little later
        if not is_alive(seen[0]):
            break
        time.sleep(0.01)
    return seen


def is_alive(graph):
    try:
        return graph.version() > 0
    except RuntimeError:
        return False


@pytest.mark.parametrize("dead", [handle_of_a_dead_graph, handle_of_a_dead_thread])
@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_handles_of_graphs_that_have_ended(use, dead):
    handle, e = dead()
    gc.collect()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="ended"):
            use(handle)
        with pytest.raises(RuntimeError, match=r"[Ss]tale"):
            e.value()
        with pytest.raises(ValueError, match="stale"):
            e + 1
        with pytest.raises(ValueError, match=r"one graph|stale expression"):
            dy.scalarInput(1) + e
        other = dy.ComputationGraph()  # has the memory of the other one now
        with other:
            assert dy.scalarInput(2).value() == 2


def current():
    return dy.scalarInput(0), dy.cg_version()


def test_leaving_in_another_order():
    dy.renew_cg()
    _, outside = current()
    a, b, c = (dy.ComputationGraph() for _ in range(3))
    for graph in (a, b, c, b):
        graph.__enter__()
    for graph, expected in ((b, c), (a, c), (c, b)):
        graph.__exit__(None, None, None)
        assert current()[1] == expected.version()
    b.__exit__(None, None, None)
    assert current()[1] == outside
    for graph in (a, b, c):
        with pytest.raises(RuntimeError, match="not entered"):
            graph.__exit__(None, None, None)


def test_graphs_that_go_while_they_are_entered():
    dy.renew_cg()
    _, outside = current()
    first, second = dy.ComputationGraph(), dy.ComputationGraph()
    first.__enter__()
    second.__enter__()
    del first
    gc.collect()
    assert current()[1] == second.version()
    second.__exit__(None, None, None)
    e, version = current()
    assert version == outside
    with dy.ComputationGraph():
        other = dy.scalarInput(4)
    with pytest.raises(ValueError, match=r"one graph|stale expression"):
        e + other


def test_a_handle_is_left_by_itself():
    dy.renew_cg()
    graph = dy.ComputationGraph()
    with graph:
        handle = dy.cg()
    with handle:
        with pytest.raises(RuntimeError, match="not entered"):
            graph.__exit__(None, None, None)
        assert current()[1] == graph.version()


def test_generators_that_hold_graphs_open():
    def numbers(first):
        with dy.ComputationGraph():
            x = dy.scalarInput(first)
            while True:
                yield x.value()
                x = x + 1

    dy.renew_cg()
    _, outside = current()
    generators = [numbers(10 * i) for i in range(3)]
    assert [[next(g) for g in generators] for _ in range(2)] == [[0, 10, 20], [1, 11, 21]]
    for i in (1, 0, 2):
        generators[i].close()
    assert current()[1] == outside


def test_leaving_in_another_thread():
    dy.renew_cg()
    _, outside = current()
    graph = dy.ComputationGraph()
    graph.__enter__()
    (error,) = in_threads(lambda: graph.__exit__(None, None, None))
    assert isinstance(error, RuntimeError) and "another thread" in str(error)
    assert current()[1] == graph.version()
    graph.__exit__(None, None, None)
    assert current()[1] == outside


def test_a_thread_that_ends_while_its_graph_is_evaluated():
    made, go = [], threading.Event()

    def make():
        dy.renew_cg()
        made.append(slow_expression(80))
        go.set()

    maker = threading.Thread(target=make)
    maker.start()
    go.wait()
    for _ in range(2):
        try:
            assert made[0].value() == pytest.approx(400, rel=1e-3)
        except RuntimeError as error:
            assert "tale" in str(error)
    maker.join()


def test_a_function_that_drops_the_last_reference_to_its_graph():
    holder = [dy.ComputationGraph()]

    def forward(x):
        holder.clear()
        gc.collect()
        return x + 1

    with holder[0]:
        y = dy.Function(forward, lambda x, y, dy: [dy], shape=(1,))(dy.scalarInput(1)) + 1
    assert y.value() == 3
    with pytest.raises(RuntimeError, match=r"[Ss]tale"):
        y.value()
    dy.ComputationGraph()


def test_immediate_computation_is_a_graphs_own():
    graph = dy.renew_cg(immediate_compute=True, check_validity=True)
    with dy.ComputationGraph() as other:
        other.renew()
        dy.log(dy.scalarInput(0))
    dy.cg_checkpoint()
    dy.scalarInput(1)
    dy.cg_revert()
    zero = dy.scalarInput(0)
    with pytest.raises(RuntimeError, match="NaN or Inf"):
        dy.log(zero)
    graph.renew()
    dy.log(dy.scalarInput(0))


ASKING = {
    "nothing": "",
    "cg": "dy.cg().version(), len(dy.cg())",
    "cg_version": "dy.cg_version()",
    "checkpoint": "dy.cg_checkpoint()",
    "value": "p.value(), p.npvalue(), p.vec_value(), p.tensor_value()",
    "array": "np.asarray(p), p.as_array(), t.as_array(), np.asarray(t)",
    "lists": "dy.values([p, t]), dy.npvalues([p]), dy.forward([p]), dy.values([])",
    "recalculated": "p.value(recalculate=True), dy.values([p], recalculate=True)",
    "dim": "p.dim(), t.dim(), p.shape(), len(t), repr(p), repr(t)",
    "text": "dy.print_text_graphviz(), dy.dump_cg('', False, False)",
}


@pytest.mark.parametrize("renewed", [False, True])
@pytest.mark.parametrize("asking", ASKING.values(), ids=ASKING.keys())
def test_asking_changes_no_random_number(asking, renewed):
    program = """
import numpy as np
import dynet as dy

model = dy.ParameterCollection()
p, t = model.add_parameters(3, init=2), model.add_lookup_parameters((4, 3), init=1)
dy.reset_random_seed(5)
{renewal}
{asking}
if {renewed}:
    x = dy.random_normal(2)
    {asking}
    print("drawn", x.value(), dy.random_normal(2).value(), dy.cg_version())
dy.renew_cg()
print("drawn", dy.random_normal(2).value(), dy.cg_version())
"""

    def drawn(asked):
        text = program.format(
            asking=asked or "pass", renewal="dy.renew_cg()" if renewed else "", renewed=renewed
        )
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
        return [line for line in done.stdout.splitlines() if line.startswith("drawn")]

    assert drawn(asking) == drawn("")


def test_parameters_are_read_as_they_are():
    p = dy.ParameterCollection().add_parameters(2, init=3)
    dy.renew_cg()
    assert p.value() == [3, 3] and len(dy.cg()) == 0
    used = p * 1.0
    assert used.value() == [3, 3]
    p.set_value([4, 4])
    assert p.value() == [3, 3]  # as the graph has seen it
    dy.renew_cg()
    assert p.value() == [4, 4] and dy.values([p, dy.zeros(1), p]) == [[4, 4], 0, [4, 4]]
    with pytest.raises(RuntimeError, match="does not use"):
        p.gradient()
