"""Makes the project's own environment: setup_env.py GROUP... installs dependency groups of pyproject.toml in .venv."""

# This file must also run on a Python that is too old, to be able to say so: keep to plain, old syntax.
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OLDEST_PYTHON = (3, 10)
OLDEST_COMPILER = "g++ 12 or clang 15"
COMPILERS = ("c++", "g++", "clang++")
PIP = "pip>=25.1"  # The first that can install dependency groups.
BUILT = os.path.join("build", "python")

# Fails to compile with compilers that are too old; the headers and the library must be there too.
PROBE = """
#if defined(__clang__) ? __clang_major__ < 15 : __GNUC__ < 12
#error "too old"
#endif
#include <span>
int main(int count, char** words) { return std::span(words, count).empty(); }
"""


class SetupError(Exception):
    """What is missing on this machine and what to do about it, in one sentence."""


def check_python(version):
    """The interpreter that was called must be new enough."""
    if tuple(version[:2]) < OLDEST_PYTHON:
        raise SetupError(
            "DyNet needs Python %d.%d or newer, and this is %d.%d: install a newer one and name it "
            "with 'make PYTHON=python3.12'." % (OLDEST_PYTHON + tuple(version[:2]))
        )


def check_headers(folder):
    """The header files of Python are a package of their own on some systems."""
    if not os.path.exists(os.path.join(folder, "Python.h")):
        raise SetupError(
            "The header files of Python are missing: install python%d.%d-dev (Debian, Ubuntu) or "
            "python3-devel (Fedora)." % sys.version_info[:2]
        )


def check_compiler():
    """A C++20 compiler: the one that CXX names, or the first usual one on the PATH."""
    named = os.environ.get("CXX")
    compiler = named.split()[-1] if named else next((name for name in COMPILERS if shutil.which(name)), None)
    if not compiler or not shutil.which(compiler):
        raise SetupError(
            "DyNet needs a C++20 compiler, and %s was found: install %s, or newer "
            "(Debian, Ubuntu: apt install g++)." % ("no " + named if named else "none", OLDEST_COMPILER)
        )
    command = (named.split() if named else [compiler]) + ["-std=c++20", "-x", "c++", "-", "-o", os.devnull]
    probe = subprocess.run(command, input=PROBE.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if probe.returncode:
        raise SetupError(
            "The C++ compiler %s cannot build C++20 programs: install %s, or newer, and name it with "
            "'make CXX=...'." % (shutil.which(compiler), OLDEST_COMPILER)
        )


def venv_command(folder):
    """The command that makes an environment: the venv module, or virtualenv where venv is incomplete."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401

        return [sys.executable, "-m", "venv", "--clear", folder]
    except ImportError:
        pass
    if shutil.which("virtualenv"):
        return ["virtualenv", "--quiet", "--clear", "--python", sys.executable, folder]
    raise SetupError(
        "This Python lacks the venv module: install python%d.%d-venv (Debian, Ubuntu: apt install python3-venv)."
        % sys.version_info[:2]
    )


def run(command, sentence):
    """Runs a command quietly; its last lines and the sentence are the error."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        text = done.stdout.decode(errors="replace").strip()
        raise SetupError("\n".join(text.splitlines()[-3:] + [sentence]))


def wanted(groups):
    """What the environment must have been made from to be up to date."""
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    return "\n".join([sys.version, os.path.realpath(sys.executable), digest] + sorted(groups)) + "\n"


def read(path):
    """A file's text; empty when there is no such file."""
    if not os.path.exists(path):
        return ""
    with open(path) as file:
        return file.read()


def install(groups, folder):
    """Brings the environment up to date; does nothing when it is."""
    stamp = os.path.join(folder, "dynet-groups.txt")
    had = read(stamp).splitlines()
    groups = sorted(set(groups) | set(had[3:]))
    text = wanted(groups)
    if read(stamp) == text:
        return
    check_headers(sysconfig.get_path("include"))
    check_compiler()
    python = os.path.join(folder, "bin", "python")
    if had[:2] != text.splitlines()[:2] or not os.path.exists(python):
        print("Making the environment .venv", flush=True)
        shutil.rmtree(os.path.join(ROOT, BUILT), ignore_errors=True)
        run(venv_command(folder), "The environment %s could not be made." % folder)
    print("Installing the tools for: " + ", ".join(groups), flush=True)
    offline = "pip could not install what is needed: is the network there, and does pip reach a package index?"
    pip = [python, "-m", "pip", "install", "--quiet", "--retries", "2"]
    run(pip + ["--upgrade", PIP], offline)
    options = [word for group in groups for word in ("--group", os.path.join(ROOT, "pyproject.toml:" + group))]
    run(pip + options, offline)
    with open(stamp, "w") as file:
        file.write(text)


def main(groups):
    try:
        check_python(sys.version_info)
        install(groups, os.path.join(ROOT, ".venv"))
    except SetupError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
