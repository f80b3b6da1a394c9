"""Model files in Python: collections, single parameters, and lists of objects with what they are."""

import pickle
import sys

import numpy as np
import pytest

import dynet as dy


@pytest.fixture
def model():
    dy.renew_cg()
    return dy.ParameterCollection()


def arrays(collection):
    return [p.as_array() for p in collection.parameters_list() + collection.lookup_parameters_list()]


def fill(collection):
    collection.add_parameters((2, 3))
    collection.add_lookup_parameters((4, 2, 3))
    dy.LSTMBuilder(1, 2, 3, collection)
    return collection


@pytest.mark.parametrize(
    "save, populate", [("save", "populate"), ("write_to_textfile", "populate_from_textfile")]
)
def test_collections(model, tmp_path, save, populate):
    fill(model)
    getattr(model, save)(tmp_path / "all.model")
    other = fill(dy.ParameterCollection())
    getattr(other, populate)(str(tmp_path / "all.model"))
    for mine, theirs in zip(arrays(model), arrays(other), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-7)


def test_keys(model, tmp_path):
    file = tmp_path / "keys.model"
    first, second = model.add_subcollection("a"), model.add_subcollection("b")
    first.add_parameters(2, init=1)
    second.add_parameters(2, init=2)
    first.save(file)
    second.save(file, name="/other", append=True)
    target = dy.ParameterCollection()
    p = target.add_parameters(2)
    target.populate(file, "/other")
    assert p.value() == [2, 2]
    with pytest.raises(RuntimeError):
        target.populate(file)


def test_single_parameters(model, tmp_path):
    file = tmp_path / "one.model"
    p, table = model.add_parameters((2, 2)), model.add_lookup_parameters((3, 2))
    p.save(file, "/p")
    table.save(file, key="/t", append=True)
    other = dy.ParameterCollection()
    q, rows = other.load_param(file, "/p"), other.load_lookup_param(file, "/t")
    np.testing.assert_allclose(p.as_array(), q.as_array(), rtol=1e-7)
    np.testing.assert_allclose(table.as_array(), rows.as_array(), rtol=1e-7)
    q.zero()
    q.populate(file, "/p")
    rows.populate_from_textfile(file, "/t")
    np.testing.assert_allclose(p.as_array(), q.as_array(), rtol=1e-7)
    with pytest.raises(RuntimeError, match="Could not find key"):
        q.populate(file, "/x")
    with pytest.raises(RuntimeError, match="Could not read model from"):
        q.populate(tmp_path / "missing", "/x")


class Network:
    """A class of a program."""

    def __init__(self, spec, model):
        self.spec, self.collection = spec, model.add_subcollection("network")
        self.weights = self.collection.add_parameters(spec)

    @classmethod
    def from_spec(cls, spec, model):
        return cls(spec, model)

    def param_collection(self):
        return self.collection


BUILDERS = [
    dy.SimpleRNNBuilder,
    dy.GRUBuilder,
    dy.CoupledLSTMBuilder,
    dy.VanillaLSTMBuilder,
    dy.SparseLSTMBuilder,
    dy.CompactVanillaLSTMBuilder,
]


def test_lists_of_objects(model, tmp_path):
    objects = [model.add_parameters((2, 3)), model.add_lookup_parameters((4, 2)), Network((2, 2), model)]
    objects += [kind(2, 3, 4, model) for kind in BUILDERS]
    objects.append(dy.BiRNNBuilder(2, 3, 4, model, dy.VanillaLSTMBuilder))
    dy.save(tmp_path / "list", iter(objects))
    loaded = dy.load(str(tmp_path / "list"), dy.ParameterCollection())
    assert [type(o) for o in loaded] == [type(o) for o in objects]
    for before, after in zip(objects[:2], loaded[:2], strict=True):
        np.testing.assert_allclose(before.as_array(), after.as_array(), rtol=1e-7)
    for before, after in zip(objects[2:], loaded[2:], strict=True):
        assert before.spec[:3] == after.spec[:3]
        for mine, theirs in zip(
            arrays(before.param_collection()), arrays(after.param_collection()), strict=True
        ):
            np.testing.assert_allclose(mine, theirs, rtol=1e-7)


def test_generator(model, tmp_path):
    dy.save(tmp_path / "list", [model.add_parameters(2, init=i) for i in range(3)])
    loaded = dy.load_generator(tmp_path / "list", dy.ParameterCollection())
    assert next(loaded).value() == [0, 0]
    assert [p.value()[0] for p in loaded] == [1, 2]


def test_files_name_classes_as_dynet_2_does(model, tmp_path):
    dy.save(
        tmp_path / "list", [dy.GRUBuilder(1, 2, 3, model), dy.BiRNNBuilder(1, 2, 4, model, dy.GRUBuilder)]
    )
    meta = (tmp_path / "list.meta").read_bytes()
    assert b"c_dynet\nGRUBuilder\n" in meta and b"c_dynet\nBiRNNBuilder\n" in meta
    assert b"dynet.rnn" not in meta and b"dynet._dynet" not in meta
    import _dynet

    assert _dynet.GRUBuilder is dy.GRUBuilder and sys.modules["_dynet"] is _dynet
    assert pickle.loads(meta)[0] is dy.GRUBuilder


def test_files_of_the_newest_pickle_protocol(model, tmp_path):
    import _dynet  # noqa: F401  The module that the pickle names.

    model.add_parameters(2, init=4).save(tmp_path / "list.data")

    (tmp_path / "list.meta").write_bytes(pickle.dumps(("Parameters", "/_0"), protocol=4))
    assert dy.load(tmp_path / "list", dy.ParameterCollection())[0].value() == [4, 4]


def test_failed_saves_leave_the_old_file(model, tmp_path):
    p = model.add_parameters(2, init=1)
    dy.save(tmp_path / "list", [p])
    with pytest.raises(AttributeError):
        dy.save(tmp_path / "list", [p, 3])
    assert dy.load(tmp_path / "list", dy.ParameterCollection())[0].value() == [1, 1]
