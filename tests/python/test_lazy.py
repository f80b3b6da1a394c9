"""Submodules that are loaded when somebody first uses one."""

import subprocess
import sys
import textwrap

import pytest


def ran(program):
    """What a fresh process prints."""
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("name", ["data", "export", "training"])
def test_submodules_are_loaded_by_their_first_use(name):
    program = f"""
    import sys, dynet as dy
    print("dynet.{name}" in sys.modules, "{name}" in dir(dy), "{name}" in dy.__all__)
    stand_in = dy.{name}
    stand_in.__all__
    print("dynet.{name}" in sys.modules, stand_in.__name__, dy.{name} is sys.modules["dynet.{name}"])
    print(stand_in.__doc__ == dy.{name}.__doc__, set(dir(stand_in)) == set(dir(dy.{name})))
    """
    assert ran(program) == ["False", "True", "False", "True", f"dynet.{name}", "True", "True", "True"]


def test_lazy_names_outlive_the_first_graph():
    assert ran("import dynet as dy\ndy.renew_cg()\nprint(dy.data.batches.__name__)") == ["batches"]


def test_missing_names_are_told_by_the_module():
    program = """
    import dynet as dy
    try:
        dy.data.nothing
    except AttributeError as error:
        print(error)
    """
    assert " ".join(ran(program)) == "module 'dynet.data' has no attribute 'nothing'"


def test_threads_that_ask_together_get_the_whole_module():
    program = """
    import sys, threading, dynet as dy
    sys.setswitchinterval(1e-6)
    start, found = threading.Barrier(8), []
    def ask():
        start.wait()
        found.append(dy.data.batches)
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads: each.start()
    for each in threads: each.join()
    print(len(found))
    """
    assert ran(program) == ["8"]


def test_a_module_that_could_not_be_loaded_is_tried_again(tmp_path):
    program = """
    import sys, dynet as dy
    sys.modules["dynet.data.order"] = None
    try:
        dy.data.batches
    except ImportError:
        print("refused")
    del sys.modules["dynet.data.order"]
    print(dy.data.batches.__name__)
    """
    assert ran(program) == ["refused", "batches"]
