"""dy.mp: processes of one machine that learn one model in shared memory, and threads that do."""

import os
import signal
import threading

import numpy as np
import pytest

import dynet as dy


class Line:
    """y = 3 x - 1, to be found."""

    def __init__(self):
        self.model = dy.ParameterCollection()
        self.slope = self.model.add_parameters(1)
        self.offset = self.model.add_parameters(1, init=0)

    def learn(self, x):
        if x == "fail":
            raise ValueError("no number")
        if x == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        dy.renew_cg()
        loss = dy.squared_distance(self.slope * x + self.offset, dy.inputVector([3 * x - 1]))
        loss.backward()
        return loss.scalar_value()

    def is_found(self):
        return np.allclose([self.slope.as_array()[0], self.offset.as_array()[0]], [3, -1], atol=0.02)


def shared_line():
    with dy.mp.shared_parameters():
        return Line()


def test_parameters_must_be_shared():
    line = Line()
    with pytest.raises(RuntimeError, match="no parameters are shared"):
        dy.mp.train(dy.SimpleSGDTrainer(line.model), [1.0], line.learn, processes=1)


def test_processes_learn_one_model():
    line = shared_line()
    trainer = dy.SimpleSGDTrainer(line.model, 0.1)
    for _ in range(15):
        loss = dy.mp.train(trainer, list(np.linspace(-1, 1, 40)), line.learn, processes=3)
    assert line.is_found()
    assert loss < 0.01
    assert trainer._updates() == 15 * 40  # none was lost


def test_a_failure_is_told():
    line = shared_line()
    with pytest.raises(RuntimeError, match=r"(?s)a process failed: .*ValueError: no number"):
        dy.mp.train(dy.SimpleSGDTrainer(line.model), [1.0, "fail", 2.0], line.learn, processes=2)
    with pytest.raises(RuntimeError, match="it was ended by -9"):
        dy.mp.train(dy.SimpleSGDTrainer(line.model), [1.0, "die", 2.0], line.learn, processes=2)


def test_threads_learn_one_model():
    """Each has a graph of its own; gradients of backward passes add up, and updates take turns."""
    line = Line()
    trainer = dy.SimpleSGDTrainer(line.model, 0.02)

    def work(numbers):
        for x in numbers:
            line.learn(x)
            trainer.update()

    for _ in range(40):
        threads = [
            threading.Thread(target=work, args=(np.linspace(-1, 1, 40)[part::2],)) for part in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert line.is_found()
