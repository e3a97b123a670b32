"""Tasks that keep one device busy together: each in a thread of its own, of which exactly one runs at a time.

A task hands over where it waits for the device. Threads alternate at these points alone, because recording CUDA graphs
allows no other work on the device in the meantime. Threads are kept for later tasks: torch chooses cuDNN's algorithms
for each shape of convolution once a thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Generic, TypeVar

from evonas_cli.training.exercise import Pause

R = TypeVar("R")


def abreast(tasks: Sequence[Callable[[Pause], R]], room: Callable[[], bool]) -> list[R]:
    """Runs all tasks and returns their results in order.

    A task is begun when none is under way, or when those under way have had a turn and `room` says that there is room
    for one more; if there is none, it is asked again when one has ended. Each is given a function that it calls to hand
    over, which returns False where no other task has work. Raises what the first of the failed tasks, in
    order, has raised, after all those begun have ended; no task is begun after a failure.
    """
    waiting = deque(_Task(task) for task in tasks)
    begun: list[_Task[R]] = []
    running: deque[_Task[R]] = deque()
    full = False
    while running or waiting:
        full = full or bool(waiting and running and not room())
        if waiting and not full:
            task = waiting.popleft()
            begun.append(task)
        else:
            task = running.popleft()
        task.go(others=bool(running or waiting))
        if not task.ended:
            running.append(task)
            continue
        task.leave()
        full = False
        if task.error is not None:
            waiting.clear()
    for task in begun:
        if task.error is not None:
            raise task.error
    return [task.result for task in begun]


class _Task(Generic[R]):
    result: R

    def __init__(self, call: Callable[[Pause], R]) -> None:
        self.ended = False
        self.error: BaseException | None = None
        self._call, self._others = call, False
        self._ours, self._theirs = threading.Semaphore(0), threading.Semaphore(0)
        self._thread: _Thread | None = None

    def go(self, others: bool) -> None:
        """Lets it run until it hands over or ends."""
        if self._thread is None:
            self._thread = _idle.pop() if _idle else _Thread()
            self._thread.calls.put(self._run)
        self._others = others
        self._ours.release()
        self._theirs.acquire()

    def leave(self) -> None:
        """Waits until its thread has left the call and is free, after the task has ended."""
        assert self._thread is not None
        self._thread.free.acquire()
        _idle.append(self._thread)

    def _pause(self) -> bool:
        if not self._others:
            return False
        self._theirs.release()
        self._ours.acquire()
        return True

    def _run(self) -> None:
        self._ours.acquire()
        try:
            self.result = self._call(self._pause)
        except BaseException as error:
            self.error = error
        self.ended = True
        self._theirs.release()


class _Thread:
    """Runs one call after the other; it ends with the process."""

    def __init__(self) -> None:
        self.calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.free = threading.Semaphore(0)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            self.calls.get()()
            self.free.release()


_idle: list[_Thread] = []
