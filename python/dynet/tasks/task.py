"""A call for one example, which goes on until it waits for values: a generator, a coroutine, a fiber."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Sequence
from types import CoroutineType, GeneratorType
from typing import Any, Union

from dynet import _dynet
from dynet._dynet import Expression

Wanted = Union[Expression, Sequence[Expression]]  # noqa: UP007  `|` of these needs Python 3.10 at run time.


class Closed(BaseException):
    """Raised where a task waits that is not needed any more, because an earlier one has failed."""


class Task(_dynet._Turn):
    """What a call waits for, and in the end its result or error. Subclasses say how it goes on; a round in
    which nothing goes wrong has them go on in C++ (src/tasks.cc)."""

    steps: Any  # a generator or coroutine,
    given: Any  # and what it has yielded
    resume: Any  # a fiber,
    park: Any  # and the one that runs the tasks

    def __init__(self, index: int, part: int, function: Callable[[Any], Any], example: object) -> None:
        super().__init__()
        self.index = index
        self.part = part  # of the graph, to which its nodes go
        self.function, self.example = function, example
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_done = False

    def go_on(self, error: BaseException | None = None) -> None:
        """Runs until the call waits or ends; the error is raised where it waits."""
        raise NotImplementedError

    def in_full(self, result: Any, error: BaseException | None = None) -> Any:
        """What a plain function gives; a generator or coroutine is run, or goes on with an error."""
        if not isinstance(result, (GeneratorType, CoroutineType)):
            return result
        yielded = None
        while True:
            try:
                yielded = result.throw(error) if error else result.send(yielded)
            except StopIteration as stop:
                return stop.value
            try:
                error = None
                if self.want(yielded):
                    _dynet.forward([yielded] if isinstance(yielded, Expression) else yielded)
            except BaseException as raised:
                error = raised

    def close(self) -> None:
        """Ends a call that waits: its `finally` clauses run, and what they wait for is refused, too."""
        for _ in range(100):
            if self.is_done:
                return
            self.go_on(Closed())

    def end(self, result: object, error: BaseException | None = None) -> None:
        """Notes how the call has ended."""
        self.is_done, self.result, self.error = True, result, error
        self.example = self.steps = self.given = None


class PlainTask(Task):
    """A plain function that has no others to wait for."""

    def go_on(self, error: BaseException | None = None) -> None:
        try:
            self.end(self.in_full(self.function(self.example)))
        except BaseException as raised:
            self.end(None, raised)


class StepTask(Task):
    """A generator or coroutine, which yields what it waits for, and gets it back: v = (yield e).value()."""

    def go_on(self, error: BaseException | None = None) -> None:
        while True:
            try:
                if self.steps is None:
                    self.steps = self.function(self.example)
                self.given = self.steps.throw(error) if error else self.steps.send(self.given)
            except StopIteration as stop:
                return self.end(stop.value)
            except BaseException as raised:
                return self.end(None, raised)
            try:
                error = None
                if self.want(self.given):
                    return None
            except Exception as refused:
                error = refused


class _Pool(threading.local):
    """Fibers that wait for another call: making one takes longer than many calls."""

    def __init__(self) -> None:
        self.free: list[Any] = []

    def take(self) -> Any:
        """A fiber, or None; one that an interrupt has met between two calls is dead."""
        return self.free.pop() if self.free else None


_pool = _Pool()


def _work(task: FiberTask | None) -> None:
    """The life of a fiber: one call after another."""
    from greenlet import getcurrent

    fiber = getcurrent()
    while task is not None:
        task.run()
        task = None  # which holds what the call has made
        _pool.free.append(fiber)
        task = fiber.parent.switch()


def end_fibers() -> None:
    """Ends the fibers of this thread that no call needs."""
    while _pool.free:
        _pool.free.pop().switch(None)


class FiberTask(Task):
    """A plain function in a fiber: whatever asks for a value in it may wait."""

    def __init__(self, index: int, part: int, function: Callable[[Any], Any], example: object) -> None:
        from greenlet import getcurrent

        super().__init__(index, part, function, example)
        self.park = getcurrent()  # known before the call begins
        self._fiber: Any = None

    def run(self) -> None:
        """The call, in its fiber, with as little as can be on the stack, which is copied where it waits."""
        try:
            self.end(self.in_full(self.function(self.example)))
        except BaseException as raised:
            self.end(None, raised)

    def come_back_to(self, runner: Any) -> None:
        """Where the call waits or ends, this greenlet goes on."""
        self._fiber.parent = runner
        self.park = runner

    def go_on(self, error: BaseException | None = None) -> None:
        from greenlet import getcurrent, greenlet

        if self._fiber is not None:
            self.come_back_to(getcurrent())
            self._fiber.switch(error)
        else:
            self._fiber = next((fiber for fiber in iter(_pool.take, None) if not fiber.dead), greenlet(_work))
            self.resume = self._fiber
            self._fiber.gr_context = contextvars.copy_context()  # else it would begin without the caller's
            self.come_back_to(getcurrent())
            self.begin_fiber(self._fiber)
        if not self.waits:
            self.check_ended()

    def check_ended(self) -> None:
        """Called where the fiber has come back and waits for nothing."""
        if not self.is_done:
            self.end(None, RuntimeError("run_batched: the fiber of a task was ended from outside"))
        self._fiber = self.resume = self.park = None
