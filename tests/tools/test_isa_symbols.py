"""The check of symbols sees a function that objects of several instruction sets share."""

import shutil
import subprocess

import isa_symbols
import pytest

COMPILER = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
pytestmark = pytest.mark.skipif(not COMPILER or not shutil.which("nm"), reason="needs a C++ compiler and nm")

SOURCE = """
namespace dynet {
template <class T> [[gnu::noinline]] T twice(T x) { return x + x; }
namespace cpu::v4 {
struct Vec { int x; friend Vec operator+(Vec a, Vec b) { return {a.x + b.x}; } };
int own(int x) { return twice(Vec{x}).x; }
#ifdef SHARES
int shares(int x) { return twice(x); }
#endif
}
}
"""


def build(folder, *options):
    objects = folder / "CMakeFiles" / "dynet_core_v4.dir" / "dynet"
    objects.mkdir(parents=True)
    command = [COMPILER, "-std=c++20", *options, "-x", "c++", "-c", "-", "-o", str(objects / "map.cc.o")]
    subprocess.run(command, input=SOURCE, text=True, check=True)


def test_own_symbols(tmp_path):
    build(tmp_path)
    assert isa_symbols.check(tmp_path) == (1, [])


def test_shared_symbols(tmp_path):
    build(tmp_path, "-DSHARES")
    objects, complaints = isa_symbols.check(tmp_path)
    assert objects == 1
    assert len(complaints) == 1
    assert complaints[0].startswith("map.cc for v4: ") and "twice" in complaints[0]


def test_other_objects_may_share(tmp_path):
    (tmp_path / "CMakeFiles" / "dynet_core.dir").mkdir(parents=True)
    (tmp_path / "CMakeFiles" / "dynet_core.dir" / "graph.cc.o").write_text("not looked at")
    assert isa_symbols.check(tmp_path) == (0, [])
