"""Builds for what CI does not have: portable.py [arm] [clang] [warnings] [macos] [musl] [windows].

`arm` also runs the tests of C++ in an emulator, `clang` on this machine; `warnings` reads every source with
clang, and the others compile them, as what would link and run them is not here. Where a compiler is missing,
it is told which package has it.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "portable"
OLDEST_CLANG, NEWEST_CLANG = 16, 30
# Programs that learn take minutes in an emulator, and the plans of random graphs as long.
SLOW_IN_EMULATOR = "^(learn_|example_|gradient_plan_test)"
ZIG_TARGETS = {
    "macos": ("aarch64-macos", "neon"),
    "musl": ("x86_64-linux-musl", "v2"),
    "windows": ("x86_64-windows-gnu", "v2"),
}


class MissingError(Exception):
    """What is not there, and which package has it."""


def found(*names, package):
    """The first of these programs that is there."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise MissingError(f"{names[0]} is missing: install {package}")


def run(*command):
    print("+", *command, flush=True)
    if subprocess.run([str(part) for part in command], check=False).returncode:
        sys.exit(f"portable: {command[0]} failed")


def build_and_test(name, *options, leave_out="^$"):
    """All tests of C++ with these options of CMake, but those that are left out."""
    folder = BUILD / name
    ready = ("-DDYNET_BUILD_TESTS=ON", "-DDYNET_WERROR=ON", "-DDYNET_UNITY=ON")
    run("cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", *ready, *options)
    run("cmake", "--build", folder, "--target", "cpp_tests", "-j", "2")
    left_out = ("-E", f"{leave_out}|^(learn_|example_)")
    run("ctest", "--test-dir", folder, "--output-on-failure", "-j", "2", "--timeout", "1500", *left_out)


def arm():
    """64-bit ARM: NEON and plain kernels, compared bit for bit by plain_bits_test."""
    compiler = found("aarch64-linux-gnu-g++", package="g++-aarch64-linux-gnu")
    emulator = found("qemu-aarch64", "qemu-aarch64-static", package="qemu-user")
    build_and_test(
        "arm",
        "-DCMAKE_SYSTEM_NAME=Linux",
        "-DCMAKE_SYSTEM_PROCESSOR=aarch64",
        f"-DCMAKE_CXX_COMPILER={compiler}",
        f"-DCMAKE_CROSSCOMPILING_EMULATOR={emulator};-L;/usr/aarch64-linux-gnu",
        "-DDYNET_PLAIN_TOO=ON",
        leave_out=SLOW_IN_EMULATOR,
    )


def newest_clang():
    names = [f"clang++-{version}" for version in range(NEWEST_CLANG, OLDEST_CLANG - 1, -1)]
    return found(*names, "clang++", package=f"clang-{OLDEST_CLANG} or newer")


def clang():
    """The newest clang here, with warnings as errors, and plain kernels to compare v2 with."""
    build_and_test("clang", f"-DCMAKE_CXX_COMPILER={newest_clang()}", "-DDYNET_PLAIN_TOO=ON")


def warnings():
    """What the newest clang here says of every source, which it only reads."""
    command = [newest_clang(), "-fsyntax-only", "-march=x86-64-v2", "-Wno-deprecated-declarations"]
    return compile_all(command, "v2", "clang")


def compile_with_zig(name):
    """All of the library, and what binds it for Python where nanobind is there."""
    try:
        import ziglang
    except ImportError:
        raise MissingError("zig is missing: pip install ziglang") from None
    target, isa = ZIG_TARGETS[name]
    zig = pathlib.Path(ziglang.__file__).with_name("zig")
    command = [zig, "c++", "-target", target, "-c", "-O0", "-Wno-unused-command-line-argument"]
    return compile_all(command, isa, target, with_python=name != "windows")


def compile_all(command, isa, target, with_python=True):
    """Compiles every source with warnings as errors; those of some rooms as one, as packages do."""
    command = [*command, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", f"-I{ROOT}"]
    command += [f"-DDYNET_ISA={isa}", '-DDYNET_VERSION="0"', "-DDYNET_MODULE=_dynet"]
    rooms = re.search(r"foreach\(room (.+)\)", (ROOT / "cmake" / "library.cmake").read_text())
    joined = rooms[1].split() if rooms else []
    alone = [source for source in (ROOT / "dynet").glob("*/*.cc") if source.parent.name not in joined]
    alone += python_sources(command) if with_python else []
    lists = {room: sorted((ROOT / "dynet" / room).glob("*.cc")) for room in joined}
    lists |= {f"{source.parent.name}_{source.stem}": [source] for source in alone}
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:

        def compile_one(name):
            one = pathlib.Path(folder, f"{name}.cc")
            one.write_text("".join(f'#include "{source}"\n' for source in lists[name]))
            output = one.with_suffix(".o")
            done = subprocess.run([*command, one, "-o", output], capture_output=True, text=True, check=False)
            return name, done.returncode, done.stderr

        bad = [(name, text) for name, code, text in pool.map(compile_one, lists) if code]
    for name, text in bad:
        errors = [line for line in text.splitlines() if "error:" in line]
        print(name, *errors[:3], sep="\n  ")
    count, failed = (sum(len(lists[name]) for name in names) for names in (lists, [name for name, _ in bad]))
    print(f"portable: {count} sources for {target}, {failed} of them in parts that do not compile")
    return not bad


def python_sources(command):
    """The sources of the extension, whose headers are added to the command."""
    try:
        import nanobind
    except ImportError:
        return []
    command += [f"-isystem{sysconfig.get_path('include')}", f"-isystem{nanobind.include_dir()}"]
    return sorted((ROOT / "python" / "src").glob("*.cc"))


CHECKS = {
    "arm": arm,
    "clang": clang,
    "warnings": warnings,
    **{name: lambda name=name: compile_with_zig(name) for name in ZIG_TARGETS},
}
NOT_YET = ("windows",)  # what fails there is shown, and stands in docs/guide/packages.md


def main(names):
    os.environ["PATH"] = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])
    failed = []
    for name in names or [name for name in CHECKS if name not in NOT_YET]:
        if name not in CHECKS:
            sys.exit(f"portable: {name} was given; {', '.join(CHECKS)} are known")
        start = time.monotonic()
        try:
            if CHECKS[name]() is False and name not in NOT_YET:
                failed.append(name)
            print(f"== portable {name}: {time.monotonic() - start:.0f} s", flush=True)
        except MissingError as missing:
            print(f"== portable {name}: left out: {missing}", flush=True)
    return f"portable: {', '.join(failed)} failed" if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
