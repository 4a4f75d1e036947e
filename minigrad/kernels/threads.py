"""Threads inside large operations.

NumPy lets other threads run while it computes, so an operation on many images can give each thread some of them.
OpenBLAS uses one thread meanwhile (`minigrad.kernels.blas.one_thread`); for all other matrix products it uses its own
threads.
"""

from __future__ import annotations

import contextvars
import functools
import itertools
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from minigrad.kernels import blas

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")


class _State:
    """The number of threads that the user has asked for."""

    count: int | None = None


_state = _State()


def get_num_threads() -> int:
    """How many threads a large operation uses: by default one for each core, or ``OMP_NUM_THREADS``.

    >>> import minigrad
    >>> minigrad.get_num_threads() >= 1
    True
    """
    return _state.count or _default()


def set_num_threads(n: int) -> None:
    """Let large operations use `n` threads, and OpenBLAS, in the whole process, as many for matrix products.

    With another number, matrix products may round differently (by at most 2e-6 of the largest element in float32); all
    other results are the same bits.

    Raises:
        RuntimeError: if `n` is not positive.
        TypeError: if `n` is not an integer.
    """
    if not isinstance(n, int) or isinstance(n, bool):
        raise TypeError(f"set_num_threads expects an int, but got {type(n).__name__}")
    if n <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")
    _state.count = n
    blas.one_thread.set_num_threads(n)


def parallel(work: Callable[[Sequence[T]], object], items: Sequence[T]) -> None:
    """``work(items)`` on several threads at once: each gets some neighbouring items.

    What `work` does with an item must not depend on the other items; it must not call this function.
    An exception in any thread is raised here, after all have ended.
    """
    n = min(get_num_threads(), len(items)) if blas.library() is not None else 1
    if n <= 1:
        work(items)
        return
    first, *others = (items[a:b] for a, b in itertools.pairwise(len(items) * i // n for i in range(n + 1)))
    from concurrent.futures import wait  # imports logging, which most programs don't need

    with blas.one_thread:
        start = _executor(get_num_threads() - 1).submit
        futures = [start(contextvars.copy_context().run, work, part) for part in others]  # NumPy's errstate goes along
        try:
            work(first)
        finally:
            wait(futures)
    for future in futures:
        future.result()


@functools.lru_cache(1)
def _executor(workers: int) -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(workers, "minigrad")


if hasattr(os, "register_at_fork"):  # a process just forked has no threads to wait for
    os.register_at_fork(after_in_child=_executor.cache_clear)


@functools.cache
def _default() -> int:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdecimal() and int(value):
            return int(value)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
