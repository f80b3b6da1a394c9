"""States, copies and writes are of one moment, whole, and in the shape that was asked for."""

import copy
import dataclasses
import gc
import pickle
import sys
import threading

import numpy as np
import pytest

import dynet as dy


@pytest.fixture
def model():
    dy.renew_cg()
    return dy.ParameterCollection()


# -- rows


def test_rows_have_their_shape(model):
    table = model.add_lookup_parameters((2, 2, 3), init=0)
    row = np.arange(6.0).reshape(2, 3)
    for wrong in (row.T, row.reshape(1, 6), row[0], np.zeros((2, 3, 1, 2))):
        with pytest.raises(ValueError, match=r"^table\[i\] = row: "):
            table[0] = wrong
        with pytest.raises(ValueError, match=r"set_row_gradient: "):
            table.set_row_gradient(0, wrong)
    assert not table.as_array().any()
    table[0] = row
    table.init_row(1, row.T.ravel())  # column-major, as with DyNet 2
    assert np.array_equal(table.as_array(), [row, row])
    narrow = model.add_lookup_parameters((1, 3), init=0)
    narrow[0] = [[1], [2], [3]]
    assert narrow.row_as_array(0).tolist() == [1, 2, 3]


def test_bounds_of_clipping(model):
    p = model.add_parameters(2, init=3)
    for bounds in ((1, -1), (np.nan, 1), (0, np.nan)):
        with pytest.raises(ValueError, match=r"clip_inplace: .* the first must not be larger"):
            p.clip_inplace(*bounds)
    assert p.as_array().tolist() == [3, 3]


# -- rows that come while averages take the place of weights


@pytest.mark.parametrize("kind", ["copy", "pickle", "file"])
def test_rows_beside_averages(kind, model, tmp_path):
    table = model.add_lookup_parameters((1, 2), init=1)
    trainer = dy.SimpleSGDTrainer(model, 0.5)
    trainer.exponential_moving_average(0.5)
    dy.squared_norm(table[0]).backward()
    trainer.update()
    trainer.swap_params_to_moving_average()
    table.add_rows(1, init=5)
    if kind == "file":
        trainer.save(tmp_path / "trainer")
        trainer.populate(tmp_path / "trainer")
        again = trainer, table
    else:
        pair = trainer, table
        trained, again_table = copy.deepcopy(pair) if kind == "copy" else pickle.loads(pickle.dumps(pair))
        again = trained, again_table
    for each, rows in ((trainer, table), again):
        if rows.as_array()[0, 0] != 0:
            each.swap_params_to_weights()
        assert rows.as_array().tolist() == [[0, 0], [5, 5]]


@pytest.mark.parametrize("flags", ["None +0 +1", "None +1 +0", "None +1 +1"])
def test_files_of_trainers_that_keep_what_is_not_there(flags, model, tmp_path):
    model.add_parameters(1)
    trainer = dy.SimpleSGDTrainer(model)
    trainer.save(tmp_path / "trainer")
    text = (tmp_path / "trainer").read_text()
    assert "None +0 +0" in text
    lines = text[: text.index("#Checksum#")].replace("None +0 +0", flags).split("\n")
    lines[0] = lines[0].rstrip(" ")
    (tmp_path / "trainer").write_text("\n".join(lines))
    with pytest.raises(RuntimeError, match="Could not load the trainer: weights are kept"):
        trainer.populate(tmp_path / "trainer")
    trainer.update()


# -- beside other threads and other code


def of_both(inner):
    return [*inner.parameters_list(), *inner.lookup_parameters_list()]


READERS = {
    "state_dict": lambda trainer, inner: inner.state_dict().values(),
    "pickle": lambda trainer, inner: of_both(pickle.loads(pickle.dumps(inner))),
    "deepcopy": lambda trainer, inner: of_both(copy.deepcopy(inner)),
    "with what has no other": lambda trainer, inner: of_both(copy.deepcopy([1, inner, {}])[1]),
    "trainer, pickled": lambda trainer, inner: pickle.loads(pickle.dumps((trainer, inner))),
    "trainer, copied": lambda trainer, inner: copy.deepcopy((trainer, inner)),
    "model before trainer, pickled": lambda trainer, inner: pickle.loads(pickle.dumps((inner, trainer)))[
        ::-1
    ],
    "model before trainer, copied": lambda trainer, inner: copy.deepcopy((inner, trainer))[::-1],
    "parameter first, pickled": lambda trainer, inner: with_parts(
        pickle.loads(pickle.dumps(parts(trainer, inner)))
    ),
    "parameter first, copied": lambda trainer, inner: with_parts(copy.deepcopy(parts(trainer, inner))),
}


def parts(trainer, inner):
    return inner.parameters_list()[3], inner.lookup_parameters_list()[0], trainer, inner


def with_parts(copies):
    """A trainer, and parameters that other handles refer to."""
    *alone, trainer, inner = copies
    for p, same in zip(alone, (inner.parameters_list()[3], inner.lookup_parameters_list()[0]), strict=True):
        assert np.array_equal(p.as_array(), same.as_array())
    return trainer, inner


@pytest.mark.parametrize("lies_in", [False, True], ids=["root", "sub-collection"])
@pytest.mark.parametrize("reader", READERS)
def test_states_are_of_one_moment(reader, lies_in, model):
    inner = model.add_subcollection("inner") if lies_in else model
    ps = [inner.add_parameters((40, 40), init=0) for _ in range(5)]
    table = inner.add_lookup_parameters((2, 800), init=0)
    trainer, stop = dy.SimpleSGDTrainer(inner, 1), threading.Event()
    trainer.set_clip_threshold(0)
    trainer.cumulative_moving_average()

    def train():
        while not stop.is_set():
            dy.renew_cg()
            dy.esum([*(dy.sum_elems(p) for p in ps), *(dy.sum_elems(table[i]) for i in range(2))]).backward()
            trainer.update()

    thread, interval = threading.Thread(target=train), sys.getswitchinterval()
    thread.start()
    try:
        sys.setswitchinterval(1e-6)
        for _ in range(40):
            read = READERS[reader](trainer, inner)
            if isinstance(read, tuple):
                # After n updates the values are -n, and their mean -(n + 1) / 2: less by one of either shows.
                again, read = read[0], of_both(read[1])
                values = read[0].as_array()[0, 0]
                assert {p.as_array()[0, 0] for p in read} == {values}
                if values:
                    again.swap_params_to_moving_average()
                    assert abs(read[0].as_array()[0, 0] - (values - 1) / 2) < 0.2
            else:
                arrays = [p if isinstance(p, np.ndarray) else p.as_array() for p in read]
                assert len({array[0, 0] for array in arrays}) == 1
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        thread.join()
    later = pickle.loads(pickle.dumps(ps[0])), copy.deepcopy(table)
    assert [p.as_array()[0, 0] for p in later] == [p.as_array()[0, 0] for p in (ps[0], table)]


def test_a_table_that_grows_while_a_state_is_read(model):
    p, table = model.add_parameters(2, init=0), model.add_lookup_parameters((2, 3), init=0)
    state = model.state_dict()

    class Growing:
        def __array__(self, *_, **__):
            table.add_rows(1, init=9)
            return np.ones((2, 3))

    with pytest.raises(ValueError, match="load_state_dict: "):
        model.load_state_dict({**state, "/_0": np.ones(2), "/_1": Growing()})
    assert not p.as_array().any() and table.as_array()[:, 0].tolist() == [0, 0, 9]


def test_finalizers_add_parameters_of_their_own(model):
    pickled = pickle.dumps(dy.VanillaLSTMBuilder(1, 3, 4, model))
    own, added = dy.ParameterCollection(), []

    class Finalized:
        def __init__(self):
            self.itself = self

        def __del__(self):
            added.append(own.add_parameters((16, 3)))

    threshold = gc.get_threshold()
    try:
        for i in range(20):
            Finalized()
            gc.set_threshold(1 + i % 7)
            pickle.loads(pickled)
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    assert len(added) == 20 and len(own.parameters_list()) == 20


# -- builders of files


@dataclasses.dataclass
class Job:
    layers: int
    command: str
    hidden: int
    model: object

    def __post_init__(self):
        raise AssertionError("a file has run it")


LARGE_RANGE = b"cbuiltins\nrange\nI0\nL99999999999\n\x86R"
SPECS = {
    "a class that is no builder": f"c{__name__}\nJob\nN".encode(),
    "layers of nothing": b"N]NN\x86a",
    "layers of a text": b"NX\x04\0\0\0abcd",
    "more layers than memory": b"N" + LARGE_RANGE,
}


@pytest.mark.parametrize("spec", SPECS)
def test_networks_of_both_directions_of_files(spec, model, tmp_path):
    name = tmp_path / "model"
    dy.save(name, [dy.BiRNNBuilder(1, 4, 4, model, dy.GRUBuilder)])
    (again,) = dy.load(name, dy.ParameterCollection())
    assert isinstance(again.builder_layers[0][0], dy.GRUBuilder)
    body = b"\x80\x02(c_dynet\nBiRNNBuilder\n(K\x01K\x04K\x04" + SPECS[spec] + b"tX\x02\0\0\0/at."
    (tmp_path / "model.meta").write_bytes(body)
    with pytest.raises(RuntimeError, match="BiRNNBuilder"):
        dy.load(name, dy.ParameterCollection())


@pytest.mark.parametrize("kind", ["VanillaLSTMBuilder", "GRUBuilder", "StandardSoftmaxBuilder"])
def test_specs_of_more_items_than_memory(kind, model, tmp_path):
    name = tmp_path / "model"
    dy.save(name, [dy.GRUBuilder(1, 2, 2, model)])
    body = b"\x80\x02c_dynet\n" + kind.encode() + b"\n" + LARGE_RANGE + b"X\x02\0\0\0/a\x87."
    (tmp_path / "model.meta").write_bytes(body)
    with pytest.raises(RuntimeError, match="items"):
        dy.load(name, dy.ParameterCollection())
