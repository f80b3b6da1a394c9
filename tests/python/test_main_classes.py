"""A file that a program wrote of a class of its own is read by another one that imports the class."""

import importlib.util
import pickle
import subprocess
import sys

import pytest

import dynet as dy

PROGRAM = """
import sys
import dynet as dy


class Tagger(dy.nn.Module):
    def __init__(self, size, model):
        super().__init__(model)
        self.layer = dy.nn.Linear(size, 2, self.model)


if __name__ == "__main__":
    dy.save(sys.argv[1], [Tagger(3, dy.ParameterCollection())])
"""


def test_a_class_of_the_main_program(tmp_path):
    file, program = tmp_path / "tagger", tmp_path / "trainer_of_taggers.py"
    program.write_text(PROGRAM)
    subprocess.run([sys.executable, program, file], check=True)
    spec = importlib.util.spec_from_file_location("trainer_of_taggers", program)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(pickle.UnpicklingError, match=r"__main__\.Tagger"):
        dy.load(file, dy.ParameterCollection())
    (tagger,) = dy.load(file, dy.ParameterCollection(), allowed=[module.Tagger])
    assert isinstance(tagger, module.Tagger) and tagger.layer.inputs == 3
