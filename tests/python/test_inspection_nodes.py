"""The nodes of a graph, walked from Python, and the lines of the program that made them."""

import gc
import inspect
import threading

import numpy as np
import pytest

import dynet as dy


def here() -> int:
    """The line of the caller."""
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno


def last(operation: str) -> "dy.GraphNode":
    """The newest node of an operation in the current graph."""
    return next(node for node in reversed(dy.cg().nodes()) if node.operation == operation)


@pytest.fixture
def model():
    return dy.ParameterCollection()


def test_what_a_node_tells(model):
    table = model.add_lookup_parameters((4, 3), init=0.5, name="words")
    p = model.add_parameters((2, 3), init=0.5, name="join")
    dy.renew_cg()
    x = dy.tanh(p * dy.lookup_batch(table, [2, 0]))
    dy.pick(x, 1).npvalue()
    nodes = dy.cg().nodes()
    assert [node.operation for node in nodes] == ["lookup", "parameter", "matmul", "tanh", "pick"]
    assert [node.index for node in nodes] == list(range(5))
    assert [node.arguments for node in nodes] == [(), (), (1, 0), (2,), (3,)]
    assert [node.shape for node in nodes] == [(3,), (2, 3), (2,), (2,), (1,)]
    assert [node.batch_size for node in nodes] == [2, 1, 2, 2, 2]
    assert nodes[0].parameter == table and nodes[0].indices == (2, 0)
    assert nodes[1].parameter == p and nodes[2].parameter is None
    assert nodes[4].attributes == {"axis": 0, "batch": 0} and nodes[4].indices == (1, 1)
    assert [node.needs_gradient for node in nodes] == [True] * 5
    assert nodes[3].expression.npvalue() == pytest.approx(x.npvalue())
    assert repr(nodes[4]) == "v4 = pick(v3, 1, 1), shape (1,), a batch of 2"


def test_values_and_gradients(model):
    p = model.add_parameters(3, init=np.array([1.0, 2.0, 3.0]))
    dy.renew_cg()
    loss = dy.squared_norm(p * 2)
    parameter, *_, last_node = dy.cg().nodes()
    assert dy.cg().step_count() == 0  # nothing is computed by looking
    assert parameter.value().tolist() == [1, 2, 3] and last_node.value() == pytest.approx(56)
    with pytest.raises(RuntimeError, match="backward"):
        last_node.gradient()
    loss.backward()
    assert parameter.gradient().tolist() == pytest.approx([8, 16, 24])


@pytest.mark.parametrize(
    ("make", "operation", "attributes"),
    [
        (lambda x: x * 3, "scale", {"factor": 3.0}),
        (lambda x: dy.pick_range(x, 1, 3), "pick_range", {"begin": 1, "end": 3, "axis": 0}),
        (lambda x: dy.pick_range(x, 1, 2, 1), "pick_range_view", {"begin": 1, "end": 2, "axis": 1}),
        (dy.transpose, "transpose", {"dims": [1, 0]}),
        (lambda x: dy.reshape(x, (2, 4)), "reshape", {"to": [2, 4]}),
        (lambda x: dy.sum_dim(x, [1]), "sum_dim", {"axes": [1]}),
        (dy.sum_elems, "sum_elems", {"axes": [0, 1]}),
        (lambda x: dy.dropout(x, 0.5), "dropout", {"rate": 0.5, "axis": 0}),
        (lambda x: dy.strided_select(x, [2, 1], [1, 0]), "strided_select",
         {"begin": [1, 0], "step": [2, 1], "size": [2, 2]}),
        (lambda x: dy.maxpooling2d(dy.reshape(x, (4, 2, 1)), [2, 1], [2, 1]), "maxpooling2d",
         {"window": [2, 1], "step": [2, 1], "same": 0}),
        (dy.tanh, "tanh", {}),
        (lambda x: dy.zeros((2, 3)), "constant", {"dim": [2, 3], "value": 0.0}),
    ],
)  # fmt: skip
def test_attributes_are_those_of_the_operation(make, operation, attributes):
    dy.renew_cg()
    make(dy.random_normal((4, 2)))
    told = last(operation).attributes
    assert told == attributes and repr(told) == repr(attributes)  # whole numbers are whole


def test_every_attribute_has_a_name():
    """No operation of the whole suite of simple ones tells something without a name."""
    dy.renew_cg()
    x = dy.random_normal((3, 3), batch_size=2)
    for name in ("elu", "silu", "softmax", "log_softmax", "sum_batches", "cumsum", "noise"):
        arguments = {"noise": [0.5]}.get(name, [])
        getattr(dy, name)(x, *arguments)
    for node in dy.cg().nodes():
        assert all(name.isidentifier() for name in node.attributes), node


def test_fused_nodes_are_as_the_program_wrote_them(model):
    p, q = model.add_parameters(2), model.add_parameters(2)
    dy.renew_cg()
    gate = dy.cmult(dy.logistic(p), dy.tanh(q))
    total = gate + p
    nodes = dy.cg().nodes()
    assert [node.operation for node in nodes][-2:] == ["cmult", "add"]
    written = {node.index: node for node in nodes}
    assert [written[i].operation for i in nodes[-2].arguments] == ["logistic", "tanh"]
    assert nodes[-1].arguments == (nodes[-2].index, 0) and nodes[-1].attributes == {}
    assert nodes[-2].value() == pytest.approx(gate.npvalue())
    assert nodes[-1].value() == pytest.approx(total.npvalue())


def test_frozen_parameters_and_constants(model):
    p, table = model.add_parameters(2, init=1), model.add_lookup_parameters((3, 2), init=2)
    dy.renew_cg()
    dy.const_parameter(p) + dy.lookup(table, 1, update=False)
    p.set_updated(False)
    (dy.tanh(p) * 2).value()
    leaf, constant, row, *_ = dy.cg().nodes()
    assert leaf.parameter == p and row.parameter == table and row.indices == (1,)
    assert [node.needs_gradient for node in (leaf, constant, row)] == [True, False, False]


def test_a_whole_table_as_a_matrix(model):
    table = model.add_lookup_parameters((3, 2), init=2)
    dy.renew_cg()
    dy.parameter(table)
    dy.tanh(dy.parameter(table))
    assert dy.cg().nodes()[0].parameter == table


def test_stale_nodes_say_so(model):
    dy.renew_cg()
    dy.tanh(dy.inputVector([1, 2]))
    graph, (_, node) = dy.cg(), dy.cg().nodes()
    dy.renew_cg()
    for name in ("operation", "shape", "arguments", "attributes", "line", "expression", "parameter"):
        with pytest.raises(RuntimeError, match="Stale"):
            getattr(node, name)
    for call in (node.value, node.gradient, lambda: repr(node)):
        with pytest.raises(RuntimeError, match="Stale"):
            call()
    assert graph.nodes() == []  # an empty graph
    other = dy.ComputationGraph()
    with other:
        dy.inputVector([1])
    nodes = other.nodes()
    del other
    gc.collect()
    with pytest.raises(RuntimeError, match=r"Stale|ended"):
        nodes[0].value()


def test_nodes_of_an_ended_graph():
    graphs = []

    def work():
        dy.inputVector([1])
        graphs.append(dy.cg())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    with pytest.raises(RuntimeError, match="ended"):
        graphs[0].nodes()


def test_reverting():
    dy.renew_cg()
    dy.inputVector([1])
    dy.cg_checkpoint()
    with dy.record_lines():
        dy.inputVector([2])
        removed = dy.cg().nodes()[1]
        dy.cg_revert()
        line = here() + 1
        dy.inputVector([3])
    with pytest.raises(RuntimeError, match="checkpoint"):
        removed.value()
    first, second = dy.cg().nodes()
    assert first.line is None and second.line.lineno == line


def test_no_node_is_made_by_its_name():
    with pytest.raises(TypeError, match="lists them"):
        dy.GraphNode()


def test_lines(model):
    builder = dy.VanillaLSTMBuilder(1, 2, 2, model)
    both = dy.BiRNNBuilder(2, 2, 2, model, dy.GRUBuilder)
    dy.renew_cg()
    with dy.record_lines():
        x = dy.inputVector([1, 2])
        first = here() - 1
        state = builder.initial_state().add_input(x)
        second = here() - 1
        made = len(dy.cg())
        y = state.output() + x
        third = here() - 1
        both.transduce([x, y])
        fourth = here() - 1
    dy.tanh(y)
    nodes = dy.cg().nodes()
    lines = [node.line and node.line.lineno for node in nodes]
    assert lines[0] == first and set(lines[1:made]) == {second} and nodes[made].line.lineno == third
    assert set(lines[made + 1 : -1]) == {fourth} and lines[-1] is None
    line = nodes[0].line
    assert line.filename == __file__ and line.name == "test_lines" and "inputVector" in line.line


def test_lines_of_graphs_that_are_entered():
    graph = dy.ComputationGraph()
    with dy.record_lines(), dy.record_lines(), graph:
        dy.inputVector([1])
    with graph:
        dy.inputVector([1])
    dy.renew_cg()
    dy.inputVector([1])
    assert [node.line is None for node in graph.nodes()] == [False, True]
    assert dy.cg().nodes()[0].line is None


def is_recorded():
    dy.renew_cg()
    dy.inputVector([1])
    return dy.cg().nodes()[0].line is not None


@pytest.mark.parametrize("second", [dy.record_lines, dy.profile])
def test_records_of_lines_may_end_crosswise(second):
    """As those of two threads do."""
    for first, other in ((dy.record_lines(), second()), (second(), dy.record_lines())):
        first.__enter__()
        other.__enter__()
        first.__exit__(None, None, None)
        assert is_recorded()
        other.__exit__(None, None, None)
        assert not is_recorded()


def test_lines_while_a_cell_is_recorded(model):
    w = model.add_parameters((2, 2))

    @dy.cell
    def step(x):
        return dy.tanh(w * x)

    dy.renew_cg()
    with dy.record_lines():
        step(dy.inputVector([1, 2]))
        line = here() - 1
    node = dy.cg().nodes()[-1]
    assert node.operation == "recorded_cell" and node.line.lineno == line
    assert node.value().shape == (2,)


def test_many_nodes():
    dy.renew_cg()
    x = dy.inputVector([1])
    with dy.record_lines():
        for _ in range(10_000):
            x = dy.tanh(x)
    nodes = dy.cg().nodes()
    assert len(nodes) == 10_001 and all(node.operation == "tanh" for node in nodes[1:])
    assert len({node.line.lineno for node in nodes[1:]}) == 1
