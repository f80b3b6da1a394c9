"""A call for one example, which goes on until it waits for values: a generator, a coroutine, a fiber."""

from __future__ import annotations

import contextvars
import inspect
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any, Union

from dynet import _dynet
from dynet._dynet import Expression

Wanted = Union[Expression, Sequence[Expression]]  # noqa: UP007  `|` of these needs Python 3.10 at run time.
Steps = Generator[Wanted, Any, Any]


class Closed(BaseException):
    """Raised where a task waits that is not needed any more, because an earlier one has failed."""


class Task:
    """What a call waits for, and in the end its result or error. Subclasses say how it goes on."""

    wait: Callable[[list[Expression]], None] | None = None  # called where a value is not known

    def __init__(self, index: int, part: int, call: Callable[[], Any]) -> None:
        self.index = index
        self.part = part  # of the graph, to which its nodes go
        self.call = call
        self.wanted: list[Expression] = []
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_done = False

    def go_on(self, error: BaseException | None = None) -> None:
        """Runs until the call waits or ends; the error is raised where it waits."""
        raise NotImplementedError

    def _result(self) -> Any:
        """What the call gives; what makes generators or coroutines has them run."""
        result = self.call()
        if not inspect.isgenerator(result) and not inspect.iscoroutine(result):
            return result
        steps, yielded, error = steps_of(result), None, None
        while True:
            try:
                yielded = steps.throw(error) if error else steps.send(yielded)
            except StopIteration as stop:
                return stop.value
            try:
                error = None
                (self.wait or _dynet.forward)(expressions_of(yielded))
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
        self.is_done, self.result, self.error, self.wanted = True, result, error, []


def steps_of(result: Any) -> Steps:
    """What a generator or coroutine function has given, to be run step by step."""
    return result.__await__() if inspect.iscoroutine(result) else result


def expressions_of(wanted: object) -> list[Expression]:
    """What a generator has yielded; TypeError where nobody can wait for that."""
    listed = [wanted] if isinstance(wanted, Expression) else wanted
    if not isinstance(listed, (list, tuple)) or not all(isinstance(e, Expression) for e in listed):
        raise TypeError(
            f"run_batched: a task has yielded {_dynet._a_kind(wanted)}; it waits for the value of an "
            "expression, or of each of a list"
        )
    return list(listed)


class PlainTask(Task):
    """A plain function that has no others to wait for."""

    def go_on(self, error: BaseException | None = None) -> None:
        try:
            self.end(self._result())
        except BaseException as raised:
            self.end(None, raised)


class StepTask(Task):
    """A generator or coroutine, which yields what it waits for."""

    _steps: Steps | None = None
    _yielded: Wanted | None = None  # which `yield` gives back: v = (yield e).value()

    def go_on(self, error: BaseException | None = None) -> None:
        while True:
            try:
                if self._steps is None:
                    self._steps = steps_of(self.call())
                wanted = self._steps.throw(error) if error else self._steps.send(self._yielded)
            except StopIteration as stop:
                return self.end(stop.value)
            except BaseException as raised:
                return self.end(None, raised)
            try:
                self.wanted, self._yielded = expressions_of(wanted), wanted
            except TypeError as refused:
                error = refused
            else:
                return None


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
        task.context.run(task.run)
        _pool.free.append(fiber)
        task = fiber.parent.switch()


def end_fibers() -> None:
    """Ends the fibers of this thread that no call needs."""
    while _pool.free:
        _pool.free.pop().switch(None)


class FiberTask(Task):
    """A plain function in a fiber: whatever asks for a value in it may wait."""

    def __init__(self, index: int, part: int, call: Callable[[], Any]) -> None:
        super().__init__(index, part, call)
        self._fiber: Any = None
        self._error: BaseException | None = None
        self._waits = False
        self.context = contextvars.copy_context()  # a fiber would begin without the caller's

    def run(self) -> None:
        """The call, in its fiber."""
        try:
            self.end(self._result())
        except BaseException as raised:
            self.end(None, raised)

    def wait(self, wanted: list[Expression]) -> None:
        """Called in the fiber: the run goes on, and comes back when the values are known."""
        self.wanted, self._waits = wanted, True
        self._fiber.parent.switch()
        if self._error:
            error, self._error = self._error, None
            raise error

    def go_on(self, error: BaseException | None = None) -> None:
        from greenlet import getcurrent, greenlet

        self._error, self._waits = error, False
        if self._fiber is not None:
            self._fiber.parent = getcurrent()
            self._fiber.switch()
        else:
            self._fiber = next((fiber for fiber in iter(_pool.take, None) if not fiber.dead), greenlet(_work))
            self._fiber.parent = getcurrent()
            self._fiber.switch(self)
        if self.is_done:
            self._fiber = None
        elif not self._waits:
            self.end(None, RuntimeError("run_batched: the fiber of a task was ended from outside"))
