"""What cg_revert() removes is refused for good, builders notice it, and its memory serves what comes next."""

import gc
import resource
import weakref

import numpy as np
import pytest

import dynet as dy
from dynet import _dynet

NUMBER = 3


def nodes():
    """An expression of each kind that can be set, and one that cannot."""
    table = dy.ParameterCollection().add_lookup_parameters((4, NUMBER), init=1)
    x = dy.inputVector([7, 8, 9])
    return [x, dy.lookup(table, 1), dy.pick(x, 1), dy.tanh(x), dy.reshape(x, (1, NUMBER))]


USES = {
    "value": lambda e: e.value(),
    "npvalue": lambda e: e.npvalue(),
    "forward": lambda e: e.forward(),
    "gradient": lambda e: e.gradient(),
    "backward": lambda e: e.backward(),
    "dim": lambda e: e.dim(),
    "set": lambda e: e.set([0] * NUMBER),
    "operator": lambda e: e + 1,
    "other side": lambda e: 2 - e,
    "with a new node": lambda e: dy.cmult(e, e + dy.zeros(NUMBER)),
    "index": lambda e: e[0],
    "list": lambda e: dy.esum([dy.zeros(NUMBER), e]),
    "emax": lambda e: dy.emax([e, e]),
    "emax of one": lambda e: dy.emax([e]),
    "esum of one": lambda e: dy.esum([e]),
    "average": lambda e: dy.average([e]),
    "logsumexp": lambda e: dy.logsumexp([e]),
    "affine_transform": lambda e: dy.affine_transform([e]),
    "to_device": lambda e: dy.to_device(e, "CPU"),
    "reshape": lambda e: dy.reshape(e, e.dim()[0]),
    "values": lambda e: dy.values([e]),
    "dy.forward": lambda e: dy.forward([e]),
    "place": _dynet._node_index,
    "check_grad": lambda e: dy.check_grad(dy.ParameterCollection(), e),
}


@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_removed_expressions_are_refused(use, replaced):
    dy.renew_cg()
    x = dy.inputVector([1, 2, 3])
    dy.cg_checkpoint()
    removed = nodes()
    dy.cg_revert()
    kept = nodes() if replaced else []
    before = [e.npvalue() for e in kept]
    for e in removed:
        with pytest.raises((RuntimeError, ValueError), match=r"[Ss]tale|checkpoint"):
            use(e)
    for e, value in zip(kept, before, strict=True):
        np.testing.assert_array_equal(e.npvalue(recalculate=True), value)
    assert x.value() == [1, 2, 3]
    assert (x + 1).value() == [2, 3, 4]


def test_nested_checkpoints_in_any_order():
    dy.renew_cg()
    alive, dead = [dy.scalarInput(0)], []
    rng = np.random.default_rng(3)
    marks = []
    for number in range(1, 400):
        act = rng.integers(4)
        if act == 0:
            dy.cg_checkpoint()
            marks.append(len(alive))
        elif act == 1 and marks:
            dy.cg_revert()
            last = marks.pop()
            dead += alive[last:]
            del alive[last:]
        else:
            alive.append(dy.scalarInput(number) + alive[rng.integers(len(alive))] * 0)
        if number % 7 == 0:
            [e.value() for e in alive]
    for e in alive:
        assert (e + 1).value() == e.value() + 1
    assert len(dead) > 30
    for e in dead:
        with pytest.raises(RuntimeError, match="checkpoint"):
            e.value()
    dy.renew_cg()
    for e in alive + dead:
        with pytest.raises(RuntimeError, match=r"[Ss]tale"):
            e.dim()


def test_numbers_of_graphs_and_random_numbers_stay():
    def draw(revert):
        dy.reset_random_seed(5)
        dy.renew_cg()
        version = dy.cg_version()
        first = dy.random_normal(3)
        if revert:
            dy.cg_checkpoint()
            dy.random_normal(4).value()
            dy.cg_revert()
        assert dy.cg_version() == version
        drawn = dy.values([first, dy.random_normal(3)])
        dy.renew_cg()
        assert dy.cg_version() == version + 1
        return [*drawn, dy.random_normal(2).value()]

    assert draw(False) == draw(True)


def test_an_expression_of_another_graph_in_the_same_place():
    made = []
    for _ in range(2):
        with dy.ComputationGraph():
            dy.cg_checkpoint()
            dy.scalarInput(1)
            dy.cg_revert()
            made.append(dy.scalarInput(2))
    with pytest.raises(RuntimeError, match=r"[Ss]tale"):
        made[0].value()


RECURRENT = [
    dy.SimpleRNNBuilder,
    dy.GRUBuilder,
    dy.VanillaLSTMBuilder,
    dy.SparseLSTMBuilder,
    dy.CoupledLSTMBuilder,
    dy.FastLSTMBuilder,
    dy.DeepLSTMBuilder,
    dy.CompactVanillaLSTMBuilder,
]


def recurrent(kind, dropout):
    dy.reset_random_seed(7)
    builder = kind(2, 4, 4, dy.ParameterCollection())
    if dropout and kind not in (dy.FastLSTMBuilder, dy.DeepLSTMBuilder):
        builder.set_dropout(0.5)
    return builder


def read(builder, state=None):
    xs = [dy.inputVector([1, -1, 0.5, i]) for i in range(3)]
    return [s.output() for s in (state or builder.initial_state()).add_inputs(xs)]


@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("kind", RECURRENT, ids=lambda kind: kind.__name__)
def test_builders_first_used_after_a_checkpoint(kind, dropout):
    builder = recurrent(kind, dropout)
    dy.renew_cg()
    expected = [y.value() for y in read(builder)]

    builder = recurrent(kind, dropout)
    dy.renew_cg()
    dy.cg_checkpoint()
    first = builder.initial_state()
    states = first.add_inputs([dy.inputVector([1, -1, 0.5, i]) for i in range(3)])
    [s.output().value() for s in states]
    dy.cg_revert()
    for _ in range(20):  # foreign nodes in the places of those removed
        dy.inputTensor(np.full((8, 4), 7.0))
    for state in states:
        for use in (
            lambda s: s.add_input(dy.inputVector([1, 2, 3, 4])),
            lambda s: s.h(),
            lambda s: s.s(),
            lambda s: s.prev(),
            lambda s: s.output().value(),
        ):
            with pytest.raises((ValueError, RuntimeError), match=r"checkpoint|[Ss]tale"):
                use(state)
    for state in (first, None):
        again = [y.value() for y in read(builder, state)]
        if not dropout:
            assert again == expected


@pytest.mark.parametrize(
    "kind", [dy.NaryTreeLSTMBuilder, dy.UnidirectionalTreeLSTMBuilder, dy.BidirectionalTreeLSTMBuilder]
)
def test_tree_builders(kind):
    sizes = (2, 1, 4, 4) if kind is dy.NaryTreeLSTMBuilder else (1, 4, 4)
    builder = kind(*sizes, dy.ParameterCollection())
    dy.renew_cg()
    builder.start_new_sequence()
    x = dy.inputVector([1, 2, 3, 4])
    leaf = builder.add_input(0, [], x)
    dy.cg_checkpoint()
    root = builder.add_input(1, [0], x)
    value = root.value()
    dy.cg_revert()
    foreign = [dy.zeros(4) for _ in range(9)]
    assert builder.back().value() == leaf.value()
    with pytest.raises(IndexError):
        builder.get_h(1)
    with pytest.raises(ValueError, match="child 1"):
        builder.add_input(2, [1], x)
    assert builder.add_input(1, [0], x).value() == value == builder.back().value()
    assert foreign[0].value() == [0] * 4


def test_states_removed_and_made_again_are_not_mixed_up():
    builder = recurrent(dy.VanillaLSTMBuilder, False)
    dy.renew_cg()
    base = builder.initial_state().add_input(dy.zeros(4))
    dy.cg_checkpoint()
    removed = base.add_input(dy.ones(4))
    dy.cg_revert()
    other = base.add_input(dy.zeros(4) + 2)
    assert other != removed and len({other, removed}) == 2
    with pytest.raises(ValueError, match="checkpoint"):
        removed.add_input(dy.zeros(4))
    assert other.prev() == base


def test_dropout_of_sequences_of_several_batch_sizes():
    builder = dy.BiRNNBuilder(1, 5, 20, dy.ParameterCollection(), dy.VanillaLSTMBuilder)
    builder.set_dropout(0.5)
    dy.renew_cg()
    for size in (2, 3, 1, 3, 2):
        assert builder.transduce([dy.ones(5, batch_size=size)] * 2)[-1].dim() == ((20,), size)


def test_what_a_removed_node_held_is_given_back():
    dy.renew_cg()
    x = dy.inputVector([1, 2])
    dy.cg_checkpoint()
    function = dy.Function(lambda x: x, lambda x, y, dy: [dy], shape=(2,))
    seen = weakref.ref(function)
    assert function(x).value() == [1, 2]
    del function
    gc.collect()
    assert seen() is not None
    dy.cg_revert()
    gc.collect()
    assert seen() is None


@pytest.mark.parametrize("grows", [False, True])
def test_rounds_of_going_back_do_not_take_memory(grows):
    """As beam search does: a checkpoint, hypotheses, their values, and back; the base may grow."""
    model = dy.ParameterCollection()
    builder = dy.VanillaLSTMBuilder(1, 16, 16, model)
    table, late = model.add_lookup_parameters((9, 16)), model.add_parameters((32, 16))
    dy.renew_cg()
    state = builder.initial_state().add_input(table[0])
    sizes = []
    for number in range(3000):
        dy.cg_checkpoint()
        x = dy.inputTensor(np.full(16, number), batched=False)
        scores = [dy.sum_elems(late * dy.cmult(state.add_input(table[i]).output(), x)) for i in range(3)]
        dy.esum(scores).backward()
        dy.cg_revert()
        if grows and number % 100 == 0:
            state = state.add_input(table[1])
        if number % 1000 == 999:
            sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert sizes[-1] - sizes[0] < 2000, sizes  # KiB; the nodes of all rounds would be 20 times as much


def test_texts_of_stale_expressions_have_no_number_that_is_none():
    dy.renew_cg()
    before = dy.inputVector([1])
    dy.cg_checkpoint()
    dy.tanh(before)
    dy.cg_revert()
    after = dy.inputVector([2])
    number = str(before).rpartition("/")[2]
    assert str(after) == f"expression 1/{number}"
    dy.renew_cg()
    assert str(before) == f"expression 0/{number}" and str(after) == "expression 1/?"
    assert repr(after) == "expression 1/?, which is stale"
