"""Model files of each DyNet are read by the other with equal numbers, and hold the same bytes for them.

DyNet 2 passes over the checksums behind our numbers; its counts of characters include them."""

import pathlib
import pickle
import re

import numpy as np
import pytest
import toolkits
from toolkits import DYNET_2, OURS

import dynet as dy

pytestmark = pytest.mark.client

PROGRAM = pathlib.Path(__file__).parent / "run_files.py"


@pytest.fixture
def program(tmp_path):
    """Writes or reads with a toolkit; gives the numbers of each file."""
    paths = {t: toolkits.alone(t, tmp_path / "toolkits" / t.replace(" ", "_")) for t in (OURS, DYNET_2)}

    def run(toolkit, job, folder):
        toolkits.run(toolkits.dynet_2(), paths[toolkit], PROGRAM, job, folder, tmp_path / "numbers")
        return pickle.loads((tmp_path / "numbers").read_bytes())

    return run


@pytest.mark.parametrize("writer, reader", [(OURS, DYNET_2), (DYNET_2, OURS), (OURS, OURS)])
def test_files_are_exchanged(program, tmp_path, writer, reader):
    folder = tmp_path / "files"
    folder.mkdir()
    written, found = program(writer, "write", folder), program(reader, "read", folder)
    assert written.keys() == found.keys()
    for name in written:
        assert len(written[name]) == len(found[name]) > 0
        for a, b in zip(written[name], found[name], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=0, err_msg=name)
    assert any(np.any(a) for a in written["whole"][1::2]), "no gradient was saved"


def test_the_same_numbers_are_the_same_bytes(program, tmp_path):
    """Each reads the file of the other and writes it again."""
    folder = tmp_path / "files"
    folder.mkdir()
    program(DYNET_2, "write", folder)
    text = (folder / "whole").read_text()
    assert "FULL_GRAD" in text and "ZERO_GRAD" in text
    model = dy.ParameterCollection()
    records = [line.split() for line in text.splitlines() if line.startswith("#")]
    for tag, name, *_ in records:
        load = model.load_param if tag == "#Parameter#" else model.load_lookup_param
        load(folder / "whole", name)
    model.save(folder / "again")
    again = re.sub(
        r" (\d+) (ZERO|FULL)_GRAD\n(.*)crc32:.{8}\n",
        lambda m: f" {int(m[1]) - 14} {m[2]}_GRAD\n{m[3]}\n",
        (folder / "again").read_text(),
    )
    assert "crc32" not in again
    # Gradients come back, but do not count as used and are not written again.
    shortened = re.sub(r"( \d+) FULL_GRAD\n(.*)\n.*", lambda m: f" {len(m[2]) + 1} ZERO_GRAD\n{m[2]}", text)
    assert sorted(again.splitlines()) == sorted(shortened.splitlines())
