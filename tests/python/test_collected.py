"""What graphs, cells, states and functions hold is given back: in cycles, and at the end of a program."""

import gc
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import numpy as np
import pytest

import dynet as dy


class Owner:
    """Something that refers to what refers to it."""

    def forward(self, x):
        return x

    def backward(self, x, y, dy):
        return [dy]

    def step(self, x):
        return dy.tanh(x)


def graph(owner):
    """A graph that is owned, with a function in it."""
    owner.graph = dy.ComputationGraph()
    owner.f = dy.Function(owner.forward, owner.backward, shape=(1,))
    with owner.graph:
        owner.y = owner.f(dy.scalarInput(1.0))
        assert owner.y.value() == 1


def derived_graph(owner):
    """The same, of a class that derives from graphs."""

    class Graph(dy.ComputationGraph):
        pass

    owner.graph = Graph()
    with owner.graph:
        owner.y = dy.Function(owner.forward, None)(dy.scalarInput(1.0))


def lambdas(owner):
    """A function that is no method."""
    owner.graph = dy.ComputationGraph()
    with owner.graph:
        owner.y = dy.Function(lambda x: owner and x, lambda x, y, dy: owner and [dy])(dy.scalarInput(1.0))


def two_graphs(owner):
    """Graphs that hold each other."""
    graphs = [dy.ComputationGraph(), dy.ComputationGraph()]
    for one, other in (graphs, graphs[::-1]):
        with one:
            dy.Function(lambda x, other=other: (owner, other, x)[2], None)(dy.scalarInput(1.0))


def cell(owner):
    """A cell of a method, recorded."""
    owner.cell = dy.cell(owner.step)
    owner.y = owner.cell(dy.inputVector([1.0]))


def cell_with_constants(owner):
    """What the key of a recording holds."""
    owner.cell = dy.cell(lambda x, constant, **options: x * x.dim()[1])
    for batch in (1, 2, 3):
        owner.cell(dy.inputTensor(np.ones((2, batch)), batched=True), [owner], option=owner.step)


def cell_in_graph(owner):
    """A cell in a graph that its owner holds."""
    graph(owner)
    with owner.graph:
        cell(owner)


def builder_with_state(owner):
    """A builder that keeps a state, which keeps the builder."""

    class Encoder(dy.GRUBuilder):
        pass

    owner.builder = Encoder(1, 2, 2, dy.ParameterCollection())
    owner.builder.owner = owner
    owner.builder.first = owner.builder.initial_state()


def trainer(owner):
    """A trainer and a collection of classes of the program."""

    class Trainer(dy.AdamTrainer):
        pass

    class Collection(dy.ParameterCollection):
        pass

    owner.model = Collection()
    owner.model.owner = owner
    owner.trainer = Trainer(owner.model)
    owner.trainer.owner = owner


CYCLES = [
    *(graph, derived_graph, lambdas, two_graphs, cell, cell_with_constants, cell_in_graph),
    *(builder_with_state, trainer),
]


@pytest.mark.parametrize("make", CYCLES, ids=lambda make: make.__name__)
def test_cycles_are_collected(make):
    dy.renew_cg()
    gone = []
    for _ in range(5):
        owner = Owner()
        make(owner)
        gone.append(weakref.ref(owner))
    del owner
    gc.collect()
    assert [ref() for ref in gone] == [None] * 5
    assert dy.scalarInput(2.0).value() == 2


def test_what_is_used_is_not_collected():
    owner = Owner()
    graph(owner)
    y, keep = owner.y, owner.graph
    del owner.f, owner
    gc.collect()
    assert y.value(recalculate=True) == 1 and keep


def test_renewal_frees_what_the_graph_of_a_thread_holds():
    dy.renew_cg()
    owner = Owner()
    gone = weakref.ref(owner)
    dy.Function(owner.forward, None)(dy.scalarInput(1.0))
    del owner
    gc.collect()
    assert gone() is not None
    dy.renew_cg()
    gc.collect()
    assert gone() is None


def test_the_end_of_a_thread_frees_what_its_graph_holds():
    gone = []

    def work():
        owner = Owner()
        gone.append(weakref.ref(owner))
        assert dy.Function(owner.forward, None)(dy.scalarInput(1.0)).value() == 1

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(100):  # What a thread keeps for itself goes a little after what Python sees of it.
        dy.ComputationGraph()
        gc.collect()
        if not any(ref() for ref in gone):
            break
        time.sleep(0.05)
    assert [ref() for ref in gone] == [None] * 3


def test_what_is_freed_may_use_dynet():
    freed = []

    class Last:
        def forward(self, x):
            return x

        def __del__(self):
            freed.append(dy.scalarInput(3.0).value())
            with dy.ComputationGraph():
                freed.append(dy.Function(lambda x: x, None)(dy.scalarInput(4.0)).value())

    dy.renew_cg()
    dy.Function(Last().forward, None)(dy.scalarInput(1.0))
    dy.renew_cg()
    gc.collect()
    assert freed == [3, 4]
    graph = dy.ComputationGraph()
    with graph:
        dy.Function(Last().forward, None)(dy.scalarInput(1.0))
    del graph
    gc.collect()
    assert freed == [3, 4] * 2


# -- the end of a program

BEGIN = """
import atexit, gc, os, sys, threading, time
import numpy as np
import dynet as dy

class Model:
    def __init__(self, shape=(1,)):
        self.pc = dy.ParameterCollection()
        self.w = self.pc.add_parameters(1, init=1.0)
        self.trainer = dy.AdamTrainer(self.pc)
        self.builder = dy.VanillaLSTMBuilder(1, 1, 1, self.pc)
        self.builder.state = self.builder.initial_state()
        self.f = dy.Function(self.forward, self.backward, shape)
        self.step = dy.cell(self.scaled)
    def forward(self, x): return x
    def backward(self, x, y, dy): return [dy]
    def scaled(self, x): return x * 2
    def use(self):
        loss = self.step(self.f(self.w)) + self.builder.initial_state().add_input(self.w).output()
        loss.backward()
        self.trainer.update()
        return loss
    def __del__(self): os.write(1, b"freed ")

def work(): model = Model(); model.loss = model.use()
"""
ENDS = {
    "global": "model = Model(); y = model.use()",
    "graph": "model = Model(); model.graph = dy.ComputationGraph()\nwith model.graph: model.y = model.use()",
    "entered": "model = Model(); model.graph = dy.ComputationGraph().__enter__(); model.y = model.use()",
    "only in the graph": "work()",
    "handle": "model = Model(); model.use(); model.handle = dy.cg()",
    "attribute": "dy.model = Model(); dy.model.use()",
    "default": "def f(model=Model()): model.use()\nf()",
    "sys.exit": "model = Model(); model.use(); sys.exit()",
    "sys.exit in a function": "model = Model(); model.forward = lambda x: sys.exit()\n"
    "model.f = dy.Function(model.forward, None, (1,)); model.use()",
    "exit in a cell": "model = Model(); dy.cell(lambda x: sys.exit())(model.w * 1)",
    "thread": "t = threading.Thread(target=work); t.start(); t.join()",
    "running thread": "threading.Thread(target=lambda: (time.sleep(0.1), work())).start()",
    "atexit": "model = Model(); atexit.register(lambda: model.use())",
    "no collection": "gc.disable(); model = Model(); model.use()",
}


def program(text):
    return subprocess.run(
        [sys.executable, "-c", BEGIN + textwrap.dedent(text)], capture_output=True, text=True
    )


@pytest.mark.parametrize("name", ENDS)
def test_programs_end_in_silence_and_free_what_they_made(name):
    done = program(ENDS[name])
    assert (done.returncode, done.stdout, done.stderr) == (0, "freed ", "")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("model = Model(); model.use(); os._exit(3)", 3),
        ("model = Model(); model.use(); gc.freeze()", 0),
        (
            "threading.Thread(target=lambda: (work(), time.sleep(60)), daemon=True).start(); time.sleep(0.2)",
            0,
        ),
        ("import ctypes; model = Model(); ctypes.pythonapi.Py_IncRef(ctypes.py_object(model))", 0),
    ],
)
def test_what_python_itself_keeps_is_no_reason_to_print(text, status):
    done = program(text)
    assert (done.returncode, done.stderr) == (status, "")


def test_an_error_prints_its_traceback_alone():
    done = program("model = Model(); model.use(); raise KeyError('mine')")
    assert done.returncode == 1 and done.stderr.splitlines()[-1] == "KeyError: 'mine'"
    assert "nanobind" not in done.stderr
