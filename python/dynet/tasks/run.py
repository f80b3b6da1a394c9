"""What `run_batched` and its relatives do: tasks go on in turns, and one evaluation answers all that wait."""

from __future__ import annotations

import atexit
import importlib.util
import inspect
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NoReturn

from dynet import _dynet
from dynet.tasks.pace import WINDOWS, now, pace_of
from dynet.tasks.task import FiberTask, PlainTask, StepTask, Task, end_fibers

LOT = 128  # examples for which a window stays, where it is chosen by measuring


class Runner:
    """Checks what was given, and runs lots of examples with the window that is chosen for each."""

    def __init__(
        self, name: str, f: Callable[[Any], Any], window: int | None, errors: str, in_any_order: bool = False
    ) -> None:
        if not callable(f):
            raise TypeError(f"{name}: {_dynet._a_kind(f)} was given; a function of one example is needed")
        if window is not None and (isinstance(window, bool) or not isinstance(window, int)):
            raise TypeError(f"{name}: window is {window!r}; a whole number or None is needed")
        if window is not None and window < 1:
            raise ValueError(f"{name}: window is {window}; at least 1 is needed")
        if errors not in ("raise", "return"):
            raise ValueError(f'{name}: errors is {errors!r}; "raise" or "return" is needed')
        self.name, self.f, self.window, self.returns_errors = name, f, window, errors == "return"
        self.in_any_order, self.taken = in_any_order, 0
        called = f if inspect.isroutine(f) or isinstance(f, partial) else type(f).__call__
        self.yields = inspect.isgeneratorfunction(called) or inspect.iscoroutinefunction(called)
        if not self.yields and window != 1 and importlib.util.find_spec("greenlet") is None:
            raise ImportError(
                f"{name}: tasks that are plain functions need greenlet (pip install dynet[fibers]); "
                "without it, write f as a generator that yields what it waits for, or give window=1"
            )

    def task(self, index: int, part: int, example: object, window: int) -> Task:
        """A call that has not begun; alone it has nobody to wait for."""
        call = partial(self.f, example)
        kind = StepTask if self.yields else FiberTask if window > 1 else PlainTask
        return kind(index, part, call)

    def run(self, examples: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """Numbers and results as they come."""
        numbered = enumerate(examples)
        run = _dynet._TaskRun()
        try:
            if self.window is not None or self.in_any_order:
                yield from _Lot(self, run, self.window or WINDOWS[0], numbered).run()
                return
            pace = pace_of(self.f)
            while True:
                window = pace.choose()
                lot = _Lot(self, run, window, numbered, LOT)
                start = now()
                results = list(lot.run())
                pace.note(window, now() - start, lot.begun)
                yield from results
                if lot.is_last:
                    return
        finally:
            run.end()
            if threading.current_thread() is not threading.main_thread():
                end_fibers()  # which would outlive the thread


def _no_call() -> None:
    """Where the examples have failed, there is nothing to call."""


class _Lot:
    """Tasks that take turns: places that get free are given to new ones, half of the window at once."""

    def __init__(
        self,
        runner: Runner,
        run: _dynet._TaskRun,
        window: int,
        examples: Iterator[tuple[int, Any]],
        most: int | None = None,
    ) -> None:
        self.runner, self._run, self._window, self._examples, self._most = runner, run, window, examples, most
        self.begun, self.is_last = 0, False
        self._waiting: list[Task] = []  # in the order of their numbers
        self._failed: Task | None = None  # the first one

    def run(self) -> Iterator[tuple[int, Any]]:
        """Numbers and results of the lot as they come."""
        try:
            while True:
                ended = self._begin_some()
                if not self._waiting and not ended:
                    break
                yield from self._results(ended)
                if self._waiting:
                    yield from self._results(self._go_on(self._evaluate()))
            if self._failed:
                self._raise(self._failed)
        finally:
            for task in self._waiting:
                self._advance(task, close=True)

    def _begin_some(self) -> list[Task]:
        """Fills the places that are free, if these are half of them; gives the tasks that have ended."""
        ended: list[Task] = []
        if self._failed or 2 * len(self._waiting) > self._window:
            return ended
        while len(self._waiting) < self._window and not self.is_last and self.begun != self._most:
            task = self._next()
            if task is None:
                break
            (ended if task.is_done else self._waiting).append(task)
            if task.is_done and (task.error or len(ended) >= self._window):
                break
        return ended

    def _next(self) -> Task | None:
        """The next task, which has begun; one that has failed where the examples have."""
        try:
            index, example = next(self._examples)
        except StopIteration:
            self.is_last = True
            return None
        except Exception as error:
            self.is_last = True
            task: Task = PlainTask(self.runner.taken, 0, _no_call)
            task.end(None, error)
            return task
        self.begun, self.runner.taken = self.begun + 1, index + 1
        task = self.runner.task(index, self._run.add(), example, self._window)
        self._advance(task)
        return task

    def _go_on(self, tasks: list[Task]) -> list[Task]:
        """These tasks go on; gives those that have ended."""
        for task in tasks:
            self._advance(task)
        ended = [task for task in self._waiting if task.is_done]
        self._waiting = [task for task in self._waiting if not task.is_done]
        return ended

    def _advance(self, task: Task, error: BaseException | None = None, close: bool = False) -> None:
        self._run.enter(task.part, task.wait)
        try:
            if close:
                task.close()
            else:
                task.go_on(error)
        finally:
            task.part = self._run.leave()

    def _evaluate(self) -> list[Task]:
        """One evaluation for all; if that fails, one for each, whose error is raised where the task waits.
        Gives those whose values are known."""
        try:
            _dynet.forward([e for task in self._waiting for e in task.wanted])
        except Exception:
            return [task for task in self._waiting if self._evaluate_alone(task)]
        return self._waiting

    def _evaluate_alone(self, task: Task) -> bool:
        try:
            _dynet.forward(task.wanted)
        except Exception as error:
            self._advance(task, error)
            return False
        return True

    def _results(self, ended: list[Task]) -> Iterator[tuple[int, Any]]:
        """Results; after an error only tasks go on that come before the one that has it."""
        for task in ended:
            if self.runner.in_any_order:
                self._run.release(task.part)
            if task.error is None:
                yield task.index, task.result
            elif self.runner.returns_errors and isinstance(task.error, Exception):
                yield task.index, task.error
            elif not isinstance(task.error, Exception):
                self._raise(task)
            elif self._failed is None or task.index < self._failed.index:
                self._failed = task
        if self._failed:
            last = self._failed.index
            for task in self._waiting:
                if task.index > last:
                    self._advance(task, close=True)
            self._waiting = [task for task in self._waiting if task.index < last]

    def _raise(self, task: Task) -> NoReturn:
        error: Any = task.error
        note = f"in example {task.index} of {self.runner.name}"
        if hasattr(error, "add_note"):
            error.add_note(note)
        else:
            error.__notes__ = [*getattr(error, "__notes__", []), note]
        raise error


atexit.register(end_fibers)
