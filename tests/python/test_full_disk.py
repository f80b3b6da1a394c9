"""A full disk, here a limit on the size of files: the old files stay whole, and nothing is left over."""

import os
import subprocess
import sys

import pytest

import dynet as dy

# The program finds the package where this one did.
PATH = os.pathsep.join([os.path.dirname(os.path.dirname(dy.__file__)), *sys.path])
PROGRAM = """
import pathlib, resource, signal, sys
import dynet as dy
import numpy as np
kind, base = sys.argv[1:]
model = dy.ParameterCollection()
small = model.add_parameters((10, 10), init=1.0, name="small")
large = model.add_parameters((300, 400), init=2.0, name="large")
save = {
    "text": lambda p: p.save(base + ".model"),
    "append": lambda p: p.save(base + ".model", "/more" + p.name(), append=True),
    "safetensors": lambda p: p.save(base + ".safetensors"),
    "append safetensors": lambda p: p.save(base + ".safetensors", "/more" + p.name(), append=True),
    "list": lambda p: dy.save(base, [p, p]),
}[kind]
def files():
    return {f.name: f.read_bytes() for f in pathlib.Path(base).parent.iterdir()}


save(small)
before = files()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400000, 400000))
try:
    save(large)
except (RuntimeError, OSError) as error:
    print(error)
else:
    sys.exit("the disk was not full")
print("same files:", files() == before)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
@pytest.mark.parametrize("kind", ["text", "append", "safetensors", "append safetensors", "list"])
def test_old_files_stay(tmp_path, kind):
    command = [sys.executable, "-c", PROGRAM, kind, str(tmp_path / "base")]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": PATH}, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "File too large" in done.stdout
    assert "same files: True" in done.stdout
