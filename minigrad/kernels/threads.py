"""Threads inside large operations.

NumPy lets other threads run while it computes, so an operation on many images, or a large matrix product, can give each
thread some of it. OpenBLAS keeps to one thread then: its own hand parts of matrices from core to core.

A core without work falls asleep, and wakes late: after 20 to 150 µs, half of the time of a small network's product. So
while work is shared often, threads of the lowest priority keep the cores awake; they give way to anything else.
"""

from __future__ import annotations

import contextvars
import functools
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from minigrad.engine import Array
from minigrad.kernels import blas

T = TypeVar("T")

AWAKE = np.broadcast_to(np.float32(1), (20_000_000,))  # whose sum takes some milliseconds, and no memory
BLOCK = 1 << 21  # bytes; a thread should not come back for the next one too often: they wait for each other then


def get_num_threads() -> int:
    """How many threads a large operation uses: by default one for each core, or ``OMP_NUM_THREADS``.

    >>> import minigrad
    >>> minigrad.get_num_threads() >= 1
    True
    """
    return _state.count or _default()


def set_num_threads(n: int) -> None:
    """Let large operations, matrix products among them, use `n` threads.

    With another number, matrix products may round otherwise (by 2e-6 of the largest element in float32, or less); all
    else gives the same bits.

    Raises:
        RuntimeError: if `n` is not positive.
        TypeError: if `n` is no integer.
    """
    if not isinstance(n, int) or isinstance(n, bool):
        raise TypeError(f"set_num_threads expects an int, but got {type(n).__name__}")
    if n <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")
    _state.count = n


def available() -> int:
    """How many threads there are for `share` and `together`."""
    return 1 if blas.library() is None else get_num_threads()


def share(work: Callable[[Sequence[T]], object], items: Sequence[T]) -> None:
    """``work(items)``, by several threads at once: each gets some neighbouring items.

    What `work` does with an item must not depend on the other items; it must not start operations itself.
    An exception in any thread is raised here, after all have ended.
    """
    n = min(available(), len(items))
    if n <= 1:
        work(items)
    else:
        together([functools.partial(work, items[a:b]) for a, b in itertools.pairwise(cuts(len(items), n))])


def cuts(count: int, n: int, ahead: float = 0) -> list[int]:
    """Where to cut so many items into `n` parts, or fewer, the first of which has `ahead` items more than the others.

    The thread that wakes the others does these before they begin.

    >>> cuts(12, 2), cuts(12, 2, ahead=2), cuts(12, 2, ahead=20)
    ([0, 6, 12], [0, 7, 12], [0, 12])
    """
    each = max(count - ahead, 0) / n
    return sorted({0, *(count - round(each * i) for i in range(n))})


def together(tasks: Sequence[Callable[[], object]]) -> None:
    """Do several things at once, the first of them in this thread; exceptions as for `share`."""
    blas.products_on_one_thread()
    if not _state.busy.is_set():
        _state.busy.set()
    helpers = [_state.helper() for _ in tasks[1:]]
    for helper, task in zip(helpers, tasks[1:], strict=True):
        helper.begin(functools.partial(contextvars.copy_context().run, task))  # NumPy's errstate goes along
    try:
        tasks[0]()
    finally:
        errors = [helper.wait() for helper in helpers]
        _state.idle += helpers
    for error in errors:
        if error is not None:
            raise error


def blocks(x: Array) -> list[slice]:
    """Parts of the first axis of `x`, to be shared, of a size that stays in the cache while it is computed with."""
    step = max(BLOCK * len(x) // max(x.nbytes, 1), 1)
    return [slice(i, i + step) for i in range(0, len(x), step)]


def portions(n: int, most: int) -> list[slice]:
    """Parts of `n` rows for `share`, of `most` rows or fewer: one for each thread, or more."""
    step = -(-n // max(-(-n // most), get_num_threads()))
    return [slice(i, min(i + step, n)) for i in range(0, n, step)]


@functools.cache
def _default() -> int:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdecimal() and int(value):
            return int(value)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Helper:
    """A thread that waits for work. Two locks wake it and tell of the end: three times as fast as an executor."""

    def __init__(self) -> None:
        self.started, self.ended = threading.Lock(), threading.Lock()
        self.started.acquire()
        self.ended.acquire()
        self.work: Callable[[], object] | None = None
        self.error: BaseException | None = None
        threading.Thread(target=self._run, name="minigrad", daemon=True).start()
        threading.Thread(target=_keep_awake, args=(_state.busy,), name="minigrad awake", daemon=True).start()

    def _run(self) -> None:
        while True:
            self.started.acquire()
            try:
                assert self.work is not None
                self.work()
            except BaseException as error:
                self.error = error
            self.ended.release()

    def begin(self, work: Callable[[], object]) -> None:
        """Start it; it must be idle."""
        self.work = work
        self.started.release()

    def wait(self) -> BaseException | None:
        """Wait for its end; returns what was raised."""
        self.ended.acquire()
        error, self.error, self.work = self.error, None, None  # what they refer to may go
        return error


def _keep_awake(busy: threading.Event) -> None:
    """Keep a core awake as long as `busy` is set again and again."""
    try:
        os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))
    except (AttributeError, OSError):  # not Linux, or not allowed: with any other priority it would be in the way
        return
    while True:
        busy.wait()
        busy.clear()
        np.add.reduce(AWAKE)  # NumPy lets other threads run meanwhile


class _State:
    """The number of threads, and those that wait for work."""

    def __init__(self) -> None:
        self.count: int | None = None
        self.forget()

    def forget(self) -> None:
        """In a process just forked there are no threads to wait for."""
        self.idle: list[_Helper] = []
        self.busy = threading.Event()

    def helper(self) -> _Helper:
        """An idle thread, or a new one."""
        try:
            return self.idle.pop()
        except IndexError:
            return _Helper()


_state = _State()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_state.forget)
