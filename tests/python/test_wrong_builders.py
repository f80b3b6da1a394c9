"""What builders and trainers are told to do that they cannot: refused at the call, by its name."""

import numpy as np
import pytest

import dynet as dy


@pytest.fixture
def model():
    dy.renew_cg()
    return dy.ParameterCollection()


RECURRENT = [
    *(dy.SimpleRNNBuilder, dy.GRUBuilder, dy.CoupledLSTMBuilder, dy.DeepLSTMBuilder, dy.FastLSTMBuilder),
    *(dy.VanillaLSTMBuilder, dy.SparseLSTMBuilder, dy.CompactVanillaLSTMBuilder),
]


@pytest.mark.parametrize("kind", RECURRENT)
def test_matrices_are_no_inputs(kind, model):
    builder = kind(1, 3, 3, model)
    matrix = dy.inputTensor(np.ones((3, 3)))
    batch = dy.inputTensor(np.ones((3, 2)), batched=True)
    state = builder.initial_state()
    for wrong in (matrix, dy.inputTensor(np.ones((1, 3))), dy.inputVector([1, 2])):
        for read in (state.add_input, lambda x: state.transduce([x]), lambda x: state.add_inputs([x])):
            with pytest.raises(ValueError, match=rf"{kind.__name__}: an input of shape .*; a vector of 3 is"):
                read(wrong)
    with pytest.raises(ValueError, match=rf"{kind.__name__}: an input of shape"):
        state.add_input(batch).add_input(matrix)
    assert state.add_input(batch).output().dim() == ((3,), 2)
    cells = len(builder.zero_state().s())
    with pytest.raises(ValueError, match=r"initial_state: expression 0 has shape .* a vector of 3 is needed"):
        builder.initial_state([matrix] * cells)
    with pytest.raises(ValueError, match=r"set_h: expression 0 has shape .* a vector of 3 is needed"):
        state.set_h([matrix])


@pytest.mark.parametrize(
    "kind", [dy.UnidirectionalTreeLSTMBuilder, dy.BidirectionalTreeLSTMBuilder, dy.NaryTreeLSTMBuilder]
)
def test_matrices_are_no_nodes_of_trees(kind, model):
    sizes = (2, 1, 4, 4) if kind is dy.NaryTreeLSTMBuilder else (1, 4, 4)
    builder = kind(*sizes, model)
    for wrong in (np.ones((4, 4)), np.ones((4, 2)), np.ones(3)):
        with pytest.raises(ValueError, match=rf"{kind.__name__}: an input of shape .*; a vector of 4 is"):
            builder.add_input(0, [], dy.inputTensor(wrong))
    assert builder.add_input(0, [], dy.inputTensor(np.ones((4, 2)), batched=True)).dim() == ((4,), 2)


def test_both_directions(model):
    builder = dy.BiRNNBuilder(1, 3, 4, model, dy.GRUBuilder)
    with pytest.raises(ValueError, match=r"^transduce: GRUBuilder: an input of shape .* a vector of 3"):
        builder.transduce([dy.inputTensor(np.ones((3, 2)))])
    for call, text in (
        (lambda: builder.transduce(), "transduce: es is missing; it is called as transduce"),
        (lambda: builder.transduce([], 1), "transduce: 2 arguments were given; it takes 1: es"),
        (lambda: builder.add_inputs(xs=[]), "add_inputs: the keyword xs was given; the keyword is es"),
        (lambda: builder.set_dropout(), "set_dropout: p is missing"),
        (lambda: builder.set_dropouts(0.5), "set_dropouts: d_h is missing"),
        (lambda: builder.set_dropout("a"), "set_dropout: "),
        (lambda: builder.disable_dropout(1), "disable_dropout: 1 argument was given; it takes none"),
        (lambda: builder.zero_state(1, 2), "zero_state: 2 arguments were given; it takes 1"),
        (lambda: builder.final_state(), "final_state: es is missing"),
        (lambda: builder.whoami(1), "whoami: 1 argument was given; it takes none"),
        (lambda: dy.BiRNNBuilder.from_spec(1), "from_spec: model is missing; it is called as from_spec"),
    ):
        with pytest.raises(TypeError) as error:
            call()
        assert str(error.value).startswith(text)


def test_updates_of_what_is_no_list(model):
    trainer = dy.SimpleSGDTrainer(model)
    for wrong, kind in (
        (np.array(None), "a ndarray"),
        (model.add_parameters(2), "a Parameters"),
        (1, "an int"),
    ):
        with pytest.raises(TypeError, match=f"^update_subset: updated_params is {kind}; a list is needed"):
            trainer.update_subset(wrong, [])
    with pytest.raises(TypeError, match=r"^update_subset: an element of updated_lookups is a ndarray; "):
        trainer.update_subset([], [np.array(None)])


def test_constants_are_finite(model):
    for wrong in (np.nan, np.inf, -np.inf):
        for make in (dy.ConstInitializer, lambda c: model.add_parameters(2, init=c)):
            with pytest.raises(
                ValueError, match=r"number of a constant initiali[sz]er is .*inf|nan; it must"
            ):
                make(wrong)
    assert not model.parameters_list()


def test_keys_that_are_no_rows(model):
    table = model.add_lookup_parameters((4, 2))
    with pytest.raises(
        TypeError, match=r"^table\[i\]: i is a str; a whole number is needed, or lookup_batch"
    ):
        table["a"]
    for wrong in (9, 4, -5):
        with pytest.raises(
            IndexError, match=rf"^table\[i\]: i is {wrong} and /_0 has 4 rows; -4 to 3 would be"
        ):
            table[wrong]


def test_lists_of_truths_and_numbers():
    dy.renew_cg()
    m = dy.inputTensor(np.arange(6).reshape(2, 3))
    for mixed in ([True, 1], [0, np.True_], [0, False]):
        for read in (lambda key: m[key], lambda key: m[:, key]):
            with pytest.raises(TypeError, match=r"^x\[\.\.\.\]: a list of truths and numbers as a key"):
                read(mixed)
    assert m[[True, False]].npvalue().tolist() == [[0, 1, 2]] and m[[1, 0]].npvalue()[0].tolist() == [3, 4, 5]


@pytest.mark.parametrize(
    ("kind", "instead"),
    [
        (dy.Expression, "operations give one, inputTensor one of numbers"),
        (dy.Parameters, "a collection's add_parameters gives one"),
        (dy.LookupParameters, "a collection's add_lookup_parameters gives one"),
    ],
)
def test_classes_that_are_not_called(kind, instead):
    class Derived(kind):
        pass

    for each in (kind, Derived):
        for arguments in ((), (1,)):
            with pytest.raises(TypeError) as error:
                each(*arguments)
            text = f"{each.__name__}: no object of this class is made by its name; {instead}"
            assert str(error.value) == text


def test_other_names_of_a_call(model, tmp_path):
    (tmp_path / "classes").write_text("a x\na y\nb z\n")
    softmax = dy.ClassFactoredSoftmaxBuilder(3, tmp_path / "classes", {"x": 0, "y": 1, "z": 2}, model)
    with pytest.raises(ValueError, match=r"^ClassFactoredSoftmaxBuilder\.neg_log_softmax_batch: 0 words for"):
        softmax.neg_log_softmax_batch(dy.inputVector([1, 2, 3]), [])
    p = model.add_parameters(2)
    p.save(tmp_path / "file.safetensors")
    with pytest.raises(ValueError, match=r"^Parameters\.populate_from_textfile: .* key"):
        p.populate_from_textfile(tmp_path / "file.safetensors")


def test_articles(model):
    for call, text in (
        (lambda: model.load_state_dict({1: 2}), "load_state_dict: a key is an int; "),
        (lambda: dy.tanh(1), "tanh: x is an int; "),
        (lambda: dy.inputVector([object()]), "an object"),
        (lambda: dy.esum(3), "an int"),
        (lambda: model.add_parameters((2, None)), "None; a whole number"),
    ):
        with pytest.raises(TypeError, match=text):
            call()
