"""Saves and loads beside those of threads, processes and handlers of signals: nothing is lost."""

import contextlib
import multiprocessing
import os
import random
import signal
import sys
import threading
import time

import pytest

import dynet as dy

FORMATS = ["txt", "safetensors"]


class RefusedNetwork:
    """A class of a program; from_spec fails after a while."""

    spec = ()

    def __init__(self, collection):
        self.collection = collection

    def param_collection(self):
        return self.collection

    @classmethod
    def from_spec(cls, spec, model):
        model.add_subcollection("refused").add_parameters(1)
        time.sleep(0.01)
        raise KeyError("refused")


class RefusedTable(RefusedNetwork):
    """from_spec adds rows to the table that it has made, and fails."""

    @classmethod
    def from_spec(cls, spec, model):
        model.add_lookup_parameters((2, 3)).add_rows(2)
        raise KeyError("refused")


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@contextlib.contextmanager
def alarms(handler):
    """Calls the handler of a signal whenever a timer, which the program sets, has run down."""
    before = signal.signal(signal.SIGALRM, handler)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def switching():
    """Threads take turns often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def together(work, number=2):
    """Calls work(0), work(1), … in a process each."""
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=work, args=(i,)) for i in range(number)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * number


def check_listed(model, parts):
    """All of them are in the collection, each with a name of its own, and nothing else."""
    listed = [p.name() for p in model.parameters_list()]
    assert sorted(listed) == sorted(p.name() for p in parts) and len(set(listed)) == len(listed)


@pytest.mark.parametrize("format_", FORMATS)
def test_all_that_processes_add_is_there(format_):
    p = dy.ParameterCollection().add_parameters((3, 3))
    name = f"model.{format_}"

    def add(process):
        for i in range(30):
            p.save(name, f"/{process}-{i}", append=True)

    together(add)
    model = dy.ParameterCollection()
    for key in (f"/{process}-{i}" for process in range(2) for i in range(30)):
        model.load_param(name, key)
    assert os.listdir() == [name]


@pytest.mark.parametrize("format_", FORMATS)
def test_two_processes_may_add_the_first_record(format_):
    p = dy.ParameterCollection().add_parameters((3, 3))
    start = time.time() + 0.2

    def add(process):
        for i in range(20):
            while time.time() < start + 0.02 * i:
                pass
            p.save(f"{i}.{format_}", f"/{process}", append=True)

    together(add)
    model = dy.ParameterCollection()
    for i in range(20):
        for process in range(2):
            model.load_param(f"{i}.{format_}", f"/{process}")


@pytest.mark.parametrize("format_", FORMATS)
def test_what_a_handler_adds_is_there(format_):
    p = dy.ParameterCollection().add_parameters((300, 100))
    name, saved = f"model.{format_}", []

    def handler(*_):
        saved.append(f"/handler-{len(saved)}")
        p.save(name, saved[-1], append=True)

    with alarms(handler):
        for i in range(8):
            signal.setitimer(signal.ITIMER_REAL, random.uniform(0.001, 0.05))
            p.save(name, f"/program-{i}", append=True)
            signal.setitimer(signal.ITIMER_REAL, 0)
    model = dy.ParameterCollection()
    for key in [*saved, *(f"/program-{i}" for i in range(8))]:
        model.load_param(name, key)


def test_a_handler_saves_what_is_being_saved():
    p = dy.ParameterCollection().add_parameters((10, 10))
    longest, calls = 0.0, 0

    def handler(*_):
        nonlocal longest, calls
        start = time.monotonic()
        dy.save("model", [p])
        longest, calls = max(longest, time.monotonic() - start), calls + 1

    with alarms(handler):
        end = time.monotonic() + 2
        while time.monotonic() < end or (calls <= 20 and time.monotonic() < end + 60):
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, 0.004))
            dy.save("model", [p])
    assert longest < 20 and calls > 20
    assert len(dy.load("model", dy.ParameterCollection())) == 1
    assert sorted(os.listdir()) == ["model.data", "model.meta"]


def test_interrupts_leave_a_model_and_no_lock():
    parameters = [dy.ParameterCollection().add_parameters(2, init=i) for i in range(2)]

    def handler(*_):
        raise KeyboardInterrupt

    dy.save("model", parameters[:1])
    start = time.monotonic()
    for i in range(300):
        with alarms(handler), contextlib.suppress(KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, 0.004))
            dy.save("model", [parameters[i % 2]] * (1 + i % 2))
            signal.setitimer(signal.ITIMER_REAL, 0)
        loaded = [p.value()[0] for p in dy.load("model", dy.ParameterCollection())]
        assert loaded in ([0], [1, 1])
    dy.save("model", parameters[:1])
    assert time.monotonic() - start < 60
    assert sorted(os.listdir()) == ["model.data", "model.meta"]


def test_a_pipe_that_nobody_reads_stops_nobody():
    os.mkfifo("pipe")
    big = dy.ParameterCollection()
    big.add_parameters((1000, 1000))
    model = dy.ParameterCollection()
    p = model.add_parameters(3)
    thread = threading.Thread(target=big.save, args=("pipe",))
    thread.start()
    reader = os.open("pipe", os.O_RDONLY)
    time.sleep(0.5)
    trainer = dy.SimpleSGDTrainer(model)
    dy.squared_norm(p).backward()
    trainer.update()
    assert thread.is_alive()
    with open("copy", "wb") as copy:
        while text := os.read(reader, 1 << 20):
            copy.write(text)
    os.close(reader)
    thread.join()
    other = dy.ParameterCollection()
    other.add_parameters((1000, 1000))
    other.populate("copy")
    first, second = (m.parameters_list()[0].as_array() for m in (big, other))
    assert abs(first - second).max() < 1e-6


def test_loads_of_two_threads_into_one_collection(switching):
    for name, kind in (("one", dy.LSTMBuilder), ("other", dy.GRUBuilder)):
        model = dy.ParameterCollection()
        dy.save(name, [kind(1, 10, 10, model) for _ in range(30)])
    for _ in range(8):
        model, loaded = dy.ParameterCollection(), {}

        def load(name, model=model, loaded=loaded):
            loaded[name] = dy.load(name, model)

        threads = [threading.Thread(target=load, args=(name,)) for name in ("one", "other")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        parts = [p for each in loaded.values() for b in each for p in b.param_collection().parameters_list()]
        assert len(loaded) == 2
        check_listed(model, parts)


def test_what_others_add_while_a_load_is_refused_stays(switching):
    source = dy.ParameterCollection()
    builder = dy.LSTMBuilder(1, 50, 50, source)
    dy.save("good", [builder])
    dy.save("bad", [builder, RefusedNetwork(dy.ParameterCollection())])
    model, added, stop = dy.ParameterCollection(), [], threading.Event()

    def add():
        while not stop.is_set():
            added.append(model.add_parameters(2))
            time.sleep(0.0005)

    thread = threading.Thread(target=add)
    thread.start()
    loaded = []
    for _ in range(20):
        with pytest.raises(KeyError):
            dy.load("bad", model)
        loaded += dy.load("good", model)
    stop.set()
    thread.join()
    assert len(added) > 20
    check_listed(model, added + [p for b in loaded for p in b.param_collection().parameters_list()])


def test_a_table_with_more_rows_is_taken_out():
    dy.save("bad", [RefusedTable(dy.ParameterCollection())])
    model = dy.ParameterCollection()
    with pytest.raises(KeyError):
        dy.load("bad", model)
    assert model.lookup_parameters_list() == [] and model.state_dict() == {}


def test_states_have_names_that_files_gave():
    source = dy.ParameterCollection()
    for i, key in enumerate(["/x", "/longer/than/that"]):
        source.add_parameters(1, init=i).save("model", key, append=i > 0)
    part = dy.ParameterCollection().add_subcollection("part-of-it")
    loaded = [part.add_parameters(1, init=2, name="x")]
    loaded += [part.load_param("model", key) for key in ("/x", "/longer/than/that")]
    state = part.state_dict()
    assert {name: array.tolist() for name, array in state.items()} == {
        "/x": [2],
        "/x_1": [0],
        "/longer/than/that": [1],
    }
    for p in loaded:
        p.zero()
    part.load_state_dict(state)
    assert [p.as_array().tolist() for p in loaded] == [[2], [0], [1]]
