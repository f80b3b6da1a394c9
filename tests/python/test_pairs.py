"""The two files of dy.save: never torn, refused as a whole where they are damaged, and harmless."""

import collections
import os
import pathlib
import pickle
import re
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest

import dynet as dy


class Network:
    """A class of a program; from_spec fails for a spec of "fail"."""

    def __init__(self, model, spec, shared=False):
        self.spec = spec
        self.collection = model if shared else model.add_subcollection("network")
        self.weights = self.collection.parameters_list() or [self.collection.add_parameters(2, init=1)]

    def param_collection(self):
        return self.collection

    @classmethod
    def from_spec(cls, spec, model):
        network = cls(model, spec, shared=spec == "shared")
        if spec == "fail":
            raise KeyError("this network fails")
        return network


class Hidden:
    """Its class has no from_spec."""

    def __init__(self, model):
        self.spec, self.from_spec, self.param_collection = (), None, lambda: model


def a_function():
    return 1


@pytest.fixture
def name(tmp_path):
    return str(tmp_path / "model")


def objects():
    """One of each kind."""
    model = dy.ParameterCollection()
    return [
        model.add_parameters(3),
        model.add_lookup_parameters((3, 2)),
        dy.LSTMBuilder(1, 2, 2, model),
        dy.BiRNNBuilder(1, 2, 4, model, dy.GRUBuilder),
        Network(model, {"a": collections.Counter("aab"), "numbers": np.arange(3), "kinds": [int, dy.tanh]}),
    ]


def state(model):
    return [
        (p.name(), p.as_array().tolist()) for p in model.parameters_list() + model.lookup_parameters_list()
    ]


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, text):
    with open(path, "wb") as file:
        file.write(text)


def unstamped(meta):
    """As DyNet 2 would have written it."""
    meta = re.sub(rb"X.\0\0\0dynet \d+ \d+0", b"", meta, count=1, flags=re.DOTALL)
    return re.sub(rb"X\x12\0\0\0dynet end .{8}0\.\Z", b".", meta, flags=re.DOTALL)


def load_damaged(name):
    """What was loaded, if anything; a refused load leaves the collection as it was, names included."""
    model = dy.ParameterCollection()
    model.add_parameters(2, init=1)
    before = state(model)
    try:
        loaded = dy.load(name, model)
    except (RuntimeError, pickle.UnpicklingError) as error:
        assert "model." in str(error)
        assert state(model) == before
        assert (model.add_parameters(1).name(), model.add_subcollection().name()) == ("/_1", "/_0/")
        return None
    return loaded


def damaged(whole):
    """Every cut and every flip."""
    yield from (whole[:size] for size in range(len(whole)))
    for place in range(len(whole)):
        for bit in range(8):
            yield whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :]


@pytest.mark.parametrize("suffix, step", [(".meta", 3), (".data", 23)])
def test_whatever_is_cut_or_changed_is_refused(name, suffix, step):
    dy.save(name, objects())
    for i, text in enumerate(damaged(read(name + suffix))):
        if i % step == 0:
            write(name + suffix, text)
            assert load_damaged(name) is None


def test_damaged_files_of_dynet_2_are_refused_or_harmless(name):
    """They have no checksums: names and numbers may be others, and the last objects may be missing."""
    dy.save(name, objects())
    whole = unstamped(read(name + ".meta"))
    write(name + ".meta", whole)
    assert len(load_damaged(name)) == 5
    for i, text in enumerate(damaged(whole)):
        if i % 3 == 0:
            write(name + ".meta", text)
            load_damaged(name)


def shared_copies(kind):
    """A list of a hundred thousand, and as many copies of it."""
    content = b"]q\0(" + b"K\1" * 100_000 + b"e0" + kind + b"q\1"
    return content + b"h\1h\0\x85R" * 100_000 + b"."


BOMBS = {
    "a long text": b"X\xff\xff\xff\x7f",
    "a long number": b"\x8b\xff\xff\xff\x7f.",
    "a number of many digits": b"L" + b"9" * 1_000_000 + b"L\n.",
    "bytes of any size": b"\x8e" + b"\xff" * 7 + b"\x7f.",
    "a bytearray of a size": b"c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R.",
    "a list of a range": b"c__builtin__\nlist\nc__builtin__\nrange\nJ\xff\xff\xff\x7f\x85R\x85R.",
    "a set of a range": b"c__builtin__\nset\nc__builtin__\nrange\nJ\xff\xff\xff\x7f\x85R\x85R.",
    "a tuple that doubles": b"}(" + b")" + b"2\x86" * 60 + b"K\1u.",
    "a tuple without end": b"}(" + b")" + b"\x85" * 100_000 + b"K\1u.",
    "an array of a size": b"cnumpy\nndarray\nJ\xff\xff\xff\x7f\x85\x85R.",
    "an array without its numbers": pickle.dumps(np.zeros(3), 2).replace(
        b"K\x03\x85", b"J\xff\xff\xff\x7f\x85"
    ),
    "copies": shared_copies(b"c__builtin__\nset\n"),
    "a place of the memo": b"Nr\xff\xff\xff\x7f.",
    "no object": b"N.",
    "an empty stack": b".",
    "layers without end": pickle.dumps((dy.GRUBuilder, (2**31, 1, 1), "/gru/"), 2),
    "layers without measure": pickle.dumps((dy.GRUBuilder, (1, 2**20, 2**20), "/gru/"), 2),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs(name, bomb):
    dy.save(name, objects())
    write(name + ".meta", BOMBS[bomb])
    assert load_damaged(name) is None


SPECS = {
    "dict": {"a": 1, (1, ("b", 2)): {3}},
    "Counter": collections.Counter("abca"),
    "defaultdict": collections.defaultdict(int, {"a": 1}),
    "defaultdict of lists": collections.defaultdict(list, {"a": [1]}),
    "OrderedDict": collections.OrderedDict(a=1),
    "deque": collections.deque([1, 2], 5),
    "types": [int, float, str, bytes, list, dict, object, collections.Counter, np.float32, np.ndarray],
    "classes": [dy.GRUBuilder, Network, dy.tanh],
    "bytes": [b"", b"\xff", bytearray(b"a")],
    "names in texts": "cdynet._dynet\nGRUBuilder\n",
    "arrays": [np.arange(6.0).reshape(2, 3), np.float32(2), np.array(["a", "bc"]), np.array([{}], object)],
    "others": [None, True, 2**100, 1.5, 1j, range(3), slice(1, 2), {1}, frozenset({2})],
}


@pytest.mark.parametrize("spec", SPECS)
def test_what_is_saved_can_be_loaded(name, spec):
    dy.save(name, [Network(dy.ParameterCollection(), SPECS[spec])])
    (loaded,) = dy.load(name, dy.ParameterCollection())
    assert repr(loaded.spec) == repr(SPECS[spec])


@pytest.mark.parametrize(
    "saved, what",
    [
        (Network(dy.ParameterCollection(), lambda: 1), "lambda"),
        (Network(dy.ParameterCollection(), print), "print"),
        (Network(dy.ParameterCollection(), threading.Lock()), "lock"),
        (Network(dy.ParameterCollection(), dy.ParameterCollection()), "what is learned"),
        (Hidden(dy.ParameterCollection()), "from_spec"),
    ],
    ids=["lambda", "print", "lock", "collection", "hidden"],
)
def test_what_could_not_be_loaded_is_not_saved(name, saved, what):
    with pytest.raises(TypeError, match=rf"save: \w+(\.spec)?, .* could not be loaded again: .*{what}"):
        dy.save(name, [saved])
    assert os.listdir(os.path.dirname(name)) == []


def test_functions_are_saved_for_those_who_allow_them(name):
    saved = [Network(dy.ParameterCollection(), a_function)]
    with pytest.raises(
        TypeError, match=r"save: Network\.spec, the function test_pairs\.a_function, could not"
    ):
        dy.save(name, saved)
    dy.save(name, saved, allowed=[a_function])
    assert load_damaged(name) is None
    (loaded,) = dy.load(name, dy.ParameterCollection(), allowed=[a_function])
    assert loaded.spec is a_function


def test_a_load_that_fails_later_adds_nothing(name):
    model = dy.ParameterCollection()
    own = model.add_parameters(2, init=3)
    source = dy.ParameterCollection().add_subcollection("source")
    source.add_parameters(2, init=4)
    dy.save(name, [Network(source, "shared", shared=True), Network(dy.ParameterCollection(), "fail")])
    before = state(model)
    with pytest.raises(KeyError, match="this network fails"):
        dy.load(name, model)
    assert state(model) == before
    assert model.add_subcollection("network").name() == "/network/"
    generator = dy.load_generator(name, model)
    assert next(generator).weights[0].value() == [4, 4] and own.value() == [4, 4]
    with pytest.raises(KeyError):
        next(generator)
    assert len(state(model)) == 1


def test_links_and_modes_stay(name, tmp_path):
    (tmp_path / "far").mkdir()
    for suffix, mode in ((".data", 0o640), (".meta", 0o604)):
        os.symlink(f"far/real{suffix}", name + suffix)
        dy.save(str(tmp_path / "far" / "real"), [])
        os.chmod(name + suffix, mode)
    dy.save(name, objects())
    for suffix, mode in ((".data", 0o640), (".meta", 0o604)):
        assert os.path.islink(name + suffix) and stat.S_IMODE(os.stat(name + suffix).st_mode) == mode
    assert len(dy.load(name, dy.ParameterCollection())) == 5
    assert sorted(os.listdir(tmp_path / "far")) == ["real.data", "real.meta"]


@pytest.mark.parametrize("old", ["none", "ours", "of DyNet 2", "empty"])
@pytest.mark.parametrize("new", [0, 1])
def test_the_meta_file_of_a_killed_saver_is_found(name, monkeypatch, old, new):
    """As a kill between the two files leaves them: the second one lies beside."""
    one, two = (dy.ParameterCollection().add_parameters(2, init=i) for i in (1, 2))
    if old != "none":
        dy.save(name, [] if old == "empty" else [one])
    if old == "of DyNet 2":
        write(name + ".meta", unstamped(read(name + ".meta")))
    other = name + "-other"
    dy.save(other, [two] * new)
    os.replace(other + ".data", name + ".data")
    os.replace(other + ".meta", name + ".meta.dynet-1-2-3.partial")
    assert [p.value() for p in dy.load(name, dy.ParameterCollection())] == [[2, 2]] * new
    dy.save(name, [one])
    assert sorted(os.listdir(os.path.dirname(name))) == ["model.data", "model.meta"]
    assert dy.load(name, dy.ParameterCollection())[0].value() == [1, 1]


def test_savers_of_many_threads(name):
    """The last one wins whole."""
    parameters = [dy.ParameterCollection().add_parameters(2, init=i) for i in range(4)]

    def save(p):
        for _ in range(10):
            dy.save(name, [p] * (1 + int(p.as_array()[0])))

    threads = [threading.Thread(target=save, args=(p,)) for p in parameters]
    for thread in threads:
        thread.start()
    for _ in range(30):
        loaded = dy.load(name, dy.ParameterCollection()) if os.path.exists(name + ".meta") else []
        assert {p.as_array()[0] + 1 for p in loaded} in (set(), {len(loaded)})
    for thread in threads:
        thread.join()
    loaded = dy.load(name, dy.ParameterCollection())
    assert {p.as_array()[0] + 1 for p in loaded} == {len(loaded)}
    assert sorted(os.listdir(os.path.dirname(name))) == ["model.data", "model.meta"]


def numbers(loaded):
    return [p.as_array().tolist() for p in loaded.param_collection().parameters_list()]


def test_objects_of_the_same_names(name):
    """As those of several collections, or what is saved alone and as a part, or twice."""
    models = [dy.ParameterCollection() for _ in range(3)]
    p, q, r = (m.add_parameters(2, init=i) for i, m in enumerate(models))
    dy.save(name, [p, q, r, q])
    assert [x.as_array()[0] for x in dy.load(name, dy.ParameterCollection())] == [0, 1, 2, 1]
    builders = [dy.GRUBuilder(1, 2, 2, m) for m in models]
    part = builders[1].param_collection().parameters_list()[3]
    saved = [part, *builders, builders[0], part]
    dy.save(name, saved)
    loaded = dy.load(name, dy.ParameterCollection())
    assert loaded[0].as_array().tolist() == loaded[-1].as_array().tolist() == part.as_array().tolist()
    for old, new in zip(saved[1:5], loaded[1:5], strict=True):
        assert numbers(old) == numbers(new)
    root = dy.ParameterCollection()
    root.add_parameters(2, init=7)
    dy.save(name, [Network(root, "shared", shared=True), p])
    network, parameter = dy.load(name, dy.ParameterCollection())
    assert network.weights[0].value() == [7, 7] and parameter.value() == p.value()


def test_a_collection_with_a_parameter_that_a_file_has_named(name):
    source = dy.ParameterCollection()
    for key in ("/w", "alone"):
        source.add_parameters(1, init=5).save(name + ".txt", key, append=True)
    model = dy.ParameterCollection()
    network = Network(model, "shared", shared=True)
    inner = Network(model, "inner")
    for target in (model, inner.collection):
        for key in ("/w", "alone"):
            target.load_param(name + ".txt", key)
    for each in (network, inner):
        dy.save(name, [each])
        fresh = dy.ParameterCollection()
        for number in range(len(each.collection.parameters_list())):
            fresh.add_parameters(each.collection.parameters_list()[number].shape())
        if each is inner:
            with pytest.raises(RuntimeError, match="Too many parameters"):
                dy.load(name, dy.ParameterCollection())
        fresh.populate(name + ".data", "" if each is network else "/network")
        assert [p.value() for p in fresh.parameters_list()] == [
            p.value() for p in each.collection.parameters_list()
        ]


def test_errors_say_what_would_be_right(name, tmp_path, monkeypatch):
    p = dy.ParameterCollection().add_parameters(2)
    with pytest.raises(FileNotFoundError, match=r"save: there is no such folder; make it first.*none"):
        dy.save(tmp_path / "none" / "model", [p])
    with pytest.raises(FileNotFoundError, match=r"load: there is no such file; save writes .*model\.meta"):
        dy.load(name, dy.ParameterCollection())
    with pytest.raises(TypeError, match="load: 3 was given"):
        dy.load(name, 3)
    with pytest.raises(TypeError, match="save: 3 was given"):
        dy.save(3, [p])
    for wrong in (3, p, None):
        with pytest.raises(TypeError, match=r"save: .* was given; a list of what is to be saved is needed"):
            dy.save(name, wrong)
    dy.save(name, [])
    with pytest.raises(TypeError, match="load: allowed: 3 was given; a list of classes and functions"):
        dy.load(name, dy.ParameterCollection(), 3)
    for suffix in (".data", ".meta"):
        os.remove(name + suffix)
    with pytest.raises(RuntimeError, match=r"there is no folder .*none; make it first"):
        dy.ParameterCollection().save(tmp_path / "none" / "model")
    with pytest.raises(RuntimeError, match="it is a folder; the name of a file is needed"):
        dy.ParameterCollection().save(tmp_path)
    os.mkdir(name + ".meta")
    with pytest.raises(IsADirectoryError, match=r"save: .*model\.meta"):
        dy.save(name, [p])
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="save: no file can be made in the folder; make it writable"):
        dy.save(str(tmp_path / "other"), [p])


@pytest.mark.parametrize("format_", ["pair", "text", "safetensors", "appended", "trainer"])
def test_kills_and_loads_beside_saves(format_):
    """A few; `python tests/fuzz/kills.py` does more."""
    program = pathlib.Path(__file__).parents[1] / "fuzz" / "kills.py"
    path = os.pathsep.join([os.path.dirname(os.path.dirname(dy.__file__)), *sys.path])
    few = ["--kills", "2", "--loads", "40", "--size", "12", "--formats", format_]
    command, environment = [sys.executable, program, *few], {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Trained(Network):
    """It trains while it is loaded, and fails."""

    @classmethod
    def from_spec(cls, spec, model):
        network = super().from_spec(spec, model)
        step(network.weights[0], spec)
        raise KeyError("this network fails")


def step(parameter, trainer):
    dy.renew_cg()
    dy.squared_norm(parameter).backward()
    TRAINERS[trainer].update()


TRAINERS = {}


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("size", [2, 50_000])
def test_a_refused_load_leaves_no_state_of_trainers(name, size, average):
    model = dy.ParameterCollection()
    dy.save(name, [Trained(dy.ParameterCollection(), "trainer")])
    for refused in (True, False):
        model = dy.ParameterCollection()
        first = model.add_parameters(3, init=1)
        TRAINERS["trainer"] = trainer = dy.AdamTrainer(model)
        if average:
            trainer.exponential_moving_average(0.5)
        if refused:
            with pytest.raises(KeyError, match="fails"):
                dy.load(name, model)
        else:  # the same number of updates
            step(dy.ParameterCollection().add_parameters(1), "trainer")
        added = model.add_parameters(size, init=1)
        step(added, "trainer")
        if average:
            trainer.swap_params_to_moving_average()
        if refused:
            values = first.as_array(), added.as_array()
            trainer.save(name)
            dy.AdamTrainer(model).populate(name)
    np.testing.assert_array_equal(values[0], first.as_array())
    np.testing.assert_array_equal(values[1], added.as_array())
