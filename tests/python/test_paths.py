"""Names of files, and streams: errors of their own reach the program, and what cannot be is refused."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import dynet as dy

PATH = os.pathsep.join([os.path.dirname(os.path.dirname(dy.__file__)), *sys.path])


class Raising:
    """A path whose conversion fails, as by Ctrl-C."""

    def __init__(self, error):
        self.error = error

    def __fspath__(self):
        raise self.error


class Wrong:
    def __fspath__(self):
        return 3


def model():
    return dy.ParameterCollection()


def parameter():
    return model().add_parameters(2)


CALLS = {
    "ParameterCollection.save": lambda f: model().save(f),
    "ParameterCollection.populate": lambda f: model().populate(f),
    "ParameterCollection.load_param": lambda f: model().load_param(f, "/a"),
    "ParameterCollection.load_lookup_param": lambda f: model().load_lookup_param(f, "/a"),
    "Parameters.save": lambda f: parameter().save(f),
    "Parameters.populate": lambda f: parameter().populate(f, "/a"),
    "LookupParameters.save": lambda f: model().add_lookup_parameters((2, 2)).save(f),
    "Trainer.save": lambda f: dy.SimpleSGDTrainer(model()).save(f),
    "Trainer.populate": lambda f: dy.SimpleSGDTrainer(model()).populate(f),
    "FromFileInitializer": lambda f: model().add_parameters(2, init=dy.FromFileInitializer(f)),
    "ClassFactoredSoftmaxBuilder": lambda f: dy.ClassFactoredSoftmaxBuilder(2, f, {"a": 0}, model()),
    "dump_cg": lambda f: dy.dump_cg(f),
    "save": lambda f: dy.save(f, [parameter()]),
    "load": lambda f: dy.load(f, model()),
}


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("call", CALLS)
def test_what_the_conversion_of_a_path_raises(call):
    for error in (KeyboardInterrupt(), OSError("here"), TypeError("here")):
        with pytest.raises(type(error)) as caught:
            CALLS[call](Raising(error))
        assert caught.value is error or isinstance(error, TypeError)  # these get the name of the call
        assert str(caught.value).endswith(str(error))
    with pytest.raises(TypeError, match="__fspath__"):
        CALLS[call](Wrong())
    with pytest.raises(ValueError, match="null"):
        CALLS[call]("a\0b")
    with pytest.raises(TypeError):
        CALLS[call](3.5)
    assert os.listdir() == []


def test_names_of_all_kinds():
    p = parameter()
    for name in ("a", b"b", pathlib.Path("c"), "ünï", os.fsdecode(b"\xff"), " "):
        p.save(name, "/p")
        assert model().load_param(name, "/p").as_array() == pytest.approx(p.as_array())
        assert os.path.exists(name)


def test_loops_of_links_stay():
    os.symlink("b", "a")
    os.symlink("a", "b")
    p = parameter()
    for save in (p.save, model().save, dy.SimpleSGDTrainer(model()).save, lambda f: dy.save("d", [p])):
        os.path.lexists("d.data") or os.symlink("a", "d.data")
        with pytest.raises((RuntimeError, OSError), match="Too many levels of symbolic links"):
            save("a")
    assert os.path.islink("a") and os.path.islink("b") and os.path.islink("d.data")


PROGRAM = """
import os, sys
import dynet as dy
kind, user = sys.argv[1], int(sys.argv[2])
model = dy.ParameterCollection()
p, trainer = model.add_parameters((30, 30)), dy.AdamTrainer(model)
save = {
    "text": lambda: model.save("m.txt"),
    "append": lambda: p.save("m.txt", "/more", append=True),
    "safetensors": lambda: model.save("m.safetensors"),
    "trainer": lambda: trainer.save("m"),
}[kind]
save()
for name in os.listdir():
    if user:
        os.chown(name, user, user)
    before = open(name, "rb").read()
os.chmod(".", 0o555)
if user:
    os.setuid(user)
try:
    save()
except RuntimeError as error:
    print(error)
print("same file:", open(name, "rb").read() == before)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such modes")
@pytest.mark.parametrize("kind", ["text", "append", "safetensors", "trainer"])
def test_a_folder_that_may_not_be_written(kind, tmp_path):
    """A file that could only be written in place, and be lost half written, is left alone."""
    user = 65534 if os.getuid() == 0 else 0
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, str(user)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": PATH},
        check=False,
    )
    os.chmod(tmp_path, 0o755)
    assert done.returncode == 0, done.stderr
    assert "no file can be made in the folder" in done.stdout and "make it writable" in done.stdout
    assert "same file: True" in done.stdout


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="no /proc")
@pytest.mark.parametrize("format_", ["txt", "safetensors"])
def test_what_is_open_is_written_where_it_stands(format_):
    """A file or a pipe that stands behind stdout is not replaced."""
    name = "/dev/stdout" if format_ == "txt" else "link.safetensors"
    if format_ != "txt":
        os.symlink("/dev/stdout", name)
    program = (
        "import dynet as dy; p = dy.ParameterCollection().add_parameters(2, init=1);"
        f"print('before', flush=True); p.save({name!r}, '/p'); print('after', flush=True)"
    )
    command, environment = [sys.executable, "-c", program], {**os.environ, "PYTHONPATH": PATH}
    through = subprocess.run(command, capture_output=True, env=environment, check=True).stdout
    with open("out", "wb") as out:
        subprocess.run(command, stdout=out, env=environment, check=True)
    assert through.startswith(b"before\n") and through.rstrip().endswith(b"after") and b"/p" in through
    with open("out", "rb") as out:
        assert out.read() == through


@pytest.mark.parametrize("stream", ["None", "missing"])
def test_processes_without_streams(monkeypatch, stream):
    for name in ("stdout", "stderr"):
        if stream == "None":
            monkeypatch.setattr(sys, name, None)
        else:
            monkeypatch.delattr(sys, name)
    collection = model()
    p, trainer = collection.add_parameters(2), dy.SimpleSGDTrainer(collection)
    dy.renew_cg()
    x = dy.squared_norm(p)
    assert dy.check_grad(collection, x, 2)
    trainer.status()
    trainer.update_epoch(1)
    dy.print_text_graphviz()
    dy.dump_cg()
    if stream == "None":
        dy.print_graphviz()


@pytest.mark.parametrize("format_", ["txt", "safetensors"])
def test_parameters_that_are_loaded_get_names_of_their_own(format_):
    name = f"model.{format_}"
    source = model()
    source.add_parameters(2, init=3)
    source.add_parameters(2, init=4, name="w")
    source.add_lookup_parameters((2, 2), init=5)
    source.save(name)
    target = model()
    target.add_parameters(1)
    loaded = [target.load_param(name, key) for key in ("/_0", "/w", "/w", "/w")]
    loaded.append(target.load_lookup_param(name, "/_1"))
    assert [p.name() for p in loaded[1:4]] == ["/w", "/w_1", "/w_2"]
    added = [target.add_parameters(1) for _ in range(6)] + [target.add_parameters(1, name="w") for _ in "ab"]
    names = [p.name() for p in [*target.parameters_list(), *target.lookup_parameters_list()]]
    assert len(set(names)) == len(names) == 1 + len(loaded) + len(added)
    target.save("all.safetensors")
    target.populate("all.safetensors")
    assert np.all(loaded[3].as_array() == 4)
    assert model().load_param(name, "/w").name() == "/w"
