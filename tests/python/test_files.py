"""Model files in Python: collections, single parameters, and lists of objects with what they are."""

import collections
import copy
import operator
import os
import pickle
import random
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


class Call:
    """Pickles as the call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "call",
    [
        Call(os.system, "echo harmed > harmed"),
        Call(eval, "open('harmed', 'w')"),
        Call(getattr, "", "join"),
        Call(dy.save, "harmed", []),
        Call(operator.attrgetter, "system"),
        Call(np.save, "harmed.npy", 1),
    ],
    ids=["system", "eval", "getattr", "save", "attrgetter", "numpy"],
)
def test_files_cannot_run_code(model, tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    model.add_parameters(2).save("list.data")
    for protocol in (2, 4):
        data = pickle.dumps((Network, call, "/_0"), protocol=protocol)
        (tmp_path / "list.meta").write_bytes(data)
        with pytest.raises(pickle.UnpicklingError, match=r"list\.meta: it names"):
            dy.load("list", dy.ParameterCollection())
    assert sorted(f.name for f in tmp_path.iterdir()) == ["list.data", "list.meta"]


def test_modules_are_not_imported_by_files(model, tmp_path):
    model.add_parameters(2).save(tmp_path / "list.data")
    (tmp_path / "list.meta").write_bytes(b"cthis\nNetwork\n.")
    with pytest.raises(pickle.UnpicklingError, match=r"names this\.Network"):
        dy.load(tmp_path / "list", model)
    assert "this" not in sys.modules


class Configured(Network):
    """A class whose spec holds more than a shape."""

    def __init__(self, spec, model):
        super().__init__(spec[0], model)
        self.spec = spec


def an_activation(x):
    return dy.tanh(x)


def test_specs_of_many_kinds(model, tmp_path):
    kinds = [
        {1, 2},
        1j,
        b"\xff",
        range(3),
        collections.OrderedDict(a=1),
        np.float32(2),
        dy.GRUBuilder,
        Network,
    ]
    dy.save(tmp_path / "list", [Configured(((2, 2), kinds, np.arange(3)), model)])
    (loaded,) = dy.load(tmp_path / "list", dy.ParameterCollection())
    assert loaded.spec[1] == kinds and loaded.spec[2].tolist() == [0, 1, 2]
    dy.save(tmp_path / "list", [Configured(((2, 2), an_activation), model)], allowed=[an_activation])
    with pytest.raises(pickle.UnpicklingError, match=r"an_activation.* pass others in `allowed`"):
        dy.load(tmp_path / "list", dy.ParameterCollection())
    (loaded,) = dy.load(tmp_path / "list", dy.ParameterCollection(), allowed=[an_activation])
    assert loaded.spec[1] is an_activation


def test_damaged_lists(model, tmp_path):
    dy.save(tmp_path / "list", [model.add_parameters(2), dy.GRUBuilder(1, 2, 3, model)])
    whole = (tmp_path / "list.meta").read_bytes()
    for size in range(1, len(whole)):
        (tmp_path / "list.meta").write_bytes(whole[:size])
        try:
            loaded = dy.load(tmp_path / "list", dy.ParameterCollection())
            assert len(loaded) == 1
        except (RuntimeError, pickle.UnpicklingError) as error:
            assert "list.meta" in str(error)


def test_failed_saves_leave_the_old_file(model, tmp_path):
    p = model.add_parameters(2, init=1)
    dy.save(tmp_path / "list", [p])
    with pytest.raises(TypeError, match="type int was given; Parameters"):
        dy.save(tmp_path / "list", [p, 3])
    with pytest.raises(TypeError, match="a list of what is to be saved"):
        dy.save(tmp_path / "list", p)
    assert dy.load(tmp_path / "list", dy.ParameterCollection())[0].value() == [1, 1]


def test_random_damage(model, tmp_path):
    """Either the shapes are the same, or an error names the file; nothing is loaded in part."""
    fill(model)
    parameters = model.parameters_list() + model.lookup_parameters_list()
    dy.sum_elems(parameters[0]).backward()
    file, damaged = tmp_path / "whole.model", tmp_path / "damaged.model"
    model.save(file)
    whole, draw = file.read_bytes(), random.Random(1)
    assert b"FULL_GRAD" in whole and b"ZERO_GRAD" in whole
    headers = [i for i in range(len(whole)) if whole[whole.rfind(b"\n", 0, i) + 1 :][:1] == b"#"]
    failures = 0
    for _ in range(2000):
        for p in parameters:
            p.zero()
        bytes_ = bytearray(whole)
        for _ in range(draw.randint(1, 3)):
            places = headers if draw.random() < 0.7 else range(len(whole))
            bytes_[draw.choice(places)] = draw.choice([draw.randrange(256), *b"019{},# \n\r\0"])
        damaged.write_bytes(bytes_[: draw.choice([len(bytes_)] * 3 + [draw.randrange(len(bytes_))])])
        try:
            model.populate(damaged)
        except RuntimeError as error:
            failures += 1
            assert "damaged.model" in str(error)
            assert not any(np.any(p.as_array()) for p in parameters)
    assert 500 < failures < 2000


def test_errors_name_files_that_are_not_utf8(model, tmp_path):
    file = str(tmp_path / "bad\udcffname")
    with pytest.raises(RuntimeError, match=r"bad.name: No such file"):
        model.populate(file)
    model.add_parameters(2, init=1)
    model.save(file)
    model.populate(file)


def test_the_two_files_of_a_list_belong_together(model, tmp_path):
    p, q = model.add_parameters(2, init=1, name="p"), model.add_parameters(2, init=2, name="q")
    dy.save(tmp_path / "one", [p, q])
    dy.save(tmp_path / "other", [q, p])
    os.replace(tmp_path / "other.data", tmp_path / "one.data")
    with pytest.raises(RuntimeError, match=r"one\.data is not the file that .*one\.meta describes"):
        dy.load(tmp_path / "one", dy.ParameterCollection())


def test_numbers_may_be_added_to_the_file_of_a_list(model, tmp_path):
    p = model.add_parameters(2, init=1)
    dy.save(tmp_path / "list", [p])
    p.save(tmp_path / "list.data", "/more", append=True)
    assert dy.load(tmp_path / "list", dy.ParameterCollection())[0].value() == [1, 1]


def test_lists_of_dynet_2_have_no_stamp(model, tmp_path):
    p = model.add_parameters(2, init=1, name="p")
    dy.save(tmp_path / "list", [p])
    (tmp_path / "list.meta").write_bytes(pickle.dumps(("Parameters", "/p")))
    assert dy.load(tmp_path / "list", dy.ParameterCollection())[0].value() == [1, 1]
    assert dy.load(tmp_path / "list", dy.ParameterCollection())[0].name() == "/p"


def through(save, populate):
    """What is filled from a file: a collection of the same structure, made anew."""

    def way(model, p, builder, path):
        save(model, path)
        other = dy.ParameterCollection()
        q, other_builder = other.add_parameters(2, init=7, name="p"), dy.GRUBuilder(1, 2, 2, other)
        populate(other, path)
        return other, q, other_builder

    return way


def by_save(model, p, builder, path):
    dy.save(path / "both", [p, builder])
    other = dy.ParameterCollection()
    return other, *dy.load(path / "both", other)


def text(method):
    return lambda model, path: getattr(model, method)(path / "model")


def tensors(method):
    return lambda model, path: getattr(model, method)(path / "model.safetensors")


def with_state(other, path):
    other.load_state_dict(pickle.loads((path / "state").read_bytes()))


# As docs/migration.md has it: gradients, and frozen flags, weight decay and rates of dropout.
KEEPS = {
    "text": (through(text("save"), text("populate")), True, False),
    "safetensors": (through(tensors("save"), tensors("populate")), False, False),
    "state_dict": (
        through(lambda m, path: (path / "state").write_bytes(pickle.dumps(m.state_dict())), with_state),
        False,
        False,
    ),
    "dy.save": (by_save, True, False),
    "pickle": (lambda m, p, builder, _: pickle.loads(pickle.dumps((m, p, builder))), False, True),
    "deepcopy": (lambda m, p, builder, _: copy.deepcopy((m, p, builder)), False, True),
}


@pytest.mark.parametrize("way", KEEPS)
def test_what_each_way_of_saving_keeps(way, tmp_path):
    model = dy.ParameterCollection()
    p, builder = model.add_parameters(2, init=1, name="p"), dy.GRUBuilder(1, 2, 2, model)
    builder.get_parameters()[0][0].set_updated(False), p.set_gradient([1, 2])
    builder.set_dropout(1), model.set_weight_decay(0.5)
    again, gradients, settings = KEEPS[way]
    other, q, other_builder = again(model, p, builder, tmp_path)
    assert q.as_array().tolist() == [1, 1] and q.name() == "/p"
    assert q.grad_as_array().tolist() == ([1, 2] if gradients else [0, 0])
    frozen = other_builder.get_parameters()[0][0]
    assert frozen.is_updated() != settings and (other.get_weight_decay() == 0.5) == settings
    dy.renew_cg()
    output = other_builder.initial_state().add_input(dy.inputVector([1, 1])).output().value()
    assert (output == [0, 0]) == settings  # with all dropped


@pytest.mark.parametrize("with_checksums", [True, False])
def test_windows_line_ends(model, tmp_path, with_checksums):
    """Git converts texts; their checksums are those of the texts before."""
    fill(model)
    parameters = model.parameters_list() + model.lookup_parameters_list()
    dy.sum_elems(parameters[0]).backward()
    file = tmp_path / "windows.model"
    model.save(file)
    model.populate(file)  # doubles have more digits than their text
    text = file.read_bytes()
    if not with_checksums:
        text = b"\n".join(
            line[: -len(b"crc32:01234567")] if b"crc32:" in line else line for line in text.split(b"\n")
        )
    whole, expected = text.replace(b"\n", b"\r\n"), arrays(model)
    kept = [whole, whole + b"\r\n", text + whole]
    for part in kept + ([whole[:-1], whole[:-2]] if with_checksums else []):
        file.write_bytes(part)
        for p in parameters:
            p.zero()
        if part is kept[2]:
            parameters[0].populate(file, "/_0")
            assert parameters[0].as_array().tolist() == expected[0].tolist()
            continue
        model.populate(file)
        for array, known in zip(arrays(model), expected, strict=True):
            np.testing.assert_array_equal(array, known)
    if with_checksums:
        file.write_bytes(whole.replace(b"1", b"2", 1))
        with pytest.raises(RuntimeError, match="is damaged"):
            model.populate(file)


def test_windows_line_ends_of_lists(model, tmp_path):
    dy.save(tmp_path / "list", [model.add_parameters(2, init=1)])
    data = tmp_path / "list.data"
    data.write_bytes(data.read_bytes().replace(b"\n", b"\r\n"))
    assert dy.load(tmp_path / "list", dy.ParameterCollection())[0].value() == [1, 1]
