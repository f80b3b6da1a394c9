"""`python -m dynet`: its answers, what it says of model files, and how it fails."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import dynet as dy
from dynet.__main__ import main

FORMATS = [".model", ".safetensors", ".npz"]
DOUBLE = dy.__precision__ == "float64"


def model():
    """A collection with parameters, a builder and a table."""
    made = dy.ParameterCollection()
    made.add_parameters((2, 3), init=np.arange(6.0).reshape(2, 3), name="W")
    dy.GRUBuilder(1, 2, 2, made)
    made.add_lookup_parameters((4, 2), init=np.arange(8.0).reshape(4, 2), name="E")
    return made


@pytest.fixture
def saved(tmp_path):
    """The model in DyNet 2's text."""
    path = tmp_path / "a.model"
    model().save(path)
    return path


def call(capsys, *arguments):
    """The exit code, what was printed, and what was complained about."""
    code = main([str(a) for a in arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_programs_learn_where_the_library_is():
    """The options that CMake's and make's files call, as a process of its own."""
    for option, end in (
        ("--cmake-dir", ("lib", "cmake", "dynet")),
        ("--pkg-config-dir", ("lib", "pkgconfig")),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "dynet", option], capture_output=True, text=True, check=True
        )
        (line,) = done.stdout.splitlines()
        assert pathlib.Path(line).parts[-len(end) :] == end


def test_nothing_asked(capsys):
    code, out, err = call(capsys)
    assert (code, out) == (2, "")
    assert err.startswith("usage: python -m dynet")


def test_wrong_words():
    for arguments in (["inform"], ["show"], ["diff", "a"], ["info", "--tests"], ["bench", "--seconds", "0"]):
        with pytest.raises(SystemExit, match="2"):
            main(arguments)


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("info", "show", "convert", "diff", "bench", "--cmake-dir"))


def test_self_test(capsys):
    code, out, _ = call(capsys, "info", "--test")
    assert code == 0
    assert out.splitlines()[0].startswith("dynet ")
    assert "self-test        passed: 6 checks" in out


def test_self_test_finds_wrong_numbers(capsys, monkeypatch):
    monkeypatch.setattr(dy, "tanh", dy.logistic)
    code, out, _ = call(capsys, "info", "--test")
    assert code == 1
    assert "failed: values_agree" in out


def test_bench_measures_both_programs(capsys):
    code, out, _ = call(capsys, "bench", "--seconds", "0.02", "--threads", "1", "--json")
    speeds = json.loads(out)["speeds"]
    assert code == 0
    assert [s["task"] for s in speeds] == ["tagger", "tree LSTM"]
    assert all(s["words_a_second"] > 0 for s in speeds)


def test_show(capsys, saved):
    code, out, _ = call(capsys, "show", saved)
    title, head, *lines = out.splitlines()
    assert code == 0
    assert title == f"{saved}: DyNet 2's text, 11 arrays, 44 numbers"
    assert head.split() == ["name", "kind", "shape", "numbers", "norm", "least", "greatest", "remarks"]
    assert lines[0].startswith("/W")
    assert lines[0].split()[4:7] == ["6", "7.416", "0"]
    assert any("all zeros" in line for line in lines)
    assert "table" in lines[-1]


def test_show_tells_of_bad_numbers(capsys, tmp_path):
    table = np.array([[np.nan, 1], [0, 0], [np.inf, 3e300], [0, 0]])
    np.savez(tmp_path / "a.npz", table=table, empty=np.zeros((0, 3)), whole=np.array([1, 2]))
    _, out, _ = call(capsys, "show", tmp_path / "a.npz")
    assert "1 NaN, 1 infinite, 2 rows of zeros, float64" in out
    _, out, _ = call(capsys, "show", "--json", tmp_path / "a.npz")
    facts = {each["name"]: each for each in json.loads(out)["arrays"]}
    assert facts["table"]["norm"] == pytest.approx(3e300)
    assert facts["empty"]["norm"] is None
    assert facts["whole"]["type"] == str(np.array([1, 2]).dtype)


def test_show_tells_of_gradients(capsys, tmp_path):
    made = dy.ParameterCollection()
    p = made.add_parameters(2, init=1)
    dy.renew_cg()
    dy.squared_norm(p).backward()
    made.save(tmp_path / "a")
    assert "has a gradient" in call(capsys, "show", tmp_path / "a")[1]


@pytest.mark.parametrize("start", FORMATS)
@pytest.mark.parametrize("end", FORMATS)
def test_convert_keeps_everything(capsys, tmp_path, saved, start, end):
    """There and back: the same names, order, shapes and numbers."""
    first, second, third = (
        tmp_path / f"{name}{end}" for name, end in (("b", start), ("c", end), ("d", ".model"))
    )
    for source, target in ((saved, first), (first, second), (second, third)):
        code, out, _ = call(capsys, "convert", source, target, "--table", "/E")
        assert code == 0
        assert out.startswith(f"{target}: ")
    assert call(capsys, "diff", saved, second)[0] == 0
    assert third.read_bytes() == saved.read_bytes()


def test_converted_files_load(capsys, tmp_path, saved):
    other = model()
    for parameter in other.parameters_list():
        parameter.scale(0)
    assert call(capsys, "convert", saved, tmp_path / "b.safetensors")[0] == 0
    other.populate(tmp_path / "b.safetensors")
    assert np.array_equal(other.parameters_list()[0].as_array(), np.arange(6.0).reshape(2, 3))


def test_convert_keeps_types(capsys, tmp_path):
    arrays = {
        "half": np.array([1, 2.5], np.float16),
        "whole": np.array([[2**40], [-3]], np.int64),
        "truth": np.array([True, False]),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "file": np.array(3.0),
    }
    np.savez(tmp_path / "a.npz", **{name: each for name, each in arrays.items() if name != "file"})
    assert call(capsys, "convert", tmp_path / "a.npz", tmp_path / "b.safetensors")[0] == 0
    assert call(capsys, "convert", tmp_path / "b.safetensors", tmp_path / "c.npz")[0] == 0
    with np.load(tmp_path / "c.npz") as back:
        for name in back.files:
            assert back[name].dtype == arrays[name].dtype
            assert np.array_equal(back[name], arrays[name])


def test_safetensors_package_reads_what_is_converted(capsys, tmp_path, saved):
    package = pytest.importorskip("safetensors.numpy")
    assert call(capsys, "convert", saved, tmp_path / "b.safetensors")[0] == 0
    loaded = package.load_file(tmp_path / "b.safetensors")
    assert np.array_equal(loaded["/E"], np.arange(8.0).reshape(4, 2))


def test_half_floats_of_safetensors(tmp_path):
    """bfloat16, which NumPy lacks, become floats."""
    from dynet import _dynet
    from dynet.export.files import read_tensors

    bits = (np.array([1, -2.5, 3], np.float32).view(np.uint32) >> 16).astype(np.uint16)
    _dynet._write_safetensors(tmp_path / "a.safetensors", [("x", "BF16", (3,), bits.tobytes())])
    (tensor,) = read_tensors(tmp_path / "a.safetensors")
    assert tensor.array.tolist() == [1, -2.5, 3]


def test_what_cannot_be_written_leaves_the_file(capsys, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([2**40 + 1]), y=np.zeros((2, 0)))
    np.savez(tmp_path / "b.npz", x=np.array(["word"]))
    np.savez(tmp_path / "c.npz", x=np.array([1, 1e300]), y=np.zeros((2, 0)))
    for source, target, reason in (
        ("a.npz", "old.model", "x holds whole numbers" if not DOUBLE else "y has the shape (2, 0)"),
        ("b.npz", "old.model", "x is an array of <U4"),
        ("c.npz", "old.model", "x holds 1e+300, which is too large" if not DOUBLE else "y has the shape"),
        ("b.npz", "old.safetensors", "x is an array of <U4"),
        ("a.npz", "old.onnx", "an ONNX file holds a graph"),
        ("none.npz", "old.model", "there is no file"),
    ):
        (tmp_path / target).write_text("as it was")
        code, out, err = call(capsys, "convert", tmp_path / source, tmp_path / target)
        assert (code, out) == (2, "")
        assert reason in err
        assert len(err.splitlines()) == 1
        assert (tmp_path / target).read_text() == "as it was"
        assert sorted(os.listdir(tmp_path)) == sorted({"a.npz", "b.npz", "c.npz", *os.listdir(tmp_path)})


def test_convert_says_what_was_left_out(capsys, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([0.1]))
    _, out, _ = call(capsys, "convert", tmp_path / "a.npz", tmp_path / "b.model")
    assert "note: the numbers of 1 array are rounded" in out
    assert "--table NAME makes lookup tables" in out
    code, _, err = call(capsys, "convert", tmp_path / "a.npz", tmp_path / "b.model", "--table", "words*")
    assert code == 2
    assert "no array has that name" in err


def test_diff(capsys, tmp_path):
    same = np.array([1.0, np.nan])
    np.savez(tmp_path / "a.npz", same=same, moved=np.zeros((2, 2)), shape=np.zeros(2), a=np.ones(3))
    np.savez(
        tmp_path / "b.npz", same=same, moved=np.array([[0, 0.5], [0, 0]]), shape=np.zeros((2, 1)), b=same
    )
    files = tmp_path / "a.npz", tmp_path / "b.npz"
    code, out, _ = call(capsys, "diff", *files)
    lines = out.splitlines()
    assert code == 1
    assert f"only in {files[0]}: a (3,)" in lines
    assert f"only in {files[1]}: b (2,)" in lines
    assert "shape of shape: (2,) and (2, 1)" in lines
    assert lines[-1].split() == ["moved", "1", "of", "4", "0.5", "(0,", "1)", "0", "0.5"]
    _, out, _ = call(capsys, "diff", *files, "--json", "--tolerance", "0.5")
    assert list(json.loads(out)["differ"]) == ["shape"]
    assert call(capsys, "diff", files[0], files[0])[0] == 0


def test_diff_of_numbers_that_are_not_finite(capsys, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([np.inf, 1, np.nan]))
    np.savez(tmp_path / "b.npz", x=np.array([np.inf, np.nan, np.nan]))
    code, out, _ = call(capsys, "diff", tmp_path / "a.npz", tmp_path / "b.npz")
    assert code == 1
    assert out.splitlines()[-1].split() == ["x", "1", "of", "3", "not", "finite", "(1,)", "1", "nan"]


def test_diff_of_whole_numbers_is_exact(capsys, tmp_path):
    """Those of 64 bits are more than floats have."""
    big = 2**53
    np.savez(tmp_path / "a.npz", x=np.array([big, 1]), y=np.array([2**64 - 1], np.uint64), z=np.int8(-128))
    np.savez(tmp_path / "b.npz", x=np.array([big + 1, 1]), y=np.array([-1]), z=np.uint8(255))
    code, out, _ = call(capsys, "diff", tmp_path / "a.npz", tmp_path / "b.npz")
    lines = [line.split() for line in out.splitlines()]
    assert code == 1
    assert lines[1] == ["x", "1", "of", "2", "1", "(0,)", str(big), str(big + 1)]
    assert lines[2] == ["y", "1", "of", "1", str(2**64), "(0,)", str(2**64 - 1), "-1"]
    assert lines[3] == ["z", "1", "of", "1", "383", "()", "-128", "255"]
    assert call(capsys, "diff", tmp_path / "a.npz", tmp_path / "a.npz")[0] == 0
    _, out, _ = call(capsys, "diff", tmp_path / "a.npz", tmp_path / "b.npz", "--json", "--tolerance", "1")
    found = json.loads(out)["differ"]
    assert set(found) == {"y", "z"}
    assert found["y"]["largest"] == 2**64


def test_diff_of_complex_numbers(capsys, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([1 + 2j, 3]))
    np.savez(tmp_path / "b.npz", x=np.array([1 + 4j, 3]))
    code, out, _ = call(capsys, "diff", tmp_path / "a.npz", tmp_path / "b.npz")
    assert code == 1
    assert out.splitlines()[-1].split() == ["x", "1", "of", "2", "2", "(0,)", "(1+2j)", "(1+4j)"]


def test_diff_of_a_parameter_and_a_table(capsys, tmp_path):
    for name, make in (("a", "add_parameters"), ("b", "add_lookup_parameters")):
        made = dy.ParameterCollection()
        getattr(made, make)((2, 2), init=1, name="x")
        made.save(tmp_path / name)
    code, out, _ = call(capsys, "diff", tmp_path / "a", tmp_path / "b")
    assert (code, out) == (1, "kind of /x: parameter and table\n")


@pytest.mark.parametrize("ending", [*FORMATS, ".onnx", ".pt"])
@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"PK\x03\x04rest", bytes(range(256)) * 4])
def test_bad_files(capsys, tmp_path, ending, content):
    """One sentence, whatever lies there."""
    path = tmp_path / f"bad{ending}"
    path.write_bytes(content)
    code, _, err = call(capsys, "show", path)
    assert code == 2
    assert content or "is empty" in err
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err


def test_cut_model(capsys, saved):
    saved.write_bytes(saved.read_bytes()[:-30])
    code, _, err = call(capsys, "show", saved)
    assert code == 2
    assert "ends too early" in err


def test_folder_and_missing_file(capsys, tmp_path):
    assert "is a folder" in call(capsys, "show", tmp_path)[2]
    assert "there is no file" in call(capsys, "show", tmp_path / "none")[2]
    dy.save(tmp_path / "pair", [model().add_parameters(2)])
    dy.AdamTrainer(model()).save(tmp_path / "trainer")
    assert "the state of a trainer" in call(capsys, "show", tmp_path / "trainer")[2]
    assert "are in" in call(capsys, "show", tmp_path / "pair")[2]
    assert call(capsys, "show", tmp_path / "pair.data")[0] == 0
