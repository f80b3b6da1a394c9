"""Forks, signals and the end of Python while something is computed, each in a process of its own."""

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

HEAD = """
import os, signal, sys, threading, time
import numpy as np
import dynet as dy

dy.set_num_threads(%d)


def trains(model, p, trainer):
    dy.renew_cg()
    before = p.as_array()
    model.reset_gradient()
    dy.squared_norm(p * dy.inputVector([1.0] * p.shape()[1])).backward()
    trainer.update()
    assert np.isfinite(p.as_array()).all() and (p.as_array() != before).any()


def child(act):
    pid = os.fork()
    if pid:
        assert os.waitpid(pid, 0)[1] == 0
        return
    try:
        act()
    except BaseException as error:
        print(repr(error))
        os._exit(1)
    os._exit(0)


def while_computing(compute, act):
    stop, started = [], threading.Event()

    def run():
        while not stop:
            compute()
            started.set()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    try:
        for _ in range(5):
            time.sleep(0.01)
            act()
    finally:
        stop.append(1)
        thread.join()


def interrupted(act, after=0.1):
    try:
        signal.setitimer(signal.ITIMER_REAL, after)
        act()
    except KeyboardInterrupt:
        return
    raise AssertionError("nothing was interrupted")


def interrupt(*_):
    raise KeyboardInterrupt


signal.signal(signal.SIGALRM, interrupt)
"""


def run(program, threads=1, timeout=120, **options):
    """Runs it; what it prints to both streams. A process that takes too long is ended."""
    done = subprocess.run(
        [sys.executable, "-c", HEAD % threads + textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        **options,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


MODEL = """
m = dy.ParameterCollection()
p = m.add_parameters((200, 200), init=0.001)
trainer = dy.SimpleSGDTrainer(m, 1e-6)
"""

COMPUTATIONS = {
    "value": "dy.renew_cg(); dy.squared_norm(dy.tanh(p * (p * p))).value()",
    "backward": "dy.renew_cg(); dy.squared_norm(dy.tanh(p * (p * p))).backward()",
    "update": "dy.renew_cg(); dy.squared_norm(p * (p * p)).backward(); trainer.update()",
    "cell": "dy.renew_cg(); dy.cell(lambda x: dy.tanh(x * x))(dy.inputTensor(np.ones((99, 99)))).value()",
    "save": "m.save('/dev/null')",
}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("kind", COMPUTATIONS)
def test_a_child_that_is_forked_while_a_thread_computes_can_train(kind, threads):
    program = """
    def in_child():
        trains(m, p, trainer)
        thread = threading.Thread(target=trains, args=(m, p, trainer))
        thread.start()
        thread.join()
        m.save(f"/tmp/dynet-{os.getpid()}.model")
        m.populate(f"/tmp/dynet-{os.getpid()}.model")
        os.remove(f"/tmp/dynet-{os.getpid()}.model")
        child(lambda: trains(m, p, trainer))

    def compute():
        %s

    while_computing(compute, lambda: child(in_child))
    """
    run(MODEL + textwrap.dedent(program % COMPUTATIONS[kind]), threads)


def test_multiprocessing_forks_while_a_thread_computes():
    program = """
    import multiprocessing

    def compute():
        dy.renew_cg()
        dy.squared_norm(p * (p * p)).value()

    def work(i):
        trains(m, p, trainer)
        return i

    def act():
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(work, range(4)) == [0, 1, 2, 3]

    while_computing(compute, act)
    """
    run(MODEL + textwrap.dedent(program), 2)


def test_a_graph_that_another_thread_evaluates_is_lost_to_the_child():
    program = """
    graph = dy.ComputationGraph()
    started, finish = threading.Event(), threading.Event()

    def slow(x):
        started.set()
        finish.wait()
        return x

    with graph:
        e = dy.Function(slow, lambda x, y, dy: dy, shape=2)(dy.inputVector([1.0, 2.0]))

    def in_child():
        global graph, e
        for act in (e.value, graph.renew, lambda: e + 1):
            try:
                act()
                raise AssertionError("not refused")
            except RuntimeError as error:
                assert "forked" in str(error), error
        del graph, e
        trains(m, p, trainer)

    thread = threading.Thread(target=e.value)
    thread.start()
    started.wait()
    child(in_child)
    finish.set()
    thread.join()
    assert e.npvalue().tolist() == [1, 2]
    """
    run(MODEL + textwrap.dedent(program))


@pytest.mark.parametrize("threads", [1, 4])
def test_a_function_may_fork(threads):
    program = """
    def forward(x):
        child(other)
        return x

    def backward(x, y, dy):
        child(other)
        return dy

    def other():
        graph = dy.ComputationGraph()
        with graph:
            assert dy.sum_elems(dy.inputVector([1.0, 2.0])).value() == 3

    forking = dy.Function(forward, backward)
    dy.renew_cg()
    x = p * dy.inputVector([1.0] * 200)
    dy.squared_norm(dy.esum([forking(p * x) for _ in range(3)])).backward()
    """
    run(MODEL + textwrap.dedent(program), threads)


def test_a_child_that_a_function_forked_may_leave_it():
    program = """
    def forward(x):
        global pid
        if pid is None:
            pid = os.fork()
        return x

    pid, forking = None, dy.Function(forward, lambda x, y, dy: dy, shape=2)
    values = [forking(dy.inputVector([i, 2.0])) for i in range(4)]
    for _ in range(2):
        try:
            assert dy.npvalues(values)[3].tolist() == [3, 2]
            break
        except RuntimeError as error:
            assert pid == 0 and "forked" in str(error), error
    trains(m, p, trainer)
    if pid == 0:
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    """
    run(MODEL + textwrap.dedent(program), 2)


def test_work_is_done_where_the_system_gives_no_thread():
    resource = pytest.importorskip("resource")
    if resource.getrlimit(resource.RLIMIT_STACK)[1] != resource.RLIM_INFINITY:
        pytest.skip("the size of stacks is limited")
    program = """
    dy.reset_random_seed(7)
    w = m.add_parameters((700, 700))
    for _ in range(3):
        dy.renew_cg()
        e = dy.squared_norm(dy.tanh(w * (w * dy.inputVector(np.linspace(-1, 1, 700)))))
        e.backward()
        trainer.update()
    print(e.value(), dy.squared_norm(w * w).value())
    try:
        threading.Thread(target=int).start()
        print("a thread")
    except RuntimeError:
        pass
    """
    program = MODEL + textwrap.dedent(program)

    def no_threads():  # a new thread asks for this much room
        resource.setrlimit(resource.RLIMIT_STACK, (1 << 46, resource.RLIM_INFINITY))

    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    alone = run(program, 4, preexec_fn=no_threads, env=environment)
    assert "a thread" not in alone
    assert run(program, 4, env=environment) == alone + "a thread\n"


# Each takes far longer than anybody would wait.
SLOW = """
def slow(x, steps=60):
    for _ in range(steps):
        x = dy.inverse(x)
    return dy.sum_elems(x)

def matrix(n=700):
    return np.eye(n) + np.random.RandomState(0).rand(n, n) / n
"""


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", ["value", "list", "backward", "product", "divided"])
def test_an_interrupted_computation_can_be_made_again(kind, threads):
    program = {
        "value": "e = slow(dy.inputTensor(matrix())); interrupted(e.value)",
        "list": "e = slow(dy.inputTensor(matrix())); interrupted(lambda: dy.forward([e, e + 1]))",
        "backward": "w = m.parameters_from_numpy(matrix(300)); e = slow(w, 90); interrupted(e.backward)",
        "product": "x = dy.inputTensor(np.full((5000, 5000), 1 / 5000)); e = x\n"
        "for _ in range(8): e = x * e\n"
        "e = dy.sum_elems(e); interrupted(e.value)",
        "divided": "e = dy.esum([slow(dy.inputTensor(matrix() * i)) for i in (1, 2, 3, 4)])\n"
        "interrupted(e.value)",
    }[kind]
    after = """
    if %r == "backward":
        assert not w.grad_as_array().any()
        try:
            w.gradient() if hasattr(w, "gradient") else e.gradient()
            raise AssertionError("there is a gradient")
        except RuntimeError as error:
            assert "backward" in str(error), error
    interrupted(e.value)
    trains(m, p, trainer)
    """
    run(MODEL + SLOW + program + textwrap.dedent(after % kind), threads)


def test_the_same_bits_after_an_interruption():
    program = """
    w = m.parameters_from_numpy(matrix(300))
    for threads in (1, 2):
        dy.set_num_threads(threads)
        results = []
        for times in (0, 1, 3):
            dy.reset_random_seed(1)
            dy.renew_cg()
            m.reset_gradient()
            x = dy.inputTensor(matrix(300))
            e = slow(dy.dropout(w * x, 0.1) + x * w, 3)
            for i in range(times):
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0.04 * (i + 1))
                    e.backward()
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except KeyboardInterrupt:
                    # The signal may also come when the pass has just ended.
                    gradient = w.grad_as_array()
                    assert not gradient.any() or gradient.tobytes() == results[0], "half a gradient"
                m.reset_gradient()
            e.backward()
            results.append(w.grad_as_array().tobytes())
        assert results[0] == results[1] == results[2], "bits differ"
    """
    run(MODEL + SLOW + textwrap.dedent(program))


def test_a_handler_that_raises_nothing_lets_the_computation_go_on():
    program = """
    seen = []
    signal.signal(signal.SIGALRM, lambda *_: seen.append(m.save(f"/tmp/dynet-{os.getpid()}.model")))
    x = dy.inputTensor(matrix(300))
    e = slow(x, 10)
    expected = e.value()
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    while not seen:
        assert e.value(recalculate=True) == expected
    signal.setitimer(signal.ITIMER_REAL, 0)
    os.remove(f"/tmp/dynet-{os.getpid()}.model")
    """
    run(MODEL + SLOW + textwrap.dedent(program))


def test_an_interrupted_gradient_check_leaves_the_parameters():
    program = """
    w = m.parameters_from_numpy(matrix(120))
    before = w.as_array()
    dy.renew_cg()
    interrupted(lambda: dy.check_grad(m, slow(w, 3)))
    assert (w.as_array() == before).all() and not w.grad_as_array().any()

    def handler(*_):
        seen.append((w.as_array() == before).all())
        if len(seen) == 5:
            raise KeyboardInterrupt

    seen = []
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.06)
    try:
        dy.check_grad(m, slow(w, 3))
    except KeyboardInterrupt:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert seen == [True] * 5
    """
    run(MODEL + SLOW + textwrap.dedent(program))


ENDS = {
    "value": "dy.renew_cg(); dy.squared_norm(dy.tanh(p * (p * p))).value()",
    "update": "dy.renew_cg(); dy.squared_norm(p * (p * p)).backward(); trainer.update()",
    "shared": "dy.renew_cg(); dy.sum_elems(p * dy.inputVector([1.0] * 200)).value(); p.as_array()",
    "function": "dy.renew_cg(); dy.sum_elems(dy.esum([f(p * dy.inputVector([1.0] * 200))] * 3)).value()",
}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("kind", ENDS)
def test_daemon_threads_compute_when_python_ends(kind, threads):
    program = """
    def forward(x):
        sum(range(1000))
        return x

    f, started = dy.Function(forward, lambda x, y, dy: dy), []

    def compute():
        while True:
            %s
            started.append(1)

    for _ in range(3):
        threading.Thread(target=compute, daemon=True).start()
    while len(started) < 3:
        time.sleep(0.01)
    """
    program = MODEL + textwrap.dedent(program % ENDS[kind])
    for _ in range(4):
        assert run(program, threads) == ""
