"""Makes the environment .venv: setup_env.py GROUP... installs these dependency groups of pyproject.toml."""

# A Python that is too old must get far enough to say so: syntax and imports are those of 3.6.
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


def dotted(version):
    """A version as people write it, 3.12."""
    return ".".join(str(number) for number in version[:2])


def check_python(version):
    """The interpreter that was called must be new enough."""
    if tuple(version[:2]) < OLDEST_PYTHON:
        raise SetupError(
            f"DyNet needs Python {dotted(OLDEST_PYTHON)} or newer, and this is {dotted(version)}: "
            "install a newer one and name it with 'make PYTHON=python3.12'."
        )


def check_headers(folder):
    """The header files of Python are a package of their own on some systems."""
    if not os.path.exists(os.path.join(folder, "Python.h")):
        raise SetupError(
            f"The header files of Python are missing: install python{dotted(sys.version_info)}-dev "
            "(Debian, Ubuntu) or python3-devel (Fedora)."
        )


def check_compiler():
    """A C++20 compiler: the one that CXX names, or the first usual one on the PATH."""
    named = os.environ.get("CXX")
    compiler = named.split()[-1] if named else next((name for name in COMPILERS if shutil.which(name)), None)
    if not compiler or not shutil.which(compiler):
        raise SetupError(
            f"DyNet needs a C++20 compiler, and {'no ' + named if named else 'none'} was found: "
            f"install {OLDEST_COMPILER}, or newer (Debian, Ubuntu: apt install g++)."
        )
    command = [*(named or compiler).split(), "-std=c++20", "-x", "c++", "-", "-o", os.devnull]
    probe = subprocess.run(command, input=PROBE.encode(), capture_output=True)
    if probe.returncode:
        raise SetupError(
            f"The C++ compiler {shutil.which(compiler)} cannot build C++20 programs: "
            f"install {OLDEST_COMPILER}, or newer, and name it with 'make CXX=...'."
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
        f"This Python lacks the venv module: install python{dotted(sys.version_info)}-venv "
        "(Debian, Ubuntu: apt install python3-venv)."
    )


def run(command, problem, advice):
    """Runs a command quietly; when it fails, its last line stands between the problem and the advice."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        lines = done.stdout.decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
        raise SetupError(f"{problem} ({last}): {advice}.")


def wanted(groups):
    """What the environment must have been made from to be up to date."""
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    version = " ".join(sys.version.split())
    return "\n".join([version, os.path.realpath(sys.executable), digest, *sorted(groups)]) + "\n"


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
    if groups != ["check"]:
        check_headers(sysconfig.get_path("include"))
        check_compiler()
    python = os.path.join(folder, "bin", "python")
    if had[:2] != text.splitlines()[:2] or not os.path.exists(python):
        print("Making the environment .venv", flush=True)
        shutil.rmtree(os.path.join(ROOT, BUILT), ignore_errors=True)
        run(
            venv_command(folder),
            "The environment could not be made",
            f"check the space and the rights in {ROOT}",
        )
    print("Installing the tools for: " + ", ".join(groups), flush=True)
    failed = (
        "pip could not install what is needed",
        "check the network, and the package index that pip uses",
    )
    pip = [python, "-m", "pip", "install", "--quiet", "--retries", "2"]
    run([*pip, "--upgrade", PIP], *failed)
    project = os.path.join(ROOT, "pyproject.toml")
    run(pip + [f"--group={project}:{group}" for group in groups], *failed)
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
