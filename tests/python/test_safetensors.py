"""The safetensors format: what the package of that name sees, and files that are damaged or meant to harm."""

import json
import random
import struct

import numpy as np
import pytest

import dynet as dy

DTYPE = dy.__precision__


@pytest.fixture
def model():
    dy.renew_cg()
    return dy.ParameterCollection()


@pytest.fixture
def official():
    """The package that other toolkits write and read with."""
    return pytest.importorskip("safetensors.numpy")


def fill(collection):
    """Every kind of shape; the names are /W, /part/E, …"""
    part = collection.add_subcollection("part")
    return [
        collection.add_parameters((2, 3), name="W"),
        collection.add_parameters(4, name="b"),
        part.add_parameters((2, 1, 3, 2), name="filter"),
        part.add_lookup_parameters((5, 3), name="E"),
        collection.add_lookup_parameters((4, 2, 3), name="tensors"),
    ]


def arrays(parameters):
    return {p.name(): p.as_array() for p in parameters}


def write(file, header, data=b""):
    """A file with this header, which is JSON text or what becomes it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + data)


def test_the_package_sees_the_arrays(model, tmp_path, official):
    parameters = fill(model)
    model.save(tmp_path / "λόγος.safetensors")
    seen = official.load_file(tmp_path / "λόγος.safetensors")
    assert seen.keys() == arrays(parameters).keys()
    for name, array in arrays(parameters).items():
        assert seen[name].shape == array.shape and seen[name].dtype == DTYPE
        np.testing.assert_array_equal(seen[name], array)


def test_the_package_writes_the_arrays(model, tmp_path, official):
    """It takes the order of memory for meaning; so do gradients, values, and our reader of its file."""
    parameters = fill(model)
    dy.renew_cg()
    x = dy.inputTensor(np.arange(24).reshape(2, 3, 4))
    y = dy.sum_elems(dy.square(model.parameters_list()[0]))
    y.backward()
    given = arrays(parameters) | {"value": x.npvalue(), "gradient": parameters[0].grad_as_array()}
    official.save_file(given, tmp_path / "m.safetensors")
    seen = official.load_file(tmp_path / "m.safetensors")
    for name, array in given.items():
        np.testing.assert_array_equal(seen[name], array)
    official.save_file(arrays(parameters), tmp_path / "m.safetensors")
    before = arrays(parameters)
    for p in model.parameters_list():
        p.scale(2)
    model.populate(tmp_path / "m.safetensors")
    for name, array in arrays(parameters).items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_files_of_the_package_are_read(model, tmp_path, official, dtype):
    parameters = fill(model)
    numbers = np.random.default_rng(1)
    given = {n: numbers.normal(size=a.shape).astype(dtype) for n, a in arrays(parameters).items()}
    official.save_file(given, tmp_path / "m.safetensors", metadata={"format": "np"})
    model.populate(tmp_path / "m.safetensors")
    for name, array in arrays(parameters).items():
        np.testing.assert_array_equal(array, given[name].astype(DTYPE))
    table = model.load_lookup_param(tmp_path / "m.safetensors", "/part/E")
    np.testing.assert_array_equal(table.as_array(), given["/part/E"].astype(DTYPE))
    assert table[2].value() == pytest.approx(given["/part/E"][2].tolist())
    loaded = model.load_param(str(tmp_path / "m.safetensors"), "/part/filter")
    np.testing.assert_array_equal(loaded.as_array(), given["/part/filter"].astype(DTYPE))


def test_halves_of_both_kinds(model, tmp_path):
    p = model.add_parameters(6, name="p")
    halves = [0x3C00, 0xC000, 0x0001, 0x7BFF, 0xFC00, 0x8000]
    entry = {"/p": {"dtype": "F16", "shape": [6], "data_offsets": [0, 12]}}
    write(tmp_path / "m.safetensors", entry, struct.pack("<6H", *halves))
    model.populate(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(p.as_array(), np.array(halves, np.uint16).view(np.float16))
    entry["/p"]["dtype"] = "BF16"
    write(tmp_path / "m.safetensors", entry, struct.pack("<6H", *halves))
    model.populate(tmp_path / "m.safetensors")
    bits = np.array(halves, np.uint32) << 16
    np.testing.assert_array_equal(p.as_array(), bits.view(np.float32).astype(DTYPE))


def test_round_trips_and_keys(model, tmp_path):
    file = tmp_path / "m.safetensors"
    parameters = fill(model)
    model.save(file, "/left")
    model.save(file, "/right", append=True)
    parameters[0].save(file, "/alone", append=True)
    other = dy.ParameterCollection()
    copies = fill(other)
    other.populate(file, "/right")
    for mine, theirs in zip(parameters, copies, strict=True):
        np.testing.assert_array_equal(mine.as_array(), theirs.as_array())
    copies[0].zero()
    copies[0].populate(file, "/alone")
    np.testing.assert_array_equal(copies[0].as_array(), parameters[0].as_array())
    with pytest.raises(ValueError, match="would be twice"):
        parameters[0].save(file, "/alone", append=True)
    with pytest.raises(RuntimeError, match="Could not find key /W"):
        other.populate(file)
    with pytest.raises(RuntimeError, match=r"shape \(2,3\) of /alone in .* \(4\)"):
        copies[1].populate(file, "/alone")
    with pytest.raises(RuntimeError, match="does not have"):
        part = dy.ParameterCollection()
        part.add_parameters((2, 3), name="W")
        part.populate(file, "/left")
    with pytest.raises(ValueError, match="Key should start"):
        model.save(file, "left")
    part = model.add_subcollection("own")
    p = part.add_parameters(3, name="p")
    part.save(tmp_path / "part.safetensors", "/other")
    p.zero()
    part.populate(tmp_path / "part.safetensors", "/other")
    assert np.any(p.as_array())


def test_values_are_written_with_their_decay_and_gradients_cleared(model, tmp_path):
    p = model.add_parameters(2, init=2, name="p")
    model.set_weight_decay_lambda(0.5)
    trainer = dy.SimpleSGDTrainer(model, 0.0)
    dy.sum_elems(p).backward()
    trainer.update()
    model.save(tmp_path / "m.safetensors")
    other = dy.ParameterCollection()
    q = other.add_parameters(2, name="p")
    dy.renew_cg()
    dy.sum_elems(q).backward()
    other.populate(tmp_path / "m.safetensors")
    assert q.as_array().tolist() == [1, 1] and q.grad_as_array().tolist() == [0, 0]


def test_saves_are_atomic(model, tmp_path):
    file = tmp_path / "m.safetensors"
    p = model.add_parameters(2, init=1, name="p")
    p.save(file)
    before = file.read_bytes()
    with pytest.raises(ValueError):
        p.save(file, append=True)
    assert file.read_bytes() == before and [f.name for f in tmp_path.iterdir()] == ["m.safetensors"]


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
HOSTILE = {
    "a length beyond the file": struct.pack("<Q", 2**63) + b"{}",
    "a length that wraps": struct.pack("<Q", 2**64 - 4) + b"{}" * 8,
    "nothing": b"",
    "a short length": b"\x02\0\0",
}
HEADERS = {
    "no JSON": b"hello",
    "unfinished": b'{"/p":{"dtype":"F32","shape":[2],',
    "deeply nested": b'{"/p":' + b"[" * 200000,
    "something behind": json.dumps({"/p": ENTRY}).encode() + b"{}",
    "twice": b'{"/p":%s,"/p":%s}' % ((json.dumps(ENTRY).encode(),) * 2),
    "a name that would cut the message": b'{"\\u0000/p":{}}',
    "half a pair": b'{"\\ud800":{}}',
    "offsets reversed": {"/p": {**ENTRY, "data_offsets": [8, 0]}},
    "offsets beyond": {"/p": {**ENTRY, "data_offsets": [0, 2**40]}},
    "offsets that overflow": {"/p": {**ENTRY, "data_offsets": [0, 2**70]}},
    "negative": {"/p": {**ENTRY, "data_offsets": [-8, 0]}},
    "three offsets": {"/p": {**ENTRY, "data_offsets": [0, 8, 8]}},
    "a wrong size": {"/p": {**ENTRY, "shape": [3]}},
    "a product that overflows": {"/p": {**ENTRY, "shape": [2**32, 2**32, 2]}},
    "a hole": {"/p": {**ENTRY, "shape": [1], "data_offsets": [4, 8]}},
    "bytes of nobody": {"/p": {**ENTRY, "shape": [1], "data_offsets": [0, 4]}},
    "an overlap": {"/p": ENTRY, "/q": {**ENTRY, "shape": [1], "data_offsets": [4, 8]}},
    "no dtype": {"/p": {"shape": [2], "data_offsets": [0, 8]}},
    "an unknown property in place of one": {"/p": {"dtype": "F32", "shape": [2], "more": [0, 8]}},
    "a property twice": b'{"/p":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1,"more":1}}',
    "no value": b'{"/p":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":}}',
    "half a word": b'{"/p":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":nul}}',
    "no number": b'{"/p":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":-}}',
    "a deeply nested value": b'{"/p":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":'
    + b"[" * 200
    + b"]" * 200
    + b"}}",
    "an entry that is null": {"/p": None},
    "metadata of numbers": {"__metadata__": {"a": 1}, "/p": ENTRY},
    "an unknown type": {"/p": {**ENTRY, "dtype": "F31"}},
    "whole numbers": {"/p": {**ENTRY, "dtype": "I32"}},
    "another shape": {"/p": {**ENTRY, "shape": [1, 2]}},
}


@pytest.mark.parametrize("name", [*HOSTILE, *HEADERS])
def test_hostile_headers(model, tmp_path, name):
    p = model.add_parameters(2, init=3, name="p")
    file = tmp_path / "hostile.safetensors"
    if name in HOSTILE:
        file.write_bytes(HOSTILE[name])
    else:
        write(file, HEADERS[name], bytes(8))
    with pytest.raises(RuntimeError, match=r"hostile\.safetensors"):
        model.populate(file)
    assert p.as_array().tolist() == [3, 3]


VALUES = [None, True, -2.5e-3, 10, 'a \\ "b"', [], {}, [[1, {"x": None}], "y"], {"a": {"b": [0.0]}}]


@pytest.mark.parametrize("official_too", [True, False])
@pytest.mark.parametrize("metadata", [None, {}, {"format": "np"}])
def test_what_other_writers_add_is_passed_over(model, tmp_path, metadata, official_too):
    """As by the reference implementation: entries with unknown keys, and null where there is no metadata."""
    p = model.add_parameters(2, init=3, name="p")
    file = tmp_path / "more.safetensors"
    more = {f"key {i}": value for i, value in enumerate(VALUES)}
    entry = {"first": 1, **ENTRY, **more}
    write(file, {"__metadata__": metadata, "/p": entry}, struct.pack("<2f", 1.5, 2.5))
    model.populate(file)
    assert p.as_array().tolist() == [1.5, 2.5]
    if official_too:
        numpy = pytest.importorskip("safetensors.numpy")
        assert numpy.load_file(file)["/p"].tolist() == [1.5, 2.5]


def test_random_damage(model, tmp_path):
    """Either the shapes are the same, or an error names the file; nothing is loaded in part."""
    parameters = fill(model)
    file, damaged = tmp_path / "whole.safetensors", tmp_path / "damaged.safetensors"
    model.save(file)
    whole, draw = file.read_bytes(), random.Random(1)
    header = 8 + struct.unpack("<Q", whole[:8])[0]
    failures = 0
    for _ in range(3000):
        for p in parameters:
            p.zero()
        bytes_ = bytearray(whole)
        for _ in range(draw.randint(1, 3)):
            bytes_[draw.randrange(header)] = draw.choice([draw.randrange(256), *b'0129,:[]{}"\\u'])
        damaged.write_bytes(bytes_[: draw.choice([len(bytes_)] * 3 + [draw.randrange(len(bytes_))])])
        try:
            model.populate(damaged)
        except RuntimeError as error:
            failures += 1
            assert "damaged.safetensors" in str(error)
            assert not any(np.any(p.as_array()) for p in parameters)
    assert 2000 < failures <= 3000
