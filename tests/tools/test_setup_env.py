"""What is missing on a machine is said in one sentence."""

import os
import stat
import subprocess
import sys

import pytest
import setup_env


def script(folder, name, text):
    """A program of this name in the folder."""
    path = folder / name
    path.write_text("#!/bin/sh\n" + text + "\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.fixture
def only(tmp_path, monkeypatch):
    """A folder that is the whole PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    return tmp_path


def one_sentence(error):
    return "\n" not in str(error.value) and str(error.value).endswith(".")


def test_old_python():
    with pytest.raises(setup_env.SetupError, match=r"needs Python 3\.10 or newer, and this is 3\.9") as error:
        setup_env.check_python((3, 9, 18))
    assert one_sentence(error)
    setup_env.check_python((3, 10, 0))


def test_missing_headers(tmp_path):
    with pytest.raises(setup_env.SetupError, match="header files of Python are missing") as error:
        setup_env.check_headers(str(tmp_path))
    assert one_sentence(error)


def test_no_compiler(only):
    with pytest.raises(setup_env.SetupError, match="needs a C\\+\\+20 compiler, and none was found") as error:
        setup_env.check_compiler()
    assert one_sentence(error)


def test_named_compiler_missing(only, monkeypatch):
    monkeypatch.setenv("CXX", "g++-99")
    with pytest.raises(setup_env.SetupError, match=r"no g\+\+-99 was found"):
        setup_env.check_compiler()


def test_old_compiler(only):
    script(only, "g++", "exit 1")
    with pytest.raises(setup_env.SetupError, match=r"g\+\+ cannot build C\+\+20 programs") as error:
        setup_env.check_compiler()
    assert one_sentence(error)


def test_this_compiler():
    setup_env.check_compiler()


def test_compiler_with_launcher(only, monkeypatch):
    script(only, "ccache", "exit 0")
    script(only, "g++", "exit 0")
    monkeypatch.setenv("CXX", "ccache g++")
    setup_env.check_compiler()


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_no_venv_module(only, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(setup_env.SetupError, match="lacks the venv module") as error:
        setup_env.venv_command("folder")
    assert one_sentence(error)
    script(only, "virtualenv", "")
    assert setup_env.venv_command("folder")[0] == "virtualenv"


def test_failed_command_shows_its_last_line():
    with pytest.raises(setup_env.SetupError, match=r"^Nothing came \(4\): try again\.$"):
        setup_env.run(["sh", "-c", "seq 4; echo; exit 1"], "Nothing came", "try again")
    with pytest.raises(setup_env.SetupError, match="no message"):
        setup_env.run(["sh", "-c", "exit 1"], "Nothing came", "try again")


def environment(tmp_path, monkeypatch):
    """Replaces all that runs by a list of what would have run."""
    ran = []

    def run(command, problem, advice):
        ran.append(command)
        if "venv" in command:
            os.makedirs(tmp_path / "env" / "bin", exist_ok=True)
            (tmp_path / "env" / "bin" / "python").touch()

    monkeypatch.setattr(setup_env, "run", run)
    monkeypatch.setattr(setup_env, "BUILT", str(tmp_path / "build"))
    return ran


def test_install_once(tmp_path, monkeypatch):
    ran = environment(tmp_path, monkeypatch)
    folder = str(tmp_path / "env")
    setup_env.install(["test"], folder)
    assert [command[1:3] for command in ran] == [["-m", "venv"], ["-m", "pip"], ["-m", "pip"]]
    assert ran[2][-1].endswith("pyproject.toml:test")

    del ran[:]
    setup_env.install(["test"], folder)
    assert ran == []

    setup_env.install(["build"], folder)
    assert [command[1:3] for command in ran] == [["-m", "pip"], ["-m", "pip"]]
    assert {word.split(":")[-1] for word in ran[1] if "pyproject" in word} == {"build", "test"}


def test_another_python_makes_another_environment(tmp_path, monkeypatch):
    ran = environment(tmp_path, monkeypatch)
    folder = str(tmp_path / "env")
    setup_env.install(["test"], folder)
    del ran[:]
    monkeypatch.setattr(sys, "version", "3.99")
    setup_env.install(["test"], folder)
    assert ran[0][1:3] == ["-m", "venv"]


def test_old_python_can_read_the_file():
    """Nothing newer than Python 3.6 in it, so that an old one gets as far as the sentence."""
    code = f"import ast; ast.parse(open({setup_env.__file__!r}).read(), feature_version=(3, 6))"
    subprocess.run([sys.executable, "-c", code], check=True)
