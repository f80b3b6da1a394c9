"""Pickles and deep copies: what belongs together stays together, and training goes on to the bit."""

import copy
import io
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
from every_kind import TRAINERS
from learned_model import WAYS, Model, names, numbers

import dynet as dy


@pytest.fixture(params=WAYS)
def again(request):
    return WAYS[request.param]


def test_a_model_comes_back_whole(again):
    model = Model()
    model.train(3)
    other = again(model)
    assert names(other.collection) == names(model.collection)
    assert numbers(other.collection) == numbers(model.collection)
    # All of them refer to one new collection.
    assert other.W.name() == model.W.name()
    other.W.set_value(np.full((3, 6), 0.5))
    other.table.zero()
    kept = {p.name(): p.as_array() for p in other.collection.parameters_list()}
    assert np.all(kept[other.W.name()] == 0.5) and np.all(other.part.parameters_list()[0].as_array() == 0.5)
    assert not np.any(other.collection.lookup_parameters_list()[0].as_array())
    first = other.rnn.get_parameters()[0][0]
    first.zero()
    assert not np.any({p.name(): p.as_array() for p in other.collection.parameters_list()}[first.name()])
    # And none to the old one.
    assert np.any(model.W.as_array() != 0.5) and np.any(model.table.as_array())


@pytest.mark.parametrize("kind", [*TRAINERS, dy.EGTrainer])
def test_training_goes_on_to_the_bit(again, kind):
    dy.reset_random_seed(3)
    model = Model(kind)
    if kind is dy.EGTrainer:
        model.trainer.enableCyclicalLR()
        for p in model.collection.parameters_list() + model.collection.lookup_parameters_list():
            values = np.abs(p.as_array()) + 0.1
            p.set_value(values / values.sum())
    model.trainer.learning_rate = 0.05
    model.trainer.set_clip_threshold(0.5)
    model.train(4)
    other = again(model)
    assert repr(other.trainer) == repr(model.trainer) and type(other.trainer) is kind
    assert other.trainer.get_clip_threshold() == 0.5
    assert other.train(4) == model.train(4)
    assert numbers(other.collection) == numbers(model.collection)


@pytest.mark.parametrize("average", ["exponential", "cumulative", "swapped", "not saved"])
def test_averages_go_on(again, average):
    model = Model(dy.SimpleSGDTrainer)
    if average == "exponential":
        model.trainer.exponential_moving_average(0.5)
    else:
        model.trainer.cumulative_moving_average(2)
    model.trainer.set_sparse_updates(False)
    model.train(4)
    if average in ("swapped", "not saved"):
        model.trainer.swap_params_to_moving_average(save_weights=average == "swapped")
    other = again(model)
    for each in (model, other):
        if average == "swapped":
            each.trainer.swap_params_to_weights()
        each.train(2)
        each.trainer.swap_params_to_moving_average()
    assert numbers(other.collection) == numbers(model.collection)


def test_weight_decay_and_frozen_parameters(again):
    model = Model(dy.AdamTrainer)
    model.collection.set_weight_decay(0.1)
    model.part.set_weight_decay(0.25)
    model.b.set_updated(False)
    model.train(3)
    other = again(model)
    assert (other.collection.get_weight_decay(), other.part.get_weight_decay()) == (
        model.collection.get_weight_decay(),
        model.part.get_weight_decay(),
    )
    assert not other.b.is_updated() and other.W.is_updated()
    assert numbers(other.collection) == numbers(model.collection)
    assert other.train(3) == model.train(3)
    assert numbers(other.collection) == numbers(model.collection)


def test_gradients_stay_behind(again):
    model = Model()
    model.loss([1, 2], 3).backward()
    other = again(model)
    assert model.collection.gradient_l2_norm() > 0 and other.collection.gradient_l2_norm() == 0


def test_reading_changes_no_random_number(again):
    model = Model()
    dy.reset_random_seed(7)
    expected = dy.ParameterCollection().add_parameters(9, init="normal").as_array()
    dy.reset_random_seed(7)
    again(model)
    assert np.all(dy.ParameterCollection().add_parameters(9, init="normal").as_array() == expected)


def test_names_go_on(again):
    """What is added is called as it would have been called there."""
    model = dy.ParameterCollection()
    model.add_parameters(2, name="w")
    inner = model.add_subcollection("inner")
    inner.add_parameters(1)
    other, other_inner = again([model, inner])
    for one, two in ((model, other), (inner, other_inner)):
        assert one.name() == two.name()
        for _ in range(2):
            assert one.add_parameters(2, name="w").name() == two.add_parameters(2, name="w").name()
            assert one.add_parameters(1).name() == two.add_parameters(1).name()
            assert one.add_subcollection("inner").name() == two.add_subcollection("inner").name()
    assert names(other) == names(model)


def test_a_parameter_brings_itself_alone(again):
    model = Model()
    w, same, table = again([model.W, model.W, model.table])
    assert w.name() == model.W.name() and np.all(w.as_array() == model.W.as_array())
    w.zero()
    assert not np.any(same.as_array()) and np.any(model.W.as_array())
    assert table.shape() == (5, 4) and len(pickle.dumps(model.W)) < 1000
    dy.renew_cg()
    assert (w * dy.inputVector(range(6))).npvalue().tolist() == [0, 0, 0]


@pytest.mark.parametrize("first", ["parameter", "collection", "trainer"])
def test_the_order_does_not_matter(again, first):
    model = dy.ParameterCollection()
    p = model.add_parameters(2, init=3)
    trainer = dy.SimpleSGDTrainer(model, 1)
    parts = {"parameter": p, "collection": model, "trainer": trainer}
    parts = {first: parts.pop(first), **parts}
    other = again(parts)
    dy.renew_cg()
    dy.sum_elems(other["parameter"]).backward()
    other["trainer"].update()
    (same,) = other["collection"].parameters_list()
    dy.renew_cg()
    assert same.value() == other["parameter"].value() == [2, 2] and p.value() == [3, 3]


def test_a_part_brings_what_it_lies_in(again):
    model = dy.ParameterCollection()
    outer = model.add_subcollection("outer")
    inner = outer.add_subcollection("inner")
    inner.add_parameters(2, name="w", init=5)
    model.add_parameters(1)
    copied = again(inner)
    assert copied.name() == "/outer/inner/" and copied.parameters_list()[0].value() == [5, 5]
    assert copied.add_parameters(1).name() == inner.add_parameters(1).name()
    inner_, model_ = again((inner, model))
    inner_.parameters_list()[0].zero()
    assert model_.parameters_list()[0].value() == [0, 0] and names(model_) == names(model)


def test_names_that_files_gave(again, tmp_path):
    dy.ParameterCollection().add_parameters(2, init=4).save(tmp_path / "file", "/x")
    model = dy.ParameterCollection()
    model.load_param(tmp_path / "file", "/x")
    other = again(model)
    assert names(other) == ["/x"]
    assert other.add_parameters(1, name="x").name() == model.add_parameters(1, name="x").name() == "/x_1"


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_belongs_to_a_graph_is_refused(make):
    model = Model()
    dy.renew_cg()
    state = model.rnn.initial_state().add_input(model.table[1])
    x = dy.scalarInput(2)
    x.value()
    for what, text in (
        (x, "Expression: it belongs to a graph, .* its value"),
        (model.W * dy.inputVector(range(6)), "Expression: it belongs"),
        (state, "RNNState: it belongs to a graph, .* initial_state_from_raw_vectors"),
        (x.tensor_value(), "Tensor: it belongs to a graph"),
        (dy.cg(), "ComputationGraph: graphs are neither pickled nor copied"),
    ):
        with pytest.raises(TypeError, match=text):
            make(what)
    if make is not copy.copy:
        with pytest.raises(TypeError, match="RNNState: it belongs"):
            make({"state": [state]})


def test_copies_that_would_share_are_refused():
    model = Model()
    for what in (
        *(model.collection, model.part, model.W, model.table, model.rnn, model.both, model.softmax),
        *(model.trainer, dy.NaryTreeLSTMBuilder(2, 1, 3, 4, model.collection)),
    ):
        with pytest.raises(
            TypeError, match=r"copy\.copy: a copy of this \w+ would share its parameters; copy\.deep"
        ):
            copy.copy(what)
    shallow = copy.copy(model)  # The program's own object, whose copy has the same parts, as Python has it.
    assert shallow.collection is model.collection


def test_deep_copies_are_apart():
    """A layer that is repeated: each has parameters of its own, in a collection of its own."""
    model = dy.ParameterCollection()
    layer = dy.GRUBuilder(1, 2, 3, model)
    layers = [copy.deepcopy(layer) for _ in range(2)]
    layers[0].get_parameters()[0][0].zero()
    assert np.any(layers[1].get_parameters()[0][0].as_array())
    assert len(model.parameters_list()) == len(layer.param_collection().parameters_list())


def test_arrays_go_out_of_band():
    model = dy.ParameterCollection()
    model.add_parameters((100, 100))
    trainer = dy.AdamTrainer(model)
    dy.squared_norm(model.parameters_list()[0]).backward()
    trainer.update()
    buffers = []
    text = pickle.dumps([model, trainer], 5, buffer_callback=buffers.append)
    assert len(text) < 2000 and len(buffers) == 3


def test_joblib_finds_the_arrays():
    """As joblib's pickler, which takes them out: they are plain arrays."""
    found = []

    class Pickler(pickle._Pickler):
        def save(self, obj, save_persistent_id=True):
            if type(obj) is np.ndarray:
                found.append(obj)
            super().save(obj, save_persistent_id)

    model = dy.ParameterCollection()
    p = model.add_parameters((3, 2))
    file = io.BytesIO()
    Pickler(file, 3).dump([p, model])
    assert len(found) == 1 and np.all(found[0] == p.as_array()) and found[0].flags.c_contiguous
    p_, model_ = pickle.loads(file.getvalue())
    assert np.all(p_.as_array() == p.as_array()) and len(model_.parameters_list()) == 1


def train_there(model):
    return model.train(2), model, os.getpid()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_that_are_spawned(method, monkeypatch):
    path = os.pathsep.join(
        [os.path.dirname(os.path.dirname(dy.__file__)), os.path.dirname(__file__), *sys.path]
    )
    monkeypatch.setenv("PYTHONPATH", path)
    model = Model()
    model.train(2)
    with multiprocessing.get_context(method).Pool(1) as pool:
        losses, other, process = pool.apply(train_there, (model,))
    assert process != os.getpid()
    assert losses == model.train(2) and numbers(other.collection) == numbers(model.collection)
    assert other.train(2) == model.train(2)


def test_another_process_reads_the_pickle(tmp_path):
    """One that has not asked for anything of DyNet before."""
    model = dy.ParameterCollection()
    p = model.add_parameters(2, init=3)
    (tmp_path / "pickle").write_bytes(pickle.dumps([p, dy.GRUBuilder(1, 2, 3, model), dy.AdamTrainer(model)]))
    program = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb'))[0].value())"
    path = os.pathsep.join([os.path.dirname(os.path.dirname(dy.__file__)), *sys.path])
    command = [sys.executable, "-c", program, str(tmp_path / "pickle")]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert done.stdout == "[3.0, 3.0]\n", done.stderr


def test_threads_pickle_one_model():
    model = Model()
    wrong = []

    def work():
        for _ in range(20):
            other = pickle.loads(pickle.dumps(model))
            other.W.zero()
            if np.any(other.part.parameters_list()[0].as_array()):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
