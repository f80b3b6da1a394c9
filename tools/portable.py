"""Builds for what CI does not have: portable.py [arm] [clang] [macos] [musl] [windows].

`arm` also runs the tests of C++ in an emulator, `clang` on this machine; the others compile each source, as
what would link and run them is not here. Where a compiler is missing, it is told which package has it.
"""

import concurrent.futures
import os
import pathlib
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
    ready = ("-DDYNET_BUILD_TESTS=ON", "-DDYNET_WERROR=ON")
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


def clang():
    """The newest clang here, with warnings as errors, and plain kernels to compare v2 with."""
    names = [f"clang++-{version}" for version in range(NEWEST_CLANG, OLDEST_CLANG - 1, -1)]
    compiler = found(*names, "clang++", package=f"clang-{OLDEST_CLANG} or newer")
    build_and_test("clang", f"-DCMAKE_CXX_COMPILER={compiler}", "-DDYNET_PLAIN_TOO=ON")


def compile_with_zig(name):
    """Every source of the library, and what binds it for Python where nanobind is there."""
    try:
        import ziglang
    except ImportError:
        raise MissingError("zig is missing: pip install ziglang") from None
    target, isa = ZIG_TARGETS[name]
    zig = pathlib.Path(ziglang.__file__).with_name("zig")
    command = [
        zig,
        "c++",
        "-target",
        target,
        "-std=c++20",
        "-c",
        "-O0",
        "-Werror",
        "-Wno-unused-command-line-argument",
    ]
    command += [f"-I{ROOT}", f"-DDYNET_ISA={isa}", '-DDYNET_VERSION="0"', "-DDYNET_MODULE=_dynet"]
    sources = sorted((ROOT / "dynet").rglob("*.cc"))
    if name != "windows":
        sources += python_sources(command)
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:

        def compile_one(source):
            output = pathlib.Path(folder, f"{source.stem}-{source.parent.name}.o")
            done = subprocess.run(
                [*command, source, "-o", output], capture_output=True, text=True, check=False
            )
            return source, done.returncode, done.stderr

        bad = [(source, text) for source, code, text in pool.map(compile_one, sources) if code]
    for source, text in bad:
        errors = [line for line in text.splitlines() if "error:" in line]
        print(source.relative_to(ROOT), *errors[:3], sep="\n  ")
    print(f"portable: {len(sources) - len(bad)} of {len(sources)} sources compile for {target}")
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
